#include "months.hpp"

#include <sycee/runtime/errors.hpp>

#include "planned.hpp"
#include "values.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <type_traits>

namespace sycee {
namespace {

constexpr std::array<std::string_view, 8> kByMonth{
    "authorizations", "clearings",     "settlements",        "unapplied_receipts",
    "postings",       "outbox_events", "webhook_deliveries", "webhook_attempts"};

constexpr std::size_t kTimeBytes = 6;  // at the beginning of a UUIDv7: milliseconds

void require_none(pqxx::result const& missing) {
    if (missing.empty()) return;
    throw Unavailable(std::string("month ") + missing[0][0].c_str() +
                      " was archived and taken out of the database: its tables have to be read "
                      "back first (docs/scale.md)");
}

Month month_in(Uuid const& uuid) {
    std::int64_t millis = 0;
    for (std::size_t i = 0; i < kTimeBytes; ++i)
        millis = millis << 8 | uuid.bytes[i];
    return month_number(Timestamp{std::chrono::milliseconds{millis}});
}

}  // namespace

Month month_number(Timestamp time) {
    std::chrono::year_month_day const day{std::chrono::floor<std::chrono::days>(time)};
    return static_cast<Month>(int{day.year()}) * 100 + unsigned{day.month()};
}

Month month_number(PaymentId id) {
    return month_in(id.uuid);
}

Month month_number(EventId id) {
    return month_in(id.uuid);
}

Month posting_month(Record const& record) {
    return std::visit(
        [](auto const& one) -> Month {
            using Kind = std::decay_t<decltype(one)>;
            if constexpr (std::is_same_v<Kind, Authorization> || std::is_same_v<Kind, Clearing> ||
                          std::is_same_v<Kind, Settlement> || std::is_same_v<Kind, Unapplied>) {
                return month_number(one.payment_id);
            } else {
                return 0;
            }
        },
        record);
}

Month month_before(Month month) {
    return month % 100 == 1 ? month - 89 : month - 1;
}

Month month_after(Month month) {
    return month % 100 == 12 ? month + 89 : month + 1;
}

Uuid first_id_of(Month month) {
    auto const day = std::chrono::year{static_cast<int>(month / 100)} /
                     std::chrono::month{month % 100} / std::chrono::day{1};
    auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(
                      std::chrono::sys_days{day}.time_since_epoch())
                      .count();
    Uuid id;
    for (std::size_t i = kTimeBytes; i > 0; --i, millis >>= 8)
        id.bytes[i - 1] = static_cast<std::uint8_t>(millis);
    return id;
}

std::string all_of(std::string_view table) {
    bool const by_month = std::find(kByMonth.begin(), kByMonth.end(), table) != kByMonth.end();
    return (by_month ? "all_" : "") + std::string(table);
}

PaymentIdRange range_of(std::vector<PaymentKey> const& keys) {
    if (keys.empty()) return {to_sql(Uuid{}), to_sql(Uuid{})};
    auto const [first, last] = std::minmax_element(
        keys.begin(), keys.end(),
        [](auto const& one, auto const& other) { return one.second < other.second; });
    return {to_sql(first->second), to_sql(last->second)};
}

std::set<Month> missing_months(pqxx::transaction_base& tx) {
    std::set<Month> months;
    for (auto const& row : exec_planned(tx, "SELECT month FROM missing_months"))
        months.insert(row[0].as<Month>());
    return months;
}

void require_present(pqxx::transaction_base& tx, std::vector<PaymentKey> const& keys) {
    std::set<Month> months;
    for (auto const& [merchant_id, payment_id] : keys)
        months.insert(month_number(payment_id));
    PgArray asked;
    for (Month const month : months)
        asked.add(month);
    require_none(exec_planned(
        tx, "SELECT month FROM missing_months WHERE month = ANY ($1::integer[]) ORDER BY 1 LIMIT 1",
        asked.str()));
}

void require_all_present(pqxx::transaction_base& tx) {
    require_none(tx.exec("SELECT month FROM missing_months ORDER BY 1 LIMIT 1"));
}

void require_present_since(pqxx::transaction_base& tx, Timestamp begin) {
    require_none(
        tx.exec_params("SELECT month FROM missing_months WHERE last_booked_at >="
                       " to_timestamp($1::bigint / 1000.0) ORDER BY 1 LIMIT 1",
                       to_sql(begin)));
}

}  // namespace sycee
