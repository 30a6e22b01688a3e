// Pins what is read of a Chainlink feed, and what of it is no price.
#include <sycee/evm/price_feed.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sycee {
namespace {

std::string word(std::string const& digits) {
    return std::string(64 - digits.size(), '0') + digits;
}

// roundId, answer, startedAt, updatedAt, answeredInRound, in hexadecimal.
std::vector<std::uint8_t> round(std::vector<std::string> const& words) {
    std::string digits;
    for (auto const& each : words)
        digits += word(each);
    std::vector<std::uint8_t> bytes(digits.size() / 2);
    EXPECT_TRUE(read_hex(digits, bytes));
    return bytes;
}

TEST(PriceFeed, asks_by_the_selectors_of_the_interface) {
    EXPECT_EQ(to_hex(latest_round_call()), "feaf968c");
    EXPECT_EQ(to_hex(description_call()), "7284e416");
}

TEST(PriceFeed, reads_a_round_of_a_proxy) {
    auto const read = decode_round(
        round({"50000000000000a11", "67a9d20", "69274a00", "69274a10", "50000000000000a11"}));
    ASSERT_TRUE(read) << to_string(read.error());
    EXPECT_EQ(read->answer, Amount(108'698'912));
    EXPECT_EQ(read->updated_at, timestamp_from_seconds(0x69274a10));
}

struct Row {
    char const* name;
    std::vector<std::string> words;
    char const* field;
};

TEST(PriceFeed, refuses_what_is_no_price) {
    for (Row const& row :
         {Row{"zero", {"1", "0", "1", "1", "1"}, "answer"},
          Row{"below zero", {"1", std::string(64, 'f'), "1", "1", "1"}, "answer"},
          Row{"beyond 128 bits", {"1", "1" + std::string(32, '0'), "1", "1", "1"}, "value"},
          Row{"no round", {"0", "1", "1", "1", "1"}, "roundId"},
          Row{"never updated", {"1", "1", "1", "0", "1"}, "updatedAt"},
          Row{"a time of nowhere", {"1", "1", "1", "ffffffffffff", "1"}, "updatedAt"},
          Row{"carried over", {"2", "1", "1", "1", "1"}, "answeredInRound"},
          Row{"a word too few", {"1", "1", "1", "1"}, "answer"},
          Row{"a word too many", {"1", "1", "1", "1", "1", "1"}, "answer"},
          Row{"nothing", {}, "answer"}}) {
        auto const read = decode_round(round(row.words));
        ASSERT_FALSE(read) << row.name;
        EXPECT_EQ(read.error().field, row.field) << row.name;
    }
}

}  // namespace
}  // namespace sycee
