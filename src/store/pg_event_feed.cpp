#include <sycee/base/assert.hpp>
#include <sycee/runtime/log.hpp>
#include <sycee/store/pg_event_feed.hpp>

#include "event_rows.hpp"
#include "grouped_read.hpp"
#include "months.hpp"
#include "session.hpp"
#include "values.hpp"

#include <map>

namespace sycee {
namespace {

// How many events are looked at for one page of few types: the page after it goes on from there.
constexpr std::size_t kMostScanned = 5'000;

std::uint64_t last_of(pqxx::transaction_base& tx, MerchantId merchant_id) {
    auto const rows = tx.exec_params("SELECT last_sequence FROM event_feeds WHERE merchant_id = $1",
                                     to_sql(merchant_id));
    return rows.empty() ? 0 : number_of(rows[0][0]);
}

std::vector<ScannedEvent> scan(pqxx::transaction_base& tx, FeedQuery const& query,
                               std::size_t most) {
    std::vector<ScannedEvent> scanned;
    for (auto const& row :
         tx.exec_params("SELECT sequence, event_id, type FROM all_outbox_events"
                        " WHERE merchant_id = $1 AND sequence > $2"
                        " ORDER BY sequence LIMIT $3",
                        to_sql(query.merchant_id), query.after.value_or(0), most)) {
        scanned.push_back({number_of(row[0]), id_of<EventTag>(row[1]), row[2].c_str()});
    }
    return scanned;
}

// An event is told as the webhook of it was; where that can't be, the others are all the same.
std::vector<FeedEvent> tell_each(pqxx::transaction_base& tx, pqxx::result const& rows,
                                 std::set<Month> const& missing) {
    std::vector<FeedEvent> events;
    std::vector<OutboxEvent> tellable;
    std::vector<std::size_t> places;
    for (auto const& row : rows) {
        FeedEvent& event = events.emplace_back();
        event.event = event_of(row);
        if (missing.contains(month_number(event.event.payment_id))) continue;
        tellable.push_back(event.event);
        places.push_back(events.size() - 1);
    }
    auto told = tell_all(tx, std::move(tellable));
    for (std::size_t i = 0; i < told.size(); ++i) {
        FeedEvent& event = events[places[i]];
        if (told[i]) {
            event.told = std::move(*told[i]);
            continue;
        }
        event.untold = Untold::contradiction;
        log_critical("events", "an event can't be told: " + told[i].error(),
                     {{"event", to_string(event.event.id)}});
    }
    return events;
}

std::vector<FeedEvent> load(pqxx::transaction_base& tx, MerchantId merchant_id,
                            std::vector<ScannedEvent> const& shown,
                            std::set<Month> const& missing) {
    if (shown.empty()) return {};
    PgArray ids;
    for (ScannedEvent const& event : shown)
        ids.add(event.id);
    auto const rows = tx.exec_params("SELECT " + event_columns("e") +
                                         " FROM all_outbox_events e WHERE e.merchant_id = $1"
                                         " AND e.event_id = ANY ($2::uuid[]) ORDER BY e.sequence",
                                     to_sql(merchant_id), ids.str());
    ensure(rows.size() == shown.size(), "store: an event of the feed is gone");
    return tell_each(tx, rows, missing);
}

// No month is missing, and numbers are: nobody takes single events out.
void note_lost(std::vector<FeedGap>& gaps) {
    for (FeedGap& gap : gaps) {
        gap.why = Untold::contradiction;
        log_critical("events", "events of a feed are gone", {{"from", gap.from}, {"to", gap.to}});
    }
}

std::map<MerchantId, std::uint64_t> read_last(pqxx::transaction_base& tx,
                                              std::vector<MerchantId> const& merchants) {
    PgArray wanted;
    for (MerchantId const& merchant_id : merchants)
        wanted.add(merchant_id);
    std::map<MerchantId, std::uint64_t> last;
    for (auto const& row : tx.exec_params("SELECT merchant_id, last_sequence FROM event_feeds "
                                          "WHERE merchant_id = ANY($1::uuid[])",
                                          wanted.str()))
        last.emplace(id_of<MerchantTag>(row[0]), number_of(row[1]));
    return last;
}

}  // namespace

// All open streams ask after each commit of whatever merchant.
class LastSequenceReader final : public GroupedRead<MerchantId, std::uint64_t> {
  public:
    explicit LastSequenceReader(Database& database)
        : GroupedRead("the number of the newest event", database, read_last) {}
};

PgEventFeed::PgEventFeed(Database& database)
    : database_(database), last_(std::make_unique<LastSequenceReader>(database)) {}

PgEventFeed::~PgEventFeed() = default;

Task<FeedPage> PgEventFeed::read(FeedQuery query) {
    auto work = [&](SnapshotTransaction& tx) {
        FeedPage page;
        page.last_sequence = last_of(tx, query.merchant_id);
        // Whoever waits for the next event asks most often.
        if (query.after.value_or(0) >= page.last_sequence) {
            page.next_after = query.after.value_or(page.last_sequence);
            return page;
        }
        std::size_t const most = query.types.empty() ? query.limit + 1 : kMostScanned;
        auto const scanned = scan(tx, query, most);
        auto plan = plan_page(query, scanned, scanned.size() < most, page.last_sequence);
        auto const missing = missing_months(tx);
        page.events = load(tx, query.merchant_id, plan.events, missing);
        page.missing = std::move(plan.missing);
        if (missing.empty()) note_lost(page.missing);
        page.next_after = plan.next_after;
        page.has_more = plan.has_more;
        return page;
    };
    co_return co_await transact<SnapshotTransaction>(database_, work);
}

Task<std::uint64_t> PgEventFeed::last_sequence(MerchantId merchant_id) {
    auto const last = co_await last_->find(merchant_id);
    co_return last.value_or(0);
}

Task<EventFeedPort::Found> PgEventFeed::find(MerchantId merchant_id, EventId id) {
    auto work = [&](SnapshotTransaction& tx) -> Found {
        auto const missing = missing_months(tx);
        auto const rows = tx.exec_params("SELECT " + event_columns("e") +
                                             " FROM all_outbox_events e"
                                             " WHERE e.event_id = $1 AND e.merchant_id = $2",
                                         to_sql(id), to_sql(merchant_id));
        if (rows.empty()) return {.archived = missing.contains(month_number(id))};
        return {.event = std::move(tell_each(tx, rows, missing).front())};
    };
    co_return co_await transact<SnapshotTransaction>(database_, work);
}

Task<PaymentEvents> PgEventFeed::of_payment(PaymentKey payment, std::uint64_t after,
                                            std::size_t limit) {
    auto work = [&](SnapshotTransaction& tx) {
        PaymentEvents found;
        auto const missing = missing_months(tx);
        // Nothing is told of a payment before it is there.
        for (Month const month : missing) {
            if (month >= month_number(payment.second)) found.missing_months.push_back(month);
        }
        auto const rows = tx.exec_params(
            "SELECT " + event_columns("e") +
                " FROM all_outbox_events e WHERE e.payment_id = $1 AND e.merchant_id = $2"
                " AND e.sequence > $3 ORDER BY e.sequence LIMIT $4",
            to_sql(payment.second), to_sql(payment.first), after, limit + 1);
        found.events = tell_each(tx, rows, missing);
        found.has_more = found.events.size() > limit;
        if (found.has_more) found.events.pop_back();
        return found;
    };
    co_return co_await transact<SnapshotTransaction>(database_, work);
}

}  // namespace sycee
