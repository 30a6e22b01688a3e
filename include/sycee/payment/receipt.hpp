#pragma once

#include <sycee/base/result.hpp>
#include <sycee/payment/checkpoint.hpp>
#include <sycee/payment/records.hpp>

#include <cstdint>
#include <vector>

namespace sycee {

// One transfer of a payment with the three records of its life, and the way from them to a signed
// checkpoint. The settlement holds the hash of its clearing, which holds that of its authorization,
// so that the settlement's path proves all three.
struct ReceiptTransfer {
    JournalEntry authorization;
    JournalEntry clearing;
    JournalEntry settlement;
    JournalInterval interval;      // that the settlement stands in
    MerklePath interval_path;      // from the settlement to the interval's root
    std::uint64_t leaf_index = 0;  // of the interval in its checkpoint
    MerklePath checkpoint_path;    // from the interval to the checkpoint's root
    Checkpoint checkpoint;
};

struct PaymentReceipt {
    MerchantId merchant_id;
    PaymentId payment_id;
    std::vector<ReceiptTransfer> transfers;
};

// Checks one transfer's proof by itself: the hashes of the records, what each says of the one
// before it, both paths, the checkpoint's signature. The first fault is named: "clearing",
// "settlement.clearing_hash", "interval.path", "checkpoint.signature". Whether the checkpoint's key
// is the gateway's is for the caller.
Result<void> check_transfer(ReceiptTransfer const& transfer);

// check_transfer() for each, at least one, and that all of them are of this merchant and payment,
// and none twice. The fault's name begins with "transfers[0].".
Result<void> check_payment_receipt(PaymentReceipt const& receipt);

}  // namespace sycee
