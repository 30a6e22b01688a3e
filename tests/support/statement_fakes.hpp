#pragma once

#include <sycee/app/statement.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

namespace sycee {

// Statements out of memory: lines and batches of one merchant, in their order.
class MemoryStatements final : public StatementPort {
  public:
    std::vector<StatementAccount> accounts;
    std::vector<StatementLine> line_rows;
    std::vector<StatementBatch> batch_rows;
    std::vector<StatementDay> day_rows;
    std::vector<DayTotal> total_rows;
    std::optional<StatementQuery> asked;
    std::optional<TotalsQuery> asked_totals;
    std::optional<std::size_t> asked_limit;
    std::optional<std::size_t> fails_after;  // so many answers

    Task<Statement> statement(StatementQuery query, Timestamp now) override {
        asked = query;
        co_return Statement{.query = std::move(query), .read_at = now, .accounts = accounts};
    }
    Task<StatementLinePage> lines(StatementQuery query, std::optional<StatementCursor> after,
                                  std::size_t limit) override {
        asked = std::move(query);
        asked_limit = limit;
        if (fails_after && (*fails_after)-- == 0) throw Unavailable("the database is away");
        StatementLinePage page;
        for (StatementLine const& line : line_rows) {
            if (after && std::pair(line.chain_id, line.sequence) <=
                             std::pair(after->chain_id, after->number)) {
                continue;
            }
            page.has_more = page.lines.size() == limit;
            if (page.has_more) break;
            page.lines.push_back(line);
        }
        co_return page;
    }
    Task<StatementBatchPage> batches(StatementQuery query, std::optional<StatementCursor> after,
                                     std::size_t limit) override {
        asked = std::move(query);
        asked_limit = limit;
        StatementBatchPage page;
        for (StatementBatch const& batch : batch_rows) {
            if (after && std::pair(batch.chain_id, batch.batch.batch_number) <=
                             std::pair(after->chain_id, after->number)) {
                continue;
            }
            page.has_more = page.batches.size() == limit;
            if (page.has_more) break;
            page.batches.push_back(batch);
        }
        co_return page;
    }
    Task<std::vector<StatementDay>> days(StatementQuery query) override {
        asked = std::move(query);
        co_return day_rows;
    }
    Task<Totals> totals(TotalsQuery query, Timestamp now) override {
        asked_totals = query;
        co_return Totals{.query = std::move(query), .read_at = now, .rows = total_rows};
    }
};

inline StatementLine statement_line(ChainId chain_id, Address const& token, std::uint64_t sequence,
                                    StatementLineKind kind = StatementLineKind::settlement) {
    StatementLine line{.kind = kind,
                       .chain_id = chain_id,
                       .sequence = sequence,
                       .booked_at = timestamp_from_seconds(1'800'000'012),
                       .batch_number = 7,
                       .reference = "order-1001",
                       .log_index = 3,
                       .block_number = 101,
                       .block_time = timestamp_from_seconds(1'800'000'000),
                       .token = token,
                       .gross = Amount(50'000'000),
                       .fee = Amount(250'000),
                       .net = Amount(49'750'000),
                       .value = LockedValue{"USD", Amount(5'000)}};
    line.payment_id.uuid.bytes[15] = 1;
    line.transaction_hash[31] = 0xab;
    return line;
}

}  // namespace sycee
