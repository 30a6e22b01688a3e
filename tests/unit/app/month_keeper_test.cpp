// Pins: months are seen to at once and every day, so that the next one is there before it begins;
// what can't be made is tried again and shown, and ends nothing.
#include <sycee/app/month_keeper.hpp>
#include <sycee/runtime/errors.hpp>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include <run_task.hpp>
#include <vector>

namespace sycee {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kStart = timestamp_from_seconds(1'703'930'400);  // 2023-12-30 10:00

// Goes on by itself as far as it is waited for; ends the loop after so many waits.
class LoopClock final : public Clock {
  public:
    Timestamp time = kStart;
    std::size_t most_waits = 1;

    Timestamp now() const override { return time; }
    Task<void> sleep_for(std::chrono::milliseconds duration) override {
        time += duration;
        if (--most_waits == 0)
            throw boost::system::system_error(boost::asio::error::operation_aborted);
        co_return;
    }
};

class MonthKeeperTest : public ::testing::Test, protected MonthsPort {
  protected:
    Task<std::size_t> make(Timestamp now) override {
        asked.push_back(now);
        if (fails) throw Unavailable("no database");
        co_return 7;
    }
    void run_for(std::size_t waits) {
        clock.most_waits = waits;
        EXPECT_THROW(run_task(keeper.run()), boost::system::system_error);
    }
    bool shows_failure() const {
        return metrics.text().find("sycee_months_failed 1") != std::string::npos;
    }

    LoopClock clock;
    Metrics metrics;
    std::vector<Timestamp> asked;
    bool fails = false;
    MonthKeeper keeper{*this, clock, metrics};
};

TEST_F(MonthKeeperTest, asks_at_once_and_every_day) {
    run_for(3);
    EXPECT_EQ(asked, (std::vector<Timestamp>{kStart, kStart + 24h, kStart + 48h}));
    EXPECT_FALSE(shows_failure());
}

TEST_F(MonthKeeperTest, tries_again_soon_and_shows_that_it_failed) {
    fails = true;
    run_for(4);
    EXPECT_EQ(asked.size(), 4U);
    EXPECT_LT(asked.back(), kStart + 1h);
    EXPECT_TRUE(shows_failure());
    fails = false;
    run_for(1);
    EXPECT_FALSE(shows_failure());
}

}  // namespace
}  // namespace sycee
