#include <sycee/base/assert.hpp>
#include <sycee/store/pg_api_keys.hpp>

#include "grouped_read.hpp"
#include "session.hpp"
#include "values.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>

namespace sycee {
namespace {

// Neither a scope nor a network has a space in it.
std::vector<std::string> words_of(pqxx::field const& field) {
    std::vector<std::string> words;
    std::string_view rest = field.c_str();
    while (!rest.empty()) {
        auto const word = rest.substr(0, rest.find(' '));
        words.emplace_back(word);
        rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    }
    return words;
}

// A scope of a later version gives an earlier one nothing.
Scopes scopes_of(pqxx::field const& field) {
    auto const names = words_of(field);
    if (names.size() == 1 && names.front() == "*") return Scopes::everything();
    Scopes scopes;
    for (auto const& name : names) {
        if (auto const scope = parse_scope(name)) scopes.add(*scope);
    }
    return scopes;
}

std::optional<Timestamp> time_or_none(pqxx::field const& field) {
    if (field.is_null()) return std::nullopt;
    return time_of(field);
}

std::string key_columns() {
    return "k.merchant_id, mode, key_id, label, secret_hash, array_to_string(scopes, ' ') AS "
           "scopes,"
           " array_to_string(allowed_addresses, ' ') AS allowed_addresses, replaced_by, " +
           time_column("k.created_at", "created_at") + ", " + time_column("expires_at") + ", " +
           time_column("revoked_at") + ", " + time_column("last_used_at");
}

ApiKey key_of(pqxx::row const& row) {
    ApiKey key{.id = id_of<ApiKeyTag>(row["key_id"]),
               .merchant_id = id_of<MerchantTag>(row["merchant_id"]),
               .livemode = row["mode"].c_str() == std::string_view("live"),
               .label = row["label"].c_str(),
               .secret_hash = bytes_of<32>(row["secret_hash"]),
               .scopes = scopes_of(row["scopes"]),
               .allowed_addresses = words_of(row["allowed_addresses"]),
               .created_at = time_of(row["created_at"]),
               .expires_at = time_or_none(row["expires_at"]),
               .revoked_at = time_or_none(row["revoked_at"]),
               .last_used_at = time_or_none(row["last_used_at"])};
    if (!row["replaced_by"].is_null()) key.replaced_by = id_of<ApiKeyTag>(row["replaced_by"]);
    return key;
}

std::map<ApiKeyId, ApiKey> read_api_keys(pqxx::transaction_base& tx,
                                         std::vector<ApiKeyId> const& ids) {
    PgArray wanted;
    for (ApiKeyId const& id : ids)
        wanted.add(id);
    std::map<ApiKeyId, ApiKey> keys;
    for (auto const& row :
         tx.exec_params("SELECT " + key_columns() +
                            " FROM api_keys k JOIN merchants m USING (merchant_id)"
                            " WHERE key_id = ANY($1::uuid[])",
                        wanted.str())) {
        ApiKey key = key_of(row);
        keys.emplace(key.id, std::move(key));
    }
    return keys;
}

// False where there is no such merchant.
bool insert(pqxx::work& tx, ApiKey const& key) {
    PgArray scopes;
    for (auto const name : key.scopes.names())
        scopes.add(name);
    PgArray addresses;
    for (auto const& network : key.allowed_addresses)
        addresses.add(network);
    std::optional<std::string> expires_at;
    if (key.expires_at) expires_at = to_sql(*key.expires_at);
    auto const inserted = tx.exec_params(
        "INSERT INTO api_keys (merchant_id, key_id, label, secret_hash, scopes, allowed_addresses,"
        " created_at, expires_at)"
        " SELECT merchant_id, $2, $3, $4, $5::text[], $6::cidr[],"
        " to_timestamp($7::bigint / 1000.0), to_timestamp($8::bigint / 1000.0) FROM merchants"
        " WHERE merchant_id = $1",
        to_sql(key.merchant_id), to_sql(key.id), key.label, to_sql(ByteView(key.secret_hash)),
        scopes.str(), addresses.str(), to_sql(key.created_at),
        expires_at ? expires_at->c_str() : nullptr);
    return inserted.affected_rows() == 1;
}

Error no_key(ApiKeyId id) {
    return {"key", "there is no key " + to_string(id)};
}

}  // namespace

class GroupedKeyRead final : public GroupedRead<ApiKeyId, ApiKey> {
  public:
    explicit GroupedKeyRead(Database& database)
        : GroupedRead("an API key to be read", database, read_api_keys) {}
};

PgApiKeys::PgApiKeys(Database& database)
    : database_(database), reader_(std::make_unique<GroupedKeyRead>(database)) {}

PgApiKeys::~PgApiKeys() = default;

Task<std::optional<ApiKey>> PgApiKeys::find(ApiKeyId id) {
    co_return co_await reader_->find(id);
}

Task<void> PgApiKeys::note_uses(std::vector<ApiKeyUse> uses) {
    auto work = [&](pqxx::work& tx) {
        PgArray ids;
        PgArray times;
        for (auto const& use : uses) {
            ids.add(use.id);
            times.add(use.at);
        }
        // Locked in one order: other processes write the same keys.
        tx.exec_params(
            "WITH used AS (SELECT k.merchant_id, k.key_id, u.at FROM api_keys k JOIN"
            " (SELECT unnest($1::uuid[]) AS key_id,"
            "  to_timestamp(unnest($2::bigint[]) / 1000.0) AS at) u USING (key_id)"
            " WHERE k.last_used_at IS NULL OR k.last_used_at < u.at"
            " ORDER BY k.key_id FOR NO KEY UPDATE OF k)"
            " UPDATE api_keys SET last_used_at = used.at FROM used"
            " WHERE (api_keys.merchant_id, api_keys.key_id) = (used.merchant_id, used.key_id)",
            ids.str(), times.str());
    };
    co_await transact(database_, work);
}

Task<std::optional<bool>> PgApiKeys::livemode_of(MerchantId merchant_id) {
    auto work = [&](pqxx::work& tx) -> std::optional<bool> {
        auto const rows = tx.exec_params(
            "SELECT mode = 'live' FROM merchants WHERE merchant_id = $1", to_sql(merchant_id));
        if (rows.empty()) return std::nullopt;
        return rows[0][0].as<bool>();
    };
    co_return co_await transact(database_, work);
}

Task<Result<void>> PgApiKeys::create(ApiKey key) {
    auto work = [&](pqxx::work& tx) -> Result<void> {
        if (insert(tx, key)) return {};
        return refuse("merchant", "there is no merchant " + to_string(key.merchant_id));
    };
    co_return co_await transact(database_, work);
}

Task<std::vector<ApiKey>> PgApiKeys::list(std::optional<MerchantId> merchant_id) {
    auto work = [&](pqxx::work& tx) {
        std::optional<std::string> wanted;
        if (merchant_id) wanted = to_sql(*merchant_id);
        std::vector<ApiKey> keys;
        for (auto const& row :
             tx.exec_params("SELECT " + key_columns() +
                                " FROM api_keys k JOIN merchants m USING (merchant_id)"
                                " WHERE k.merchant_id = $1::uuid OR $1::uuid IS NULL"
                                " ORDER BY k.merchant_id, key_id",
                            wanted ? wanted->c_str() : nullptr)) {
            keys.push_back(key_of(row));
        }
        return keys;
    };
    co_return co_await transact(database_, work);
}

Task<Result<ApiKey>> PgApiKeys::rotate(ApiKeyId old, RotatedKey fresh, Timestamp now,
                                       std::chrono::milliseconds overlap) {
    auto work = [&](pqxx::work& tx) -> Result<ApiKey> {
        auto const rows = tx.exec_params("SELECT " + key_columns() +
                                             " FROM api_keys k JOIN merchants m USING (merchant_id)"
                                             " WHERE key_id = $1 FOR UPDATE OF k",
                                         to_sql(old));
        if (rows.empty()) return std::unexpected(no_key(old));
        ApiKey key = key_of(rows[0]);
        if (!key.is_valid(now)) return refuse("key", to_string(old) + " is not valid any more");
        if (key.replaced_by) {
            return refuse("key", to_string(old) + " was rotated before: rotate " +
                                     to_string(*key.replaced_by));
        }
        Timestamp const end =
            key.expires_at ? std::min(*key.expires_at, now + overlap) : now + overlap;
        key.id = fresh.id;
        key.secret_hash = fresh.secret_hash;
        key.created_at = now;
        if (fresh.expires_at) key.expires_at = fresh.expires_at;
        key.last_used_at.reset();
        ensure(insert(tx, key), "store: a key is of no merchant");
        tx.exec_params(
            "UPDATE api_keys SET replaced_by = $2, expires_at = to_timestamp($3::bigint / 1000.0)"
            " WHERE key_id = $1",
            to_sql(old), to_sql(key.id), to_sql(end));
        return key;
    };
    co_return co_await transact(database_, work);
}

Task<bool> PgApiKeys::revoke(ApiKeyId id, Timestamp now) {
    auto work = [&](pqxx::work& tx) {
        auto const revoked = tx.exec_params(
            "UPDATE api_keys SET revoked_at = coalesce(revoked_at, to_timestamp($2::bigint / "
            "1000.0))"
            " WHERE key_id = $1",
            to_sql(id), to_sql(now));
        return revoked.affected_rows() == 1;
    };
    co_return co_await transact(database_, work);
}

}  // namespace sycee
