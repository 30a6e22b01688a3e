#pragma once

#include <sycee/base/id.hpp>
#include <sycee/payment/fee_audit.hpp>

#include <pqxx/pqxx>

#include <optional>
#include <string>

namespace sycee {

// All versions of the merchant's fees.
FeeSchedules load_fee_schedules(pqxx::transaction_base& tx, MerchantId merchant_id);

// Replays each payment of this journal whose fee has parts that are for the whole payment. Says
// which record charges another fee than its schedule gives.
std::optional<std::string> find_wrong_fees(pqxx::transaction_base& tx, MerchantId merchant_id,
                                           ChainId chain_id, FeeSchedules const& schedules);

}  // namespace sycee
