// Pins: a list of logs that has a hole is never taken for a whole block.
#include <sycee/chain/block_logs.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <set>

namespace sycee {
namespace {

Bytes32 filled(std::uint8_t value) {
    Bytes32 bytes{};
    bytes.fill(value);
    return bytes;
}

// Of the block 7: each log of a contract and with topics of its own.
Log log_at(std::uint32_t index) {
    Log log;
    log.contract.bytes.fill(static_cast<std::uint8_t>(index + 1));
    log.topics = {filled(static_cast<std::uint8_t>(index + 100))};
    log.data = {static_cast<std::uint8_t>(index)};
    log.block_number = 7;
    log.block_hash = filled(7);
    log.transaction_hash = filled(static_cast<std::uint8_t>(index / 2));
    log.log_index = index;
    return log;
}

BlockWithLogs block_of(std::uint32_t logs) {
    BlockWithLogs block;
    block.header = {7, filled(7), filled(6), timestamp_from_seconds(7)};
    for (std::uint32_t index = 0; index < logs; ++index)
        block.logs.push_back(log_at(index));
    for (Log const& log : block.logs)
        add_to_bloom(block.bloom, log);
    return block;
}

TEST(CheckComplete, takes_a_whole_block) {
    for (std::uint32_t logs : {0U, 1U, 5U, 300U}) {
        auto const block = block_of(logs);
        auto const checked = check_complete(block);
        ASSERT_TRUE(checked) << logs;
        EXPECT_EQ(checked->header, block.header);
    }
}

TEST(CheckComplete, refuses_every_hole) {
    auto const whole = block_of(6);
    for (std::size_t missing = 0; missing < whole.logs.size(); ++missing) {
        auto block = whole;
        block.logs.erase(block.logs.begin() + static_cast<std::ptrdiff_t>(missing));
        EXPECT_FALSE(check_complete(block)) << missing;
        // Also where the node counts anew to hide it.
        for (std::uint32_t index = 0; index < block.logs.size(); ++index)
            block.logs[index].log_index = index;
        EXPECT_FALSE(check_complete(block)) << missing << " counted anew";
    }
    auto silent = whole;
    silent.logs.clear();
    EXPECT_FALSE(check_complete(silent));
}

TEST(CheckComplete, refuses_logs_that_are_not_of_this_block) {
    std::vector<std::function<void(BlockWithLogs&)>> const lies{
        [](auto& block) { block.logs[1].block_hash[5] ^= 1; },
        [](auto& block) { block.logs[1].block_number = 8; },
        [](auto& block) { block.logs[1].removed = true; },
        [](auto& block) { block.logs[1].log_index = 0; },
        [](auto& block) { block.logs[1].log_index = 2; },
        [](auto& block) { std::swap(block.logs[1], block.logs[2]); },
        [](auto& block) { block.logs.push_back(block.logs.back()); },
        [](auto& block) { block.logs[1].contract.bytes[0] ^= 1; },
        [](auto& block) { block.logs[1].topics[0][0] ^= 1; },
        [](auto& block) { block.logs[1].topics.clear(); },
    };
    for (std::size_t i = 0; i < lies.size(); ++i) {
        auto block = block_of(4);
        lies[i](block);
        EXPECT_FALSE(check_complete(block)) << i;
    }
}

// On some chains every bloom is zero: then only the indices speak.
TEST(CheckComplete, a_bloom_of_zero_proves_nothing_and_refuses_nothing) {
    auto block = block_of(4);
    block.bloom = {};
    EXPECT_TRUE(check_complete(block));
    block.logs.erase(block.logs.begin() + 1);
    EXPECT_FALSE(check_complete(block));
}

TEST(CheckComplete, the_digest_is_of_all_that_the_logs_say) {
    std::vector<std::function<void(Log&)>> const changes{
        [](Log&) {},
        [](Log& log) { log.data[0] ^= 1; },
        [](Log& log) { log.data.push_back(0); },
        [](Log& log) { log.data.clear(); },
        [](Log& log) { log.transaction_hash[0] ^= 1; },
        [](Log& log) { log.topics.push_back(log.topics[0]); },
        [](Log& log) { log.topics[0][31] ^= 1; },
        [](Log& log) { log.contract.bytes[19] ^= 1; },
    };
    std::set<Bytes32> digests;
    for (auto const& change : changes) {
        auto block = block_of(3);
        block.bloom = {};
        change(block.logs[1]);
        digests.insert(check_complete(block)->logs_digest);
    }
    EXPECT_EQ(digests.size(), changes.size());
    EXPECT_EQ(check_complete(block_of(3))->logs_digest, check_complete(block_of(3))->logs_digest);
    // What moves from one log to the next is not the same.
    auto block = block_of(2);
    block.bloom = {};
    block.logs[0].data = {1, 2};
    block.logs[1].data = {3};
    auto other = block;
    other.logs[0].data = {1};
    other.logs[1].data = {2, 3};
    EXPECT_NE(check_complete(block)->logs_digest, check_complete(other)->logs_digest);
}

}  // namespace
}  // namespace sycee
