#include <sycee/base/assert.hpp>
#include <sycee/crypto/hash.hpp>

#include "connection_string.hpp"
#include "grants.hpp"
#include "migrations.hpp"
#include "session.hpp"
#include "values.hpp"

#include <stdexcept>

namespace sycee {
namespace {

constexpr std::size_t kMostWaiting = 1000;
constexpr char const* kDiskFull = "53100";
// Serializes migrations of several processes; an arbitrary number that nothing else uses.
constexpr char const* kMigrationLock = "SELECT pg_advisory_xact_lock(5910734)";
// So that a worker comes back, and that text is written and read in one way. Compiling a statement
// costs more than any of ours takes.
constexpr char const* kSessionSettings =
    "-c statement_timeout=10s -c lock_timeout=5s -c idle_in_transaction_session_timeout=30s"
    " -c jit=off -c timezone=UTC -c bytea_output=hex -c client_encoding=UTF8 -c "
    "client_min_messages=warning";

std::int64_t steady_milliseconds() {
    auto const now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

std::string checksum(migrations::EmbeddedFile const& file) {
    return to_hex(sha256(as_bytes(file.data)));
}

void create_table_of_migrations(pqxx::work& tx) {
    tx.exec(
        "CREATE TABLE IF NOT EXISTS schema_migrations (name text PRIMARY KEY, checksum text NOT "
        "NULL, "
        "applied_at timestamptz NOT NULL DEFAULT now())");
}

// The names that are missing, after checking those that are there.
std::vector<std::string> missing_migrations(pqxx::transaction_base& tx) {
    auto const rows = tx.exec("SELECT name, checksum FROM schema_migrations ORDER BY name");
    std::vector<std::string> missing;
    std::size_t known = 0;
    for (auto const& file : migrations::embedded_files()) {
        bool applied = false;
        for (auto const& row : rows) {
            if (row["name"].c_str() != file.name) continue;
            applied = true;
            ++known;
            if (row["checksum"].c_str() != checksum(file)) {
                throw std::runtime_error("migration " + std::string(file.name) +
                                         " was edited after it had been applied; write a new one");
            }
        }
        if (!applied) missing.emplace_back(file.name);
    }
    if (known != rows.size()) {
        throw std::runtime_error(
            "the database has migrations that this program does not know: it was "
            "written by a newer version of Sycee");
    }
    return missing;
}

void apply(pqxx::work& tx, std::string const& name) {
    for (auto const& file : migrations::embedded_files()) {
        if (file.name != name) continue;
        tx.exec("SET LOCAL statement_timeout = 0");
        tx.exec(std::string(file.data));
        tx.exec_params("INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)", name,
                       checksum(file));
    }
}

}  // namespace

Database::State::State(std::string const& url, std::size_t connections)
    : workers(connections, kMostWaiting) {
    auto checked = connection_string(url, kSessionSettings);
    if (!checked) throw std::runtime_error("database: " + to_string(checked.error()));
    connect_to = std::move(*checked);
}

std::unique_ptr<pqxx::connection> Database::State::borrow() {
    {
        std::scoped_lock const lock(mutex);
        if (!idle.empty()) {
            auto connection = std::move(idle.back());
            idle.pop_back();
            return connection;
        }
    }
    return std::make_unique<pqxx::connection>(connect_to);
}

void Database::State::give_back(std::unique_ptr<pqxx::connection> connection) {
    std::scoped_lock const lock(mutex);
    idle.push_back(std::move(connection));
}

void rethrow_database_error(DiskRoom& disk) {
    try {
        throw;
    } catch (pqxx::in_doubt_error const&) {
        throw OutcomeUnknown(
            "database: the connection broke during a commit; its outcome is unknown");
    } catch (pqxx::broken_connection const& error) {
        throw Unavailable(std::string("database: no connection: ") + error.what());
    } catch (pqxx::sql_error const& error) {
        std::string const& state = error.sqlstate();
        if (state.starts_with("23"))
            throw InvariantViolation(std::string("database: ") + error.what());
        if (state == kDiskFull) {
            disk.was_missing();
            throw StorageFull("database: its disk is full: " + std::string(error.what()));
        }
        throw Unavailable("database: " + std::string(error.what()) + " (" + state + ")");
    } catch (pqxx::pqxx_exception const& error) {
        throw Unavailable(std::string("database: ") + error.base().what());
    }
}

bool DiskRoom::is_there() const {
    std::int64_t const since = missing_since_;
    return since == 0 ||
           steady_milliseconds() - since > std::chrono::milliseconds(kRemembered).count();
}

void DiskRoom::was_missing() {
    missing_since_ = steady_milliseconds();
}

Result<void> check_database_url(std::string const& url) {
    auto const checked = connection_string(url, kSessionSettings);
    if (!checked) return std::unexpected(checked.error());
    return {};
}

std::string database_role(std::string const& url) {
    return connection_option(url, "user");
}

Database::Database(std::string const& url, std::size_t connections, DiskRoom* disk)
    : disk_(disk != nullptr ? *disk : own_disk_),
      state_(std::make_unique<State>(url, connections)) {}

Database::~Database() = default;

Task<std::vector<std::string>> Database::migrate() {
    auto begin = [](pqxx::work& tx) {
        tx.exec(kMigrationLock);
        create_table_of_migrations(tx);
        return missing_migrations(tx);
    };
    std::vector<std::string> const missing = co_await transact(*this, begin);
    std::vector<std::string> applied;
    for (auto const& name : missing) {
        auto one = [&name](pqxx::work& tx) {
            tx.exec(kMigrationLock);
            // Another process may have been here between the two transactions.
            auto const done =
                tx.exec_params("SELECT 1 FROM schema_migrations WHERE name = $1", name);
            if (!done.empty()) return false;
            apply(tx, name);
            return true;
        };
        if (co_await transact(*this, one)) applied.push_back(name);
    }
    co_return applied;
}

Task<void> Database::grant(std::optional<std::string> service, std::optional<std::string> auditor) {
    auto work = [&](pqxx::work& tx) {
        tx.exec(kMigrationLock);
        if (service && service == auditor)
            throw std::runtime_error("the auditor must be another role than the service's");
        if (service) grant_service(tx, *service);
        if (auditor) grant_auditor(tx, *auditor);
    };
    co_await transact(*this, work);
}

Task<void> Database::check() {
    auto work = [](pqxx::work& tx) {
        for (std::string const setting : {"fsync", "full_page_writes", "synchronous_commit"}) {
            auto const value = tx.exec1("SHOW " + setting)[0].as<std::string>();
            if (value == "off" || (setting == "synchronous_commit" && value == "local")) {
                throw std::runtime_error("PostgreSQL runs with " + setting + " = " + value +
                                         ": a crash could lose what was answered. Turn it on.");
            }
        }
        auto const table = tx.exec1("SELECT to_regclass('schema_migrations') IS NOT NULL");
        if (!table[0].as<bool>() || !missing_migrations(tx).empty()) {
            throw std::runtime_error(
                "the database has not all migrations of this program: run `sycee migrate`");
        }
    };
    co_await transact(*this, work);
}

}  // namespace sycee
