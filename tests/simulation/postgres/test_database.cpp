#include "test_database.hpp"

#include <exception>
#include <iostream>
#include <unistd.h>

namespace sycee::simulation {
namespace {

// A sequence moves outside of every transaction, so that the clock is what was set last.
constexpr char const* kClock =
    "CREATE SCHEMA simulation;"
    "CREATE SEQUENCE simulation.milliseconds MINVALUE 0 START 0;"
    "CREATE FUNCTION simulation.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE"
    " AS 'SELECT to_timestamp(last_value / 1000.0) FROM simulation.milliseconds';"
    "CREATE FUNCTION simulation.now() RETURNS timestamptz LANGUAGE sql VOLATILE"
    " AS 'SELECT simulation.clock_timestamp()'";

// Nothing here has to survive a crash of the server.
constexpr char const* kStoreOptions =
    " options='-c search_path=simulation,pg_catalog,public -c synchronous_commit=off'";
constexpr char const* kDirectOptions =
    " options='-c synchronous_commit=off -c session_replication_role=replica -c jit=off'";

void execute(std::string const& connection_string, std::string const& sql) {
    pqxx::connection connection(connection_string);
    pqxx::nontransaction(connection).exec(sql);
}

}  // namespace

TestDatabase::TestDatabase(std::string server)
    : server_(std::move(server)), name_("simulation_" + std::to_string(getpid())) {
    execute(server_, "DROP DATABASE IF EXISTS " + name_);
    execute(server_, "CREATE DATABASE " + name_);
    std::string const url = server_ + " dbname=" + name_;
    {
        Database plain(url, 1);
        run(plain.migrate());
    }
    execute(url, kClock);
    store_ = std::make_unique<Database>(url + kStoreOptions, 1);
    direct_ = std::make_unique<pqxx::connection>(url + kDirectOptions);
    for (std::string const& table : lines("SELECT format('public.%I', tablename) FROM pg_tables"
                                          " WHERE schemaname = 'public'"
                                          " AND tablename <> 'schema_migrations'"))
        empty_ += "DELETE FROM " + table + ";";
}

TestDatabase::~TestDatabase() {
    store_.reset();
    direct_.reset();
    try {
        execute(server_, "DROP DATABASE IF EXISTS " + name_);
    } catch (std::exception const& error) {
        std::cerr << "simulation_postgres: " << name_ << " stays: " << error.what() << '\n';
    }
}

void TestDatabase::empty() {
    pqxx::work tx(*direct_);
    tx.exec(empty_);
    tx.commit();
}

void TestDatabase::set_clock(Timestamp now) {
    pqxx::nontransaction tx(*direct_);
    tx.exec("SELECT setval('simulation.milliseconds', " +
            std::to_string(to_unix_milliseconds(now)) + ")");
}

std::vector<std::string> TestDatabase::lines(std::string const& sql) {
    pqxx::nontransaction tx(*direct_);
    std::vector<std::string> lines;
    for (auto const& row : tx.exec(sql))
        lines.emplace_back(row[0].c_str());
    return lines;
}

}  // namespace sycee::simulation
