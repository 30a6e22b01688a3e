// Pins: a wrong configuration is refused with its line, before anything runs.
#include <sycee/app/test_chain.hpp>

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

TEST(Config, has_test_mode_where_it_is_asked_for) {
    auto const off = parse(kGood);
    ASSERT_TRUE(off);
    EXPECT_EQ(off->network.chain(kTestChainId), nullptr);
    auto const on = parse(kGood, {{"SYCEE_TEST_MODE_ENABLED", "true"}});
    ASSERT_TRUE(on);
    ASSERT_EQ(on->network.chains.size(), 2U);
    EXPECT_EQ(on->network.chains[1].id, kTestChainId);
    auto own = kGood;
    own.replace(own.find("31337"), 5, "31337000001");
    auto const refused = parse(own);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(to_string(refused.error()).contains("test_mode.enabled"));
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

std::string const kRates = R"(
[rates]
refresh_seconds = 5
allow_loopback = true
[[rates.currencies]]
currency = "EUR"
spread_basis_points = 50
least_sources = 2
most_deviation_basis_points = 150
[[rates.currencies.sources]]
kind = "fixed"
pair = "EUR / USD"
rate = "1.087"
valid_until = 2027-01-15T09:00:00+01:00
[[rates.currencies.sources]]
kind = "chainlink"
pair = "EUR / USD"
chain_id = 31337
feed = "0xb49f677943BC038e9857d61E7d053CaA2C1734C1"
decimals = 8
longest_age_seconds = 93600
[[rates.currencies.sources]]
kind = "http"
name = "bank"
url = "http://127.0.0.1:8000/latest"
pointer = "/rates/EUR"
time_pointer = "/timestamp"
longest_age_seconds = 600
[[rates.currencies]]
currency = "HKD"
lowest = "7.75"
highest = "7.85"
[[rates.currencies.sources]]
kind = "fixed"
rate = "7.80"
[[rates.pegs]]
token = "USDT"
[[rates.pegs.sources]]
kind = "chainlink"
pair = "USDT / USD"
chain_id = 31337
feed = "0x3E7d1eAB13ad0104d2750B8863b489D65364e32D"
decimals = 8
longest_age_seconds = 90000
)";

TEST(Config, reads_where_rates_come_from) {
    auto const config = parse(kGood + kRates);
    ASSERT_TRUE(config) << to_string(config.error());
    RatesSettings const& rates = config->rates;
    EXPECT_EQ(rates.refresh, std::chrono::seconds(5));
    ASSERT_EQ(rates.rates.size(), 3U);
    RateSettings const& euro = rates.rates[0];
    EXPECT_EQ(euro.subject, "EUR");
    EXPECT_EQ(euro.spread_basis_points, 50U);
    EXPECT_EQ(euro.rule, (RateRule{.least_sources = 2, .most_deviation = 150}));
    ASSERT_EQ(euro.sources.size(), 3U);
    EXPECT_EQ(to_string(euro.sources[0].rate), "0.919963201471");
    EXPECT_EQ(euro.sources[0].valid_until, timestamp_from_seconds(1'800'000'000));
    EXPECT_EQ(euro.sources[1].name, "chainlink 31337 0xb49f677943BC038e9857d61E7d053CaA2C1734C1");
    EXPECT_TRUE(euro.sources[1].inverse);
    EXPECT_EQ(euro.sources[1].longest_age, std::chrono::hours(26));
    EXPECT_EQ(euro.sources[2].name, "bank");
    EXPECT_FALSE(euro.sources[2].inverse);
    EXPECT_EQ(euro.sources[2].time_pointer, "/timestamp");
    EXPECT_EQ(to_string(rates.rates[1].rule.highest.value()), "7.85");
    RateSettings const& peg = rates.rates[2];
    EXPECT_TRUE(peg.is_peg);
    EXPECT_FALSE(peg.sources[0].inverse);
    EXPECT_EQ(to_string(peg.rule.lowest.value()), "0.98");
    EXPECT_EQ(to_string(peg.rule.highest.value()), "1.02");
    EXPECT_TRUE(parse(kGood)->rates.rates.empty());
}

TEST(Config, refuses_rates_by_the_name_of_the_field) {
    auto const changed = [](std::string const& from, std::string const& to) {
        std::string text = kGood + kRates;
        auto const at = text.find(from);
        EXPECT_NE(at, std::string::npos) << from;
        return text.replace(at, from.size(), to);
    };
    for (Row const& row :
         {Row{"no currency", changed("\"EUR\"", "\"EURO\""),
              "rates.currencies[0].currency: line 26: must be a currency of ISO 4217, not"},
          Row{"the dollar", changed("currency = \"HKD\"", "currency = \"USD\""),
              "rates.currencies[1].currency: line 50: needs no rate"},
          Row{"twice", changed("\"HKD\"", "\"EUR\""),
              "rates.currencies[1].currency: line 49: \"EUR\" stands there twice"},
          Row{"another pair", changed("pair = \"EUR / USD\"", "pair = \"EUR / GBP\""),
              "rates.currencies[0].sources[0].pair: line 32: must be \"USD / EUR\" or"},
          Row{"no pair", changed("pair = \"EUR / USD\"", "pair = \"EURUSD\""),
              "must be a pair such as"},
          Row{"no rate", changed("\"1.087\"", "\"1,087\""),
              "rates.currencies[0].sources[0].rate: line 33: must be a decimal number"},
          Row{"a rate that is a number", changed("\"1.087\"", "1.087"), "must be text in quotes"},
          Row{"a time without its offset", changed("09:00:00+01:00", "09:00:00"),
              "rates.currencies[0].sources[0].valid_until: line 34: must be a time such as"},
          Row{"a chain that is none", changed("chain_id = 31337", "chain_id = 1"),
              "rates.currencies[0].sources[1].chain_id: line 38: must be the id of one of"},
          Row{"a feed that is none", changed("0xb49f", "0xb49F"),
              "rates.currencies[0].sources[1].feed: line 39: has a wrong EIP-55 checksum"},
          Row{"too many decimals", changed("decimals = 8", "decimals = 19"), "from 0 to 18"},
          Row{"no age", changed("longest_age_seconds = 93600\n", ""),
              "rates.currencies[0].sources[1].longest_age_seconds: line 35: is missing"},
          Row{"http to elsewhere", changed("http://127.0.0.1:8000", "http://rates.example"),
              "rates.currencies[0].sources[2].url: line 45: must begin with https://"},
          Row{"http without leave", changed("allow_loopback = true", ""),
              "needs rates.allow_loopback = true"},
          Row{"no pointer", changed("\"/rates/EUR\"", "\"rates.EUR\""),
              "rates.currencies[0].sources[2].pointer: line 46: must begin with a slash"},
          Row{"a name twice", changed("name = \"bank\"", "name = \"fixed\""),
              "rates.currencies[0].sources[2].name: line 42: \"fixed\" stands there twice"},
          Row{"another kind", changed("kind = \"http\"", "kind = \"https\""),
              "rates.currencies[0].sources[2].kind: line 43: must be \"fixed\", "},
          Row{"more than there are", changed("least_sources = 2", "least_sources = 4"),
              "rates.currencies[0].least_sources: line 28: must be from 1 to 3"},
          Row{"a band upside down", changed("\"7.85\"", "\"7.65\""),
              "rates.currencies[1].highest: line 52: must not be below lowest"},
          Row{"a fixed rate outside", changed("\"7.80\"", "\"7.86\""),
              "rates.currencies[1].sources[0].rate: line 53: is not between lowest and highest"},
          Row{"a token that is none", changed("token = \"USDT\"", "token = \"USDX\""),
              "rates.pegs[0].token: line 57: must be the symbol of one of the tokens, not"},
          Row{"a peg to another currency", changed("USDT / USD", "USDT / EUR"),
              "rates.pegs[0].sources[0].pair: line 60: must be \"USDT / USD\" or the like"},
          Row{"no source", kGood + "[[rates.currencies]]\ncurrency = \"EUR\"\n",
              "rates.currencies[0].sources: line 21: must be 1 to 8 sources"},
          Row{"an unknown key", changed("spread_basis_points", "spread"),
              "rates.currencies[0].spread: line 27: is not a key"}}) {
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
