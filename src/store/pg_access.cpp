#include <sycee/base/assert.hpp>
#include <sycee/crypto/hash.hpp>
#include <sycee/store/pg_access.hpp>

#include "bulk_insert.hpp"
#include "fee_rows.hpp"
#include "session.hpp"
#include "values.hpp"
#include "webhook_rows.hpp"

#include <algorithm>

namespace sycee {
namespace {

// The key itself and the children 0 and 1 that addresses are derived below.
std::vector<Bytes32> claims_of(ExtendedPublicKey const& key) {
    auto const claim = [](ExtendedPublicKey const& one) {
        std::vector<std::uint8_t> bytes(one.key.begin(), one.key.end());
        bytes.insert(bytes.end(), one.chain_code.begin(), one.chain_code.end());
        return sha256(bytes);
    };
    std::vector<Bytes32> claims{claim(key)};
    for (std::uint32_t const index : {0U, 1U}) {
        if (auto const child = derive_child(key, index)) claims.push_back(claim(*child));
    }
    return claims;
}

// Of a live merchant, one only.
Result<void> check_twin(pqxx::work& tx, MerchantId live) {
    auto const rows = tx.exec_params(
        "SELECT m.mode, t.merchant_id FROM merchants m"
        " LEFT JOIN merchants t ON t.live_merchant_id = m.merchant_id WHERE m.merchant_id = $1",
        to_sql(live));
    if (rows.empty()) return refuse("merchant", "there is no merchant " + to_string(live));
    if (rows[0][0].c_str() != std::string_view("live"))
        return refuse("merchant", to_string(live) + " is a test merchant itself");
    if (!rows[0][1].is_null()) {
        return refuse("merchant", to_string(live) + " has the test merchant " +
                                      to_string(id_of<MerchantTag>(rows[0][1])) + " already");
    }
    return {};
}

bool is_claimed(pqxx::work& tx, std::vector<Bytes32> const& claims) {
    return std::any_of(claims.begin(), claims.end(), [&tx](Bytes32 const& claim) {
        return !tx.exec_params("SELECT 1 FROM extended_key_claims WHERE claim = $1",
                               to_sql(ByteView(claim)))
                    .empty();
    });
}

}  // namespace

Task<std::optional<Operator>> PgAccess::find_operator(std::string name) {
    auto work = [&](pqxx::work& tx) -> std::optional<Operator> {
        auto const rows = tx.exec_params(
            "SELECT operator_id, password_hash FROM operators WHERE name = $1", name);
        if (rows.empty()) return std::nullopt;
        return Operator{id_of<OperatorTag>(rows[0][0]), name, rows[0][1].c_str()};
    };
    co_return co_await transact(database_, work);
}

Task<void> PgAccess::create_session(Bytes32 token_hash, OperatorId operator_id,
                                    Timestamp expires_at) {
    auto work = [&](pqxx::work& tx) {
        // A login is rare enough to clear up, and nothing else makes the table grow.
        tx.exec("DELETE FROM operator_sessions WHERE expires_at <= now()");
        tx.exec_params(
            "INSERT INTO operator_sessions (token_hash, operator_id, expires_at)"
            " VALUES ($1, $2, to_timestamp($3::bigint / 1000.0))",
            to_sql(ByteView(token_hash)), to_sql(operator_id), to_sql(expires_at));
    };
    co_await transact(database_, work);
}

Task<std::optional<SessionOperator>> PgAccess::find_session(Bytes32 token_hash, Timestamp now) {
    auto work = [&](pqxx::work& tx) -> std::optional<SessionOperator> {
        auto const rows = tx.exec_params(
            "SELECT o.operator_id, o.name FROM operator_sessions s JOIN operators o USING "
            "(operator_id)"
            " WHERE s.token_hash = $1 AND s.expires_at > to_timestamp($2::bigint / 1000.0)",
            to_sql(ByteView(token_hash)), to_sql(now));
        if (rows.empty()) return std::nullopt;
        return SessionOperator{id_of<OperatorTag>(rows[0][0]), rows[0][1].c_str()};
    };
    co_return co_await transact(database_, work);
}

Task<void> PgAccess::delete_session(Bytes32 token_hash) {
    auto work = [&](pqxx::work& tx) {
        tx.exec_params("DELETE FROM operator_sessions WHERE token_hash = $1",
                       to_sql(ByteView(token_hash)));
    };
    co_await transact(database_, work);
}

Task<Result<void>> PgAccess::create_merchant(NewMerchant merchant) {
    auto work = [&](pqxx::work& tx) -> Result<void> {
        // Two merchants with related keys created at once would not see each other's claims.
        tx.exec("SELECT pg_advisory_xact_lock(hashtextextended('sycee.extended_keys', 0))");
        if (merchant.test_twin_of) {
            auto const refused = check_twin(tx, *merchant.test_twin_of);
            if (!refused) return refused;
        }
        auto const claims = claims_of(merchant.extended_public_key);
        if (is_claimed(tx, claims)) {
            return refuse(
                "xpub",
                "is in use already, or its parent or child is: the deposit addresses of two "
                "merchants would be the same");
        }
        std::optional<std::string> live;
        if (merchant.test_twin_of) live = to_sql(*merchant.test_twin_of);
        tx.exec_params(
            "INSERT INTO merchants (merchant_id, name, extended_public_key, created_at, mode,"
            " live_merchant_id) VALUES ($1, $2, $3, to_timestamp($4::bigint / 1000.0), $5, $6)",
            to_sql(merchant.id), merchant.name, to_string(merchant.extended_public_key),
            to_sql(merchant.created_at), live ? "test" : "live", live ? live->c_str() : nullptr);
        if (merchant.webhook) insert_endpoint(tx, *merchant.webhook);
        BulkInsert rows("extended_key_claims", {{"claim", "bytea"}, {"merchant_id", "uuid"}});
        for (Bytes32 const& claim : claims)
            rows.row(ByteView(claim), merchant.id);
        rows.run(tx);
        add_fees(tx, merchant.id, merchant.fees, merchant.created_at);
        return {};
    };
    co_return co_await transact(database_, work);
}

Task<Result<FeeSchedule>> PgAccess::set_fees(MerchantId merchant_id, FeeSchedule schedule,
                                             Timestamp now) {
    auto work = [&](pqxx::work& tx) -> Result<FeeSchedule> {
        auto const there =
            tx.exec_params("SELECT 1 FROM merchants WHERE merchant_id = $1", to_sql(merchant_id));
        if (there.empty()) {
            return refuse("merchant", "there is no merchant " + to_string(merchant_id));
        }
        return add_fees(tx, merchant_id, schedule, now);
    };
    co_return co_await transact(database_, work);
}

Task<std::vector<std::pair<FeeSchedule, Timestamp>>> PgAccess::fee_schedules(
    MerchantId merchant_id) {
    auto work = [&](pqxx::work& tx) {
        std::vector<std::pair<FeeSchedule, Timestamp>> schedules;
        for (auto const& row : tx.exec_params(
                 "SELECT " + fee_columns() + ", " + time_column("f.created_at", "created_at") +
                     " FROM fee_schedules f WHERE merchant_id = $1 ORDER BY version",
                 to_sql(merchant_id))) {
            schedules.emplace_back(fees_of(row), time_of(row["created_at"]));
        }
        return schedules;
    };
    co_return co_await transact(database_, work);
}

Task<Result<void>> PgAccess::create_operator(Operator account, Timestamp now) {
    auto work = [&](pqxx::work& tx) -> Result<void> {
        auto const inserted = tx.exec_params(
            "INSERT INTO operators (operator_id, name, password_hash, created_at)"
            " VALUES ($1, $2, $3, to_timestamp($4::bigint / 1000.0)) ON CONFLICT (name) DO NOTHING",
            to_sql(account.id), account.name, account.password_hash, to_sql(now));
        if (inserted.affected_rows() != 1) {
            return refuse("name", "there is an operator \"" + account.name + "\" already");
        }
        return {};
    };
    co_return co_await transact(database_, work);
}

}  // namespace sycee
