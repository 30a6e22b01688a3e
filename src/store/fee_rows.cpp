#include "fee_rows.hpp"

#include <sycee/base/assert.hpp>

#include "values.hpp"

namespace sycee {

std::string fee_columns() {
    return "f.version AS fee_version, f.basis_points, f.rounding, f.fixed, f.minimum, f.maximum";
}

std::string join_fees(std::string const& merchants_alias) {
    return " CROSS JOIN LATERAL (SELECT * FROM fee_schedules s WHERE s.merchant_id = " +
           merchants_alias + ".merchant_id ORDER BY s.version DESC LIMIT 1) f";
}

FeeSchedule fees_of(pqxx::row const& row) {
    auto const rounding = parse_fee_rounding(row["rounding"].c_str());
    ensure(rounding.has_value(), "store: an unknown rounding in fee_schedules");
    FeeSchedule schedule{.version = number_of(row["fee_version"]),
                         .basis_points = row["basis_points"].as<std::uint32_t>(),
                         .rounding = *rounding,
                         .fixed = amount_of(row["fixed"]),
                         .minimum = amount_of(row["minimum"]),
                         .maximum = {}};
    if (!row["maximum"].is_null()) schedule.maximum = amount_of(row["maximum"]);
    return schedule;
}

FeeSchedule add_fees(pqxx::transaction_base& tx, MerchantId merchant_id, FeeSchedule schedule,
                     Timestamp now) {
    std::string const id = to_sql(merchant_id);
    tx.exec_params("SELECT 1 FROM merchants WHERE merchant_id = $1 FOR NO KEY UPDATE", id);
    auto const newest = tx.exec_params1(
        "SELECT coalesce(max(version), 0) FROM fee_schedules WHERE merchant_id = $1", id);
    schedule.version = number_of(newest[0]) + 1;
    std::string const maximum = schedule.maximum ? to_sql(*schedule.maximum) : "";
    tx.exec_params(
        "INSERT INTO fee_schedules (merchant_id, version, basis_points, rounding, fixed,"
        " minimum, maximum, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, to_timestamp($8::bigint / 1000.0))",
        id, schedule.version, schedule.basis_points, std::string(to_string(schedule.rounding)),
        to_sql(schedule.fixed), to_sql(schedule.minimum),
        schedule.maximum ? maximum.c_str() : nullptr, to_sql(now));
    return schedule;
}

}  // namespace sycee
