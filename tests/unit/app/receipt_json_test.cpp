// Pins: a receipt, an exported checkpoint and the published keys are read back as they were
// written, and whatever else is refused with the place where it stands.
#include <sycee/app/receipt_json.hpp>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <functional>
#include <receipt_fixture.hpp>
#include <string>

namespace sycee {
namespace {

using Json = nlohmann::ordered_json;

class ReceiptJson : public ::testing::Test, protected TestReceipt {
  protected:
    std::string fault_after(std::function<void(Json&)> const& alter) const {
        Json json = receipt_json(receipt);
        alter(json);
        auto const read = parse_receipt(json.dump());
        return read ? "" : to_string(read.error());
    }
    std::string fault_in_transfer(std::function<void(Json&)> const& alter) const {
        return fault_after([&](Json& json) { alter(json["transfers"][0]); });
    }
};

TEST_F(ReceiptJson, is_read_back) {
    auto const read = parse_receipt(receipt_json(receipt).dump());
    ASSERT_TRUE(read) << to_string(read.error());
    EXPECT_TRUE(check_payment_receipt(*read));
    EXPECT_EQ(receipt_json(*read), receipt_json(receipt));
}

TEST_F(ReceiptJson, with_facts_that_the_records_do_not_say_is_refused_by_name) {
    Json const facts = receipt_json(receipt)["transfers"][0]["facts"];
    ASSERT_EQ(facts["amount_base_units"], "60000000");
    for (auto const& [name, value] : facts.items()) {
        auto const fault =
            fault_in_transfer([&](Json& transfer) { transfer["facts"][name] = "other"; });
        EXPECT_EQ(fault.find("transfers[0].facts." + name + ": is not what the records say"), 0U)
            << fault;
    }
}

TEST_F(ReceiptJson, in_another_form_is_refused_by_its_place) {
    EXPECT_EQ(fault_after([](Json& json) { json["more"] = 1; }),
              "more: is not a member of this object");
    EXPECT_EQ(fault_after([](Json& json) { json.erase("payment"); }), "payment: is missing");
    EXPECT_EQ(fault_after([](Json& json) { json["version"] = 2; }), "version: must be 1");
    EXPECT_EQ(fault_after([](Json& json) { json["payment"] = json["merchant"]; }),
              "payment: must be an id that begins with pay_");
    EXPECT_EQ(fault_after([](Json& json) { json["transfers"] = Json::object(); }),
              "transfers: must be a list");
    EXPECT_EQ(fault_in_transfer([](Json& json) { json["leaf"]["index"] = -1; }),
              "transfers[0].leaf.index: must be a whole number");
    EXPECT_EQ(fault_in_transfer([](Json& json) { json["leaf"]["path"][0] = "00"; }),
              "transfers[0].leaf.path[0]: must be 64 hex digits in lower case");
    EXPECT_EQ(fault_in_transfer([](Json& json) {
                  json["interval"]["path"] = std::vector<std::string>(65, std::string(64, '0'));
              }),
              "transfers[0].interval.path: must have at most 64 items");
    EXPECT_EQ(
        fault_in_transfer([](Json& json) { json["checkpoint"]["hash"] = std::string(64, '0'); }),
        "transfers[0].checkpoint.hash: is not that of the checkpoint");
    EXPECT_EQ(fault_in_transfer([](Json& json) { json["clearing"] = json["settlement"]; }),
              "transfers[0].clearing.kind: must be clearing");
    EXPECT_EQ(fault_in_transfer([](Json& json) {
                  json["clearing"]["fields"][5]["value"] = "01800000000000";
              }).find("transfers[0].clearing.booked_at: "),
              0U);
}

TEST_F(ReceiptJson, of_somebody_unknown_costs_no_more_than_reading_it) {
    EXPECT_EQ(parse_receipt("").error().message, "is not JSON");
    EXPECT_EQ(parse_receipt("\xff").error().message, "is not JSON");
    std::string const deep = std::string(100'000, '[') + std::string(100'000, ']');
    EXPECT_FALSE(parse_receipt(deep));
    EXPECT_FALSE(parse_receipt("[]"));
}

TEST_F(ReceiptJson, and_an_exported_checkpoint_and_keys_are_read_back) {
    CheckpointExport const exported{.checkpoint = receipt.transfers[0].checkpoint,
                                    .intervals = {receipt.transfers[0].interval},
                                    .heads = {{receipt.merchant_id, 1, 7, Bytes32{3}}}};
    auto const read = parse_export(export_json(exported).dump());
    ASSERT_TRUE(read) << to_string(read.error());
    EXPECT_EQ(read->checkpoint, exported.checkpoint);
    EXPECT_EQ(read->intervals, exported.intervals);
    EXPECT_EQ(read->heads, exported.heads);
    std::vector<PublishedKey> const keys{{key->public_key(), kReceiptTime, std::nullopt},
                                         {key->public_key(), kReceiptTime, kReceiptTime}};
    EXPECT_EQ(parse_keys(keys_json(keys).dump()),
              (std::vector{key->public_key(), key->public_key()}));
}

// A checkpoint with a verified state, as it goes to a file.
class VerifiedExport : public ReceiptJson {
  protected:
    VerifiedExport() {
        JournalInterval const& interval = receipt.transfers[0].interval;
        JournalState state{.merchant_id = interval.merchant_id,
                           .chain_id = interval.chain_id,
                           .head = {interval.last_sequence, interval.head},
                           .last_batch = 1,
                           .live_credits = 2,
                           .live_withdrawals = 1,
                           .balances = {{{Bytes20{1}, Account::coins}, {Amount(7), false}},
                                        {{Bytes20{1}, Account::drawn}, {Amount(5), true}}},
                           .open = {{1, 0}, {2, 3}},
                           .reversed = {4},
                           .decided = {{5, Amount(6)}},
                           .kept_by = {{interval.chain_id, Bytes32{7}, Address{Bytes20{8}}, 9}},
                           .paid_invoices = {{receipt.payment_id, Address{Bytes20{8}}}}};
        exported = {.checkpoint = receipt.transfers[0].checkpoint,
                    .intervals = {interval},
                    .heads = {},
                    .state = VerifiedState{.verified_at = kReceiptTime, .journals = {state}}};
        exported.checkpoint.journal_count = 1;
        MerkleTree tree;
        tree.add(checkpoint_leaf(interval));
        exported.checkpoint.root = tree.root();
        sign(exported.checkpoint, *key);
        sign(*exported.state, exported.checkpoint, *key);
    }

    CheckpointExport exported;
};

TEST_F(VerifiedExport, is_read_back) {
    auto const read = parse_export(export_json(exported).dump());
    ASSERT_TRUE(read) << to_string(read.error());
    EXPECT_EQ(read->state, exported.state);
    auto const checked = check_export(*read);
    EXPECT_TRUE(checked) << to_string(checked.error());
}

// Every byte of the file is either of what was signed, or of a form that has no other.
TEST_F(VerifiedExport, is_refused_whatever_bit_of_it_is_turned) {
    std::string const text = export_json(exported).dump();
    for (std::size_t i = 0; i < text.size() * 8; ++i) {
        std::string turned = text;
        turned[i / 8] = static_cast<char>(turned[i / 8] ^ (1 << (i % 8)));
        auto const read = parse_export(turned);
        EXPECT_FALSE(read && check_export(*read))
            << "bit " << i << " near " << text.substr(i / 8, 20);
    }
}

TEST_F(VerifiedExport, is_of_the_checkpoints_journals_and_by_the_key_that_it_names) {
    auto const fault = [this](std::function<void(CheckpointExport&)> const& change) {
        auto changed = exported;
        change(changed);
        auto const checked = check_export(changed);
        return checked ? "" : to_string(checked.error());
    };
    EXPECT_EQ(fault([](auto& one) {
                  one.state->journals[0].balances.clear();
              }).find("state.signature: is not that of this state"),
              0U);
    EXPECT_EQ(fault([this](auto& one) {
                  one.state->journals[0].head.sequence = 1;
                  sign(*one.state, one.checkpoint, *key);
              }),
              "state.journals: are not those of the checkpoint where they end");
    EXPECT_EQ(fault([this](auto& one) {
                  one.state->journals.clear();
                  sign(*one.state, one.checkpoint, *key);
              }),
              "state.journals: are not those of the checkpoint where they end");
    // The state of another checkpoint, whose journals ended at the same place.
    EXPECT_EQ(fault([this](auto& one) {
                  one.checkpoint.made_at += std::chrono::hours(1);
                  sign(one.checkpoint, *key);
              }).find("state.signature: "),
              0U);
}

}  // namespace
}  // namespace sycee
