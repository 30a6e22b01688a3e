#pragma once

#include <sycee/app/idempotency.hpp>
#include <sycee/base/id.hpp>
#include <sycee/evm/transfer.hpp>
#include <sycee/runtime/task.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace sycee {

// The chain of test mode. No node has it: it is made of the time and of the transfers that were
// simulated. Its id is no chain's that anybody registered, and fits a JSON number.
constexpr ChainId kTestChainId = 31'337'000'001;
constexpr std::chrono::seconds kTestBlockTime{2};
// A transfer is taken back, if at all, so many blocks after its own at the latest.
constexpr BlockNumber kDeepestTestReorg = 4;
// Of one block: more would keep the chains that hold money waiting.
constexpr std::size_t kMostTestTransfers = 200;
// Below the head; deeper than any reorg.
constexpr BlockNumber kTestBlocksToFinal = 6;

constexpr bool is_test_chain(ChainId id) {
    return id == kTestChainId;
}

// What simulations leave of a transfer.
struct TestTransfer {
    MerchantId merchant_id;
    TransactionHash transaction_hash{};  // one transfer each
    Address token;
    Address sender;
    Address recipient;
    Amount amount;
    BlockNumber block_number = 0;  // where it is mined
    // Once this block is there, the transfer's block and all up to this one are others, and have
    // it no more.
    std::optional<BlockNumber> gone_at;

    bool operator==(TestTransfer const&) const = default;
};

struct TestChainState {
    Bytes32 seed{};       // of the hashes: two gateways have two chains
    Timestamp genesis{};  // of block 0; whole seconds
    BlockNumber head = 0;

    Timestamp time_of(BlockNumber number) const { return genesis + kTestBlockTime * number; }
    // The first block that is younger than that.
    BlockNumber first_after(Timestamp time) const {
        if (time < genesis) return 0;
        return static_cast<BlockNumber>((time - genesis) / kTestBlockTime) + 1;
    }
    BlockNumber finalized() const { return head - std::min(head, kTestBlocksToFinal); }
};

// When a simulated transfer is to be mined.
struct TestMoment {
    std::optional<Timestamp> after;  // in the first block younger than that; nothing: in the next
    std::optional<BlockNumber> taken_back_after;  // so many blocks; nothing: it stays
};

// What the test chain is made of, kept in the database.
class TestChainPort {
  public:
    virtual ~TestChainPort() = default;
    // With the head that time has brought. A head that was told never goes back, and from then on
    // nothing is added to it or below it.
    virtual Task<TestChainState> advance() = 0;
    // Also those that a reorg took away, in the order in which they were added.
    virtual Task<std::vector<TestTransfer>> in_blocks(BlockNumber first, BlockNumber last) = 0;
    virtual Task<std::optional<TestTransfer>> find(TransactionHash hash) = 0;
    // All of which one of these is the sender or the recipient.
    virtual Task<std::vector<TestTransfer>> of(std::vector<Address> addresses) = 0;
    // Gives it a block above every head that was told. Throws InvariantViolation for a transfer
    // that is taken back more than kDeepestTestReorg blocks later, and KeyWasUsed.
    // Nothing is added where the recipient has `most_of_recipient` already. A block that has
    // kMostTestTransfers is full: the next one takes it.
    virtual Task<std::optional<TestTransfer>> add(TestTransfer transfer, TestMoment moment,
                                                  std::size_t most_of_recipient,
                                                  std::optional<IdempotencyClaim> claim) = 0;
};

}  // namespace sycee
