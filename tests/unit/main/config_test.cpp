// Pins: a wrong configuration is refused with its line, before anything runs.
#include <gtest/gtest.h>

#include <config.hpp>
#include <map>

namespace sycee {
namespace {

std::string const kGood = R"(
[server]
public_url = "http://127.0.0.1:8080/"
[database]
url = "dbname=sycee"
[secrets]
key_file = "sealing.key"
[[chains]]
id = 31337
name = "Local"
http_url = "http://127.0.0.1:8545"
confirmations = 2
[[chains.tokens]]
symbol = "USDT"
contract = "0xdAC17F958D2ee523a2206206994597C13D831ec7"
decimals = 6
)";

Result<Config> parse(std::string const& text,
                     std::map<std::string, std::string> const& variables = {}) {
    return parse_config(text, "/etc/sycee",
                        [&](std::string const& name) -> std::optional<std::string> {
                            auto const found = variables.find(name);
                            if (found == variables.end()) return std::nullopt;
                            return found->second;
                        });
}

std::string with(std::string const& from, std::string const& to) {
    std::string text = kGood;
    auto const at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

TEST(Config, reads_what_is_there_and_fills_in_the_rest) {
    auto const config = parse(kGood);
    ASSERT_TRUE(config) << to_string(config.error());
    EXPECT_EQ(config->server.port, 8080);
    EXPECT_EQ(config->network.public_url, "http://127.0.0.1:8080");
    EXPECT_EQ(config->key_file, "/etc/sycee/sealing.key");
    ASSERT_EQ(config->network.chains.size(), 1U);
    EXPECT_EQ(config->network.chains[0].confirmations, 2U);
    EXPECT_EQ(config->network.chains[0].tokens[0].decimals, 6U);
}

TEST(Config, the_environment_overrides) {
    auto const config =
        parse(kGood, {{"SYCEE_SERVER_PORT", "9000"}, {"SYCEE_DATABASE_URL", "dbname=other"}});
    ASSERT_TRUE(config);
    EXPECT_EQ(config->server.port, 9000);
    EXPECT_EQ(config->database_url, "dbname=other");
    EXPECT_FALSE(parse(kGood, {{"SYCEE_SERVER_PORT", "90000"}}));
    EXPECT_FALSE(parse(kGood, {{"SYCEE_SERVER_PORT", "http"}}));
}

struct Row {
    char const* name;
    std::string text;
    char const* says;
};

TEST(Config, refuses_with_the_key_and_the_line) {
    std::string const again = kGood.substr(kGood.find("[[chains]]"));
    for (Row const& row :
         {Row{"unknown key", with("[database]", "[database]\nurI = 1"), "line 5: is not a key"},
          Row{"unknown section", kGood + "[servers]\n", "servers"},
          Row{"wrong type", with("id = 31337", "id = \"31337\""), "line 9: must be a whole number"},
          Row{"out of range", with("confirmations = 2", "confirmations = 0"),
              "line 12: must be from 1"},
          Row{"missing", with("url = \"dbname=sycee\"", ""), "database.url: line 4: is missing"},
          Row{"bad address", with("0xdAC1", "0xdac1"), "line 15: has a wrong EIP-55 checksum"},
          Row{"bad url", with("http://127.0.0.1:8545", "127.0.0.1:8545"),
              "line 11: must begin with"},
          Row{"a chain twice", kGood + again, "stands there twice"},
          Row{"no chain", kGood.substr(0, kGood.find("[[chains]]")), "at least one [[chains]]"},
          Row{"not TOML", "[server\n", "line"}}) {
        auto const config = parse(row.text);
        ASSERT_FALSE(config) << row.name;
        EXPECT_NE(to_string(config.error()).find(row.says), std::string::npos)
            << row.name << ": " << to_string(config.error());
    }
}

}  // namespace
}  // namespace sycee
