#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/net/http_client.hpp>
#include <sycee/net/websocket_client.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/task.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

namespace sycee {

struct NodeLimits {
    HttpClientLimits http;
    WebSocketLimits web_socket;
    std::chrono::milliseconds subscribe_time{10'000};  // until the node has confirmed it
    std::chrono::milliseconds first_reconnect{500};
    std::chrono::milliseconds longest_reconnect{30'000};
};

// A chain as one node of it tells it: JSON-RPC over HTTP, new heads over a WebSocket. What the node
// answers is checked for its form and for being what was asked for; whether it makes sense as a
// chain is for the caller. No message has more of a URL than its origin: providers put keys into
// paths.
class EvmNode final : public ChainPort {
  public:
    // Throws std::runtime_error for a URL that can't be one.
    EvmNode(Executor executor, ChainSettings const& settings, Clock& clock, NodeLimits limits);
    EvmNode(EvmNode const&) = delete;
    EvmNode& operator=(EvmNode const&) = delete;
    ~EvmNode() override;

    // Keeps a subscription to new heads, which wait_for_head() hears. Ends only by cancellation;
    // the node outlives it.
    Task<void> run_subscription();

    Task<ChainTips> tips() override;
    Task<std::optional<BlockHeader>> header(BlockNumber number) override;
    Task<std::vector<BlockWithLogs>> blocks(BlockNumber first, BlockNumber last) override;
    // Returns at once where a head was announced since the last tips() or wait_for_head() began.
    Task<void> wait_for_head(std::chrono::milliseconds limit) override;
    Task<ChainId> chain_id() override;
    Task<unsigned> token_decimals(Address token) override;
    Task<Amount> token_balance(Address token, Address holder) override;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace sycee
