#pragma once

#include <sycee/base/amount.hpp>
#include <sycee/base/bytes.hpp>
#include <sycee/base/result.hpp>
#include <sycee/base/time.hpp>

#include <cstdint>
#include <vector>

namespace sycee {

// Call data of the views of a Chainlink feed (AggregatorV3Interface). decimals() is as a token's,
// and description() is read as a symbol (evm/abi.hpp).
std::vector<std::uint8_t> description_call();
std::vector<std::uint8_t> latest_round_call();

// A feed's newest round: `answer` in units of 10^-decimals.
struct FeedRound {
    Amount round_id;
    Amount answer;
    Timestamp updated_at{};

    bool operator==(FeedRound const&) const = default;
};

// Reads what latestRoundData() answers. Refused: anything but five words, an answer of zero or
// below, a round without number or time, and an answer that was carried over from an earlier round.
Result<FeedRound> decode_round(ByteView answer);

}  // namespace sycee
