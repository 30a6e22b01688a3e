// Pins: a wrong configuration is refused with its line, before anything runs.
#include <gtest/gtest.h>

#include <config.hpp>
#include <filesystem>
#include <fstream>
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
finality = "100:2,finalized"
most_not_final = "2500.5"
block_time = 0.25
[[chains.endpoints]]
http_url = "http://127.0.0.1:8545"
[[chains.tokens]]
symbol = "USDT"
contract = "0xdAC17F958D2ee523a2206206994597C13D831ec7"
decimals = 6
tolerance = "0.01"
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
    EXPECT_EQ(config->signing_key_file, "");
    ASSERT_EQ(config->network.chains.size(), 1U);
    ChainSettings const& chain = config->network.chains[0];
    EXPECT_EQ(to_string(chain.finality.bands), "100:2,finalized");
    EXPECT_EQ(chain.finality.most_not_final, Amount(2'500'500'000));
    EXPECT_EQ(chain.block_time, std::chrono::milliseconds(250));
    EXPECT_EQ(chain.quorum, 1U);
    EXPECT_FALSE(chain.watch_mempool);
    EXPECT_EQ(chain.endpoints[0].http_url, "http://127.0.0.1:8545");
    EXPECT_EQ(chain.tokens[0].decimals, 6U);
    EXPECT_EQ(chain.tokens[0].tolerance, (Tolerance{Amount(10'000), 0}));
}

std::string const kWatched = "block_time = 0.25\nwatch_mempool = true";

TEST(Config, watches_a_mempool_over_a_websocket) {
    auto text = with("block_time = 0.25", kWatched);
    auto const at = text.find("[[chains.tokens]]");
    text.insert(at, "ws_url = \"ws://127.0.0.1:8545\"\n");
    auto const config = parse(text);
    ASSERT_TRUE(config) << to_string(config.error());
    ChainSettings const& chain = config->network.chains[0];
    EXPECT_TRUE(chain.watch_mempool);
    EXPECT_EQ(chain.mempool_endpoint()->ws_url, "ws://127.0.0.1:8545");
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

TEST(Config, reads_lists_from_the_file_and_from_the_environment) {
    EXPECT_TRUE(parse(kGood)->server.trusted_proxies.empty());
    using List = std::vector<std::string>;
    auto const text = with("public_url",
                           "trusted_proxies = [\"10.0.0.1\", \"::FFFF:1.2.3.4\"]\n"
                           "public_url");
    EXPECT_EQ(parse(text).value().server.trusted_proxies, (List{"10.0.0.1", "1.2.3.4"}));
    EXPECT_EQ(parse(text, {{"SYCEE_SERVER_TRUSTED_PROXIES", "::1, 10.0.0.2"}})
                  .value()
                  .server.trusted_proxies,
              (List{"::1", "10.0.0.2"}));
    EXPECT_TRUE(
        parse(text, {{"SYCEE_SERVER_TRUSTED_PROXIES", ""}}).value().server.trusted_proxies.empty());
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
          Row{"out of range", with("\"dbname=sycee\"", "\"dbname=sycee\"\nconnections = 1"),
              "line 6: must be from 2"},
          Row{"bad finality", with("100:2,finalized", "100:2"), "line 11: the last band"},
          Row{"bad amount", with("2500.5", "2,500"), "line 12: "},
          Row{"too fast", with("block_time = 0.25", "block_time = 0.05"),
              "line 13: must be a number of seconds from 0.1 to 3600"},
          Row{"quorum of more", with("block_time = 0.25", "quorum = 2"), "line 13: must be from 1"},
          Row{"a switch that is none", with("block_time = 0.25", "watch_mempool = \"yes\""),
              "line 13: must be true or false"},
          Row{"a mempool without a WebSocket", with("block_time = 0.25", kWatched),
              "line 14: needs an endpoint with a ws_url"},
          Row{"no endpoint",
              with("[[chains.endpoints]]\nhttp_url = \"http://127.0.0.1:8545\"\n", ""),
              "a chain needs at least one endpoint"},
          Row{"no such file",
              with("http_url = \"http://127.0.0.1:8545\"", "http_url_file = \"none\""),
              "line 15: names a file that can't be read"},
          Row{"missing", with("url = \"dbname=sycee\"", ""), "database.url: line 4: is missing"},
          Row{"bad address", with("0xdAC1", "0xdac1"), "line 18: has a wrong EIP-55 checksum"},
          Row{"bad url", with("http://127.0.0.1:8545", "127.0.0.1:8545"),
              "line 15: must be a URL that begins with"},
          Row{"bad database url", with("dbname=sycee", "password=it is secret"),
              "database.url: line 5: is neither a connection string"},
          Row{"a public url of nothing", with("http://127.0.0.1:8080/", "http://"),
              "line 3: must be"},
          Row{"a public url with a user", with("http://127.0.0.1", "http://user@127.0.0.1"),
              "line 3: must not have a user name"},
          Row{"a public url with a query", with(":8080/", ":8080/?a=b"),
              "line 3: must not have a query"},
          Row{"a proxy that is no address",
              with("public_url", "trusted_proxies = [\"10.0.0.0/8\"]\npublic_url"),
              "line 3: must hold IP addresses, not \"10.0.0.0/8\""},
          Row{"a list that is none", with("public_url", "trusted_proxies = \"::1\"\npublic_url"),
              "line 3: must be a list"},
          Row{"a chain twice", kGood + again, "stands there twice"},
          Row{"no chain", kGood.substr(0, kGood.find("[[chains]]")), "at least one [[chains]]"},
          Row{"not TOML", "[server\n", "line"}}) {
        auto const config = parse(row.text);
        ASSERT_FALSE(config) << row.name;
        EXPECT_NE(to_string(config.error()).find(row.says), std::string::npos)
            << row.name << ": " << to_string(config.error());
    }
}

TEST(Config, names_the_file_of_the_signing_key_relative_to_its_folder) {
    auto const config =
        parse(with("key_file = \"sealing.key\"",
                   "key_file = \"sealing.key\"\nsigning_key_file = \"signing.key\""));
    ASSERT_TRUE(config) << to_string(config.error());
    EXPECT_EQ(config->signing_key_file, "/etc/sycee/signing.key");
}

TEST(SigningKeyFile, is_of_its_owner_alone_and_holds_a_key_of_the_curve) {
    auto const file = std::filesystem::path(testing::TempDir()) / "sycee-signing-key-test";
    auto const write = [&file](std::string const& text) {
        std::filesystem::remove(file);
        std::ofstream(file) << text;
        std::filesystem::permissions(file, std::filesystem::perms::owner_read);
    };
    std::string const digits = std::string(63, '0') + "1";
    write(digits + "\n");
    ASSERT_TRUE(load_signing_key(file));
    EXPECT_EQ(to_hex(load_signing_key(file)->public_key()),
              "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798");
    std::filesystem::permissions(file, std::filesystem::perms::group_read,
                                 std::filesystem::perm_options::add);
    EXPECT_NE(load_signing_key(file).error().message.find("chmod 600"), std::string::npos);
    write(std::string(64, '0'));
    EXPECT_EQ(load_signing_key(file).error().message, "is not a private key of secp256k1");
    write(digits + "0");
    EXPECT_EQ(load_signing_key(file).error().message, "must hold 64 hex digits");
    std::filesystem::remove(file);
    auto const missing = load_signing_key(file);
    EXPECT_NE(missing.error().message.find("sycee signing-key new"), std::string::npos);
    EXPECT_EQ(missing.error().field, file.string());
}

}  // namespace
}  // namespace sycee
