#include <sycee/store/pg_statements.hpp>

#include "book_writer.hpp"
#include "months.hpp"
#include "session.hpp"
#include "values.hpp"

#include <array>
#include <tuple>

namespace sycee {
namespace {

// What a stage is added up of: `r` has the time of booking and the merchant.
struct StageRows {
    TotalStage stage;
    char const* columns;  // chain, token, count, amount, fees
    char const* from;
};

constexpr std::array kStages{
    StageRows{TotalStage::authorized, "r.chain_id, r.token, count(*), sum(r.amount), 0",
              "all_authorizations r WHERE true"},
    StageRows{TotalStage::cleared, "r.chain_id, r.token, count(*), sum(r.gross), sum(r.fee)",
              "all_clearings r WHERE true"},
    // A batch is the sum of its settlements.
    StageRows{TotalStage::settled, "r.chain_id, r.token, sum(r.settlement_count), sum(r.net), 0",
              "settlement_batches r WHERE true"},
    StageRows{TotalStage::unapplied, "r.chain_id, r.token, count(*), sum(r.amount), 0",
              "all_unapplied_receipts r WHERE true"},
    StageRows{TotalStage::unapplied, "r.chain_id, r.token, count(*), sum(r.excess), 0",
              "all_clearings r WHERE r.excess > 0"},
    StageRows{TotalStage::unapplied, "r.chain_id, r.token, count(*), sum(r.unexplained), 0",
              "withdrawals r WHERE r.unexplained > 0"},
    StageRows{TotalStage::reversed, "r.chain_id, a.token, count(*), sum(a.amount), 0",
              "reversals r JOIN all_authorizations a ON a.merchant_id = r.merchant_id"
              " AND a.chain_id = r.chain_id AND a.seq = r.reversed_seq"
              " AND a.payment_id = r.payment_id"
              " WHERE r.reversed_kind = 'authorization'"},
    StageRows{TotalStage::withdrawn, "r.chain_id, r.token, count(*), sum(r.amount), 0",
              "withdrawals r WHERE true"},
    StageRows{TotalStage::withdrawal_reversed, "r.chain_id, w.token, count(*), sum(w.amount), 0",
              "reversals r JOIN withdrawals w ON w.merchant_id = r.merchant_id"
              " AND w.chain_id = r.chain_id AND w.seq = r.reversed_seq"
              " WHERE r.reversed_kind = 'withdrawal'"},
};

// The time of booking has an index of a few pages in each book: what is read is what was booked in
// these days.
std::string sql_of(StageRows const& rows, std::string const& condition) {
    return "SELECT (extract(epoch FROM date_trunc('day', r.booked_at)) * 1000)::bigint, " +
           std::string(rows.columns) + " FROM " + rows.from + condition + " GROUP BY 1, 2, 3";
}

}  // namespace

Task<Totals> PgStatements::totals(TotalsQuery query, Timestamp now) {
    auto work = [&](SnapshotTransaction& tx) {
        tx.exec("SET LOCAL statement_timeout = " + std::to_string(longest_query_.count() * 1000));
        require_present_since(tx, query.first.begin);
        std::string condition = " AND r.booked_at >= " + timestamp_literal(query.first.begin) +
                                " AND r.booked_at < " + timestamp_literal(query.last.end);
        if (query.merchant_id) {
            condition += " AND r.merchant_id = " + tx.quote(to_sql(*query.merchant_id)) + "::uuid";
        }
        std::map<std::tuple<Timestamp, ChainId, Address, TotalStage>, DayTotal> found;
        for (StageRows const& rows : kStages) {
            for (auto const& row : tx.exec(sql_of(rows, condition))) {
                auto const day = day_of(time_of(row[0]));
                ChainId const chain_id = number_of(row[1]);
                Address const token = address_in(row[2]);
                DayTotal& total = found[{day.begin, chain_id, token, rows.stage}];
                total.day = day;
                total.chain_id = chain_id;
                total.token = token;
                total.stage = rows.stage;
                total.count += number_of(row[3]);
                total.amount += amount_of(row[4]);
                total.fees += amount_of(row[5]);
            }
        }
        Totals totals{.query = query, .read_at = now, .rows = {}};
        for (auto& [key, total] : found)
            totals.rows.push_back(std::move(total));
        return totals;
    };
    co_return co_await transact<SnapshotTransaction>(database_, work);
}

}  // namespace sycee
