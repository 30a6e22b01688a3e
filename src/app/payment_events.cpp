#include <sycee/app/payment_events.hpp>
#include <sycee/app/payment_json.hpp>
#include <sycee/runtime/random.hpp>

#include <algorithm>

namespace sycee {

void add_events(std::vector<OutboxEvent>& into, std::vector<PaymentEvent> const& events,
                ChainId chain_id, Network const& network, Timestamp now) {
    for (PaymentEvent const& event : events) {
        into.push_back({.id = new_id<EventTag>(now),
                        .merchant_id = event.state.payment.merchant_id,
                        .payment_id = event.state.payment.id,
                        .type = event.type,
                        .payload = event_payload(event, chain_id, network, now),
                        .created_at = now});
    }
    std::vector<EventId> ids;
    for (OutboxEvent const& event : into)
        ids.push_back(event.id);
    std::sort(ids.begin(), ids.end());
    for (std::size_t i = 0; i < into.size(); ++i)
        into[i].id = ids[i];
}

}  // namespace sycee
