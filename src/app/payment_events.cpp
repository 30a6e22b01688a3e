#include <sycee/app/payment_events.hpp>
#include <sycee/base/assert.hpp>
#include <sycee/runtime/random.hpp>

#include <algorithm>

namespace sycee {

void add_events(std::vector<OutboxEvent>& into, MerchantId merchant_id,
                std::vector<PaymentEvent> const& events, ChainId chain_id, Timestamp now) {
    for (PaymentEvent const& event : events) {
        into.push_back({.id = {},
                        .merchant_id = merchant_id,
                        .payment_id = event.payment_id,
                        .type = event.type,
                        .status = event.status,
                        .chain_id = chain_id,
                        .record_sequence = event.record_sequence,
                        .positions = event.positions,
                        .goods_may_be_released = event.goods_may_be_released,
                        .created_at = now});
    }
}

void give_ids(std::vector<OutboxEvent>& events, Timestamp now) {
    std::vector<EventId> ids;
    for (std::size_t i = 0; i < events.size(); ++i)
        ids.push_back(new_id<EventTag>(now));
    std::sort(ids.begin(), ids.end());
    for (std::size_t i = 0; i < events.size(); ++i)
        events[i].id = ids[i];
}

ToldEvent tell(OutboxEvent event, Payment payment, std::vector<JournalEntry> const& records) {
    if (event.record_sequence == 0) {
        auto state = state_at(std::move(payment), records, event.positions);
        return {.event = std::move(event), .state = std::move(state)};
    }
    auto const record =
        std::find_if(records.begin(), records.end(), [&event](JournalEntry const& entry) {
            return entry.chain_id == event.chain_id && entry.sequence == event.record_sequence;
        });
    ensure(record != records.end(),
           "outbox: the record of event " + to_string(event.id) + " is not there");
    ToldEvent told{
        .event = std::move(event), .state = {}, .record_hash = record->hash, .moved = std::nullopt};
    if (auto const* withdrawal = std::get_if<Withdrawal>(&record->record)) {
        told.moved = withdrawal->transfer;
    }
    told.state = state_at(std::move(payment), records, told.event.positions);
    return told;
}

}  // namespace sycee
