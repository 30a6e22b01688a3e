#pragma once

#include <sycee/net/http_client.hpp>
#include <sycee/net/websocket_client.hpp>
#include <sycee/node/evm_node.hpp>
#include <sycee/runtime/clock.hpp>

#include "decode.hpp"

#include <chrono>
#include <functional>
#include <string>

namespace sycee {

// What to subscribe to, and where.
struct SubscriptionSettings {
    ChainId chain_id = 0;
    Url url;
    std::string topic;      // "newHeads"
    std::string otherwise;  // for the log: how it goes on while there is no subscription
    // Without a word for so long, a subscription is taken for dead: a connection can be alive,
    // answer pings, and have forgotten what it was for.
    std::chrono::milliseconds longest_silence{};
    NodeLimits limits;
};

// Called on the io thread; none of them throws.
struct SubscriptionEvents {
    std::function<void()> on_confirmed;
    std::function<void(Json const& told)> on_told;
    std::function<void()> on_lost;
};

// A subscription over a WebSocket of its own, which is made again whenever it is lost.
class Subscription {
  public:
    Subscription(Executor executor, Clock& clock, SubscriptionSettings settings,
                 SubscriptionEvents events);

    // Ends only by cancellation.
    Task<void> run();

  private:
    Task<void> follow(Backoff& backoff);

    Executor executor_;
    Clock& clock_;
    SubscriptionSettings settings_;
    SubscriptionEvents events_;
};

}  // namespace sycee
