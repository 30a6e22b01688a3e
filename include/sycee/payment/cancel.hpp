#pragma once

#include <sycee/base/result.hpp>
#include <sycee/payment/advance.hpp>

#include <optional>
#include <string>

namespace sycee {

struct CancelPayment {
    PaymentId payment_id;
    // By chain time, in whole seconds. Nothing: as early as it can be, so that everything which no
    // chain of the payment has processed yet is late.
    std::optional<Timestamp> ends_at;
    std::string decided_by;   // the id of an operator, or of an API key
    std::string approved_by;  // empty: one was enough
    Bytes32 reason_hash{};
};

// Brings the end of a payment forward. `view` holds the payment; `chains` must not be newer than
// it. It is an expiry at another moment: every chain of the payment has processed a block after it
// and found nothing; what a later block has is late, and a block that a reorg puts in the place of
// an earlier one may still bring the payment something in time. Pure. Refused, with the field
// "payment": not there; "chains": how far one of them is, is not known; "status": canceled already,
// or over; "transfers": something came, late or not.
Result<MerchantStep> cancel_payment(MerchantView view, ChainId chain_id,
                                    CancelPayment const& cancellation, ChainsProgress const& chains,
                                    Timestamp booked_at);

}  // namespace sycee
