#include <sycee/store/pg_expiries.hpp>

#include "book_writer.hpp"
#include "payment_rows.hpp"
#include "session.hpp"
#include "values.hpp"

#include <compare>
#include <map>
#include <string>
#include <utility>

namespace sycee {
namespace {

// In the order of all payments by their expiry.
struct Place {
    std::int64_t expires_at = 0;  // milliseconds; payments expire at whole seconds
    std::string payment_id;       // as PostgreSQL writes it, and orders it

    auto operator<=>(Place const&) const = default;
};

constexpr std::string_view kMilliseconds = "floor(extract(epoch FROM expires_at) * 1000)::bigint";

Place place_of(pqxx::row const& row) {
    return {row["expires_at"].as<std::int64_t>(), row["payment_id"].c_str()};
}

std::map<ChainId, Place> lock_places(pqxx::work& tx) {
    std::map<ChainId, Place> places;
    for (auto const& row :
         tx.exec("SELECT chain_id, " + std::string(kMilliseconds) +
                 " AS expires_at, payment_id FROM expiry_places ORDER BY chain_id FOR UPDATE")) {
        places.emplace(number_of(row["chain_id"]), place_of(row));
    }
    return places;
}

// Whether the payment at that place offers the chain, and all its others are past it.
bool is_last(std::vector<PaymentOption> const& options, Place const& place, ChainId chain_id,
             std::set<ChainId> const& chains, std::map<ChainId, Place> const& places) {
    bool offers = false;
    for (PaymentOption const& option : options) {
        if (option.chain_id == chain_id) {
            offers = true;
        } else if (chains.contains(option.chain_id)) {
            auto const other = places.find(option.chain_id);
            if (other == places.end() || other->second < place) return false;
        }
    }
    return offers;
}

// Those that were covered once have another end: they are settled, or were reversed. And those that
// were not told yet.
std::vector<PaymentKey> to_be_told(pqxx::work& tx, std::vector<PaymentKey> const& keys) {
    if (keys.empty()) return {};
    PgArray merchants;
    PgArray payments;
    for (auto const& [merchant_id, payment_id] : keys) {
        merchants.add(merchant_id);
        payments.add(payment_id);
    }
    std::vector<PaymentKey> found;
    for (auto const& row :
         tx.exec_params("SELECT k.merchant_id, k.payment_id"
                        " FROM unnest($1::uuid[], $2::uuid[]) AS k(merchant_id, payment_id)"
                        " WHERE NOT EXISTS (SELECT FROM authorizations a JOIN clearings c"
                        " ON (c.merchant_id, c.chain_id, c.authorization_seq) = (a.merchant_id, "
                        "a.chain_id, a.seq)"
                        " AND c.payment_id = a.payment_id WHERE a.payment_id = k.payment_id"
                        " AND a.merchant_id = k.merchant_id)"
                        // By another chain, before this one was configured again.
                        " AND NOT EXISTS (SELECT FROM outbox_events e"
                        " WHERE e.payment_id = k.payment_id AND e.merchant_id = k.merchant_id"
                        " AND e.type = 'payment.expired')",
                        merchants.str(), payments.str())) {
        found.emplace_back(id_of<MerchantTag>(row[0]), id_of<PaymentTag>(row[1]));
    }
    return found;
}

std::map<MerchantId, JournalPositions> load_journals(pqxx::transaction_base& tx,
                                                     std::vector<PaymentKey> const& keys) {
    PgArray ids;
    for (auto const& [merchant_id, payment_id] : keys)
        ids.add(merchant_id);
    std::map<MerchantId, JournalPositions> journals;
    for (auto const& row : tx.exec_params("SELECT merchant_id, chain_id, seq FROM journal_heads"
                                          " WHERE merchant_id = ANY($1::uuid[])",
                                          ids.str())) {
        journals[id_of<MerchantTag>(row[0])].emplace(number_of(row[1]), number_of(row[2]));
    }
    return journals;
}

// Whatever else is told of these merchants is there already, or is told after this.
void lock_feeds(pqxx::work& tx, std::vector<PaymentKey> const& keys) {
    PgArray ids;
    for (auto const& [merchant_id, payment_id] : keys)
        ids.add(merchant_id);
    tx.exec_params(
        "SELECT FROM event_feeds WHERE merchant_id = ANY($1::uuid[]) ORDER BY merchant_id FOR "
        "UPDATE",
        ids.str());
}

std::vector<ExpiringPayment> load_expiring(pqxx::work& tx, std::vector<PaymentKey> const& keys) {
    if (keys.empty()) return {};
    lock_feeds(tx, keys);
    // Before the payments: what is booked in between may be seen, and is not told.
    auto const journals = load_journals(tx, keys);
    std::vector<ExpiringPayment> expiring;
    for (PaymentState& state : load_payment_states(tx, keys)) {
        auto const of_merchant = journals.find(state.payment.merchant_id);
        expiring.push_back(
            {.state = std::move(state),
             .journals = of_merchant == journals.end() ? JournalPositions{} : of_merchant->second});
    }
    return expiring;
}

}  // namespace

Task<ExpiryPort::Round> PgExpiries::pass(ChainId chain_id, Timestamp reach,
                                         std::set<ChainId> chains, std::size_t limit,
                                         Decide decide) {
    auto work = [&](pqxx::work& tx) {
        Round round;
        auto const places = lock_places(tx);
        auto const own = places.find(chain_id);
        if (own == places.end()) {
            tx.exec_params(
                "INSERT INTO expiry_places (chain_id, expires_at) VALUES ($1, now())"
                " ON CONFLICT DO NOTHING",
                chain_id);
            return round;
        }
        auto const rows = tx.exec_params(
            "SELECT merchant_id, payment_id, options, " + std::string(kMilliseconds) +
                " AS expires_at FROM payments"
                " WHERE (expires_at, payment_id) > (to_timestamp($1::bigint / 1000.0), $2::uuid)"
                " AND expires_at < to_timestamp($3::bigint / 1000.0)"
                " ORDER BY payments.expires_at, payment_id LIMIT $4",
            own->second.expires_at, own->second.payment_id, to_sql(reach), limit);
        if (rows.empty()) return round;
        round.passed = static_cast<std::size_t>(rows.size());
        std::vector<PaymentKey> keys;
        for (auto const& row : rows) {
            auto const options = parse_options(row["options"].c_str());
            if (is_last(options, place_of(row), chain_id, chains, places))
                keys.emplace_back(id_of<MerchantTag>(row["merchant_id"]),
                                  id_of<PaymentTag>(row["payment_id"]));
        }
        round.events = decide(load_expiring(tx, to_be_told(tx, keys)));
        write_events(tx, round.events);
        Place const last = place_of(rows.back());
        tx.exec_params(
            "UPDATE expiry_places SET expires_at = to_timestamp($2::bigint / 1000.0),"
            " payment_id = $3 WHERE chain_id = $1",
            chain_id, last.expires_at, last.payment_id);
        return round;
    };
    co_return co_await transact(database_, work);
}

}  // namespace sycee
