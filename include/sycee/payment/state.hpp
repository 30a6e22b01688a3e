#pragma once

#include <sycee/base/time.hpp>
#include <sycee/payment/payment.hpp>
#include <sycee/payment/records.hpp>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace sycee {

enum class PaymentStatus : std::uint8_t {
    open,            // nothing arrived yet
    partially_paid,  // something arrived, less than the price
    authorized,      // enough arrived, not yet by the finality rule
    cleared,         // release the goods
    settled,         // final
    expired,         // not covered in time; money that came is on the exceptions desk
    reversed,        // a reorg took a transfer away, and without it the price is not covered
};
std::string_view to_string(PaymentStatus status);
std::optional<PaymentStatus> parse_payment_status(std::string_view name);

// How far a live transfer to a payment has come.
enum class CreditStage : std::uint8_t { authorized, cleared, settled, unapplied };
std::string_view to_string(CreditStage stage);

// A live authorization of a payment, with what has been booked upon it.
struct Credit {
    Transfer transfer;
    std::uint64_t authorization_sequence = 0;
    Bytes32 authorization_hash{};
    Timestamp first_seen_time{};  // block time of its first inclusion, if it has been re-mined
    CreditStage stage = CreditStage::authorized;
    std::uint64_t stage_sequence = 0;  // of the clearing or unapplied record
    Bytes32 stage_hash{};
    std::uint64_t settlement_sequence = 0;
    Amount gross;  // cleared or settled: the part applied to the payment
    Amount fee;
    Amount excess;  // on the exceptions desk
    std::optional<UnappliedReason> unapplied_reason;
};

// A live transfer out of a payment's deposit address.
struct Outflow {
    Transfer transfer;
    std::uint64_t sequence = 0;
    Bytes32 hash{};
    Amount unexplained;
};

// A payment and all that is known of its money.
struct PaymentState {
    Payment payment;
    std::vector<Credit> credits;  // in the order in which they were booked
    std::vector<Outflow> outflows;
    // Transfers that a reorg took away at some time, with the time of their first block: one that
    // comes back is as late as it was at first.
    std::vector<std::pair<TransferKey, Timestamp>> reversed_transfers;
};

// The status at a moment of chain time: the time of the newest processed block, the slowest chain's
// where several are offered. Nothing: no chain has been read yet.
PaymentStatus status_of(PaymentState const& state, std::optional<Timestamp> chain_time);

// True where these credits, each token by its own locked price and rounded down, reach the price.
// `applied[i]` is then the part of credits[i] that goes to the payment: the earliest first, exactly
// the price and no more.
struct Coverage {
    bool covered = false;
    std::vector<Amount> applied;
};
Coverage cover(Payment const& payment, std::vector<Credit const*> const& credits);

}  // namespace sycee
