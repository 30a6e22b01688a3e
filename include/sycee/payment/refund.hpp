#pragma once

#include <sycee/base/result.hpp>
#include <sycee/payment/advance.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace sycee {

// What of the payment's settled money in that token on that chain can still be promised back, less
// fees: base units.
Amount refundable_amount(PaymentState const& state, ChainId chain_id, Address const& token);

// All of it that is above zero, by chain and token.
struct Refundable {
    ChainId chain_id = 0;
    Address token;
    Amount amount;
};
std::vector<Refundable> refundable_of(PaymentState const& state);

// A promise of the payment; nullptr where there is none with that sequence.
Promise const* find_promise(PaymentState const& state, ChainId chain_id, std::uint64_t sequence);

// Whether a promise can go there. Refused, with the field "recipient": nobody, a contract of the
// token, one of the merchant's own deposit addresses as far as the payment says. Whether it is a
// deposit address of another payment is for the caller.
Result<void> check_recipient(PaymentState const& state, Address const& token,
                             Address const& recipient);

struct RefundDecision {
    PaymentId payment_id;
    Address token;
    // By the merchant's word, never the sender of a transfer; zero: the payer says it later.
    Address recipient;
    Amount amount;
    std::string decided_by;
    std::string approved_by;
    Bytes32 reason_hash{};
};

// Promises settled money of a payment back to a payer. `view` holds the payment. Pure. Refused,
// naming what is wrong: a payment that is not there or whose address is frozen ("payment"), a
// recipient that can't be one, more than is left of what is settled ("amount").
Result<MerchantStep> promise_refund(MerchantView view, ChainId chain_id,
                                    RefundDecision const& decision, ChainsProgress const& chains,
                                    Timestamp booked_at);

// Which of a transaction's transfers may keep the promise: those of its token to the recipient of
// its amount or more, the one with the least of them first. Empty: none.
std::vector<Transfer> fitting_transfers(Promise const& promise, Address const& recipient,
                                        std::vector<Transfer> const& transfers);

// How far the clocks of a chain and of the gateway may be apart.
constexpr std::chrono::hours kPromiseClockSlack{1};

// Whether a block of that time is too old to keep a promise that was booked then: what was sent
// before it paid something else.
bool is_before_promise(Timestamp block_time, Timestamp promised_at);

// A promise was kept by this transfer.
struct PromiseKept {
    PaymentId payment_id;
    std::uint64_t promise_sequence = 0;
    Address recipient;                         // of the promise, or given to it since
    Timestamp promised_at = Timestamp::max();  // when the promise was booked; unsaid: none is kept
    Transfer transfer;
};

// Books that a promise was kept. Pure. Refused, with the field "refund": a promise that is not
// there or has ended; with the field "transaction": a transfer that is not final, is older than the
// promise, or does not fit it. Whether it keeps another promise already is for who writes it.
Result<MerchantStep> keep_promise(MerchantView view, ChainId chain_id, PromiseKept const& kept,
                                  ChainsProgress const& chains, Timestamp booked_at);

struct CancelDecision {
    PaymentId payment_id;
    std::uint64_t promise_sequence = 0;
    std::string decided_by;
    Bytes32 reason_hash{};
};

// Takes a promise back, whole: the money is the merchant's again, or on the desk again. Pure.
// Refused, with the field "refund": a promise that is not there or has ended.
Result<MerchantStep> cancel_promise(MerchantView view, ChainId chain_id,
                                    CancelDecision const& decision, ChainsProgress const& chains,
                                    Timestamp booked_at);

}  // namespace sycee
