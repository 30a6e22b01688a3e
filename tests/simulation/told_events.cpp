#include "told_events.hpp"

#include <sycee/app/payment_events.hpp>

#include <algorithm>
#include <tuple>

namespace sycee::simulation {
namespace {

auto parts_of(Credit const& credit) {
    return std::tuple(
        credit.transfer.key, credit.transfer.block_hash, credit.authorization_sequence,
        credit.authorization_hash, credit.first_seen_time, credit.stage, credit.stage_sequence,
        credit.stage_hash, credit.settlement_sequence, credit.settlement_hash, credit.gross,
        credit.fee, credit.excess, credit.shortfall, credit.resolved, credit.unapplied_reason);
}

auto parts_of(Outflow const& outflow) {
    return std::tuple(outflow.transfer.key, outflow.transfer.block_hash, outflow.sequence,
                      outflow.hash, outflow.unexplained, outflow.resolved);
}

auto parts_of(DeskCredit const& credit) {
    return std::tuple(credit.chain_id, credit.token, credit.amount, credit.fee, credit.sequence,
                      credit.accepts, credit.exception_sequence);
}

template <class T>
bool same(std::vector<T> const& a, std::vector<T> const& b) {
    return std::ranges::equal(
        a, b, [](T const& one, T const& other) { return parts_of(one) == parts_of(other); });
}

bool same(PaymentState const& a, PaymentState const& b) {
    auto const reversed = [](PaymentState const& state) {
        auto sorted = state.reversed_transfers;
        std::sort(sorted.begin(), sorted.end());
        return sorted;
    };
    return same(a.credits, b.credits) && same(a.outflows, b.outflows) &&
           same(a.desk_credits, b.desk_credits) && reversed(a) == reversed(b) &&
           a.was_cleared == b.was_cleared && ends_at(a) == ends_at(b) &&
           a.canceled.has_value() == b.canceled.has_value();
}

// Only whether it has expired is for the chains' time to say.
bool may_have(PaymentStatus told, PaymentState const& state) {
    PaymentStatus const timeless = status_of(state, std::nullopt);
    bool const may_expire =
        timeless == PaymentStatus::open || timeless == PaymentStatus::partially_paid;
    return told == timeless || (may_expire && told == PaymentStatus::expired);
}

}  // namespace

std::string wrongly_told(OutboxEvent const& event, SimStore const& store) {
    PaymentKey const key{event.merchant_id, event.payment_id};
    auto const records = store.entries_of(key);
    ToldEvent const told = tell(event, store.payments().at(key), records);
    auto const position = event.positions.find(event.chain_id);
    if (position == event.positions.end() || position->second < event.record_sequence)
        return "before its own record";
    if (!may_have(event.status, told.state)) {
        return std::string(to_string(event.status)) + ", and its records say " +
               std::string(to_string(status_of(told.state, std::nullopt)));
    }
    bool const newest =
        std::all_of(records.begin(), records.end(), [&event](JournalEntry const& entry) {
            auto const known = event.positions.find(entry.chain_id);
            return known != event.positions.end() && entry.sequence <= known->second;
        });
    if (newest && !same(told.state, store.state_of(key))) return "otherwise than its rows are";
    return {};
}

}  // namespace sycee::simulation
