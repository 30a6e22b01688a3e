#pragma once

#include <sycee/app/month_keeper.hpp>
#include <sycee/base/result.hpp>
#include <sycee/store/database.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace sycee {

// Months are numbers as 202611, of UTC. A payment's rows are kept in the month in which it was
// created, an event's in its own.
struct MonthOfBooks {
    enum class State : std::uint8_t {
        attached,
        detached,  // in the schema `archive`: read, and no more written to
        missing,   // was detached, and taken out of the database
    };
    std::uint32_t month = 0;
    State state = State::attached;
    std::uint64_t bytes = 0;  // tables and indexes
};

// What stands in partitions by month (docs/scale.md).
class PgMonths final : public MonthsPort {
  public:
    explicit PgMonths(Database& database) : database_(database) {}

    Task<std::size_t> make(Timestamp now) override;

    // By the owner of the tables, all of them.
    Task<std::vector<MonthOfBooks>> list();
    // Refused, with what stands in the way: the month has not ended, a transfer of it is not
    // settled, reversed or decided upon, a payment of it can still be paid, an event waits, or no
    // checkpoint has all of its records. Nothing else is changed by it than where the rows are.
    Task<Result<void>> detach(std::uint32_t month, Timestamp now);
    // Back again, with what was booked of it meanwhile. Refused for a month that was not detached
    // or is missing.
    Task<Result<void>> attach(std::uint32_t month);

  private:
    Database& database_;
};

// "2026-11" as 202611, and back.
Result<std::uint32_t> parse_month(std::string const& text);
std::string month_name(std::uint32_t month);

}  // namespace sycee
