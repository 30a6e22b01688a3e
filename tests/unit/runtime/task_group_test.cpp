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

Task<void> wait_for(Notifier& notifier, std::string& outcome) {
    outcome = "began";
    try {
        co_await notifier.wait_after(0, 1h);
        outcome = "ended";
    } catch (boost::system::system_error const&) {
        outcome = "cancelled";
        throw;
    }
}

Task<void> fail() {
    throw std::runtime_error("it broke");
    co_return;
}

Task<void> give_up() {
    throw boost::system::system_error(boost::asio::error::operation_aborted);
    co_return;
}

Task<void> return_at_once() {
    co_return;
}

Task<void> cancel_own_group(TaskGroup& group) {
    group.cancel();
    co_return;
}

Task<void> join(TaskGroup& group, std::chrono::milliseconds grace, bool& joined) {
    co_await group.join(grace);
    joined = true;
}

class TaskGroupTest : public ::testing::Test {
  protected:
    void run_ready() {
        io.restart();
        io.poll();
    }

    boost::asio::io_context io{1};
    TaskGroup group{io.get_executor(), 2};
    Notifier notifier{io.get_executor()};
    std::string first;
    std::string second;
    bool joined = false;
};

TEST_F(TaskGroupTest, join_waits_for_every_task) {
    ASSERT_TRUE(group.spawn("first", wait_for(notifier, first)));
    ASSERT_TRUE(group.spawn("second", wait_for(notifier, second)));
    EXPECT_EQ(first, "") << "a task begins after spawn() has returned";
    TaskGroup outer(io.get_executor(), 1);
    outer.spawn("join", join(group, 1h, joined));
    run_ready();
    EXPECT_FALSE(joined);
    EXPECT_EQ(group.size(), 2U);
    notifier.notify();
    run_ready();
    EXPECT_TRUE(joined);
    EXPECT_EQ(group.size(), 0U);
    EXPECT_EQ(first, "ended");
    EXPECT_EQ(second, "ended");
}

TEST_F(TaskGroupTest, refuses_a_task_when_full_or_stopping) {
    std::string third;
    EXPECT_TRUE(group.spawn("first", wait_for(notifier, first)));
    EXPECT_TRUE(group.spawn("second", wait_for(notifier, second)));
    EXPECT_FALSE(group.spawn("third", wait_for(notifier, third)));
    run_ready();
    notifier.notify();
    run_task(io, group.join(1h));
    EXPECT_FALSE(group.spawn("third", wait_for(notifier, third)));
    run_ready();
    EXPECT_EQ(third, "");
}

TEST_F(TaskGroupTest, cancels_what_still_runs_after_the_grace) {
    group.spawn("first", wait_for(notifier, first));
    run_task(io, group.join(1ms));
    EXPECT_EQ(first, "cancelled");
}

TEST_F(TaskGroupTest, a_task_cancelled_before_it_began_ends_without_beginning) {
    group.spawn("first", wait_for(notifier, first));
    group.cancel();
    run_task(io, group.join(1h));
    EXPECT_EQ(first, "");
    EXPECT_EQ(group.size(), 0U);
}

TEST_F(TaskGroupTest, a_task_can_cancel_its_own_group) {
    group.spawn("first", wait_for(notifier, first));
    group.spawn("second", cancel_own_group(group));
    run_task(io, group.join(1h));
    EXPECT_EQ(first, "cancelled");
}

TEST_F(TaskGroupTest, a_joiner_that_is_cancelled_cancels_the_tasks_and_still_waits_for_them) {
    group.spawn("first", wait_for(notifier, first));
    TaskGroup outer(io.get_executor(), 1);
    outer.spawn("join", join(group, 1h, joined));
    run_ready();
    outer.cancel();
    run_task(io, outer.join(1h));
    EXPECT_EQ(first, "cancelled");
    EXPECT_EQ(group.size(), 0U);
}

TEST_F(TaskGroupTest, tells_that_a_task_ended_that_was_not_cancelled) {
    int ended = 0;
    auto const on_end = [&ended] { ++ended; };
    ::testing::internal::CaptureStderr();
    group.spawn("fails", fail(), on_end);
    run_ready();
    EXPECT_EQ(ended, 1);
    EXPECT_TRUE(::testing::internal::GetCapturedStderr().contains("it broke"));
    group.spawn("returns", return_at_once(), on_end);
    run_ready();
    EXPECT_EQ(ended, 2);
    // Whatever was aborted in there, nobody asked the task itself to end.
    group.spawn("looks cancelled", give_up(), on_end);
    run_ready();
    EXPECT_EQ(ended, 3);
    group.spawn("cancelled", wait_for(notifier, first), on_end);
    run_ready();
    group.cancel();
    run_ready();
    EXPECT_EQ(first, "cancelled");
    group.spawn("cancelled by join()", wait_for(notifier, second), on_end);
    run_task(io, group.join(0ms));
    EXPECT_EQ(ended, 3);
}

TEST_F(TaskGroupTest, logs_an_error_and_not_a_cancellation) {
    ::testing::internal::CaptureStderr();
    group.spawn("breaks", fail());
    group.spawn("waits", wait_for(notifier, first));
    run_ready();
    run_task(io, group.join(0ms));
    auto const logged = ::testing::internal::GetCapturedStderr();
    EXPECT_TRUE(logged.contains("error tasks a task failed task=breaks error=\"it broke\""))
        << logged;
    EXPECT_FALSE(logged.contains("waits")) << logged;
}

}  // namespace
}  // namespace sycee
