#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/payment/advance.hpp>

#include <vector>

namespace sycee {

// Adds what a shop is told to what is written. The ids of all of them rise in the order in which
// they happened, also within a millisecond: that is the order in which they are delivered.
void add_events(std::vector<OutboxEvent>& into, std::vector<PaymentEvent> const& events,
                ChainId chain_id, Network const& network, Timestamp now);

}  // namespace sycee
