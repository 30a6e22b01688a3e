#pragma once

#include <sycee/app/chain_node.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/net/http_client.hpp>
#include <sycee/net/websocket_client.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/task.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sycee {

struct NodeLimits {
    HttpClientLimits http;
    WebSocketLimits web_socket;
    std::chrono::milliseconds subscribe_time{10'000};  // until the node has confirmed it
    // Without a head for so long, or ten blocks if that is longer, a subscription is taken for
    // dead.
    std::chrono::milliseconds shortest_silence{30'000};
    std::chrono::milliseconds first_reconnect{500};
    std::chrono::milliseconds longest_reconnect{30'000};
};

// A chain as one node of it tells it: JSON-RPC over HTTP, new heads over a WebSocket. What the node
// answers is checked for its form and for being what was asked for; whether it makes sense as a
// chain is for the caller. No message has more of a URL than its origin: providers put keys into
// paths.
class EvmNode final : public ChainNode {
  public:
    // Throws std::runtime_error for a URL that can't be one.
    EvmNode(Executor executor, ChainSettings const& chain, EndpointSettings const& endpoint,
            Clock& clock, NodeLimits limits);
    EvmNode(EvmNode const&) = delete;
    EvmNode& operator=(EvmNode const&) = delete;
    ~EvmNode() override;

    // Keeps a subscription to new heads, which wait_for_head() hears. Ends only by cancellation;
    // the node outlives it.
    Task<void> run_subscription() override;

    std::string name() const override;
    Task<ChainTips> tips() override;
    Task<std::optional<BlockHeader>> header(BlockNumber number) override;
    Task<std::vector<BlockWithLogs>> blocks(BlockNumber first, BlockNumber last) override;
    Task<std::vector<std::optional<BlockWithLogs>>> blocks_again(
        std::vector<BlockHash> hashes) override;
    Task<std::optional<ReceiptLogs>> receipt(TransactionHash hash) override;
    Task<LogRange> transfer_logs(std::vector<Address> contracts, BlockNumber first,
                                 BlockNumber last) override;
    Task<std::optional<NativeTransfer>> native_transfer(TransactionHash hash) override;
    // While there is no subscription, after the time of one block at the latest.
    Task<void> wait_for_head(std::chrono::milliseconds limit) override;
    Task<ChainId> chain_id() override;
    Task<unsigned> token_decimals(Address token) override;
    Task<std::string> token_symbol(Address token) override;
    Task<Amount> token_balance(Address token, Address holder) override;
    // By EIP-1898: requireCanonical.
    Task<std::vector<Amount>> token_balances(std::vector<TokenHolder> holders,
                                             BlockHash at) override;
    Task<FeedAnswer> read_feed(Address feed) override;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace sycee
