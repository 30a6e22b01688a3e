#pragma once

#include <sycee/app/test_chain.hpp>

#include <algorithm>
#include <functional>
#include <iterator>
#include <vector>

namespace sycee {

// As the database keeps it, with a head that the test moves.
class MemoryTestChain final : public TestChainPort {
  public:
    TestChainState state{
        .seed = Bytes32{5}, .genesis = timestamp_from_seconds(1'800'000'000), .head = 20};
    std::vector<TestTransfer> transfers;
    std::function<void(MerchantId, IdempotencyClaim const&)> on_claim;

    Task<TestChainState> advance() override { co_return state; }
    Task<std::vector<TestTransfer>> in_blocks(BlockNumber first, BlockNumber last) override {
        std::vector<TestTransfer> found;
        for (BlockNumber number = first; number <= last; ++number) {
            std::ranges::copy_if(transfers, std::back_inserter(found), [&](auto const& transfer) {
                return transfer.block_number == number;
            });
        }
        co_return found;
    }
    Task<std::optional<TestTransfer>> find(TransactionHash hash) override {
        for (auto const& transfer : transfers) {
            if (transfer.transaction_hash == hash) co_return transfer;
        }
        co_return std::nullopt;
    }
    Task<std::vector<TestTransfer>> of(std::vector<Address> addresses) override {
        std::vector<TestTransfer> found;
        for (auto const& transfer : transfers) {
            if (std::ranges::count(addresses, transfer.sender) +
                    std::ranges::count(addresses, transfer.recipient) !=
                0)
                found.push_back(transfer);
        }
        co_return found;
    }
    Task<std::optional<TestTransfer>> add(TestTransfer transfer, TestMoment moment,
                                          std::size_t most_of_recipient,
                                          std::optional<IdempotencyClaim> claim) override {
        auto const had =
            std::ranges::count(transfers, transfer.recipient, &TestTransfer::recipient);
        if (static_cast<std::size_t>(had) >= most_of_recipient) co_return std::nullopt;
        if (claim && on_claim) on_claim(transfer.merchant_id, *claim);
        transfer.block_number = state.head + 1;
        if (moment.after) {
            transfer.block_number =
                std::max(transfer.block_number, state.first_after(*moment.after));
        }
        if (moment.taken_back_after)
            transfer.gone_at = transfer.block_number + *moment.taken_back_after;
        transfers.push_back(transfer);
        co_return transfer;
    }
};

}  // namespace sycee
