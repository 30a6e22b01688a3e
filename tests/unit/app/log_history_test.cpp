// Pins: how a chain's past is read from several nodes.
#include <sycee/app/log_history.hpp>
#include <sycee/app/ports.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/errors.hpp>

#include "run_task.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace sycee {
namespace {

constexpr ChainId kChain = 1;
Address const kToken{Bytes20{1}};

// A node with a scripted past: one log in each block, unless it hides some.
class ScriptedHistory final : public HistoryPort {
  public:
    std::string name() const override { return "scripted"; }
    Task<std::optional<BlockHeader>> header(BlockNumber number) override {
        if (away) throw Unavailable("away");
        ++headers;
        co_return BlockHeader{.number = number,
                              .hash = branch,
                              .parent_hash = {},
                              .time = timestamp_from_seconds(static_cast<std::int64_t>(number))};
    }
    Task<LogRange> transfer_logs(std::vector<Address> contracts, BlockNumber first,
                                 BlockNumber last) override {
        if (away) throw Unavailable("away");
        if (pauses > 0) {
            --pauses;
            throw RateLimited("slowly", std::chrono::milliseconds(1));
        }
        LogRange range{std::min(last, first + most - 1), {}};
        for (BlockNumber number = first; number <= range.last; ++number) {
            if (number == hidden) continue;
            Log log;
            log.contract = contracts.front();
            log.block_number = number;
            range.logs.push_back(log);
        }
        co_return range;
    }

    BlockHash branch{};
    BlockNumber most = 1'000;
    BlockNumber hidden = 0;
    std::size_t headers = 0;
    int pauses = 0;
    bool away = false;
};

class History : public ::testing::Test {
  protected:
    ChainHistory of(std::vector<HistoryPort*> nodes, std::size_t quorum) {
        return {kChain, std::move(nodes), quorum, clock};
    }
    template <class T>
    T run(Task<T> task) {
        return run_task(io, std::move(task));
    }

    boost::asio::io_context io{1};
    SystemClock clock;
    ScriptedHistory a;
    ScriptedHistory b;
    ScriptedHistory c;
};

TEST_F(History, reads_on_where_a_node_takes_fewer_blocks_or_asks_for_a_pause) {
    a.most = 7;
    a.pauses = 3;
    auto history = of({&a}, 1);
    auto const logs = run(history.transfer_logs({kToken}, 1, 20));
    ASSERT_EQ(logs.size(), 20U);
    EXPECT_EQ(logs.back().block_number, 20U);
}

TEST_F(History, a_log_that_one_node_hides_is_found_by_the_quorum) {
    a.hidden = 5;
    auto history = of({&a, &b, &c}, 2);
    EXPECT_EQ(run(history.transfer_logs({kToken}, 1, 10)).size(), 10U);
}

TEST_F(History, without_a_quorum_nothing_is_read) {
    a.hidden = 5;
    b.away = true;
    auto history = of({&a, &b, &c}, 2);
    EXPECT_THROW(run(history.transfer_logs({kToken}, 1, 10)), Unavailable);
    a.branch[0] = 1;
    EXPECT_THROW(run(history.header(3)), Unavailable);
}

TEST_F(History, no_contract_is_not_every_contract) {
    auto history = of({&a}, 1);
    EXPECT_TRUE(run(history.transfer_logs({}, 1, 10)).empty());
}

TEST_F(History, the_first_block_since_a_moment_is_found_in_few_steps) {
    auto history = of({&a}, 1);
    EXPECT_EQ(run(history.first_block_since(timestamp_from_seconds(777), 1'000'000)), 777U);
    EXPECT_LE(a.headers, 21U);
    EXPECT_EQ(run(history.first_block_since(timestamp_from_seconds(777), 500)), 500U);
    EXPECT_EQ(run(history.first_block_since(Timestamp{}, 500)), 0U);
}

}  // namespace
}  // namespace sycee
