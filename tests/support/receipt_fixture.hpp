#pragma once

#include <sycee/payment/receipt.hpp>

#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

namespace sycee {

constexpr ChainId kReceiptChain = 31337;
inline Timestamp const kReceiptTime = timestamp_from_seconds(1'800'000'000);

// A receipt of the books of one merchant, and what it was made of.
struct TestReceipt {
    TestReceipt() {
        Bytes32 secret{};
        secret[31] = 7;
        key = SigningKey::from_bytes(secret).value();
        receipt.merchant_id.uuid.bytes[0] = 1;
        receipt.payment_id.uuid.bytes[0] = 2;
        book();
        checkpoint();
    }

    // Records 1 to 8 of the journal: two payments' transfers, cleared and settled together.
    void book() {
        JournalWriter writer(receipt.merchant_id, kReceiptChain, {}, kReceiptTime);
        for (std::uint8_t const number : std::initializer_list<std::uint8_t>{1, 2}) {
            Transfer transfer{.key = {kReceiptChain, Bytes32{number}, Address{Bytes20{5}}, 0},
                              .recipient = Address{Bytes20{6}},
                              .amount = Amount(60'000'000),
                              .block_number = 100,
                              .block_time = kReceiptTime};
            PaymentId payment = receipt.payment_id;
            if (number == 2) payment.uuid.bytes[0] = 3;
            writer.append(Authorization{payment, transfer, 1});
        }
        for (std::uint64_t sequence : {1U, 2U}) {
            JournalEntry const authorization = writer.entries()[sequence - 1];
            auto const& record = std::get<Authorization>(authorization.record);
            writer.append(Clearing{.payment_id = record.payment_id,
                                   .authorization_sequence = sequence,
                                   .authorization_hash = authorization.hash,
                                   .token = record.transfer.key.token,
                                   .cleared_at_block = 101,
                                   .fee_basis_points = 50,
                                   .gross = Amount(50'000'000),
                                   .fee = Amount(250'000),
                                   .net = Amount(49'750'000),
                                   .excess = Amount(10'000'000)});
        }
        for (std::uint64_t sequence : {1U, 2U}) {
            JournalEntry const clearing = writer.entries()[sequence + 1];
            writer.append(Settlement{.payment_id = std::get<Clearing>(clearing.record).payment_id,
                                     .authorization_sequence = sequence,
                                     .clearing_hash = clearing.hash,
                                     .batch_number = 1,
                                     .finalized_block = 105,
                                     .net = Amount(49'750'000)});
        }
        entries = std::move(writer).take_entries();
    }

    // A first checkpoint had records 1 to 3; this one has 4 to 6, and another two journals.
    void checkpoint() {
        ReceiptTransfer& transfer = receipt.transfers.emplace_back();
        transfer.authorization = entries[0];
        transfer.clearing = entries[2];
        transfer.settlement = entries[4];
        MerkleTree records(1);
        for (std::size_t i = 3; i < 6; ++i)
            records.add(interval_leaf(entries[i].hash));
        transfer.interval = {receipt.merchant_id, kReceiptChain, 4, 6,
                             entries[5].hash,     records.root()};
        transfer.interval_path = records.path();
        MerkleTree journals(1);
        journals.add(merchant(0));
        journals.add(checkpoint_leaf(transfer.interval));
        journals.add(merchant(9));
        transfer.leaf_index = 1;
        transfer.checkpoint_path = journals.path();
        transfer.checkpoint = {.number = 2,
                               .made_at = kReceiptTime,
                               .previous_hash = Bytes32{4},
                               .journal_count = 3,
                               .root = journals.root()};
        sign(transfer.checkpoint, *key);
    }
    static Bytes32 merchant(std::uint8_t number) {
        return checkpoint_leaf({MerchantId{{Bytes<16>{number}}}, kReceiptChain, 1, 2, {}, {}});
    }

    std::optional<SigningKey> key;
    std::vector<JournalEntry> entries;
    PaymentReceipt receipt;
};

}  // namespace sycee
