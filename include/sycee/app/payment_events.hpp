#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/payment/advance.hpp>

#include <vector>

namespace sycee {

// Adds what the shop of one merchant is told to what is written, without ids.
void add_events(std::vector<OutboxEvent>& into, MerchantId merchant_id,
                std::vector<PaymentEvent> const& events, ChainId chain_id, Timestamp now);

// Gives them ids that rise in the order in which they happened, also within a millisecond: that is
// the order in which they are delivered.
void give_ids(std::vector<OutboxEvent>& events, Timestamp now);

// Gives an event its words. `records`: of its payment, also those booked since. Throws
// InvariantViolation where its record is not among them.
ToldEvent tell(OutboxEvent event, Payment payment, std::vector<JournalEntry> const& records);

}  // namespace sycee
