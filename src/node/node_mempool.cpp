#include <sycee/node/node_mempool.hpp>

#include "node_url.hpp"
#include "subscription.hpp"
#include "transaction.hpp"

#include <algorithm>
#include <deque>
#include <utility>

namespace sycee {
namespace {

using namespace std::chrono_literals;

// Some seconds of what is asked for: older ones are in a block by then, or stay for long.
constexpr std::size_t kMostWaiting = 500;

}  // namespace

NodeLimits mempool_limits() {
    NodeLimits limits;
    limits.http.answer_bytes = std::size_t{4} * 1024 * 1024;
    limits.web_socket.message_bytes = std::size_t{1024} * 1024;
    limits.shortest_silence = 10min;
    limits.first_reconnect = 1s;
    limits.longest_reconnect = 5min;
    return limits;
}

struct NodeMempool::State {
    State(Executor const& io, ChainSettings const& chain, EndpointSettings const& endpoint,
          Clock& clock, NodeLimits const& limits)
        : url(parse_node_url(chain.name, "http_url", endpoint.http_url, "http")),
          rpc(io, url, limits.http, clock),
          arrived(io),
          subscription(io, clock,
                       {.chain_id = chain.id,
                        .url = parse_node_url(chain.name, "ws_url", endpoint.ws_url, "ws"),
                        .topic = "newPendingTransactions",
                        .otherwise = "no transfers are seen before their block",
                        .longest_silence = limits.shortest_silence,
                        .limits = limits},
                       {.on_confirmed = [] {},
                        .on_told = [this](Json const& told) { keep(told); },
                        .on_lost = [] {}}) {}

    void keep(Json const& told) {
        auto announcement = decode_announcement(told);
        if (!announcement) return;
        if (waiting.size() == kMostWaiting) {
            waiting.pop_front();
            ++forgotten;
        }
        waiting.push_back(std::move(*announcement));
        arrived.notify();
    }

    Url url;
    JsonRpc rpc;
    std::deque<PendingAnnouncement> waiting;
    std::size_t forgotten = 0;
    Notifier arrived;
    Subscription subscription;
};

NodeMempool::NodeMempool(Executor executor, ChainSettings const& chain,
                         EndpointSettings const& endpoint, Clock& clock, NodeLimits limits)
    : state_(std::make_unique<State>(executor, chain, endpoint, clock, limits)) {}

NodeMempool::~NodeMempool() = default;

Task<void> NodeMempool::run_subscription() {
    return state_->subscription.run();
}

std::string NodeMempool::name() const {
    return state_->url.origin();
}

Task<PendingAnnouncements> NodeMempool::take_announced(std::size_t most,
                                                       std::chrono::milliseconds limit) {
    State& state = *state_;
    auto const seen = state.arrived.generation();
    if (state.waiting.empty()) co_await state.arrived.wait_after(seen, limit);
    PendingAnnouncements taken;
    while (!state.waiting.empty() && taken.announced.size() < most) {
        taken.announced.push_back(std::move(state.waiting.front()));
        state.waiting.pop_front();
    }
    taken.forgotten = std::exchange(state.forgotten, 0);
    co_return taken;
}

Task<std::vector<std::optional<PendingTransaction>>> NodeMempool::transactions(
    std::vector<TransactionHash> hashes) {
    std::vector<RpcCall> calls;
    for (TransactionHash const& hash : hashes)
        calls.push_back(transaction_call(hash));
    auto const answers = co_await state_->rpc.batch(std::move(calls));
    std::vector<std::optional<PendingTransaction>> transactions;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        auto transaction = decode_pending(result_of(answers[i], kTransactionByHash));
        bool const is_it = transaction && transaction->hash == hashes[i];
        transactions.push_back(is_it ? std::move(transaction) : std::nullopt);
    }
    co_return transactions;
}

}  // namespace sycee
