#include <sycee/base/assert.hpp>
#include <sycee/store/pg_rebuild.hpp>

#include "bulk_insert.hpp"
#include "fee_rows.hpp"
#include "payment_rows.hpp"
#include "record_rows.hpp"
#include "session.hpp"
#include "values.hpp"

#include <array>
#include <utility>

namespace sycee {
namespace {

constexpr char const* kReadForLong =
    "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;"
    " SET LOCAL jit = off";

// One database of one running server.
constexpr char const* kIdentity =
    "SELECT current_database() || ' ' || pg_postmaster_start_time()::text";
constexpr char const* kAnything =
    "SELECT n.nspname || '.' || c.relname FROM pg_class c"
    " JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"
    " ORDER BY 1 LIMIT 1";

struct Column {
    char const* name;
    char const* type;
};
struct Inputs {
    char const* table;
    std::vector<Column> columns;
    char const* order = nullptr;  // of the rows, where the new ones must have it as well
};

// What the new books take over as it is, in the order of the foreign keys.
std::vector<Inputs> const& inputs() {
    static std::vector<Inputs> const all{
        {"merchants",
         {{"merchant_id", "uuid"},
          {"name", "text"},
          {"extended_public_key", "text"},
          {"next_derivation_index", "bigint"},
          {"created_at", "timestamptz"},
          {"mode", "text"},
          {"live_merchant_id", "uuid"}}},
        {"extended_key_claims", {{"claim", "bytea"}, {"merchant_id", "uuid"}}},
        {"fee_schedules",
         {{"merchant_id", "uuid"},
          {"version", "bigint"},
          {"basis_points", "integer"},
          {"rounding", "text"},
          {"fixed", "numeric"},
          {"minimum", "numeric"},
          {"maximum", "numeric"},
          {"created_at", "timestamptz"}}},
        {"finality_rules",
         {{"chain_id", "bigint"},
          {"version", "bigint"},
          {"bands", "text"},
          {"most_not_final", "numeric"},
          {"created_at", "timestamptz"}}},
        {"fee_recipients",
         {{"number", "bigint"}, {"merchant_id", "uuid"}, {"created_at", "timestamptz"}}},
        {"fee_invoices",
         {{"merchant_id", "uuid"},
          {"invoice_payment_id", "uuid"},
          {"invoice_merchant_id", "uuid"},
          {"chain_id", "bigint"},
          {"token", "bytea"},
          {"amount", "numeric"},
          {"created_at", "timestamptz"}}},
        {"test_chain", {{"seed", "bytea"}, {"genesis", "timestamptz"}, {"head", "bigint"}}},
        {"test_chain_transfers",
         {{"merchant_id", "uuid"},
          {"transaction_hash", "bytea"},
          {"token", "bytea"},
          {"sender", "bytea"},
          {"recipient", "bytea"},
          {"amount", "numeric"},
          {"block_number", "bigint"},
          {"gone_at", "bigint"}},
         "number"}};
    return all;
}

struct InputRows {
    Inputs const* of = nullptr;
    std::vector<PgArray> columns;
};

InputRows read_rows(pqxx::transaction_base& tx, Inputs const& of) {
    std::string select;
    for (Column const& column : of.columns)
        select += (select.empty() ? "SELECT " : ", ") + std::string(column.name) + "::text";
    InputRows rows{&of, std::vector<PgArray>(of.columns.size())};
    std::string const order = of.order == nullptr ? "" : std::string(" ORDER BY ") + of.order;
    for (auto const& row : tx.exec(select + " FROM " + of.table + order)) {
        for (std::size_t i = 0; i < of.columns.size(); ++i) {
            auto const field = row[static_cast<pqxx::row::size_type>(i)];
            if (field.is_null()) {
                rows.columns[i].add_null();
            } else {
                rows.columns[i].add(std::string(field.c_str()));
            }
        }
    }
    return rows;
}

void write_rows(pqxx::transaction_base& tx, InputRows const& rows) {
    std::string names;
    std::string values;
    std::string arrays;
    for (std::size_t i = 0; i < rows.of->columns.size(); ++i) {
        Column const& column = rows.of->columns[i];
        std::string const comma = i == 0 ? "" : ", ";
        std::string const name = column.name;
        names += comma + name;
        values += comma + name + "::" + column.type;
        arrays += comma + "$" + std::to_string(i + 1) + "::text[]";
    }
    exec_arrays(tx,
                "INSERT INTO " + std::string(rows.of->table) + " (" + names + ") SELECT " + values +
                    " FROM unnest(" + arrays + ") AS rows(" + names + ")",
                rows.columns);
}

AccountBalances balances_in(pqxx::transaction_base& tx) {
    AccountBalances balances;
    for (auto const& row :
         tx.exec("SELECT merchant_id, chain_id, token, account, abs(balance), balance < 0"
                 " FROM account_balances")) {
        auto const account = parse_account(row[3].c_str());
        ensure(account.has_value(), "store: an unknown account in account_balances");
        balances.emplace(AccountKey{id_of<MerchantTag>(row[0]), number_of(row[1]),
                                    bytes_of<20>(row[2]), *account},
                         BalanceSheet::Balance{amount_of(row[4]), row[5].as<bool>()});
    }
    return balances;
}

FinalityRule rule_of(pqxx::row const& row) {
    FinalityRule rule{.version = number_of(row["version"])};
    auto bands = parse_bands(row["bands"].c_str());
    ensure(bands.has_value(), "store: the bands of a finality rule do not parse");
    rule.bands = std::move(*bands);
    if (!row["most_not_final"].is_null()) rule.most_not_final = amount_of(row["most_not_final"]);
    return rule;
}

}  // namespace

struct PgRebuildSource::Snapshot {
    explicit Snapshot(std::unique_ptr<pqxx::connection> of)
        : connection(std::move(of)), tx(*connection) {
        tx.exec(kReadForLong);
        identity = tx.exec1(kIdentity)[0].c_str();
    }

    std::unique_ptr<pqxx::connection> connection;
    SnapshotTransaction tx;
    std::string identity;
};

PgRebuildSource::PgRebuildSource(Database& database) : database_(database) {}

PgRebuildSource::~PgRebuildSource() = default;

template <class Work>
auto PgRebuildSource::read(Work work) {
    return [](Database& database, Snapshot& snapshot,
              Work reading) -> Task<std::invoke_result_t<Work&, pqxx::transaction_base&>> {
        auto job = [&database, &snapshot, &reading] {
            try {
                return reading(snapshot.tx);
            } catch (pqxx::pqxx_exception const&) {
                rethrow_database_error(database.disk());
            }
        };
        co_return co_await database.state().workers.call(std::move(job));
    }(database_, *snapshot_, std::move(work));
}

Task<void> PgRebuildSource::begin() {
    auto job = [this] {
        try {
            snapshot_ = std::make_unique<Snapshot>(database_.state().borrow());
        } catch (pqxx::pqxx_exception const&) {
            rethrow_database_error(database_.disk());
        }
    };
    co_await database_.state().workers.call(std::move(job));
}

Task<std::vector<BookedChain>> PgRebuildSource::chains() {
    return read([](pqxx::transaction_base& tx) {
        std::vector<BookedChain> chains;
        for (auto const& row :
             tx.exec("SELECT c.chain_id, f.number, f.hash, f.parent_hash, f.logs_digest, " +
                     time_column("f.block_time", "final_time") + ", " +
                     time_column("h.block_time", "head_time") +
                     ", r.version, r.bands, r.most_not_final FROM chain_cursors c"
                     " JOIN chain_blocks f"
                     "   ON (f.chain_id, f.number) = (c.chain_id, c.finalized_number)"
                     " JOIN chain_blocks h ON (h.chain_id, h.number) = (c.chain_id, c.head_number)"
                     " CROSS JOIN LATERAL (SELECT * FROM finality_rules v"
                     "   WHERE v.chain_id = c.chain_id ORDER BY version DESC LIMIT 1) r"
                     " ORDER BY c.chain_id")) {
            BlockHeader const header{number_of(row["number"]), bytes_of<32>(row["hash"]),
                                     bytes_of<32>(row["parent_hash"]), time_of(row["final_time"])};
            chains.push_back({.id = number_of(row["chain_id"]),
                              .finalized = {header, bytes_of<32>(row["logs_digest"])},
                              .head_time = time_of(row["head_time"]),
                              .rule = rule_of(row)});
        }
        return chains;
    });
}

Task<std::vector<BookedMerchant>> PgRebuildSource::merchants() {
    return read([](pqxx::transaction_base& tx) {
        std::vector<BookedMerchant> merchants;
        for (auto const& row : tx.exec("SELECT m.merchant_id, m.extended_public_key, " +
                                       fee_columns() + ", " + time_column("f.created_at", "since") +
                                       " FROM merchants m JOIN fee_schedules f USING (merchant_id)"
                                       " ORDER BY m.merchant_id, f.version")) {
            auto const id = id_of<MerchantTag>(row[0]);
            if (merchants.empty() || merchants.back().id != id) {
                auto const key = parse_extended_public_key(row[1].c_str());
                ensure(key.has_value(), "store: a merchant's extended public key does not parse");
                merchants.push_back({id, *key, {}});
            }
            merchants.back().fees.push_back({fees_of(row), time_of(row["since"])});
        }
        return merchants;
    });
}

Task<std::vector<BookedPayment>> PgRebuildSource::payments(std::optional<PaymentKey> after,
                                                           std::size_t limit) {
    return read([after, limit](pqxx::transaction_base& tx) {
        PaymentKey const from = after.value_or(PaymentKey{});
        std::vector<PaymentKey> keys;
        for (auto const& row :
             tx.exec_params("SELECT merchant_id, payment_id FROM payments"
                            " WHERE (merchant_id, payment_id) > ($1, $2) ORDER BY 1, 2 LIMIT $3",
                            to_sql(from.first), to_sql(from.second), limit)) {
            keys.emplace_back(id_of<MerchantTag>(row[0]), id_of<PaymentTag>(row[1]));
        }
        auto entries = load_payment_entries(tx, keys);
        std::vector<BookedPayment> payments;
        for (Payment& payment : load_payments(tx, keys)) {
            PaymentKey const key{payment.merchant_id, payment.id};
            payments.push_back({std::move(payment), std::move(entries.at(key))});
        }
        return payments;
    });
}

Task<std::set<PaymentKey>> PgRebuildSource::frozen() {
    return read([](pqxx::transaction_base& tx) {
        std::set<PaymentKey> keys;
        for (auto const& row : tx.exec("SELECT DISTINCT merchant_id, payment_id"
                                       " FROM balance_differences WHERE closed_at IS NULL")) {
            keys.emplace(id_of<MerchantTag>(row[0]), id_of<PaymentTag>(row[1]));
        }
        return keys;
    });
}

Task<ResolutionReasons> PgRebuildSource::reasons(MerchantId merchant_id) {
    return read([merchant_id](pqxx::transaction_base& tx) {
        ResolutionReasons reasons;
        for (auto const& row : tx.exec_params(
                 "SELECT chain_id, seq, reason FROM resolution_reasons WHERE merchant_id = $1",
                 to_sql(merchant_id))) {
            reasons.emplace(std::pair(number_of(row[0]), number_of(row[1])), row[2].c_str());
        }
        return reasons;
    });
}

Task<std::vector<OpenDifference>> PgRebuildSource::lost(MerchantId merchant_id) {
    return read([merchant_id](pqxx::transaction_base& tx) {
        std::vector<OpenDifference> lost;
        for (auto const& row :
             tx.exec_params("SELECT d.*, " + time_column("d.found_at", "found_millis") +
                                " FROM balance_differences d WHERE d.difference_id IN"
                                " (SELECT difference_id FROM token_losses WHERE merchant_id = $1)",
                            to_sql(merchant_id))) {
            BookedBalance const booked{
                {id_of<MerchantTag>(row["merchant_id"]), id_of<PaymentTag>(row["payment_id"])},
                address_in(row["address"]),
                address_in(row["token"]),
                amount_of(row["booked"])};
            lost.push_back({.id = id_of<DifferenceTag>(row["difference_id"]),
                            .chain_id = number_of(row["chain_id"]),
                            .block_number = number_of(row["block_number"]),
                            .block_hash = bytes_of<32>(row["block_hash"]),
                            .difference = {booked, amount_of(row["on_chain"])},
                            .found_at = time_of(row["found_millis"])});
        }
        return lost;
    });
}

Task<std::vector<JournalEntry>> PgRebuildSource::fee_payments() {
    return read([](pqxx::transaction_base& tx) { return load_fee_payments(tx); });
}

Task<AccountBalances> PgRebuildSource::balances() {
    return read([](pqxx::transaction_base& tx) { return balances_in(tx); });
}

Task<Result<void>> PgRebuildTarget::prepare(PgRebuildSource& source) {
    std::string const source_identity = source.snapshot_->identity;
    auto look = [&source_identity](pqxx::work& tx) -> Result<void> {
        if (tx.exec1(kIdentity)[0].c_str() == source_identity)
            return refuse("into", "names the database of the books themselves");
        auto const found = tx.exec(kAnything);
        if (found.empty()) return {};
        return refuse("into",
                      "the database is not empty: there is " + std::string(found[0][0].c_str()));
    };
    auto const looked = co_await transact(database_, look);
    if (!looked) co_return std::unexpected(looked.error());
    co_await database_.migrate();
    auto rows = co_await source.read([](pqxx::transaction_base& tx) {
        std::vector<InputRows> all;
        for (Inputs const& of : inputs())
            all.push_back(read_rows(tx, of));
        return all;
    });
    auto write = [&rows](pqxx::work& tx) {
        for (InputRows const& of : rows)
            write_rows(tx, of);
    };
    co_await transact(database_, write);
    co_return Result<void>{};
}

Task<void> PgRebuildTarget::add_payments(std::vector<Payment> payments) {
    auto work = [&payments](pqxx::work& tx) { insert_payments(tx, payments); };
    co_await transact(database_, work);
}

Task<void> PgRebuildTarget::add_difference(OpenDifference difference) {
    auto work = [&difference](pqxx::work& tx) {
        BookedBalance const& booked = difference.difference.booked;
        tx.exec_params(
            "INSERT INTO balance_differences (difference_id, merchant_id, payment_id, chain_id,"
            " address, token, block_number, block_hash, booked, on_chain, found_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, to_timestamp($11::bigint / 1000.0))",
            to_sql(difference.id), to_sql(booked.payment.first), to_sql(booked.payment.second),
            difference.chain_id, to_sql(booked.address), to_sql(booked.token),
            difference.block_number, to_sql(ByteView(difference.block_hash)), to_sql(booked.amount),
            to_sql(difference.difference.on_chain), to_sql(difference.found_at));
    };
    co_await transact(database_, work);
}

Task<std::vector<PaymentState>> PgRebuildTarget::states(std::vector<PaymentKey> keys) {
    auto work = [&keys](pqxx::work& tx) { return load_payment_states(tx, keys); };
    co_return co_await transact(database_, work);
}

Task<AccountBalances> PgRebuildTarget::balances() {
    auto work = [](pqxx::work& tx) { return balances_in(tx); };
    co_return co_await transact(database_, work);
}

}  // namespace sycee
