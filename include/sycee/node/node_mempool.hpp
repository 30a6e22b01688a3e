#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/node/evm_node.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/task.hpp>

#include <memory>

namespace sycee {

// Smaller answers than a block's, and more patience with silence and with a node that refuses.
NodeLimits mempool_limits();

// The mempool of one node: pending transactions over a WebSocket, each then asked for over HTTP.
// Both connections are apart from those that the chain is read over, so that nothing waits behind a
// busy mempool. What is announced and not taken is kept up to a bound.
class NodeMempool final : public MempoolPort {
  public:
    // Throws std::runtime_error for a URL that can't be one.
    NodeMempool(Executor executor, ChainSettings const& chain, EndpointSettings const& endpoint,
                Clock& clock, NodeLimits limits = mempool_limits());
    NodeMempool(NodeMempool const&) = delete;
    NodeMempool& operator=(NodeMempool const&) = delete;
    ~NodeMempool() override;

    // Keeps the subscription. Ends only by cancellation; the mempool outlives it.
    Task<void> run_subscription();

    std::string name() const override;
    Task<PendingAnnouncements> take_announced(std::size_t most,
                                              std::chrono::milliseconds limit) override;
    // Throws RateLimited where the node asks for a pause.
    Task<std::vector<std::optional<PendingTransaction>>> transactions(
        std::vector<TransactionHash> hashes) override;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace sycee
