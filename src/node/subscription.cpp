#include "subscription.hpp"

#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/finish_within.hpp>
#include <sycee/runtime/log.hpp>

#include "json_rpc.hpp"

#include <optional>
#include <utility>

namespace sycee {
namespace {

constexpr std::uint64_t kSubscribeId = 1;

// The next message of this kind.
Task<Json> receive(WebSocketClient& socket, SubscriptionMessage::Kind kind) {
    for (;;) {
        std::string const text = co_await socket.receive();
        auto message = decode_answer(
            "eth_subscribe", [&] { return decode_subscription_message(text, kSubscribeId); });
        if (message.kind == kind) co_return std::move(message.told);
    }
}

Task<void> subscribe(WebSocketClient& socket, std::string topic) {
    Json params = Json::array();
    params.push_back(std::move(topic));
    RpcCall const call{"eth_subscribe", std::move(params)};
    co_await socket.connect();
    co_await socket.send(encode_call(call, kSubscribeId));
    co_await receive(socket, SubscriptionMessage::Kind::confirmed);
}

}  // namespace

Subscription::Subscription(Executor executor, Clock& clock, SubscriptionSettings settings,
                           SubscriptionEvents events)
    : executor_(std::move(executor)),
      clock_(clock),
      settings_(std::move(settings)),
      events_(std::move(events)) {}

Task<void> Subscription::run() {
    Backoff backoff(settings_.limits.first_reconnect, settings_.limits.longest_reconnect);
    for (;;) {
        std::string fault;
        try {
            co_await follow(backoff);
        } catch (Unavailable const& unavailable) {
            fault = unavailable.what();
        }
        events_.on_lost();
        log_warning("node", settings_.otherwise + " until the subscription is back",
                    {{"chain", settings_.chain_id},
                     {"node", settings_.url.origin()},
                     {"topic", settings_.topic},
                     {"why", fault}});
        co_await clock_.sleep_for(backoff.next());
    }
}

// Passes on what the node tells until the connection is lost.
Task<void> Subscription::follow(Backoff& backoff) {
    WebSocketClient socket(executor_, settings_.url, settings_.limits.web_socket);
    bool const confirmed =
        co_await finish_within(settings_.limits.subscribe_time, subscribe(socket, settings_.topic));
    if (!confirmed) throw Unavailable("eth_subscribe: not confirmed in time");
    log_info("node", "subscribed",
             {{"chain", settings_.chain_id},
              {"node", settings_.url.origin()},
              {"topic", settings_.topic}});
    events_.on_confirmed();
    for (;;) {
        auto const told = co_await result_within(settings_.longest_silence,
                                                 receive(socket, SubscriptionMessage::Kind::told));
        if (!told) {
            throw Unavailable("eth_subscribe: no word for " +
                              std::to_string(settings_.longest_silence.count()) + " ms");
        }
        // Not before: a node that takes a subscription and hangs up is not to be asked ever faster.
        backoff.reset();
        events_.on_told(*told);
    }
}

}  // namespace sycee
