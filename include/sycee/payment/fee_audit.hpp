#pragma once

#include <sycee/payment/fee.hpp>
#include <sycee/payment/history.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace sycee {

using FeeSchedules = std::map<std::uint64_t, FeeSchedule>;  // by version

// Replays a payment: the sequence of the first clearing or resolution whose fee is not what its
// schedule gives. `records`: all of the payment, in one journal. Nothing where they stand in
// several: which of two journals was first is not in the records, and a fee may depend on it.
std::optional<std::uint64_t> find_wrong_fee(Payment const& payment,
                                            std::vector<JournalEntry> const& records,
                                            FeeSchedules const& schedules);

}  // namespace sycee
