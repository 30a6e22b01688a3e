// Pins: what is no connection string is refused before anything connects, in words that quote
// nothing of it, since it may hold a password; and every connection gets the session's settings.
#include "../../../src/store/connection_string.hpp"

#include <sycee/store/database.hpp>

#include <gtest/gtest.h>

namespace sycee {
namespace {

constexpr char const* kSettings = "-c a=1";

TEST(ConnectionString, takes_both_forms) {
    for (auto const* good :
         {"", "dbname=sycee", "host=/run/postgresql dbname='my db' user=sycee port=5433",
          "postgresql://", "postgres:///sycee?host=/run/postgresql",
          "postgresql://sycee:a%40b%2Fc@db.example:5432,other.example/sycee?sslmode=require",
          "postgresql://[::1]:5432/sycee", "host=a,b port=5432,"}) {
        EXPECT_TRUE(check_database_url(good)) << good;
    }
}

TEST(ConnectionString, refuses_what_is_none_without_quoting_it) {
    for (auto const* bad :
         {"hunter2", "dbname=sycee password=my hunter2", "hunter2=1", "password='hunter2",
          "postgresql://sycee:hunter2%zz@db/sycee", "postgersql://sycee:hunter2@db/sycee",
          // Here libpq would take the end of the password for the host, or its beginning for the
          // port, and say so where it does not connect.
          "postgresql://sycee:p@hunter2@db/sycee", "postgresql://sycee:hunter2/p@db/sycee",
          "postgresql://sycee:1234/hunter2@db/sycee", "host=db port=hunter2", "port=0",
          "port=70000"}) {
        auto const checked = check_database_url(bad);
        ASSERT_FALSE(checked) << bad;
        EXPECT_FALSE(to_string(checked.error()).contains("hunter2")) << bad;
        EXPECT_FALSE(to_string(checked.error()).contains("1234")) << bad;
    }
    EXPECT_TRUE(to_string(check_database_url("postgresql://a:b@c@d/e").error()).contains("%40"));
}

TEST(ConnectionString, adds_the_settings_to_the_options_that_are_there) {
    auto const added = [](char const* url) {
        return connection_string(url, kSettings).value_or("refused");
    };
    EXPECT_EQ(added("dbname=sycee"), "dbname='sycee' options='-c a=1'");
    EXPECT_EQ(added("options='-c b=2' dbname='it\\'s \\\\'"),
              "dbname='it\\'s \\\\' options='-c b=2 -c a=1'");
    EXPECT_EQ(added("postgresql://sycee:a%40b@db:5433/books"),
              "user='sycee' password='a@b' dbname='books' host='db' port='5433' options='-c a=1'");
}

}  // namespace
}  // namespace sycee
