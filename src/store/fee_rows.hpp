#pragma once

#include <sycee/base/id.hpp>
#include <sycee/base/time.hpp>
#include <sycee/payment/fee.hpp>

#include <pqxx/pqxx>

#include <string>

namespace sycee {

// The columns of a merchant's fee schedule in force, as fees_of() reads them, and where they come
// from: joined to the table of merchants of that alias.
std::string fee_columns();
std::string join_fees(std::string const& merchants_alias);
FeeSchedule fees_of(pqxx::row const& row);

// Adds a version to the merchant's schedules, the first one where there is none. The merchant has
// to be there; its row is locked, so that two additions follow one another.
FeeSchedule add_fees(pqxx::transaction_base& tx, MerchantId merchant_id, FeeSchedule schedule,
                     Timestamp now);

}  // namespace sycee
