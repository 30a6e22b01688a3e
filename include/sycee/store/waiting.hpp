#pragma once

#include <sycee/app/waiting.hpp>
#include <sycee/store/database.hpp>

#include <vector>

namespace sycee {

// What waits at `now`, in one snapshot, by chain, token and stage. Reads the authorizations of each
// chain from its oldest open block up.
Task<std::vector<WaitingMoney>> load_waiting(Database& database, Timestamp now);

}  // namespace sycee
