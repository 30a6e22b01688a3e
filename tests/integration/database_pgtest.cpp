// Pins, against the real PostgreSQL: the settings of a session hold on every connection, also on
// one that was made anew.
#include <sycee/store/database.hpp>

#include "../../src/store/session.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <run_task.hpp>

namespace sycee {
namespace {

using Settings = std::map<std::string, std::string>;

Settings const kPromised{{"statement_timeout", "10s"},
                         {"lock_timeout", "5s"},
                         {"idle_in_transaction_session_timeout", "30s"},
                         {"TimeZone", "UTC"},
                         {"bytea_output", "hex"},
                         {"client_encoding", "UTF8"},
                         {"client_min_messages", "warning"}};

class DatabaseInPostgres : public ::testing::Test {
  protected:
    static std::string url() {
        char const* text = std::getenv("SYCEE_TEST_DATABASE");
        if (text == nullptr) throw std::runtime_error("run this through scripts/with-postgres");
        return text;
    }

    struct Session {
        int backend = 0;
        Settings settings;
    };

    Session session() {
        auto work = [](pqxx::work& tx) {
            Session found;
            found.backend = tx.exec1("SELECT pg_backend_pid()")[0].as<int>();
            for (auto const& [name, value] : kPromised)
                found.settings[name] = tx.exec1("SHOW " + name)[0].c_str();
            return found;
        };
        return run_task(io_, transact(database_, work));
    }

    boost::asio::io_context io_{1};
    Database database_{url(), 1};
};

TEST_F(DatabaseInPostgres, the_settings_of_a_session_hold_after_its_backend_was_killed) {
    auto const first = session();
    EXPECT_EQ(first.settings, kPromised);

    pqxx::connection admin(url());
    pqxx::nontransaction tx(admin);
    tx.exec1("SELECT pg_terminate_backend(" + std::to_string(first.backend) + ", 10000)");

    EXPECT_THROW(session(), Unavailable) << "whoever called tries again";
    auto const second = session();
    EXPECT_NE(second.backend, first.backend);
    EXPECT_EQ(second.settings, kPromised);
}

TEST_F(DatabaseInPostgres, the_settings_of_a_session_hold_where_libpqxx_connects_again_by_itself) {
    auto const first = session();
    auto connection = database_.state().borrow();
    // Deprecated, but there is no other way to have libpqxx notice the end before it begins.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
    connection->deactivate();
#pragma clang diagnostic pop
    database_.state().give_back(std::move(connection));
    auto const second = session();
    EXPECT_NE(second.backend, first.backend);
    EXPECT_EQ(second.settings, kPromised);
}

TEST_F(DatabaseInPostgres, a_url_that_is_none_is_refused_at_once) {
    EXPECT_THROW(Database("hunter2", 1), std::runtime_error);
}

}  // namespace
}  // namespace sycee
