#include <sycee/payment/fee_audit.hpp>

#include <algorithm>

namespace sycee {
namespace {

// What a record applies to the payment, as it says itself.
struct AppliedPart {
    std::uint64_t fee_version = 0;
    Address token;
    Amount gross;
    Amount fee;
};

std::optional<AppliedPart> applied_by(Record const& record, PaymentId payment_id) {
    if (auto const* clearing = std::get_if<Clearing>(&record)) {
        return AppliedPart{clearing->fee_version, clearing->token, clearing->gross, clearing->fee};
    }
    auto const* resolution = std::get_if<Resolution>(&record);
    if (resolution == nullptr || !pays(resolution->kind) ||
        resolution->target_payment_id != payment_id) {
        return std::nullopt;
    }
    return AppliedPart{resolution->fee_version, resolution->token, resolution->amount,
                       resolution->fee};
}

// The state after the record, as if its own fee had not been fixed yet.
PaymentState state_before_fee(Payment const& payment, std::vector<JournalEntry> const& records,
                              JournalEntry const& entry) {
    PaymentState state = state_at(payment, records, {{entry.chain_id, entry.sequence}});
    for (Credit& credit : state.credits) {
        if (credit.stage_sequence == entry.sequence) credit.fee = Amount{};
    }
    for (DeskCredit& credit : state.desk_credits) {
        if (credit.sequence == entry.sequence) credit.fee = Amount{};
    }
    return state;
}

}  // namespace

std::optional<std::uint64_t> find_wrong_fee(Payment const& payment,
                                            std::vector<JournalEntry> const& records,
                                            FeeSchedules const& schedules) {
    bool const one_journal =
        std::all_of(records.begin(), records.end(), [&records](JournalEntry const& entry) {
            return entry.chain_id == records.front().chain_id;
        });
    if (!one_journal) return std::nullopt;
    for (JournalEntry const& entry : records) {
        auto const part = applied_by(entry.record, payment.id);
        if (!part || part->fee_version == 0) continue;
        auto const schedule = schedules.find(part->fee_version);
        auto const* option = payment.option_for(entry.chain_id, part->token);
        if (schedule == schedules.end() || option == nullptr) return entry.sequence;
        PaymentState const state = state_before_fee(payment, records, entry);
        if (part->fee != fee_of_last_part(schedule->second, state, *option, part->gross))
            return entry.sequence;
    }
    return std::nullopt;
}

}  // namespace sycee
