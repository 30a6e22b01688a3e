#pragma once

#include <sycee/payment/advance.hpp>
#include <sycee/payment/records.hpp>

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

// In which order a payment's transfers are booked when the books are derived again
// (docs/decisions/0013): by the chains alone wherever they say it all, and else in the order in
// which the books took them.
namespace sycee {

// A payment with what is booked of it, and what the chains have of it up to their final blocks.
struct PaymentHistory {
    PaymentState booked;
    std::vector<JournalEntry> entries;  // of the payment, reversed ones too, by chain and number
    std::vector<MatchedTransfer> on_chain;  // by the order of is_earlier()
};

// Where a record stands among those of all chains: by time, as far as one chain's clock does not
// go back.
struct BookedPosition {
    Timestamp at{};
    ChainId chain_id = 0;
    std::uint64_t sequence = 0;

    auto operator<=>(BookedPosition const&) const = default;
};
using BookedPositions = std::map<std::pair<ChainId, std::uint64_t>, BookedPosition>;
BookedPositions positions_of(std::vector<JournalEntry> const& entries);

// The fee schedule that a part of a payment was charged by.
struct FeeVersion {
    std::uint64_t version = 0;
    std::uint32_t basis_points = 0;
    Timestamp transferred_at{};  // in a block of that time

    bool operator==(FeeVersion const& other) const {
        return version == other.version && basis_points == other.basis_points;
    }
};
// Of the clearings that stand.
std::vector<FeeVersion> fee_versions_of(PaymentHistory const& history);

// Whether the chains don't say in which order the payment's transfers were taken: they are on
// several chains, whose followers were not equally fast; the desk paid a part; its fees changed in
// between; tokens were lost without a transfer; or a reorg around its expiry mined a transfer again
// or let one in later.
bool needs_order(PaymentHistory const& history, bool is_paid_by_desk);

// Whether a part of the payment may have been cleared counting on a transfer that a reorg then took
// away: of the same chain for good, of another one for good or to mine it in another block. What is
// final does not say how it stood then.
bool rests_on_a_reorg(PaymentHistory const& history);

struct OrderedStep {
    enum class Kind : std::uint8_t {
        arrive,  // the transfer is booked, and nothing is decided yet
        clear,   // what is there on the chain may clear
        desk,    // the transfer is booked, and goes to the desk
    };
    BookedPosition position;
    Kind kind = Kind::arrive;
    ChainId chain_id = 0;
    std::optional<TransferKey> transfer;
    bool expired = false;  // the payment's time was over
    std::optional<FeeVersion> fees;
};
// The steps of a payment that needs an order, first to last.
std::vector<OrderedStep> steps_of(PaymentHistory const& history);

}  // namespace sycee
