#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/app/settings.hpp>

#include <string>

namespace sycee {

// The books as text for a terminal. Pure.
std::string timeline_text(PaymentState const& state, PaymentStatus status,
                          PaymentTimeline const& timeline, Network const& network);
std::string trial_balance_text(std::vector<BalanceRow> const& rows, Network const& network);

// One field of a CSV file: quoted where needed, and never a formula for a spreadsheet.
std::string csv_field(std::string const& text);

}  // namespace sycee
