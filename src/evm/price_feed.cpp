#include <sycee/crypto/hash.hpp>
#include <sycee/evm/price_feed.hpp>

#include <array>
#include <string_view>

namespace sycee {
namespace {

constexpr std::size_t kWord = 32;
constexpr std::size_t kWords = 5;
constexpr std::int64_t kLastSecond = 253'402'300'799;  // of the year 9999

std::vector<std::uint8_t> call_of(std::string_view signature) {
    Bytes32 const digest = keccak256(as_bytes(signature));
    return {digest.begin(), digest.begin() + 4};
}

}  // namespace

std::vector<std::uint8_t> description_call() {
    return call_of("description()");
}

std::vector<std::uint8_t> latest_round_call() {
    return call_of("latestRoundData()");
}

Result<FeedRound> decode_round(ByteView answer) {
    if (answer.size() != kWords * kWord) {
        return refuse("answer",
                      "must be five words, not " + std::to_string(answer.size()) + " bytes");
    }
    constexpr std::uint8_t kSign = 0x80;
    if ((answer[kWord] & kSign) != 0) return refuse("answer", "is below zero");
    // roundId, answer, startedAt, updatedAt, answeredInRound.
    std::array<Amount, kWords> words;
    for (std::size_t i = 0; i < kWords; ++i) {
        auto const word = amount_from_word(answer.subspan(i * kWord).first<kWord>());
        if (!word) return std::unexpected(word.error());
        words[i] = *word;
    }
    auto const& [round_id, value, started_at, updated_at, answered_in] = words;
    if (value.is_zero()) return refuse("answer", "is zero");
    if (round_id.is_zero()) return refuse("roundId", "is zero");
    if (updated_at.is_zero() || updated_at > Amount(kLastSecond)) {
        return refuse("updatedAt", "is " + to_string(updated_at));
    }
    if (answered_in < round_id) {
        return refuse("answeredInRound", "is an earlier round than roundId");
    }
    return FeedRound{
        .round_id = round_id,
        .answer = value,
        .updated_at = timestamp_from_seconds(static_cast<std::int64_t>(updated_at.base_units()))};
}

}  // namespace sycee
