#pragma once

#include <sycee/app/reconciliation.hpp>

#include <pqxx/pqxx>

#include <set>
#include <vector>

namespace sycee {

// What the books say lies at the addresses of these payments on one chain, token by token: what
// came in less what left and what is booked as lost. An address with an open difference is there
// even where nothing is left in the books of it.
std::vector<BookedBalance> load_booked_balances(pqxx::transaction_base& tx, ChainId chain_id,
                                                std::set<PaymentKey> const& keys);

}  // namespace sycee
