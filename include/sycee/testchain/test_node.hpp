#pragma once

#include <sycee/app/chain_node.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/app/test_chain.hpp>
#include <sycee/runtime/clock.hpp>

#include <string>
#include <vector>

namespace sycee {

// The test chain as a node would tell it: followed, verified, reconciled and rebuilt as any chain
// is.
class TestNode final : public ChainNode {
  public:
    // `tokens`: of kTestChainId's settings. All outlive this.
    TestNode(ChainSettings const& settings, TestChainPort& chain, Clock& clock)
        : settings_(settings), chain_(chain), clock_(clock) {}

    Task<void> run_subscription() override { co_return; }  // its blocks come by the clock
    std::string name() const override { return "the test chain"; }
    Task<ChainTips> tips() override;
    Task<std::optional<BlockHeader>> header(BlockNumber number) override;
    Task<std::vector<BlockWithLogs>> blocks(BlockNumber first, BlockNumber last) override;
    Task<std::vector<std::optional<BlockWithLogs>>> blocks_again(
        std::vector<BlockHash> hashes) override;
    Task<std::optional<ReceiptLogs>> receipt(TransactionHash hash) override;
    Task<std::optional<NativeTransfer>> native_transfer(TransactionHash hash) override;
    // The time of a block, at the most.
    Task<void> wait_for_head(std::chrono::milliseconds limit) override;
    Task<ChainId> chain_id() override { co_return kTestChainId; }
    Task<unsigned> token_decimals(Address token) override;
    Task<std::string> token_symbol(Address token) override;
    Task<Amount> token_balance(Address token, Address holder) override;
    Task<std::vector<Amount>> token_balances(std::vector<TokenHolder> holders,
                                             BlockHash at) override;
    // There are no feeds on it, and no configuration names one.
    Task<FeedAnswer> read_feed(Address feed) override;
    Task<LogRange> transfer_logs(std::vector<Address> contracts, BlockNumber first,
                                 BlockNumber last) override;

  private:
    TokenSettings const& token(Address contract) const;
    // Up to the state's head.
    Task<std::vector<BlockWithLogs>> blocks_of(TestChainState state, BlockNumber first,
                                               BlockNumber last);
    Task<std::vector<Amount>> balances(std::vector<TokenHolder> holders, TestChainState state,
                                       BlockNumber at);

    ChainSettings const& settings_;
    TestChainPort& chain_;
    Clock& clock_;
};

}  // namespace sycee
