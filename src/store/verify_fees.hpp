#pragma once

#include <sycee/base/id.hpp>
#include <sycee/payment/fee_audit.hpp>

#include <pqxx/pqxx>

#include <cstdint>
#include <optional>
#include <string>

namespace sycee {

// All versions of the merchant's fees.
FeeSchedules load_fee_schedules(pqxx::transaction_base& tx, MerchantId merchant_id);

struct FeesFound {
    std::optional<std::string> wrong;  // which record charges another fee than its schedule gives
    std::uint64_t left_out = 0;        // payments of which records are gone
};

// Replays each payment of this journal whose fee has parts that are for the whole payment: those
// that something was booked for after the number `after`. Where records up to it are gone, a
// payment of before `since` that does not come out right is left out: what is missing may be its
// own.
FeesFound find_wrong_fees(pqxx::transaction_base& tx, MerchantId merchant_id, ChainId chain_id,
                          FeeSchedules const& schedules, std::uint64_t after,
                          std::optional<Timestamp> since);

}  // namespace sycee
