#pragma once

#include <sycee/base/amount.hpp>
#include <sycee/base/id.hpp>
#include <sycee/base/result.hpp>
#include <sycee/evm/address.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sycee {

// Values of different tokens are compared in whole tokens with six decimals: a stablecoin of 6 or
// 18 decimals that is worth one dollar is 1'000'000 of it.
constexpr unsigned kValueDecimals = 6;

// Rounded up: where there is a doubt, the stricter rule.
Amount value_of(Amount base_units, unsigned decimals);

// Payments worth less than `below` may clear once the transfer's block has `confirmations`, its own
// counted as the first; zero: not before the block is finalized.
struct FinalityBand {
    std::optional<Amount> below;  // value; nothing: no limit
    std::uint32_t confirmations = 0;

    bool operator==(FinalityBand const&) const = default;
};

// When a transfer on one chain may clear. A versioned row: records say by which version they were
// booked, and a version is never changed.
struct FinalityRule {
    std::uint64_t version = 0;
    std::vector<FinalityBand> bands;  // `below` rises; the last has none
    // At most this much value of one merchant may be cleared and not final on this chain at a time;
    // what goes beyond waits for finality. Nothing: no cap.
    std::optional<Amount> most_not_final;

    bool operator==(FinalityRule const&) const = default;
};

// Refused: no band, limits that do not rise, a last band with a limit or others without.
Result<void> check_rule(FinalityRule const& rule);

// The band of a payment of that value.
FinalityBand const& band_for(FinalityRule const& rule, Amount value);

// "100:1,10000:12,finalized": each limit in whole tokens with its confirmations, then what holds
// above the last limit. Reads and writes; round trips.
Result<std::vector<FinalityBand>> parse_bands(std::string_view text);
std::string to_string(std::vector<FinalityBand> const& bands);

// A configured token, as much of it as values need.
struct TokenUnit {
    ChainId chain_id = 0;
    Address token;
    unsigned decimals = 0;
};

}  // namespace sycee
