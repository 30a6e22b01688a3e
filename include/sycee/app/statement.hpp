#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/base/result.hpp>
#include <sycee/payment/locked_value.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Statements of a merchant's books by day and month (docs/ledger.md, "Statements").
namespace sycee {

// A day or a month of UTC: [begin, end).
struct StatementPeriod {
    std::string name;  // "2026-11-25", "2026-11"
    Timestamp begin{};
    Timestamp end{};

    bool is_day() const { return name.size() == 10; }
    bool operator==(StatementPeriod const&) const = default;
};
// Refused, with the field "period": anything else, a day that no calendar has, one before 1970, and
// what has not begun at `now`.
Result<StatementPeriod> parse_statement_period(std::string_view text, Timestamp now);
// The day or month that a moment is in, and the ones before and after a period of its kind.
StatementPeriod day_of(Timestamp moment);
StatementPeriod month_of(Timestamp moment);
StatementPeriod period_before(StatementPeriod const& period);
StatementPeriod period_after(StatementPeriod const& period);

// What of a merchant's books is asked for.
struct StatementQuery {
    MerchantId merchant_id;
    StatementPeriod period;
    std::optional<ChainId> chain_id;  // nothing: of all of them
    std::vector<Address> tokens;      // empty: all of them
};

// Why an amount moved merchant_settled: a line of a statement.
enum class StatementLineKind : std::uint8_t {
    settlement,
    accepted,         // on the desk: money of an exception paid its own payment
    credited,         // on the desk: it paid another payment
    written_off,      // on the desk: the merchant kept it
    reversal,         // of a settlement, by a repair of the chain: its amounts count below zero
    refund,           // promised back to a payer: its amounts count below zero
    refund_canceled,  // taken back
};
std::string_view to_string(StatementLineKind kind);

// A value in the minor units of a currency, at the price locked in the payment.
struct LockedValue {
    std::string currency;
    Amount amount;

    bool operator==(LockedValue const&) const = default;
};

struct StatementLine {
    StatementLineKind kind = StatementLineKind::settlement;
    ChainId chain_id = 0;
    std::uint64_t sequence = 0;  // of the settlement, resolution or reversal
    Timestamp booked_at{};
    std::optional<std::uint64_t> batch_number;  // of a settlement, and of what a reversal reverses
    PaymentId payment_id;                       // that is paid; that of the exception where none is
    std::string reference;
    // The transfer that brought the money; of a receipt that only a withdrawal showed, that one.
    // All zero for a refund, which is of no one transfer.
    TransactionHash transaction_hash{};
    std::uint32_t log_index = 0;
    BlockNumber block_number = 0;
    Timestamp block_time{};  // the value date
    Address token;
    Amount gross;
    Amount fee;
    Amount net;                        // gross - fee: what moved merchant_settled
    std::optional<LockedValue> value;  // of gross; nothing where no price was locked
};

// Where a page of lines (by record) or batches (by number) ended.
struct StatementCursor {
    ChainId chain_id = 0;
    std::uint64_t number = 0;
};

// In the order of chain and record.
struct StatementLinePage {
    std::vector<StatementLine> lines;
    bool has_more = false;
};

struct StatementBatch {
    ChainId chain_id = 0;
    SettlementBatch batch;
    std::uint64_t sequence = 0;
    Timestamp booked_at{};
    Amount gross;
    Amount fees;
    BlockNumber first_block = 0;  // of its transfers
    BlockNumber last_block = 0;
};

struct StatementBatchPage {
    std::vector<StatementBatch> batches;
    bool has_more = false;
};

struct StatementSum {
    std::uint64_t count = 0;
    Amount gross;
    Amount fees;
    Amount net;

    bool operator==(StatementSum const&) const = default;
};

// One merchant's money in one token of one chain over the period.
struct StatementAccount {
    ChainId chain_id = 0;
    Address token;
    // merchant_settled. Balances are those of the postings, movements those of the records.
    Amount opening;
    StatementSum settlements;
    StatementSum accepted;
    StatementSum credited;
    StatementSum written_off;
    StatementSum reversed;
    StatementSum refunded;          // promised to payers, whether paid yet or not; less
    StatementSum refunds_canceled;  // of those, taken back
    Amount closing;
    // payer_unapplied, which is nobody's revenue.
    Amount unapplied_opening;
    Amount unapplied_received;  // put on the desk
    Amount unapplied_applied;   // accepted, credited or written off, fees included
    Amount refunds_promised;
    Amount unapplied_reversed;  // taken back by a reorg
    Amount promises_canceled;   // of refunds, which came back to the desk
    Amount unapplied_closing;
    // Of this token; numbers run over all tokens of the chain.
    std::uint64_t batch_count = 0;
    std::uint64_t first_batch = 0;  // 0: none
    std::uint64_t last_batch = 0;

    bool operator==(StatementAccount const&) const = default;
};

// Refused, naming what differs: opening and movements are not closing, of either account, or gross
// less fees is not net.
Result<void> check_account(StatementAccount const& account);

struct Statement {
    StatementQuery query;
    Timestamp read_at{};
    // By chain and token; those where nothing stood and nothing moved are left out.
    std::vector<StatementAccount> accounts;

    // What is booked from now on is of a later period.
    bool complete() const { return query.period.end <= read_at; }
};

// What one day moved of merchant_settled, and what stood there at its end.
struct StatementDay {
    StatementPeriod day;
    ChainId chain_id = 0;
    Address token;
    std::uint64_t batch_count = 0;
    std::uint64_t settlement_count = 0;
    Amount net;       // of the settlements
    Amount decided;   // net of what the desk accepted, credited and wrote off
    Amount reversed;  // less: net of settlements that were reversed
    Amount refunded;  // less: promised to payers
    Amount canceled;  // of those, taken back
    Amount closing;
};

// Sets `closing` of each day, in the order of time, from what stood before the first one, by chain
// and token. Throws InvariantViolation where more is taken back than stands there.
void add_closings(std::vector<StatementDay>& days,
                  std::map<std::pair<ChainId, Address>, Amount> opening);

// What of the books a daily total counts, by the time of booking. Amounts are those of the records:
// an amount that is cleared and later reversed counts in both.
enum class TotalStage : std::uint8_t {
    authorized,
    cleared,              // gross, with the fees of it
    settled,              // net
    unapplied,            // put on the exceptions desk
    reversed,             // transfers in that a reorg took away
    withdrawn,            // transfers out
    withdrawal_reversed,  // transfers out that a reorg took away
};
std::string_view to_string(TotalStage stage);

// From one day to another, both included.
struct TotalsQuery {
    std::optional<MerchantId> merchant_id;  // nothing: all of them
    StatementPeriod first;
    StatementPeriod last;
};
// Without `to` it is the day of `now`, without `from` 29 days before `to`. Refused, with the field
// "from" or "to": what is no day or has not begun, an end before the beginning, and more than 366
// days.
Result<TotalsQuery> parse_totals_days(std::string_view from, std::string_view to, Timestamp now);

struct DayTotal {
    StatementPeriod day;
    ChainId chain_id = 0;
    Address token;
    TotalStage stage = TotalStage::authorized;
    std::uint64_t count = 0;
    Amount amount;
    Amount fees;  // of what is cleared

    bool operator==(DayTotal const&) const = default;
};

struct Totals {
    TotalsQuery query;
    Timestamp read_at{};
    std::vector<DayTotal> rows;  // by day, chain, token and stage; those of nothing are left out

    bool complete() const { return query.last.end <= read_at; }
};

// Reads statements, each answer as of one moment. Throws InvariantViolation where the books do not
// add up, rather than show something wrong.
class StatementPort {
  public:
    virtual ~StatementPort() = default;
    virtual Task<Statement> statement(StatementQuery query, Timestamp now) = 0;
    // After (further on than) `after`. Lines of a period never change once it is over, so pages
    // that are read one after the other fit together.
    virtual Task<StatementLinePage> lines(StatementQuery query,
                                          std::optional<StatementCursor> after,
                                          std::size_t limit) = 0;
    virtual Task<StatementBatchPage> batches(StatementQuery query,
                                             std::optional<StatementCursor> after,
                                             std::size_t limit) = 0;
    // Of the days of the period on which merchant_settled moved, newest first.
    virtual Task<std::vector<StatementDay>> days(StatementQuery query) = 0;
    virtual Task<Totals> totals(TotalsQuery query, Timestamp now) = 0;
};

// The tokens of a symbol ("USDT", on every configured chain) or of a contract ("0x…"). Refused: a
// symbol that no configured token has.
Result<std::vector<Address>> parse_statement_token(std::string_view text, Network const& network);

}  // namespace sycee
