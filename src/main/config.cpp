#include "config.hpp"

#include <sycee/app/test_payments.hpp>
#include <sycee/base/ascii.hpp>
#include <sycee/net/client_address.hpp>
#include <sycee/net/http_client.hpp>
#include <sycee/rates/http_rate_source.hpp>
#include <sycee/store/database.hpp>

#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <sys/stat.h>

namespace sycee {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kDollar = "USD";

// Refusals inside the reader; turned into a Result at its door.
struct Refused {
    Error error;
};

[[noreturn]] void reject(toml::source_region const& where, std::string const& key,
                         std::string const& what) {
    std::string const line =
        where.begin ? "line " + std::to_string(where.begin.line) + ": " : std::string();
    throw Refused{{key, line + what}};
}

// One table of the file. Remembers which keys were asked for, so that the others are refused.
class Section {
  public:
    Section(toml::table const& table, std::string name, std::string environment_prefix,
            Environment const& environment)
        : table_(table),
          name_(std::move(name)),
          prefix_(std::move(environment_prefix)),
          environment_(environment) {}

    std::string text(std::string const& key, std::optional<std::string> fallback = {}) {
        if (auto const override_value = overridden(key)) return *override_value;
        auto const* node = find(key);
        if (node == nullptr) return missing(key, std::move(fallback));
        auto const* value = node->as_string();
        if (value == nullptr) reject(node->source(), path(key), "must be text in quotes");
        return value->get();
    }

    std::int64_t number(std::string const& key, std::int64_t least, std::int64_t most,
                        std::optional<std::int64_t> fallback = {}) {
        std::int64_t value = 0;
        toml::source_region where;
        if (auto const override_value = overridden(key)) {
            auto const* end = override_value->data() + override_value->size();
            auto const parsed = std::from_chars(override_value->data(), end, value);
            if (parsed.ec != std::errc{} || parsed.ptr != end) {
                reject(where, variable(key), "must be a whole number");
            }
        } else {
            auto const* node = find(key);
            if (node == nullptr) return missing(key, fallback);
            if (!node->is_integer()) reject(node->source(), path(key), "must be a whole number");
            value = node->as_integer()->get();
            where = node->source();
        }
        if (value < least || value > most) {
            reject(where, path(key),
                   "must be from " + std::to_string(least) + " to " + std::to_string(most) +
                       ", not " + std::to_string(value));
        }
        return value;
    }

    // Whole or with a point, in seconds.
    std::chrono::milliseconds seconds(std::string const& key, std::chrono::milliseconds least,
                                      std::chrono::milliseconds most,
                                      std::chrono::milliseconds fallback) {
        auto const* node = find(key);
        if (node == nullptr) return fallback;
        auto const value = node->value<double>();
        auto const in_seconds = [](std::chrono::milliseconds time) {
            return static_cast<double>(time.count()) / 1'000;
        };
        if (!value || *value < in_seconds(least) || *value > in_seconds(most)) {
            std::ostringstream range;
            range << "must be a number of seconds from " << in_seconds(least) << " to "
                  << in_seconds(most);
            reject(node->source(), path(key), range.str());
        }
        return std::chrono::milliseconds(std::llround(*value * 1'000));
    }

    bool has(std::string const& key) { return find(key) != nullptr; }

    // A moment of TOML, with its offset from UTC.
    std::optional<Timestamp> moment(std::string const& key) {
        auto const* node = find(key);
        if (node == nullptr) return std::nullopt;
        auto const* value = node->as_date_time();
        if (value == nullptr || !value->get().offset) {
            reject(node->source(), path(key), "must be a time such as 2026-12-31T00:00:00Z");
        }
        auto const& [date, time, offset] = value->get();
        std::chrono::sys_days const day{std::chrono::year{date.year} /
                                        std::chrono::month{date.month} /
                                        std::chrono::day{date.day}};
        return Timestamp{day} + std::chrono::hours{time.hour} + std::chrono::minutes{time.minute} -
               std::chrono::minutes{offset->minutes} + std::chrono::seconds{time.second};
    }

    bool flag(std::string const& key, bool fallback) {
        if (auto const override_value = overridden(key)) {
            if (*override_value == "true") return true;
            if (*override_value == "false") return false;
            reject({}, variable(key), "must be true or false");
        }
        auto const* node = find(key);
        if (node == nullptr) return fallback;
        if (!node->is_boolean()) reject(node->source(), path(key), "must be true or false");
        return node->as_boolean()->get();
    }

    // A list of texts; from the environment, parted by commas.
    std::vector<std::string> texts(std::string const& key) {
        std::vector<std::string> result;
        if (auto const override_value = overridden(key)) {
            std::string_view rest = *override_value;
            while (!rest.empty())
                result.emplace_back(trimmed(take_until(rest, ',')));
            return result;
        }
        auto const* node = find(key);
        if (node == nullptr) return result;
        auto const* array = node->as_array();
        if (array == nullptr) reject(node->source(), path(key), "must be a list [...]");
        for (auto const& element : *array) {
            auto const* value = element.as_string();
            if (value == nullptr) reject(element.source(), path(key), "must hold texts in quotes");
            result.push_back(value->get());
        }
        return result;
    }

    // The tables of an array such as [[chains]].
    std::vector<toml::table const*> tables(std::string const& key) {
        std::vector<toml::table const*> result;
        auto const* node = find(key);
        if (node == nullptr) return result;
        auto const* array = node->as_array();
        if (array == nullptr || !array->is_array_of_tables()) {
            reject(node->source(), path(key), "must be written as [[" + path(key) + "]]");
        }
        for (auto const& element : *array)
            result.push_back(element.as_table());
        return result;
    }

    toml::table const& table(std::string const& key) {
        static toml::table const kEmpty;
        auto const* node = find(key);
        if (node == nullptr) return kEmpty;
        if (!node->is_table()) reject(node->source(), path(key), "must be a section [" + key + "]");
        return *node->as_table();
    }

    void refuse_unknown_keys() const {
        for (auto const& [key, node] : table_) {
            if (known_.contains(std::string(key.str()))) continue;
            reject(node.source(), path(std::string(key.str())), "is not a key that Sycee knows");
        }
    }

    std::string path(std::string const& key) const {
        return name_.empty() ? key : name_ + "." + key;
    }
    toml::source_region where(std::string const& key) const {
        auto const* node = table_.get(key);
        return node == nullptr ? table_.source() : node->source();
    }

  private:
    toml::node const* find(std::string const& key) {
        known_.insert(key);
        return table_.get(key);
    }
    std::string variable(std::string const& key) const {
        std::string name = "SYCEE_" + prefix_ + "_" + key;
        std::transform(name.begin(), name.end(), name.begin(),
                       [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
        return name;
    }
    std::optional<std::string> overridden(std::string const& key) {
        known_.insert(key);
        return prefix_.empty() ? std::nullopt : environment_(variable(key));
    }
    template <class Value>
    Value missing(std::string const& key, std::optional<Value> fallback) const {
        if (!fallback) reject(table_.source(), path(key), "is missing");
        return std::move(*fallback);
    }

    toml::table const& table_;
    std::string name_;
    std::string prefix_;  // empty: no overrides
    Environment const& environment_;
    std::set<std::string> known_;
};

bool has_scheme(std::string const& url, std::initializer_list<char const*> schemes) {
    return std::any_of(schemes.begin(), schemes.end(), [&url](char const* scheme) {
        return url.starts_with(std::string(scheme) + "://");
    });
}

Amount read_amount(Section& section, std::string const& key, unsigned decimals) {
    auto const amount = parse_decimal(section.text(key), decimals);
    if (!amount) reject(section.where(key), section.path(key), amount.error().message);
    return *amount;
}

TokenSettings read_token(toml::table const& table, std::string const& name,
                         Environment const& environment) {
    Section section(table, name, "", environment);
    TokenSettings token;
    token.symbol = section.text("symbol");
    auto const contract = parse_address(section.text("contract"));
    if (!contract) {
        reject(section.where("contract"), section.path("contract"), contract.error().message);
    }
    token.contract = *contract;
    token.decimals = static_cast<unsigned>(section.number("decimals", 0, 24));
    if (section.has("tolerance")) {
        token.tolerance.absolute = read_amount(section, "tolerance", token.decimals);
    }
    token.tolerance.basis_points =
        static_cast<std::uint32_t>(section.number("tolerance_basis_points", 0, 1'000, 0));
    section.refuse_unknown_keys();
    return token;
}

// A URL that may carry a provider's key: in the file, or alone in a file of its own.
std::string read_url(Section& section, std::string const& key, std::filesystem::path const& folder,
                     std::initializer_list<char const*> schemes, bool optional) {
    std::string const file_key = key + "_file";
    bool const in_file = section.has(file_key);
    if (in_file && section.has(key)) {
        reject(section.where(file_key), section.path(file_key), "stands beside " + key);
    }
    if (optional && !in_file && !section.has(key)) return "";
    std::string url;
    if (in_file) {
        std::ifstream stream(folder / section.text(file_key));
        if (!std::getline(stream, url)) {
            reject(section.where(file_key), section.path(file_key),
                   "names a file that can't be read");
        }
    } else {
        url = section.text(key);
    }
    auto const parsed = parse_url(url);
    bool const fits =
        parsed && std::find(schemes.begin(), schemes.end(), parsed->scheme) != schemes.end();
    if (!fits) {
        // The URL itself is not shown: it may hold a key.
        reject(section.where(in_file ? file_key : key), section.path(in_file ? file_key : key),
               "must be a URL that begins with " + std::string(*schemes.begin()) + ":// or " +
                   *std::next(schemes.begin()) + "://");
    }
    return url;
}

EndpointSettings read_endpoint(toml::table const& table, std::string const& name,
                               std::filesystem::path const& folder,
                               Environment const& environment) {
    Section section(table, name, "", environment);
    EndpointSettings endpoint;
    endpoint.http_url = read_url(section, "http_url", folder, {"http", "https"}, false);
    endpoint.ws_url = read_url(section, "ws_url", folder, {"ws", "wss"}, true);
    section.refuse_unknown_keys();
    return endpoint;
}

FinalityRule read_finality(Section& section) {
    FinalityRule rule;
    auto const bands = parse_bands(section.text("finality"));
    if (!bands) {
        reject(section.where("finality"), section.path("finality"), bands.error().message);
    }
    rule.bands = *bands;
    if (section.has("most_not_final")) {
        rule.most_not_final = read_amount(section, "most_not_final", kValueDecimals);
    }
    return rule;
}

ChainSettings read_chain(toml::table const& table, std::string const& name,
                         std::filesystem::path const& folder, Environment const& environment) {
    Section section(table, name, "", environment);
    ChainSettings chain;
    chain.id = static_cast<ChainId>(section.number("id", 1, INT64_MAX));
    chain.name = section.text("name");
    auto const endpoints = section.tables("endpoints");
    if (endpoints.empty()) {
        reject(table.source(), section.path("endpoints"), "a chain needs at least one endpoint");
    }
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
        std::string const endpoint_name = name + ".endpoints[" + std::to_string(i) + "]";
        chain.endpoints.push_back(read_endpoint(*endpoints[i], endpoint_name, folder, environment));
    }
    chain.quorum = static_cast<std::size_t>(
        section.number("quorum", 1, static_cast<std::int64_t>(endpoints.size()), 1));
    chain.finality = read_finality(section);
    chain.block_time = section.seconds("block_time", 100ms, 1h, 12s);
    chain.watch_mempool = section.flag("watch_mempool", false);
    if (chain.watch_mempool && chain.mempool_endpoint() == nullptr) {
        reject(section.where("watch_mempool"), section.path("watch_mempool"),
               "needs an endpoint with a ws_url");
    }
    auto const tokens = section.tables("tokens");
    if (tokens.empty())
        reject(table.source(), section.path("tokens"), "a chain needs at least one token");
    std::set<Address> contracts;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        std::string const token_name = name + ".tokens[" + std::to_string(i) + "]";
        chain.tokens.push_back(read_token(*tokens[i], token_name, environment));
        if (!contracts.insert(chain.tokens.back().contract).second) {
            reject(tokens[i]->source(), token_name + ".contract", "stands there twice");
        }
    }
    section.refuse_unknown_keys();
    return chain;
}

void read_chains(Section& root, Config& config, std::filesystem::path const& folder,
                 Environment const& environment) {
    auto const tables = root.tables("chains");
    if (tables.empty()) reject({}, "chains", "at least one [[chains]] is needed");
    for (std::size_t i = 0; i < tables.size(); ++i) {
        std::string const name = "chains[" + std::to_string(i) + "]";
        ChainSettings chain = read_chain(*tables[i], name, folder, environment);
        if (is_test_chain(chain.id)) {
            reject(tables[i]->source(), name + ".id",
                   std::to_string(chain.id) + " is that of test mode: see test_mode.enabled");
        }
        if (config.network.chain(chain.id) != nullptr) {
            reject(tables[i]->source(), name + ".id",
                   std::to_string(chain.id) + " stands there twice");
        }
        config.network.chains.push_back(std::move(chain));
    }
}

constexpr std::int64_t kLongestAge = std::int64_t{31} * 86'400;
constexpr std::size_t kMostRates = 200;
constexpr std::size_t kMostSources = 8;         // of one rate
constexpr std::size_t kMostReadSources = 100;   // each is a task
constexpr std::size_t kLongestSourceName = 80;  // it is kept with each payment

std::optional<Rate> read_bound(Section& section, std::string const& key) {
    if (!section.has(key)) return std::nullopt;
    auto const rate = parse_rate(section.text(key));
    if (!rate) reject(section.where(key), section.path(key), rate.error().message);
    return *rate;
}

// What is looked for: of a currency how many units a dollar is worth, of a token how many dollars.
CurrencyPair read_rate_pair(Section& section, RateSettings const& rate) {
    CurrencyPair const per_dollar{std::string(kDollar), rate.subject};
    CurrencyPair const in_dollars{rate.subject, std::string(kDollar)};
    auto const pair =
        parse_pair(section.text("pair", to_string(rate.is_peg ? in_dollars : per_dollar)));
    if (!pair) reject(section.where("pair"), section.path("pair"), pair.error().message);
    // A token may be called otherwise where it is priced: USD₮0 is USDT there.
    bool const fits =
        rate.is_peg ? pair->counter == kDollar : *pair == per_dollar || *pair == in_dollars;
    if (fits) return *pair;
    std::string const wanted =
        rate.is_peg ? "\"" + to_string(in_dollars) + "\" or the like"
                    : "\"" + to_string(per_dollar) + "\" or \"" + to_string(in_dollars) + "\"";
    reject(section.where("pair"), section.path("pair"),
           "must be " + wanted + ", not \"" + to_string(*pair) + "\"");
}

void read_fixed(Section& section, RateSourceSettings& source) {
    source.kind = RateSourceKind::fixed;
    auto const written = parse_rate(section.text("rate"));
    if (!written) reject(section.where("rate"), section.path("rate"), written.error().message);
    auto const rate = rate_of(written->units, kRateDecimals, source.inverse);
    if (!rate) reject(section.where("rate"), section.path("rate"), rate.error().message);
    source.rate = *rate;
    if (auto const until = section.moment("valid_until")) source.valid_until = *until;
    source.name = "fixed";
}

void read_longest_age(Section& section, RateSourceSettings& source) {
    source.longest_age =
        std::chrono::seconds(section.number("longest_age_seconds", 1, kLongestAge));
}

void read_feed(Section& section, RateSourceSettings& source, Network const& network) {
    source.kind = RateSourceKind::chainlink;
    source.chain_id = static_cast<ChainId>(section.number("chain_id", 1, INT64_MAX));
    if (network.chain(source.chain_id) == nullptr) {
        reject(section.where("chain_id"), section.path("chain_id"),
               "must be the id of one of the [[chains]], not " + std::to_string(source.chain_id));
    }
    auto const feed = parse_address(section.text("feed"));
    if (!feed) reject(section.where("feed"), section.path("feed"), feed.error().message);
    source.feed = *feed;
    source.decimals = static_cast<unsigned>(section.number("decimals", 0, 18));
    read_longest_age(section, source);
    source.name = "chainlink " + std::to_string(source.chain_id) + " " + to_string(source.feed);
}

void read_document(Section& section, RateSourceSettings& source,
                   std::filesystem::path const& folder, bool allow_loopback) {
    source.kind = RateSourceKind::http;
    source.url = read_url(section, "url", folder, {"https", "http"}, false);
    auto const url = rate_source_url(source.url, allow_loopback);
    if (!url) reject(section.where("url"), section.path("url"), url.error().message);
    auto const pointer = [&section](std::string const& key, std::optional<std::string> fallback) {
        std::string const text = section.text(key, std::move(fallback));
        if (text.empty() && key == "time_pointer") return text;
        if (auto const checked = check_rate_pointer(text); !checked)
            reject(section.where(key), section.path(key), checked.error().message);
        return text;
    };
    source.pointer = pointer("pointer", {});
    source.time_pointer = pointer("time_pointer", "");
    read_longest_age(section, source);
    source.name = "http " + url->host;
}

RateSourceSettings read_rate_source(toml::table const& table, std::string const& name,
                                    RateSettings const& rate, Config const& config,
                                    bool allow_loopback, std::filesystem::path const& folder,
                                    Environment const& environment) {
    Section section(table, name, "", environment);
    RateSourceSettings source;
    std::string const kind = section.text("kind");
    source.pair = read_rate_pair(section, rate);
    source.inverse = !rate.is_peg && source.pair.counter == kDollar;
    if (kind == "fixed") {
        read_fixed(section, source);
    } else if (kind == "chainlink") {
        read_feed(section, source, config.network);
    } else if (kind == "http") {
        read_document(section, source, folder, allow_loopback);
    } else {
        reject(section.where("kind"), section.path("kind"),
               "must be \"fixed\", \"chainlink\" or \"http\", not \"" + kind + "\"");
    }
    source.name = section.text("name", source.name);
    bool const plain =
        std::ranges::all_of(source.name, [](char c) { return c >= 0x20 && c < 0x7f; });
    if (source.name.empty() || source.name.size() > kLongestSourceName || !plain) {
        reject(section.where("name"), section.path("name"),
               "must be 1 to " + std::to_string(kLongestSourceName) + " characters of ASCII");
    }
    section.refuse_unknown_keys();
    return source;
}

void read_rate_rule(Section& section, RateSettings& rate) {
    rate.rule.least_sources = static_cast<std::size_t>(
        section.number("least_sources", 1, static_cast<std::int64_t>(rate.sources.size()), 1));
    rate.rule.most_deviation =
        static_cast<std::uint32_t>(section.number("most_deviation_basis_points", 0, 10'000, 100));
    if (auto const lowest = read_bound(section, "lowest")) rate.rule.lowest = *lowest;
    if (auto const highest = read_bound(section, "highest")) rate.rule.highest = *highest;
    if (rate.rule.lowest && rate.rule.highest && *rate.rule.highest < *rate.rule.lowest) {
        reject(section.where("highest"), section.path("highest"),
               "must not be below lowest, " + to_string(*rate.rule.lowest));
    }
}

RateSettings read_rate(toml::table const& table, std::string const& name, bool is_peg,
                       Config const& config, bool allow_loopback,
                       std::filesystem::path const& folder, Environment const& environment) {
    Section section(table, name, "", environment);
    std::string const key = is_peg ? "token" : "currency";
    RateSettings rate{.subject = section.text(key), .is_peg = is_peg};
    bool const is_known =
        is_peg ? std::ranges::any_of(config.network.chains,
                                     [&rate](ChainSettings const& chain) {
                                         return std::ranges::find(chain.tokens, rate.subject,
                                                                  &TokenSettings::symbol) !=
                                                chain.tokens.end();
                                     })
               : currency_decimals(rate.subject).has_value();
    if (!is_known) {
        reject(section.where(key), section.path(key),
               is_peg ? "must be the symbol of one of the tokens, not \"" + rate.subject + "\""
                      : "must be a currency of ISO 4217, not \"" + rate.subject + "\"");
    }
    if (!is_peg && rate.subject == kDollar) {
        reject(section.where(key), section.path(key),
               "needs no rate: tokens are taken as worth one dollar");
    }
    if (is_peg) {
        rate.rule.lowest = Rate{Amount(980'000'000'000)};
        rate.rule.highest = Rate{Amount(1'020'000'000'000)};
    } else {
        rate.spread_basis_points =
            static_cast<std::uint32_t>(section.number("spread_basis_points", 0, 2'000, 0));
    }
    auto const sources = section.tables("sources");
    if (sources.empty() || sources.size() > kMostSources) {
        reject(table.source(), section.path("sources"),
               "must be 1 to " + std::to_string(kMostSources) + " sources");
    }
    for (std::size_t i = 0; i < sources.size(); ++i) {
        std::string const its_name = name + ".sources[" + std::to_string(i) + "]";
        auto source = read_rate_source(*sources[i], its_name, rate, config, allow_loopback, folder,
                                       environment);
        if (std::ranges::find(rate.sources, source.name, &RateSourceSettings::name) !=
            rate.sources.end()) {
            reject(sources[i]->source(), its_name + ".name",
                   "\"" + source.name + "\" stands there twice");
        }
        rate.sources.push_back(std::move(source));
    }
    read_rate_rule(section, rate);
    for (std::size_t i = 0; i < rate.sources.size(); ++i) {
        RateSourceSettings const& source = rate.sources[i];
        if (source.kind != RateSourceKind::fixed) continue;
        if ((rate.rule.lowest && source.rate < *rate.rule.lowest) ||
            (rate.rule.highest && source.rate > *rate.rule.highest)) {
            reject(sources[i]->source(), name + ".sources[" + std::to_string(i) + "].rate",
                   "is not between lowest and highest");
        }
    }
    section.refuse_unknown_keys();
    return rate;
}

void read_rates(Section& root, Config& config, std::filesystem::path const& folder,
                Environment const& environment) {
    Section section(root.table("rates"), "rates", "RATES", environment);
    config.rates.refresh = std::chrono::seconds(section.number("refresh_seconds", 1, 3'600, 60));
    bool const allow_loopback = section.flag("allow_loopback", false);
    for (bool const is_peg : {false, true}) {
        std::string const key = is_peg ? "pegs" : "currencies";
        auto const tables = section.tables(key);
        for (std::size_t i = 0; i < tables.size(); ++i) {
            std::string const name = "rates." + key + "[" + std::to_string(i) + "]";
            auto rate =
                read_rate(*tables[i], name, is_peg, config, allow_loopback, folder, environment);
            bool const again =
                std::ranges::any_of(config.rates.rates, [&](RateSettings const& other) {
                    return other.is_peg == is_peg && other.subject == rate.subject;
                });
            if (again || config.rates.rates.size() == kMostRates) {
                reject(tables[i]->source(), name + (is_peg ? ".token" : ".currency"),
                       again ? "\"" + rate.subject + "\" stands there twice"
                             : "is one too many: at most " + std::to_string(kMostRates));
            }
            config.rates.rates.push_back(std::move(rate));
        }
    }
    std::size_t read_sources = 0;
    for (RateSettings const& rate : config.rates.rates) {
        read_sources += static_cast<std::size_t>(std::ranges::count_if(
            rate.sources, [](auto const& source) { return source.kind != RateSourceKind::fixed; }));
    }
    if (read_sources > kMostReadSources) {
        reject({}, "rates",
               "has " + std::to_string(read_sources) + " sources to read: at most " +
                   std::to_string(kMostReadSources));
    }
    section.refuse_unknown_keys();
}

void read_server(Section& root, Config& config, std::filesystem::path const& folder,
                 Environment const& environment) {
    Section server(root.table("server"), "server", "SERVER", environment);
    config.server.address = server.text("address", "127.0.0.1");
    config.server.port = static_cast<std::uint16_t>(server.number("port", 0, 65'535, 8080));
    config.server.metrics_port =
        static_cast<std::uint16_t>(server.number("metrics_port", 0, 65'535, 0));
    std::string url = server.text("public_url");
    while (url.ends_with('/'))
        url.pop_back();
    if (!has_scheme(url, {"http", "https"})) {
        reject(server.where("public_url"), "server.public_url",
               "must begin with http:// or https://");
    }
    if (auto const parsed = parse_url(url); !parsed || parsed->target.contains('?')) {
        reject(server.where("public_url"), "server.public_url",
               parsed ? "must not have a query (?...)" : parsed.error().message);
    }
    config.network.public_url = url;
    for (auto const& text : server.texts("trusted_proxies")) {
        auto address = parse_ip_address(text);
        if (!address) {
            reject(server.where("trusted_proxies"), "server.trusted_proxies",
                   "must hold IP addresses, not \"" + text + "\"");
        }
        config.server.trusted_proxies.push_back(std::move(*address));
    }
    std::string const certificate = server.text("tls_certificate_file", "");
    std::string const key = server.text("tls_key_file", "");
    if (certificate.empty() != key.empty()) {
        reject(server.where("tls_certificate_file"), "server.tls_certificate_file",
               "and server.tls_key_file go together: both, or none");
    }
    if (!certificate.empty()) {
        config.server.tls_certificate_file = folder / certificate;
        config.server.tls_key_file = folder / key;
        if (!url.starts_with("https://")) {
            reject(server.where("public_url"), "server.public_url",
                   "must begin with https:// where server.tls_certificate_file is set");
        }
    }
    server.refuse_unknown_keys();
}

Config read(toml::table const& table, std::filesystem::path const& folder,
            Environment const& environment) {
    Config config;
    Section root(table, "", "", environment);
    read_server(root, config, folder, environment);

    Section database(root.table("database"), "database", "DATABASE", environment);
    config.database_url = database.text("url");
    if (auto const checked = check_database_url(config.database_url); !checked) {
        reject(database.where("url"), "database.url", checked.error().message);
    }
    config.database_owner_url = database.text("owner_url", "");
    if (auto const checked = check_database_url(config.database_owner_url);
        !config.database_owner_url.empty() && !checked) {
        reject(database.where("owner_url"), "database.owner_url", checked.error().message);
    }
    if (!config.database_owner_url.empty() && database_role(config.database_url).empty()) {
        reject(
            database.where("url"), "database.url",
            "must name its user: where there is an owner_url, `sycee migrate` grants it what the "
            "service needs");
    }
    config.database_auditor_role = database.text("auditor", "");
    config.database_connections =
        static_cast<std::uint32_t>(database.number("connections", 2, 64, 3));
    config.payments_per_transaction = static_cast<std::uint32_t>(
        database.number("payments_per_transaction", 1, 1'000, config.payments_per_transaction));
    database.refuse_unknown_keys();

    Section secrets(root.table("secrets"), "secrets", "SECRETS", environment);
    config.key_file = folder / secrets.text("key_file");
    if (auto const file = secrets.text("signing_key_file", ""); !file.empty()) {
        config.signing_key_file = folder / file;
    }
    secrets.refuse_unknown_keys();

    Section webhooks(root.table("webhooks"), "webhooks", "WEBHOOKS", environment);
    config.allow_private_webhook_addresses = webhooks.flag("allow_private_addresses", false);
    webhooks.refuse_unknown_keys();

    Section test_mode(root.table("test_mode"), "test_mode", "TEST_MODE", environment);
    bool const has_test_mode = test_mode.flag("enabled", false);
    test_mode.refuse_unknown_keys();

    Section api(root.table("api"), "api", "API", environment);
    config.api.requests_per_minute = static_cast<std::uint32_t>(
        api.number("requests_per_minute", 1, 100'000'000, config.api.requests_per_minute));
    api.refuse_unknown_keys();

    Section desk(root.table("desk"), "desk", "DESK", environment);
    if (desk.has("second_operator_above")) {
        config.desk.second_operator_above =
            read_amount(desk, "second_operator_above", kValueDecimals);
    }
    desk.refuse_unknown_keys();

    Section reconciliation(root.table("reconciliation"), "reconciliation", "RECONCILIATION",
                           environment);
    config.reconciliation.every =
        std::chrono::seconds(reconciliation.number("every_seconds", 1, 86'400, 30));
    config.reconciliation.payments =
        static_cast<std::size_t>(reconciliation.number("payments", 4, 10'000, 200));
    reconciliation.refuse_unknown_keys();

    Section log(root.table("log"), "log", "LOG", environment);
    config.log_level = log.text("level", "info");
    static std::set<std::string> const kLevels{"debug", "info", "warning", "error"};
    if (!kLevels.contains(config.log_level)) {
        reject(log.where("level"), "log.level",
               "must be \"debug\", \"info\", \"warning\" or \"error\", not \"" + config.log_level +
                   "\"");
    }
    log.refuse_unknown_keys();

    read_chains(root, config, folder, environment);
    read_rates(root, config, folder, environment);
    // Behind the others: what is shown first is real.
    if (has_test_mode) config.network.chains.push_back(test_chain_settings());
    root.refuse_unknown_keys();
    return config;
}

Result<std::string> read_file(std::filesystem::path const& file) {
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    if (!stream) return refuse(file.string(), "can't be read");
    return std::move(text).str();
}

}  // namespace

Result<Config> parse_config(std::string_view text, std::filesystem::path const& folder,
                            Environment const& environment) {
    try {
        return read(toml::parse(text), folder, environment);
    } catch (toml::parse_error const& error) {
        return refuse("line " + std::to_string(error.source().begin.line),
                      std::string(error.description()));
    } catch (Refused const& refused) {
        return std::unexpected(refused.error);
    }
}

Result<Config> load_config(std::filesystem::path const& file) {
    auto const text = read_file(file);
    if (!text) return std::unexpected(text.error());
    auto const environment = [](std::string const& name) -> std::optional<std::string> {
        // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing sets the environment
        char const* value = std::getenv(name.c_str());
        if (value == nullptr) return std::nullopt;
        return std::string(value);
    };
    auto config = parse_config(*text, file.parent_path(), environment);
    if (!config) return refuse(file.string(), to_string(config.error()));
    return config;
}

namespace {

constexpr char const* kOpenToOthers = "can be read by others than its owner: chmod 600 it";

bool is_open_to_others(std::filesystem::path const& file) {
    struct stat status{};
    return ::stat(file.c_str(), &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0;
}

// `how_to_make`: what stands in the refusal of a file that can't be read.
Result<Bytes32> load_key(std::filesystem::path const& file, std::string const& how_to_make) {
    if (is_open_to_others(file)) return refuse(file.string(), kOpenToOthers);
    auto text = read_file(file);
    if (!text) {
        return refuse(file.string(), "can't be read. " + how_to_make);
    }
    while (!text->empty() && (text->back() == '\n' || text->back() == '\r'))
        text->pop_back();
    auto const key = bytes_from_hex<32>(*text);
    if (!key) return refuse(file.string(), "must hold 64 hex digits");
    return *key;
}

}  // namespace

Result<Bytes32> load_sealing_key(std::filesystem::path const& file) {
    return load_key(file,
                    "It holds the key that seals secrets; make one with `openssl rand -hex 32 > " +
                        file.string() + "`, chmod 600, and keep a copy in a safe place");
}

Result<TlsMaterial> load_tls_material(Config::Server const& server) {
    auto certificates = read_file(server.tls_certificate_file);
    if (!certificates) return refuse(server.tls_certificate_file.string(), "can't be read");
    std::filesystem::path const& file = server.tls_key_file;
    if (is_open_to_others(file)) return refuse(file.string(), kOpenToOthers);
    auto key = read_file(file);
    if (!key) return refuse(file.string(), "can't be read");
    return TlsMaterial{std::move(*certificates), Secret(std::move(*key))};
}

Result<SigningKey> load_signing_key(std::filesystem::path const& file) {
    auto const bytes = load_key(
        file, "It holds the key that signs checkpoints: `sycee signing-key new` makes one");
    if (!bytes) return std::unexpected(bytes.error());
    auto key = SigningKey::from_bytes(*bytes);
    if (!key) return refuse(file.string(), key.error().message);
    return key;
}

}  // namespace sycee
