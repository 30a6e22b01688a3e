#pragma once

#include "sim_store.hpp"
#include "test_database.hpp"

#include <string>

namespace sycee::simulation {

// The rows of the books and of what is derived from them, a line for each, sorted: records with
// their hashes, postings, live credits and withdrawals, balances, journal heads, payments, cursors
// with the headers from the final block up, leases, finality rules, the outbox.
std::string rows_of(SimStore const& model);
// Read by statements of our own, so that no reader of the store can hide what its writer did.
std::string rows_of(TestDatabase& database);

}  // namespace sycee::simulation
