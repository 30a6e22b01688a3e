// Pins what is said of a transaction that somebody asks about, and that a question about one
// payment's address is answered about no other one.
#include <sycee/app/finding_text.hpp>

#include "../checkout/page_fakes.hpp"

#include <gtest/gtest.h>

namespace sycee {
namespace {

using namespace std::chrono_literals;

class TransferFinderTest : public testing::Test {
  protected:
    TransferFinderTest() { world_.process(110); }

    std::vector<FoundOnChain> find() {
        return run_task(world_.io, world_.finder.find(world_.transaction));
    }
    std::vector<FoundOnChain> find_at(Address const& address) {
        PaymentKey const key{world_.state.payment.merchant_id, world_.state.payment.id};
        return run_task(world_.io, world_.finder.find_at({address, key}, world_.transaction));
    }
    // The one transfer of the test chain.
    FoundTransfer found() {
        auto const chains = find();
        EXPECT_EQ(chains.at(0).transfers.size(), 1U);
        return chains.at(0).transfers.at(0);
    }

    PageWorld world_;
};

TEST_F(TransferFinderTest, AsksEveryChain) {
    world_.other_chain.fault = "the node is away";
    auto const chains = find();
    ASSERT_EQ(chains.size(), 2U);
    EXPECT_EQ(chain_text(chains[0]), "does not have this transaction");
    EXPECT_EQ(chain_text(chains[1]), "could not be asked: the node is away");
}

TEST_F(TransferFinderTest, TellsWhatIsBooked) {
    world_.send(kTestToken, Amount(60 * kWholeToken));
    auto& booked = world_.book(60, CreditStage::cleared);
    booked.excess = Amount(10 * kWholeToken);
    booked.first_seen_time = world_.clock.time - 1min;
    world_.store();
    FoundTransfer const transfer = found();
    EXPECT_EQ(transfer.kind, FoundAs::booked);
    EXPECT_EQ(transfer.stage, CreditStage::cleared);
    EXPECT_EQ(transfer.amount, Amount(60 * kWholeToken));
    EXPECT_EQ(transfer.first_seen_time, booked.first_seen_time);
    DeskKey const key{world_.state.payment.merchant_id, kTestChain, 41};
    EXPECT_EQ(transfer.exception, key);
    EXPECT_EQ(transfer.excess, Amount(10 * kWholeToken));
    EXPECT_NE(advice(transfer).find("booked: cleared; what is over is on the exceptions desk"),
              std::string::npos);
    booked.resolved = booked.excess;
    world_.store();
    EXPECT_NE(advice(found()).find("has been decided"), std::string::npos);
}

TEST_F(TransferFinderTest, OneThatIsNotBookedIsEitherNotReadYetOrMissing) {
    world_.send(kTestToken, Amount(5));
    EXPECT_EQ(found().kind, FoundAs::not_booked);
    world_.process(104);
    EXPECT_EQ(found().kind, FoundAs::not_read_yet);
    // We are at that number with another block: a reorg that we have not followed yet.
    world_.process(110);
    world_.books.processed[kTestChain].blocks[5].header.hash.fill(0xee);
    EXPECT_EQ(found().kind, FoundAs::not_read_yet);
    world_.books.processed[kTestChain].blocks.erase(
        world_.books.processed[kTestChain].blocks.begin(),
        world_.books.processed[kTestChain].blocks.begin() + 6);
    EXPECT_EQ(found().kind, FoundAs::not_booked);
    world_.chains.lose(kTestChain);
    EXPECT_EQ(found().kind, FoundAs::not_read_yet);
}

TEST_F(TransferFinderTest, TellsWhatCreditsNothing) {
    world_.send(kOtherToken, Amount(7));
    world_.send(kTestToken, Amount());
    world_.send(kTestToken, std::nullopt);
    auto& included = world_.include_transaction();
    included.native = {world_.state.payment.deposit_address, Amount(500'000'000'000'000'000)};
    auto const chains = find();
    std::vector<FoundAs> kinds;
    for (auto const& transfer : chains[0].transfers)
        kinds.push_back(transfer.kind);
    EXPECT_EQ(kinds, (std::vector{FoundAs::unlisted_token, FoundAs::malformed, FoundAs::malformed,
                                  FoundAs::native_coin}));
    EXPECT_EQ(found_amount(chains[0].transfers[3], kTestChain, world_.network),
              "0.5 of the chain's own coin");
}

TEST_F(TransferFinderTest, AFailedTransactionMovedNothing) {
    auto& included = world_.include_transaction();
    included.receipt.succeeded = false;
    included.native = {world_.state.payment.deposit_address, Amount(1)};
    auto const chains = find();
    EXPECT_TRUE(chains[0].transfers.empty());
    EXPECT_EQ(chain_text(chains[0]), "in block 105, FAILED: it moved nothing");
}

TEST_F(TransferFinderTest, AQuestionAboutOneAddressIsAnsweredAboutNoOther) {
    world_.send(kTestToken, Amount(5));
    world_.include_transaction().native = {world_.state.payment.deposit_address, Amount(9)};
    Address const other = test_address(0x31);
    auto& receipt = world_.include_transaction().receipt;
    receipt.logs.push_back(transfer_log(receipt, world_.transaction, kTestToken, other, Amount(6)));
    auto const chains = find_at(other);
    ASSERT_EQ(chains[0].transfers.size(), 1U);
    EXPECT_EQ(chains[0].transfers[0].amount, Amount(6));
    EXPECT_EQ(chains[0].transfers[0].deposit_address, other);
    EXPECT_TRUE(find_at(test_address(0x32))[0].transfers.empty());
    // Of the three, one went to an address that is none of ours.
    EXPECT_EQ(find()[0].transfers.size(), 2U);
}

TEST_F(TransferFinderTest, ListsNoMoreThanAHundred) {
    for (int i = 0; i < 100; ++i)
        world_.send(kOtherToken, Amount(1));
    EXPECT_FALSE(find()[0].has_more);
    world_.send(kOtherToken, Amount(1));
    auto const chains = find();
    EXPECT_EQ(chains[0].transfers.size(), 100U);
    EXPECT_TRUE(chains[0].has_more);
}

}  // namespace
}  // namespace sycee
