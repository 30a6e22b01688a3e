// Pins: the bytes that a record's hash is taken over, by hashes of one record of each kind; that
// these bytes are those of the fields that are shown, so that a stranger can take the hash; and
// that what is shown is read back, or refused with the name of the field that is wrong.
#include <sycee/crypto/hash.hpp>
#include <sycee/payment/record_fields.hpp>

#include <gtest/gtest.h>

namespace sycee {
namespace {

template <std::size_t N>
Bytes<N> filled(std::uint8_t first) {
    Bytes<N> bytes{};
    for (std::size_t i = 0; i < N; ++i)
        bytes.at(i) = static_cast<std::uint8_t>(first + i);
    return bytes;
}

Transfer transfer() {
    return {.key = {31337, filled<32>(0x10), Address{filled<20>(0x20)}, 3},
            .log_index = 7,
            .sender = Address{filled<20>(0x30)},
            .recipient = Address{filled<20>(0x40)},
            .amount = Amount(60'000'000),
            .block_number = 101,
            .block_hash = filled<32>(0x50),
            .block_time = timestamp_from_seconds(1'700'000'101)};
}

JournalEntry entry(Record record) {
    JournalEntry made{.merchant_id = {{filled<16>(0x60)}},
                      .chain_id = 31337,
                      .sequence = 12,
                      .previous_hash = filled<32>(0x70),
                      .booked_at = Timestamp{std::chrono::milliseconds(1'700'000'102'345)},
                      .record = std::move(record)};
    made.hash = hash_of(made);
    return made;
}

PaymentId const kPayment{{filled<16>(0x80)}};
Address const kToken{filled<20>(0x20)};

JournalEntry authorization() {
    return entry(Authorization{kPayment, transfer(), 2});
}

JournalEntry clearing() {
    return entry(Clearing{.payment_id = kPayment,
                          .authorization_sequence = 11,
                          .authorization_hash = filled<32>(0x90),
                          .token = kToken,
                          .cleared_at_block = 102,
                          .fee_basis_points = 50,
                          .gross = Amount(50'000'000),
                          .fee = Amount(250'000),
                          .net = Amount(49'750'000),
                          .excess = Amount(10'000'000),
                          .shortfall = Amount(0)});
}

// By a fee schedule that has a version.
JournalEntry charged_clearing() {
    auto charged = std::get<Clearing>(clearing().record);
    charged.fee_version = 3;
    return entry(charged);
}

JournalEntry settlement() {
    return entry(Settlement{.payment_id = kPayment,
                            .authorization_sequence = 11,
                            .clearing_hash = filled<32>(0xa0),
                            .batch_number = 4,
                            .finalized_block = 110,
                            .net = Amount(49'750'000)});
}

// Taken when these kinds were first written. Books that exist hold such hashes: a hash that changes
// here would make them wrong.
TEST(RecordHash, is_what_it_was_for_each_kind) {
    EXPECT_EQ(to_hex(authorization().hash),
              "405a23679f1518088c67b1799814913f7967a26bdd9dcc51c6667ba1a3bec61f");
    EXPECT_EQ(to_hex(clearing().hash),
              "1acb63c3247dbd35deed38b42ca53d31913301c5ea90d6857eade3fbe2137e0a");
    EXPECT_EQ(to_hex(settlement().hash),
              "fc3e1741947d40bebaf4ccc68cb1b021b0abc5890b707acdf9dec7e257a912d8");
    EXPECT_EQ(to_hex(entry(SettlementBatch{4, kToken, 9, 11, 3, 110, Amount(79'600'000)}).hash),
              "faef38defae92830e3caf3d77c7fdc5cec3de08577b2726ec9277cf9b0d60f06");
    EXPECT_EQ(to_hex(entry(Unapplied{kPayment, 11, filled<32>(0x90), kToken, UnappliedReason::late,
                                     Amount(20'000'000)})
                         .hash),
              "6acf310a0692e476e26549ae45289d70f3ed7927f0f52a51841433ff45064bf6");
    EXPECT_EQ(to_hex(entry(Withdrawal{kPayment, transfer(), Amount(3'000'000)}).hash),
              "6cce971d89ff96a154c0244818c81f4173d1d119ba7f7ef790b7b93b6781c54c");
    EXPECT_EQ(to_hex(entry(Reversal{kPayment, RecordKind::unapplied, 11, filled<32>(0xb0), 99,
                                    mirror(unapplied_postings(kToken.bytes, Amount(5)))})
                         .hash),
              "e387cc717cf09681ec1bc01b6ae3a0b8689f0cd6832443a963827a62a421d9ed");
    EXPECT_EQ(to_hex(entry(Resolution{.payment_id = kPayment,
                                      .exception_sequence = 11,
                                      .exception_hash = filled<32>(0xc0),
                                      .token = kToken,
                                      .kind = ResolutionKind::credit,
                                      .target_payment_id = {{filled<16>(0xd0)}},
                                      .fee_basis_points = 50,
                                      .amount = Amount(20'000'000),
                                      .fee = Amount(100'000),
                                      .decided_by = "opr_a",
                                      .approved_by = "opr_b",
                                      .reason_hash = filled<32>(0xe0)})
                         .hash),
              "46fbafc5bb60e35735321e26124e5f8c22b7a616bf4e469f8ed174f52edf5fe0");
}

std::vector<Record> later_kinds() {
    return {Refund{.payment_id = kPayment,
                   .token = kToken,
                   .recipient = Address{filled<20>(0x41)},
                   .amount = Amount(9'000'000),
                   .decided_by = "opr_a",
                   .approved_by = "opr_b",
                   .reason_hash = filled<32>(0xe0)},
            RefundPayment{.payment_id = kPayment,
                          .promise_kind = RecordKind::refund,
                          .promise_sequence = 11,
                          .promise_hash = filled<32>(0xc0),
                          .transfer = transfer(),
                          .amount = Amount(9'000'000),
                          .finalized_block = 110},
            RefundCancellation{.payment_id = kPayment,
                               .promise_kind = RecordKind::resolution,
                               .promise_sequence = 11,
                               .promise_hash = filled<32>(0xc0),
                               .token = kToken,
                               .amount = Amount(9'000'000),
                               .decided_by = "opr_a",
                               .approved_by = "",
                               .reason_hash = filled<32>(0xe0)},
            TokenLoss{.payment_id = kPayment,
                      .token = kToken,
                      .amount = Amount(3),
                      .difference_id = {{filled<16>(0x81)}},
                      .block_number = 109,
                      .block_hash = filled<32>(0x51),
                      .decided_by = "opr_a",
                      .approved_by = "opr_b",
                      .reason_hash = filled<32>(0xe0)},
            FeePayment{.invoice_merchant_id = {{filled<16>(0x61)}},
                       .invoice_payment_id = {{filled<16>(0x82)}},
                       .token = kToken,
                       .amount = Amount(250'000),
                       .settlement_hash = filled<32>(0xa0)},
            Cancellation{.payment_id = kPayment,
                         .ends_at = timestamp_from_seconds(1'700'000'321),
                         .decided_by = "key_a",
                         .approved_by = "",
                         .reason_hash = filled<32>(0xe0)}};
}

TEST(RecordHash, is_what_it_was_for_each_kind_that_came_later) {
    std::vector<std::string> const hashes{
        "6f3d26e5678905e23d296844d741534920bfd2131cdcf14f24552924293bd713",
        "c81381d2035a5006adeede60af8eff0e06210bb970f735a69ba05b330d608c30",
        "815caf1b7f67d002175403ccaa51dd278a1d484232439e97bee769ce7841fc4d",
        "677625bc13236a58c18de6b0f4c350df52ff9af07d0f4d0d7b16ca53388d4282",
        "4cc0e56b4254fabffe59da06f20af61185f757d90c35e3a585422044aaf317a2",
        "303c32068da90dbac7a68bd0816ccf1c679b8e578f29ec43933f2a3ecae4ed53"};
    auto const kinds = later_kinds();
    ASSERT_EQ(kinds.size(), hashes.size());
    for (std::size_t i = 0; i < kinds.size(); ++i)
        EXPECT_EQ(to_hex(entry(kinds[i]).hash), hashes[i]) << to_string(kind_of(kinds[i]));
}

TEST(RecordHash, covers_every_field_of_the_kinds_that_came_later) {
    auto const changes_hash = [](auto record, auto const& change) {
        Bytes32 const before = entry(record).hash;
        change(record);
        return entry(record).hash != before;
    };
    auto const kinds = later_kinds();
    auto const promised = std::get<RefundPayment>(kinds[1]);
    EXPECT_TRUE(changes_hash(promised, [](auto& one) { one.amount += Amount(1); }));
    EXPECT_TRUE(changes_hash(promised, [](auto& one) { one.transfer.amount += Amount(1); }));
    EXPECT_TRUE(
        changes_hash(promised, [](auto& one) { one.promise_kind = RecordKind::resolution; }));
    // The kind of the promise says where the money goes back to, even for the same amount.
    auto const canceled = std::get<RefundCancellation>(kinds[2]);
    auto other = canceled;
    other.promise_kind = RecordKind::refund;
    EXPECT_NE(postings_of(canceled), postings_of(other));
}

// As a stranger would, by the four kinds alone.
Bytes32 hash_by_kinds(std::vector<RecordField> const& fields) {
    std::vector<std::uint8_t> bytes;
    auto const append = [&bytes](ByteView view) {
        bytes.insert(bytes.end(), view.begin(), view.end());
    };
    auto const append_number = [&append](Uint128 value, std::size_t width) {
        for (std::size_t i = width; i-- > 0;)
            append(Bytes<1>{static_cast<std::uint8_t>(value >> (8 * i))});
    };
    for (RecordField const& field : fields) {
        switch (field.kind) {
            case FieldKind::number:
                append_number(std::stoull(field.value), 8);
                break;
            case FieldKind::amount:
                append_number(parse_base_units(field.value).value().base_units(), 16);
                break;
            case FieldKind::bytes:
                append(from_hex(field.value).value());
                break;
            case FieldKind::text:
                append_number(field.value.size(), 8);
                append(as_bytes(field.value));
                break;
        }
    }
    return sha256(bytes);
}

TEST(RecordFields, are_the_bytes_that_are_hashed) {
    for (JournalEntry const& one : {authorization(), clearing(), charged_clearing(), settlement()})
        EXPECT_EQ(to_hex(hash_by_kinds(fields_of(one))), to_hex(one.hash));
    auto const reversal = entry(Reversal{kPayment, RecordKind::unapplied, 11, filled<32>(0xb0), 99,
                                         mirror(unapplied_postings(kToken.bytes, Amount(5)))});
    EXPECT_EQ(to_hex(hash_by_kinds(fields_of(reversal))), to_hex(reversal.hash));
    for (Record const& record : later_kinds()) {
        JournalEntry const one = entry(record);
        EXPECT_EQ(fields_of(one).front().value, "sycee.record.3");
        EXPECT_EQ(to_hex(hash_by_kinds(fields_of(one))), to_hex(one.hash));
    }
}

TEST(RecordFields, are_read_back) {
    for (JournalEntry const& one :
         {authorization(), clearing(), charged_clearing(), settlement()}) {
        auto const read = entry_of(fields_of(one));
        ASSERT_TRUE(read) << to_string(read.error());
        EXPECT_EQ(hash_of(*read), one.hash);
        EXPECT_EQ(fields_of(*read), fields_of(one));
    }
    auto const read = entry_of(fields_of(authorization())).value();
    EXPECT_EQ(std::get<Authorization>(read.record).transfer, transfer());
}

TEST(RecordFields, of_another_name_kind_or_place_are_refused_by_name) {
    for (JournalEntry const& one : {authorization(), clearing(), settlement()}) {
        auto const fields = fields_of(one);
        for (std::size_t i = 0; i < fields.size(); ++i) {
            std::string const& name = fields[i].name;
            auto other_name = fields;
            other_name[i].name = "x";
            EXPECT_EQ(entry_of(other_name).error().field, "x") << name;
            auto other_kind = fields;
            other_kind[i].kind =
                fields[i].kind == FieldKind::text ? FieldKind::bytes : FieldKind::text;
            EXPECT_EQ(entry_of(other_kind).error().field, name);
            auto without = fields;
            without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
            EXPECT_FALSE(entry_of(without)) << name;
            // The value in another form: a zero before a number, an upper-case digit, a blank.
            auto other_form = fields;
            other_form[i].value.insert(0, fields[i].kind == FieldKind::text ? " " : "0");
            EXPECT_EQ(entry_of(other_form).error().field, name);
        }
        auto more = fields;
        more.push_back({"more", FieldKind::number, "1"});
        EXPECT_EQ(entry_of(more).error().field, "more");
    }
    EXPECT_EQ(entry_of({}).error().field, "layout");
}

TEST(RecordFields, with_other_postings_than_the_records_are_refused) {
    auto fields = fields_of(clearing());
    fields.back().value = "1";
    EXPECT_EQ(entry_of(fields).error().field, "postings[2].amount");
}

TEST(RecordFields, of_a_kind_that_no_receipt_has_are_not_read) {
    auto const batch = entry(SettlementBatch{4, kToken, 9, 11, 3, 110, Amount(79'600'000)});
    EXPECT_EQ(entry_of(fields_of(batch)).error().field, "kind");
    for (Record const& record : later_kinds())
        EXPECT_EQ(entry_of(fields_of(entry(record))).error().field, "kind");
}

}  // namespace
}  // namespace sycee
