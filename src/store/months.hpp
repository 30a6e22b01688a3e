#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/payment/records.hpp>

#include <pqxx/pqxx>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sycee {

// What grows with each payment is kept in partitions by month (migration 0017). A month is a number
// as 202611, of UTC.
using Month = std::uint32_t;

Month month_number(Timestamp time);
// In which the payment was created, as its id says: all of the payment is kept there.
Month month_number(PaymentId id);
Month month_number(EventId id);
// In whose partition the postings of a record are: those of a payment's own stages in the
// payment's, all others in that of no month (0), which is never detached.
Month posting_month(Record const& record);

Month month_before(Month month);
Month month_after(Month month);
// The smallest id that can be made in the month.
Uuid first_id_of(Month month);

// By what name a table is read so that the months that were detached are found as well: of a table
// without months, its own.
std::string all_of(std::string_view table);

// The smallest and the largest id of these payments, for "payment_id BETWEEN": PostgreSQL then
// plans for the partitions in between alone. Of no payment: nil ids.
struct PaymentIdRange {
    std::string first;
    std::string last;

    std::string holds(std::string const& column) const {
        return column + " BETWEEN '" + first + "'::uuid AND '" + last + "'::uuid";
    }
};
PaymentIdRange range_of(std::vector<PaymentKey> const& keys);

// Those that were archived and taken out of the database, be it of one table alone.
std::set<Month> missing_months(pqxx::transaction_base& tx);

// Throw Unavailable where what is to be read was archived and taken out of the database, with its
// month: of these payments, anything at all, or anything that was booked from a moment on.
void require_present(pqxx::transaction_base& tx, std::vector<PaymentKey> const& keys);
void require_all_present(pqxx::transaction_base& tx);
void require_present_since(pqxx::transaction_base& tx, Timestamp begin);

}  // namespace sycee
