#include "verify_fees.hpp"

#include "fee_rows.hpp"
#include "payment_rows.hpp"
#include "record_rows.hpp"
#include "values.hpp"

#include <algorithm>
#include <utility>

namespace sycee {
namespace {

constexpr char const* kPaymentsAtOnce = "FETCH 500 FROM replayed_payments";

std::string payments_query(pqxx::transaction_base& tx, MerchantId merchant_id, ChainId chain_id) {
    std::string const journal = " WHERE r.merchant_id = " + tx.quote(to_sql(merchant_id)) +
                                "::uuid AND r.chain_id = " + std::to_string(chain_id) +
                                " AND f.merchant_id = r.merchant_id AND f.version = r.fee_version"
                                " AND (f.fixed > 0 OR f.minimum > 0 OR f.maximum IS NOT NULL)";
    return "SELECT r.payment_id FROM all_clearings r, fee_schedules f" + journal +
           " UNION SELECT r.target_payment_id FROM resolutions r, fee_schedules f" + journal;
}

}  // namespace

FeeSchedules load_fee_schedules(pqxx::transaction_base& tx, MerchantId merchant_id) {
    FeeSchedules schedules;
    for (auto const& row :
         tx.exec_params("SELECT " + fee_columns() + " FROM fee_schedules f WHERE merchant_id = $1",
                        to_sql(merchant_id))) {
        FeeSchedule const schedule = fees_of(row);
        schedules.emplace(schedule.version, schedule);
    }
    return schedules;
}

std::optional<std::string> find_wrong_fees(pqxx::transaction_base& tx, MerchantId merchant_id,
                                           ChainId chain_id, FeeSchedules const& schedules) {
    bool const proportional =
        std::all_of(schedules.begin(), schedules.end(),
                    [](auto const& version) { return version.second.is_proportional(); });
    if (proportional) return std::nullopt;
    tx.exec("DECLARE replayed_payments NO SCROLL CURSOR FOR " +
            payments_query(tx, merchant_id, chain_id));
    std::optional<std::string> wrong;
    while (!wrong) {
        std::vector<PaymentKey> keys;
        for (auto const& row : tx.exec(kPaymentsAtOnce))
            keys.emplace_back(merchant_id, id_of<PaymentTag>(row[0]));
        if (keys.empty()) break;
        auto const records = load_payment_entries(tx, keys);
        for (Payment const& payment : load_payments(tx, keys)) {
            auto const sequence =
                find_wrong_fee(payment, records.at({merchant_id, payment.id}), schedules);
            if (!sequence) continue;
            wrong = "number " + std::to_string(*sequence) + ", of payment " +
                    to_string(payment.id) + ", charges another fee than its schedule gives";
            break;
        }
    }
    tx.exec("CLOSE replayed_payments");
    return wrong;
}

}  // namespace sycee
