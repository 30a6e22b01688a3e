#include "verify_fees.hpp"

#include "checkpoint_rows.hpp"
#include "fee_rows.hpp"
#include "payment_rows.hpp"
#include "record_rows.hpp"
#include "values.hpp"

#include <algorithm>
#include <utility>

namespace sycee {
namespace {

constexpr char const* kPaymentsAtOnce = "FETCH 500 FROM replayed_payments";

std::string payments_query(pqxx::transaction_base& tx, MerchantId merchant_id, ChainId chain_id,
                           std::uint64_t after) {
    std::string const journal = " WHERE r.merchant_id = " + tx.quote(to_sql(merchant_id)) +
                                "::uuid AND r.chain_id = " + std::to_string(chain_id) +
                                " AND r.seq > " + std::to_string(after) +
                                " AND f.merchant_id = r.merchant_id AND f.version = r.fee_version"
                                " AND (f.fixed > 0 OR f.minimum > 0 OR f.maximum IS NOT NULL)";
    return "SELECT r.payment_id FROM all_clearings r, fee_schedules f" + journal +
           " UNION SELECT r.target_payment_id FROM resolutions r, fee_schedules f" + journal;
}

// Whether every record up to that number is there.
bool has_records_to(pqxx::transaction_base& tx, MerchantId merchant_id, ChainId chain_id,
                    std::uint64_t last) {
    auto const count =
        tx.exec("SELECT count(DISTINCT seq) FROM (" +
                select_record_hashes("WHERE merchant_id = " + tx.quote(to_sql(merchant_id)) +
                                     "::uuid AND chain_id = " + std::to_string(chain_id) +
                                     " AND seq BETWEEN 1 AND " + std::to_string(last)) +
                ") r");
    return number_of(count[0][0]) == last;
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

FeesFound find_wrong_fees(pqxx::transaction_base& tx, MerchantId merchant_id, ChainId chain_id,
                          FeeSchedules const& schedules, std::uint64_t after,
                          std::optional<Timestamp> since) {
    FeesFound found;
    bool const proportional =
        std::all_of(schedules.begin(), schedules.end(),
                    [](auto const& version) { return version.second.is_proportional(); });
    if (proportional) return found;
    tx.exec("DECLARE replayed_payments NO SCROLL CURSOR FOR " +
            payments_query(tx, merchant_id, chain_id, after));
    std::optional<bool> is_whole;
    auto const may_lack_records = [&](Payment const& payment) {
        if (after == 0 || (since && payment.created_at >= *since)) return false;
        if (!is_whole) is_whole = has_records_to(tx, merchant_id, chain_id, after);
        return !*is_whole;
    };
    while (!found.wrong) {
        std::vector<PaymentKey> keys;
        for (auto const& row : tx.exec(kPaymentsAtOnce))
            keys.emplace_back(merchant_id, id_of<PaymentTag>(row[0]));
        if (keys.empty()) break;
        auto const records = load_payment_entries(tx, keys);
        for (Payment const& payment : load_payments(tx, keys)) {
            auto const sequence =
                find_wrong_fee(payment, records.at({merchant_id, payment.id}), schedules);
            if (!sequence) continue;
            if (may_lack_records(payment)) {
                ++found.left_out;
                continue;
            }
            found.wrong = "number " + std::to_string(*sequence) + ", of payment " +
                          to_string(payment.id) + ", charges another fee than its schedule gives";
            break;
        }
    }
    tx.exec("CLOSE replayed_payments");
    return found;
}

}  // namespace sycee
