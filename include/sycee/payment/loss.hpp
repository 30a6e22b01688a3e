#pragma once

#include <sycee/base/result.hpp>
#include <sycee/payment/advance.hpp>

#include <string>

namespace sycee {

// Tokens that are gone from a payment's address without a transfer: their issuer destroyed them.
// What was compared, and who says so.
struct LossDecision {
    DifferenceId difference_id;
    PaymentId payment_id;
    Address token;
    Amount amount;                 // what the books say less what the chain says
    BlockNumber block_number = 0;  // at which they were compared
    BlockHash block_hash{};
    std::string decided_by;   // the id of an operator
    std::string approved_by;  // of a second one; empty: one was enough
    Bytes32 reason_hash{};
};

// Decides what one loss does to the merchant's books of one chain: one record, token_loss -> coins.
// Nobody's claim falls by it. `view` holds the payment. Pure. Refused, naming what is wrong: an
// address that does not differ, a comparison at a block that is not final, nothing missing, more
// than what was received for good lies there by the books.
Result<MerchantStep> book_loss(MerchantView view, ChainId chain_id, LossDecision const& decision,
                               ChainsProgress const& chains, Timestamp booked_at);

}  // namespace sycee
