#pragma once

#include "sim_store.hpp"

#include <string>

namespace sycee::simulation {

// Whether an event that was just committed tells its payment as it stood: nothing, or what is
// wrong.
std::string wrongly_told(OutboxEvent const& event, SimStore const& store);

}  // namespace sycee::simulation
