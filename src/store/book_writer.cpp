#include "book_writer.hpp"

#include <sycee/base/assert.hpp>
#include <sycee/runtime/errors.hpp>

#include "bulk_copy.hpp"
#include "bulk_insert.hpp"
#include "event_rows.hpp"
#include "payment_rows.hpp"
#include "planned.hpp"
#include "values.hpp"
#include "webhook_rows.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace sycee {
namespace {

struct Movement {
    Amount up;
    Amount down;
};

// The merchants whose journals of the other chains are where they were.
std::set<MerchantId> unmoved_elsewhere(pqxx::work& tx, ChainId chain_id,
                                       std::map<MerchantId, JournalPositions> const& journals) {
    if (journals.empty()) return {};
    PgArray ids;
    std::map<MerchantId, JournalPositions> now;
    for (auto const& [merchant_id, positions] : journals) {
        ids.add(merchant_id);
        now.emplace(merchant_id, JournalPositions{});
    }
    for (auto const& row : tx.exec_params("SELECT merchant_id, chain_id, seq FROM journal_heads"
                                          " WHERE merchant_id = ANY($1::uuid[]) AND chain_id <> $2",
                                          ids.str(), chain_id)) {
        now.at(id_of<MerchantTag>(row[0])).emplace(number_of(row[1]), number_of(row[2]));
    }
    std::set<MerchantId> unmoved;
    for (auto const& [merchant_id, positions] : journals) {
        if (now.at(merchant_id) == positions) unmoved.insert(merchant_id);
    }
    return unmoved;
}

constexpr auto kEvents = std::to_array<char const*>(
    {"merchant_id", "event_id", "payment_id", "type", "status", "chain_id", "record_seq",
     "journals", "goods_may_be_released", "created_at", "sequence"});
constexpr auto kDueEvents = std::to_array<char const*>(
    {"merchant_id", "event_id", "payment_id", "type", "status", "chain_id", "record_seq",
     "journals", "goods_may_be_released", "created_at", "sequence", "next_attempt_at"});

constexpr auto kDeliveries = std::to_array<char const*>(
    {"merchant_id", "endpoint_id", "event_id", "event_type", "created_at", "next_attempt_at"});
constexpr auto kFailedDeliveries = std::to_array<char const*>(
    {"merchant_id", "endpoint_id", "event_id", "event_type", "created_at"});

// What of an endpoint for webhooks says whether it gets an event.
struct Recipient {
    WebhookEndpointId id;
    std::vector<std::string> event_types;
    bool is_disabled = false;
};

// Each merchant's endpoints for webhooks. While its counter is locked none is added or changed.
std::map<MerchantId, std::vector<Recipient>> load_recipients(
    pqxx::work& tx, std::vector<OutboxEvent> const& events) {
    std::map<MerchantId, std::vector<Recipient>> endpoints;
    for (OutboxEvent const& event : events)
        endpoints.try_emplace(event.merchant_id);
    PgArray ids;
    for (auto const& [merchant_id, of_merchant] : endpoints)
        ids.add(merchant_id);
    for (auto const& row :
         exec_planned(tx,
                      "SELECT merchant_id, endpoint_id, array_to_string(event_types, ' '),"
                      " disabled_at IS NOT NULL FROM webhook_endpoints"
                      " WHERE merchant_id = ANY($1::uuid[])",
                      ids.str())) {
        endpoints.at(id_of<MerchantTag>(row[0]))
            .push_back({.id = id_of<WebhookEndpointTag>(row[1]),
                        .event_types = event_types_of(row[2]),
                        .is_disabled = row[3].as<bool>()});
    }
    return endpoints;
}

bool wants(Recipient const& endpoint, std::string const& type) {
    return std::ranges::any_of(endpoint.event_types, [&type](std::string const& wanted) {
        return wanted == type || wanted == kEveryEvent;
    });
}

// To the one endpoint that each of these events' merchants has, as fan_out() makes them.
void write_deliveries(pqxx::work& tx,
                      std::vector<std::pair<OutboxEvent const*, Recipient const*>> const& made) {
    CopyStream<kDeliveries> due(tx, "webhook_deliveries");
    for (auto const& [event, endpoint] : made) {
        if (endpoint->is_disabled) continue;
        due.row(event->merchant_id, endpoint->id, event->id, event->type, event->created_at,
                event->created_at);
    }
    due.complete();
    CopyStream<kFailedDeliveries> failed(tx, "webhook_deliveries");
    for (auto const& [event, endpoint] : made) {
        if (!endpoint->is_disabled) continue;
        failed.row(event->merchant_id, endpoint->id, event->id, event->type, event->created_at);
    }
    failed.complete();
}

// The numbers of these events in their merchants' feeds. A merchant's counter stays locked to the
// end of the transaction: who writes after it has larger numbers and commits later, and what is
// rolled back leaves no gap. The counters are locked in the order of the merchants (rows are
// inserted as they are sorted), so that two writers can't lock each other out.
std::vector<std::uint64_t> take_sequences(pqxx::work& tx, std::vector<OutboxEvent> const& events) {
    std::map<MerchantId, std::uint64_t> counts;
    for (OutboxEvent const& event : events)
        ++counts[event.merchant_id];
    std::vector<PgArray> arrays(2);
    for (auto const& [merchant_id, count] : counts) {
        arrays[0].add(merchant_id);
        arrays[1].add(count);
    }
    std::map<MerchantId, std::uint64_t> last;
    for (auto const& row :
         exec_arrays(tx,
                     "INSERT INTO event_feeds AS f (merchant_id, last_sequence)"
                     " SELECT merchant_id, added FROM unnest($1::uuid[], $2::bigint[])"
                     " AS m(merchant_id, added) ORDER BY merchant_id"
                     " ON CONFLICT (merchant_id) DO UPDATE"
                     " SET last_sequence = f.last_sequence + excluded.last_sequence"
                     " RETURNING merchant_id, last_sequence",
                     arrays)) {
        auto const merchant_id = id_of<MerchantTag>(row[0]);
        last.emplace(merchant_id, number_of(row[1]) - counts.at(merchant_id));
    }
    std::vector<std::uint64_t> sequences;
    for (OutboxEvent const& event : events)
        sequences.push_back(++last.at(event.merchant_id));
    return sequences;
}

template <class Rows, class... More>
void add_event(Rows& rows, OutboxEvent const& event, std::uint64_t sequence, More const&... more) {
    rows.row(event.merchant_id, event.id, event.payment_id, event.type, to_string(event.status),
             event.chain_id, event.record_sequence, journals_to_sql(event.positions),
             std::string_view(event.goods_may_be_released ? "true" : "false"), event.created_at,
             sequence, more...);
}

}  // namespace

std::string timestamp_literal(Timestamp time) {
    return "to_timestamp(" + to_sql(time) + " / 1000.0)";
}

void check_entries(ChainId chain_id, std::vector<JournalEntry> const& entries) {
    for (JournalEntry const& entry : entries) {
        ensure(entry.chain_id == chain_id, "store: an entry of another chain in a commit");
    }
}

void lock_merchants(pqxx::work& tx, std::vector<MerchantId> const& merchants) {
    PgArray ids;
    for (MerchantId const& merchant_id : merchants)
        ids.add(merchant_id);
    tx.exec_params(
        "SELECT pg_advisory_xact_lock(lock) FROM (SELECT DISTINCT"
        " hashtextextended('sycee.merchant.' || id::text, 0) AS lock"
        " FROM unnest($1::uuid[]) AS m(id) ORDER BY 1 OFFSET 0) AS locks",
        ids.str());
}

void check_foreign(pqxx::work& tx, ChainId chain_id,
                   std::vector<std::pair<PaymentKey, Bytes32>> const& foreign,
                   std::map<MerchantId, JournalPositions> const& journals) {
    if (foreign.empty()) return;
    std::vector<MerchantId> merchants;
    for (auto const& [key, fingerprint] : foreign)
        merchants.push_back(key.first);
    lock_merchants(tx, merchants);
    auto const unmoved = unmoved_elsewhere(tx, chain_id, journals);
    std::map<PaymentKey, Bytes32> expected;
    std::vector<PaymentKey> keys;
    for (auto const& [key, fingerprint] : foreign) {
        if (!unmoved.contains(key.first) && expected.emplace(key, fingerprint).second) {
            keys.push_back(key);
        }
    }
    auto const states = load_payment_states(tx, keys);
    ensure(states.size() == keys.size(), "store: a payment of a commit does not exist");
    for (PaymentState const& state : states) {
        PaymentKey const key{state.payment.merchant_id, state.payment.id};
        if (foreign_fingerprint(state, chain_id) != expected.at(key)) {
            throw Unavailable("payment " + to_string(key.second) +
                              " was moved by another chain or the desk meanwhile");
        }
    }
}

void move_heads(pqxx::work& tx, ChainId chain_id, std::vector<HeadMove> heads,
                std::vector<JournalEntry> const& entries) {
    if (heads.empty()) return;
    std::map<MerchantId, std::uint64_t> batches;
    for (JournalEntry const& entry : entries) {
        if (auto const* batch = std::get_if<SettlementBatch>(&entry.record)) {
            batches[entry.merchant_id] = batch->batch_number;
        }
    }
    std::sort(heads.begin(), heads.end(),
              [](HeadMove const& a, HeadMove const& b) { return a.merchant_id < b.merchant_id; });
    std::vector<PgArray> arrays(6);
    BulkInsert first(
        "journal_heads",
        {{"merchant_id", "uuid"}, {"chain_id", "bigint"}, {"seq", "bigint"}, {"hash", "bytea"}});
    for (HeadMove const& head : heads) {
        first.row(head.merchant_id, chain_id, 0, ByteView(Bytes32{}));
        arrays[0].add(head.merchant_id);
        arrays[1].add(head.from.sequence);
        arrays[2].add(ByteView(head.from.hash));
        arrays[3].add(head.to.sequence);
        arrays[4].add(ByteView(head.to.hash));
        arrays[5].add(batches[head.merchant_id]);
    }
    first.run(tx, "ON CONFLICT DO NOTHING");
    // The update alone would lock them in whatever order its plan finds them.
    tx.exec_params(
        "SELECT 1 FROM journal_heads WHERE merchant_id = ANY($1::uuid[]) AND chain_id = $2"
        " ORDER BY merchant_id FOR UPDATE",
        arrays[0].str(), chain_id);
    auto const moved =
        exec_arrays(tx,
                    "UPDATE journal_heads h SET seq = to_seq, hash = to_hash,"
                    " last_batch_number = greatest(h.last_batch_number, batch)"
                    " FROM unnest($1::uuid[], $2::bigint[], $3::bytea[], "
                    "$4::bigint[], $5::bytea[], $6::bigint[])"
                    " AS m(merchant_id, from_seq, from_hash, to_seq, to_hash, batch)"
                    " WHERE h.merchant_id = m.merchant_id AND h.chain_id = " +
                        std::to_string(chain_id) + " AND h.seq = from_seq AND h.hash = from_hash",
                    arrays);
    if (moved.affected_rows() != heads.size()) {
        throw Unavailable("a journal of chain " + std::to_string(chain_id) +
                          " has moved meanwhile");
    }
}

void update_balances(pqxx::work& tx, ChainId chain_id, std::vector<JournalEntry> const& entries) {
    std::map<std::tuple<MerchantId, Bytes20, Account>, Movement> movements;
    for (JournalEntry const& entry : entries) {
        for (Posting const& posting : postings_of(entry.record)) {
            auto& debit = movements[{entry.merchant_id, posting.token, posting.debit}];
            (is_debit_account(posting.debit) ? debit.up : debit.down) += posting.amount;
            auto& credit = movements[{entry.merchant_id, posting.token, posting.credit}];
            (is_debit_account(posting.credit) ? credit.down : credit.up) += posting.amount;
        }
    }
    if (movements.empty()) return;
    std::vector<PgArray> arrays(5);
    BulkInsert first("account_balances", {{"merchant_id", "uuid"},
                                          {"chain_id", "bigint"},
                                          {"token", "bytea"},
                                          {"account", "ledger_account"},
                                          {"balance", "numeric"}});
    for (auto const& [key, movement] : movements) {
        auto const& [merchant_id, token, account] = key;
        first.row(merchant_id, chain_id, ByteView(token), to_string(account), 0);
        arrays[0].add(merchant_id);
        arrays[1].add(ByteView(token));
        arrays[2].add(to_string(account));
        arrays[3].add(movement.up);
        arrays[4].add(movement.down);
    }
    first.run(tx, "ON CONFLICT DO NOTHING");
    auto const moved = exec_arrays(
        tx,
        "UPDATE account_balances b SET balance = b.balance + m.up - m.down"
        " FROM unnest($1::uuid[], $2::bytea[], $3::ledger_account[], $4::numeric[], $5::numeric[])"
        " AS m(merchant_id, token, account, up, down)"
        " WHERE b.merchant_id = m.merchant_id AND b.chain_id = " +
            std::to_string(chain_id) + " AND b.token = m.token AND b.account = m.account",
        arrays);
    ensure(moved.affected_rows() == movements.size(), "store: an account has no balance row");
}

std::vector<std::uint64_t> write_events(pqxx::work& tx, std::vector<OutboxEvent> const& events,
                                        MakeDeliveries make) {
    if (events.empty()) return {};
    auto const sequences = take_sequences(tx, events);
    auto const endpoints = load_recipients(tx, events);
    auto const is_marked = [&](OutboxEvent const& event) {
        auto const count = endpoints.at(event.merchant_id).size();
        return count > 1 || (count == 1 && make == MakeDeliveries::later);
    };
    std::vector<std::pair<OutboxEvent const*, Recipient const*>> made;
    CopyStream<kEvents> kept(tx, "outbox_events");
    for (std::size_t i = 0; i < events.size(); ++i) {
        if (is_marked(events[i])) continue;
        add_event(kept, events[i], sequences[i]);
        for (Recipient const& endpoint : endpoints.at(events[i].merchant_id)) {
            if (wants(endpoint, events[i].type)) made.emplace_back(&events[i], &endpoint);
        }
    }
    kept.complete();
    CopyStream<kDueEvents> marked(tx, "outbox_events");
    for (std::size_t i = 0; i < events.size(); ++i) {
        if (is_marked(events[i])) add_event(marked, events[i], sequences[i], events[i].created_at);
    }
    marked.complete();
    write_deliveries(tx, made);
    return sequences;
}

void lock_feed(pqxx::work& tx, MerchantId merchant_id) {
    std::string const id = to_sql(merchant_id);
    tx.exec_params(
        "INSERT INTO event_feeds (merchant_id, last_sequence) VALUES ($1, 0)"
        " ON CONFLICT DO NOTHING",
        id);
    tx.exec_params("SELECT FROM event_feeds WHERE merchant_id = $1 FOR UPDATE", id);
}

}  // namespace sycee
