#include "archive_commands.hpp"

#include <sycee/runtime/clock.hpp>
#include <sycee/store/pg_months.hpp>

#include <nlohmann/json.hpp>

#include <iostream>

namespace sycee {
namespace {

constexpr int kDone = 0;
constexpr int kRefused = 2;

std::string const& owner_url(Config const& config) {
    return config.database_owner_url.empty() ? config.database_url : config.database_owner_url;
}

char const* name_of(MonthOfBooks::State state) {
    switch (state) {
        case MonthOfBooks::State::attached:
            return "attached";
        case MonthOfBooks::State::detached:
            return "detached";
        case MonthOfBooks::State::missing:
            return "missing";
    }
    return "";
}

int refused(Error const& error) {
    std::cerr << "sycee: " << to_string(error) << "\n";
    return kRefused;
}

}  // namespace

Task<int> list_months(Config config, bool json) {
    Database database(owner_url(config), 1);
    auto rows = nlohmann::ordered_json::array();
    for (MonthOfBooks const& one : co_await PgMonths(database).list()) {
        if (json) {
            rows.push_back({{"month", month_name(one.month)},
                            {"state", name_of(one.state)},
                            {"bytes", one.bytes}});
        } else {
            std::cout << month_name(one.month) << "  " << name_of(one.state) << "  " << one.bytes
                      << " bytes\n";
        }
    }
    if (json) std::cout << rows.dump(2) << "\n";
    co_return kDone;
}

Task<int> detach_month(Config config, std::string month) {
    auto const parsed = parse_month(month);
    if (!parsed) co_return refused(parsed.error());
    Database database(owner_url(config), 1);
    auto const done = co_await PgMonths(database).detach(*parsed, SystemClock().now());
    if (!done) co_return refused(done.error());
    std::string const number = std::to_string(*parsed);
    std::cout << "Detached " << month
              << ". Its tables are in the schema \"archive\" and are still read. To keep it\n"
                 "outside: pg_dump -t 'archive.*_"
              << number << "' > " << month
              << ".sql, then drop these tables. What needs\nit then says so, until it is read back "
                 "and attached.\n";
    co_return kDone;
}

Task<int> attach_month(Config config, std::string month) {
    auto const parsed = parse_month(month);
    if (!parsed) co_return refused(parsed.error());
    Database database(owner_url(config), 1);
    auto const done = co_await PgMonths(database).attach(*parsed);
    if (!done) co_return refused(done.error());
    std::cout << "Attached " << month << ".\n";
    co_return kDone;
}

}  // namespace sycee
