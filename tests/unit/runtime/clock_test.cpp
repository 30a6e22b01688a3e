#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/task_group.hpp>

#include "run_task.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include <string>

namespace sycee {
namespace {

using namespace std::chrono_literals;

Task<void> note_wait(Task<void> wait, std::string& outcome) {
    try {
        co_await std::move(wait);
        outcome = "woken";
    } catch (boost::system::system_error const& error) {
        outcome = error.code() == boost::asio::error::operation_aborted ? "cancelled" : "failed";
    }
}

Task<void> join(TaskGroup& group) {
    co_await group.join(1h);
}

class NotifierTest : public ::testing::Test {
  protected:
    // Runs what is ready, so that spawned tasks have begun to wait.
    void run_ready() {
        io.restart();
        io.poll();
    }

    boost::asio::io_context io{1};
    TaskGroup group{io.get_executor(), 10};
    Notifier notifier{io.get_executor()};
};

TEST_F(NotifierTest, remembers_a_notification_that_nobody_waited_for) {
    auto const seen = notifier.generation();
    notifier.notify();
    run_task(io, notifier.wait_after(seen, 1h));
    EXPECT_EQ(notifier.generation(), seen + 1);
}

TEST_F(NotifierTest, wakes_everyone_who_waits) {
    std::string first;
    std::string second;
    group.spawn("first", note_wait(notifier.wait_after(0, 1h), first));
    group.spawn("second", note_wait(notifier.wait_after(0, 1h), second));
    run_ready();
    EXPECT_EQ(first, "");
    notifier.notify();
    run_task(io, join(group));
    EXPECT_EQ(first, "woken");
    EXPECT_EQ(second, "woken");
}

TEST_F(NotifierTest, returns_at_the_limit) {
    run_task(io, notifier.wait_after(notifier.generation(), 1ms));
    EXPECT_EQ(notifier.generation(), 0U);
}

TEST_F(NotifierTest, a_wait_can_be_cancelled) {
    std::string outcome;
    group.spawn("waits", note_wait(notifier.wait_after(0, 1h), outcome));
    run_ready();
    group.cancel();
    run_task(io, join(group));
    EXPECT_EQ(outcome, "cancelled");
}

TEST_F(NotifierTest, its_end_wakes_who_waits) {
    std::string outcome;
    auto doomed = std::make_unique<Notifier>(io.get_executor());
    group.spawn("waits", note_wait(doomed->wait_after(0, 1h), outcome));
    run_ready();
    doomed.reset();
    run_task(io, join(group));
    EXPECT_EQ(outcome, "woken");
}

TEST(Clock, a_sleep_can_be_cancelled) {
    boost::asio::io_context io{1};
    TaskGroup group(io.get_executor(), 1);
    SystemClock clock;
    std::string outcome;
    group.spawn("sleeps", note_wait(clock.sleep_for(1h), outcome));
    io.poll();
    group.cancel();
    run_task(io, join(group));
    EXPECT_EQ(outcome, "cancelled");
}

TEST(Backoff, doubles_its_bound_and_stays_between_half_and_the_whole_of_it) {
    Backoff backoff(100ms, 450ms);
    for (auto const bound : {100ms, 200ms, 400ms, 450ms, 450ms}) {
        auto const wait = backoff.next();
        EXPECT_GE(wait, bound / 2);
        EXPECT_LE(wait, bound);
    }
    backoff.reset();
    EXPECT_LE(backoff.next(), 100ms);
}

}  // namespace
}  // namespace sycee
