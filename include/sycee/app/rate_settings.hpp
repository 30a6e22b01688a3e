#pragma once

#include <sycee/base/time.hpp>
#include <sycee/evm/address.hpp>
#include <sycee/payment/quote.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace sycee {

enum class RateSourceKind : std::uint8_t {
    fixed,      // a number in the configuration
    chainlink,  // a price feed on a chain that is configured
    http,       // a number in a JSON document
};

// Where one rate comes from.
struct RateSourceSettings {
    RateSourceKind kind = RateSourceKind::fixed;
    std::string name;  // kept with each payment that is priced by it
    CurrencyPair pair;
    bool inverse = false;  // the pair says what one unit of the currency is worth

    // Of a fixed one.
    Rate rate;  // not inverted any more
    Timestamp valid_until = Timestamp::max();

    // Of a feed. Its description is the pair.
    std::uint64_t chain_id = 0;
    Address feed;
    unsigned decimals = 0;

    // Of a document.
    std::string url;
    std::string pointer;       // RFC 6901, to the value
    std::string time_pointer;  // to the seconds since 1970 at which it was found; empty: none

    // Of what is read: used for so long after the time that the source tells.
    std::chrono::seconds longest_age{};
};

// The sources of one currency's rate, or of what one token is worth in dollars.
struct RateSettings {
    std::string subject;  // "EUR"; of a token its symbol
    bool is_peg = false;
    RateRule rule;
    std::uint32_t spread_basis_points = 0;
    std::vector<RateSourceSettings> sources;
};

struct RatesSettings {
    std::vector<RateSettings> rates;
    std::chrono::milliseconds refresh{60'000};  // how often each source is read
};

}  // namespace sycee
