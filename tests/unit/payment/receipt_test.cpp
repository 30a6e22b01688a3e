// Pins: a receipt that the books gave is accepted, and whatever of it is altered is named, even
// where the hash of the altered record is taken anew: it is then not the one that its successor or
// the path holds.
#include <sycee/payment/receipt.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <receipt_fixture.hpp>

namespace sycee {
namespace {

class ReceiptTest : public ::testing::Test, protected TestReceipt {
  protected:
    // What is wrong with the receipt once its transfer is altered.
    std::string fault_after(std::function<void(ReceiptTransfer&)> const& alter) const {
        PaymentReceipt altered = receipt;
        alter(altered.transfers[0]);
        auto const checked = check_payment_receipt(altered);
        return checked ? "" : checked.error().field;
    }
};

TEST_F(ReceiptTest, of_the_books_is_accepted) {
    auto const checked = check_payment_receipt(receipt);
    EXPECT_TRUE(checked) << to_string(checked.error());
}

TEST_F(ReceiptTest, with_an_altered_record_names_it) {
    EXPECT_EQ(fault_after([](auto& transfer) {
                  std::get<Authorization>(transfer.authorization.record).transfer.block_number = 1;
              }),
              "transfers[0].authorization");
    EXPECT_EQ(fault_after([](auto& transfer) {
                  std::get<Clearing>(transfer.clearing.record).cleared_at_block = 1;
              }),
              "transfers[0].clearing");
    EXPECT_EQ(fault_after([](auto& transfer) {
                  transfer.settlement.booked_at += kReceiptTime - Timestamp{};
              }),
              "transfers[0].settlement");
    EXPECT_EQ(fault_after([](auto& transfer) { transfer.clearing.hash[3] ^= 1; }),
              "transfers[0].clearing");
}

TEST_F(ReceiptTest, with_a_record_that_was_made_anew_names_who_does_not_hold_it) {
    EXPECT_EQ(fault_after([](auto& transfer) {
                  auto& record = std::get<Authorization>(transfer.authorization.record);
                  record.transfer.amount = Amount(90'000'000);
                  transfer.authorization.hash = hash_of(transfer.authorization);
              }),
              "transfers[0].clearing.authorization_hash");
    EXPECT_EQ(fault_after([](auto& transfer) {
                  std::get<Clearing>(transfer.clearing.record).cleared_at_block = 99;
                  transfer.clearing.hash = hash_of(transfer.clearing);
              }),
              "transfers[0].settlement.clearing_hash");
    EXPECT_EQ(fault_after([](auto& transfer) {
                  std::get<Settlement>(transfer.settlement.record).batch_number = 2;
                  transfer.settlement.hash = hash_of(transfer.settlement);
              }),
              "transfers[0].interval.path");
    // The other payment's settlement, which stands in the same tree.
    EXPECT_EQ(fault_after([this](auto& transfer) { transfer.settlement = entries[5]; }),
              "transfers[0].settlement.clearing_hash");
}

TEST_F(ReceiptTest, with_altered_paths_interval_or_checkpoint_names_them) {
    for (std::size_t i = 0; i < receipt.transfers[0].interval_path.size(); ++i) {
        EXPECT_EQ(fault_after([i](auto& transfer) { transfer.interval_path[i][0] ^= 1; }),
                  "transfers[0].interval.path");
    }
    for (std::size_t i = 0; i < receipt.transfers[0].checkpoint_path.size(); ++i) {
        EXPECT_EQ(fault_after([i](auto& transfer) { transfer.checkpoint_path[i][0] ^= 1; }),
                  "transfers[0].leaf.path");
    }
    EXPECT_EQ(fault_after([](auto& transfer) { transfer.interval_path.clear(); }),
              "transfers[0].interval.path");
    EXPECT_EQ(fault_after([](auto& transfer) { transfer.leaf_index = 0; }),
              "transfers[0].leaf.path");
    EXPECT_EQ(fault_after([](auto& transfer) { transfer.leaf_index = 3; }),
              "transfers[0].leaf.path");
    EXPECT_EQ(fault_after([](auto& transfer) { transfer.interval.head[0] ^= 1; }),
              "transfers[0].leaf.path");
    EXPECT_EQ(fault_after([](auto& transfer) { transfer.interval.root[0] ^= 1; }),
              "transfers[0].interval.path");
    EXPECT_EQ(fault_after([](auto& transfer) { transfer.interval.first_sequence = 6; }),
              "transfers[0].settlement.sequence");
    EXPECT_EQ(fault_after([](auto& transfer) { transfer.interval.last_sequence = 7; }),
              "transfers[0].leaf.path");
    EXPECT_EQ(fault_after([](auto& transfer) { transfer.interval.first_sequence = 0; }),
              "transfers[0].settlement.sequence");
    EXPECT_EQ(fault_after([](auto& transfer) { transfer.interval.merchant_id = {}; }),
              "transfers[0].authorization.merchant_id");
    EXPECT_EQ(fault_after([](auto& transfer) { transfer.checkpoint.root[0] ^= 1; }),
              "transfers[0].leaf.path");
}

TEST_F(ReceiptTest, whose_checkpoint_is_not_signed_as_it_stands_is_refused) {
    std::string const signature = "transfers[0].checkpoint.signature";
    EXPECT_EQ(fault_after([](auto& transfer) { transfer.checkpoint.signature[9] ^= 1; }),
              signature);
    EXPECT_EQ(fault_after([](auto& transfer) { transfer.checkpoint.number = 3; }), signature);
    EXPECT_EQ(fault_after([](auto& transfer) { transfer.checkpoint.previous_hash[0] ^= 1; }),
              signature);
    EXPECT_EQ(fault_after([](auto& transfer) {
                  transfer.checkpoint.made_at += std::chrono::milliseconds(1);
              }),
              signature);
    EXPECT_EQ(fault_after([](auto& transfer) { transfer.checkpoint.public_key[5] ^= 1; }),
              signature);
    EXPECT_EQ(fault_after([](auto& transfer) { transfer.checkpoint.number = 1; }),
              "transfers[0].checkpoint.previous_hash");
}

TEST_F(ReceiptTest, of_another_payment_or_with_a_transfer_twice_is_refused) {
    PaymentReceipt other = receipt;
    other.payment_id.uuid.bytes[0] = 3;
    EXPECT_EQ(check_payment_receipt(other).error().field, "transfers[0].settlement.payment_id");
    other = receipt;
    other.merchant_id.uuid.bytes[0] = 3;
    EXPECT_EQ(check_payment_receipt(other).error().field, "transfers[0].settlement.merchant_id");
    other = receipt;
    other.transfers.push_back(other.transfers[0]);
    EXPECT_EQ(check_payment_receipt(other).error().field, "transfers[1].settlement");
    other.transfers.clear();
    EXPECT_EQ(check_payment_receipt(other).error().field, "transfers");
}

TEST_F(ReceiptTest, and_an_exported_checkpoint_hold_to_the_same_tree) {
    CheckpointExport exported{
        .checkpoint = {.number = 1, .made_at = kReceiptTime, .journal_count = 2}};
    exported.intervals = {{MerchantId{{Bytes<16>{1}}}, kReceiptChain, 1, 2, {}, {}},
                          {MerchantId{{Bytes<16>{2}}}, kReceiptChain, 1, 4, {}, {}}};
    MerkleTree tree;
    for (auto const& interval : exported.intervals)
        tree.add(checkpoint_leaf(interval));
    exported.checkpoint.root = tree.root();
    sign(exported.checkpoint, *key);
    EXPECT_TRUE(check_export(exported));
    auto altered = exported;
    altered.intervals[1].head[0] ^= 1;
    EXPECT_EQ(check_export(altered).error().field, "journals");
    altered = exported;
    altered.intervals.pop_back();
    EXPECT_EQ(check_export(altered).error().field, "journals");
    altered = exported;
    std::swap(altered.intervals[0], altered.intervals[1]);
    EXPECT_EQ(check_export(altered).error().field, "journals[1]");
    altered = exported;
    altered.checkpoint.journal_count = 3;
    EXPECT_EQ(check_export(altered).error().field, "checkpoint.signature");
}

}  // namespace
}  // namespace sycee
