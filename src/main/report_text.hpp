#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/app/settings.hpp>

#include <string>

namespace sycee {

// The books as text for a terminal. Pure.
std::string timeline_text(PaymentState const& state, PaymentStatus status,
                          PaymentTimeline const& timeline, Network const& network);
std::string trial_balance_text(std::vector<BalanceRow> const& rows, Network const& network);

}  // namespace sycee
