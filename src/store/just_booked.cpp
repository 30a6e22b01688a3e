#include <sycee/store/just_booked.hpp>

#include <variant>

namespace sycee {
namespace {

std::optional<PaymentId> payment_in(Record const& record) {
    return std::visit(
        [](auto const& one) -> std::optional<PaymentId> {
            if constexpr (requires { one.payment_id; }) {
                return one.payment_id;
            } else {
                return std::nullopt;
            }
        },
        record);
}

}  // namespace

std::vector<JustBooked::Event> JustBooked::events_of(ChainCommit commit) {
    std::map<PaymentKey, std::shared_ptr<Payment const>> payments;
    for (Payment& payment : commit.first_booked) {
        PaymentKey const key{payment.merchant_id, payment.id};
        payment.description.clear();
        payment.metadata.clear();
        payments.emplace(key, std::make_shared<Payment const>(std::move(payment)));
    }
    if (payments.empty()) return {};
    std::map<PaymentKey, std::shared_ptr<std::vector<JournalEntry>>> records;
    for (JournalEntry& entry : commit.entries) {
        // It is one of two payments' records; no step of a chain books any.
        if (std::holds_alternative<Resolution>(entry.record)) return {};
        auto const payment_id = payment_in(entry.record);
        if (!payment_id) continue;
        PaymentKey const key{entry.merchant_id, *payment_id};
        if (!payments.contains(key)) continue;
        auto& of_payment = records[key];
        if (!of_payment) of_payment = std::make_shared<std::vector<JournalEntry>>();
        of_payment->push_back(std::move(entry));
    }
    std::vector<Event> events;
    for (OutboxEvent& event : commit.events) {
        PaymentKey const key{event.merchant_id, event.payment_id};
        auto const found = records.find(key);
        // Whoever sends dust must not fill the memory.
        if (found == records.end() || found->second->size() > kMostRecords) continue;
        events.push_back({std::move(event), payments.at(key), found->second});
    }
    return events;
}

void JustBooked::remember(std::vector<Event> events) {
    std::scoped_lock const lock(mutex_);
    for (Event& event : events) {
        Key const key{event.event.merchant_id, event.event.id};
        if (events_.insert_or_assign(key, std::move(event)).second) order_.push_back(key);
    }
    for (; order_.size() > kMost; order_.pop_front())
        events_.erase(order_.front());
}

std::optional<JustBooked::Event> JustBooked::find(MerchantId merchant_id, EventId event_id) const {
    std::scoped_lock const lock(mutex_);
    auto const found = events_.find({merchant_id, event_id});
    if (found == events_.end()) return std::nullopt;
    return found->second;
}

}  // namespace sycee
