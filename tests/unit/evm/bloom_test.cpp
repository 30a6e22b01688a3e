// Pins: the bloom is Ethereum's. The bits were computed apart from this code; the digest of the
// long one is that of go-ethereum's own test.
#include <sycee/crypto/hash.hpp>
#include <sycee/evm/bloom.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sycee {
namespace {

LogsBloom with_bits(std::vector<unsigned> const& bits) {
    LogsBloom bloom{};
    for (unsigned const bit : bits)
        bloom[255 - bit / 8] |= static_cast<std::uint8_t>(1U << (bit % 8));
    return bloom;
}

Address usdt() {
    return parse_address("0xdAC17F958D2ee523a2206206994597C13D831ec7").value();
}

TEST(Bloom, sets_three_bits_for_each_contract_and_topic) {
    LogsBloom contract{};
    add_to_bloom(contract, usdt().bytes);
    EXPECT_EQ(contract, with_bits({788, 1672, 679}));
    LogsBloom topic{};
    add_to_bloom(topic, transfer_topic());
    EXPECT_EQ(topic, with_bits({1443, 481, 1060}));
    LogsBloom padded{};
    add_to_bloom(padded, *bytes_from_hex<32>("00000000000000000000000070997970c51812dc3a010c7d01b5"
                                             "0e0d17dc79c8"));
    EXPECT_EQ(padded, with_bits({1259, 120, 1969}));
}

TEST(Bloom, of_a_log_is_that_of_its_contract_and_topics_and_not_of_its_data) {
    Log log;
    log.contract = usdt();
    log.topics = {transfer_topic()};
    log.data.assign(32, 7);
    LogsBloom bloom{};
    add_to_bloom(bloom, log);
    EXPECT_EQ(bloom, with_bits({788, 1672, 679, 1443, 481, 1060}));
}

TEST(Bloom, of_many_is_that_of_go_ethereum) {
    LogsBloom bloom{};
    for (int i = 0; i < 100; ++i) {
        std::string const text = "xxxxxxxxxx data " + std::to_string(i) + " yyyyyyyyyyyyyy";
        add_to_bloom(bloom, as_bytes(text));
    }
    EXPECT_EQ(to_hex(keccak256(bloom)),
              "c8d3ca65cdb4874300a9e39475508f23ed6da09fdbc487f89a2dcf50b09eb263");
}

TEST(Bloom, is_within_another_where_no_bit_is_missing) {
    auto const some = with_bits({0, 8, 2047});
    EXPECT_TRUE(is_within({}, {}));
    EXPECT_TRUE(is_within({}, some));
    EXPECT_TRUE(is_within(some, some));
    EXPECT_TRUE(is_within(with_bits({8}), some));
    EXPECT_FALSE(is_within(some, with_bits({0, 8})));
    EXPECT_FALSE(is_within(with_bits({9}), some));
}

}  // namespace
}  // namespace sycee
