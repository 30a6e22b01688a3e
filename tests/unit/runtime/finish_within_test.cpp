#include <sycee/base/assert.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/finish_within.hpp>
#include <sycee/runtime/task_group.hpp>

#include "run_task.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include <string>

namespace sycee {
namespace {

using namespace std::chrono_literals;
using boost::system::system_error;

Task<void> nothing() {
    co_return;
}

Task<void> sleep_and_note(std::chrono::milliseconds time, std::string& how) {
    SystemClock clock;
    try {
        co_await clock.sleep_for(time);
        how = "slept";
    } catch (system_error const& error) {
        how = error.code() == boost::asio::error::operation_aborted ? "cancelled" : "failed";
        throw;
    }
}

Task<void> fail(bool sleep_first) {
    SystemClock clock;
    if (sleep_first) co_await clock.sleep_for(1ms);
    throw std::runtime_error("its own error");
}

Task<void> break_promise_when_cancelled() {
    std::string how;
    try {
        co_await sleep_and_note(1h, how);
    } catch (system_error const&) {
        how = "caught";
    }
    ensure(false, "a promise");
}

Task<int> seven_after(std::chrono::milliseconds time) {
    SystemClock clock;
    co_await clock.sleep_for(time);
    co_return 7;
}

Task<void> note_outcome(Task<bool> task, std::string& outcome) {
    try {
        outcome = co_await std::move(task) ? "finished" : "timed out";
    } catch (system_error const& error) {
        outcome = error.code() == boost::asio::error::operation_aborted ? "cancelled" : "failed";
    }
}

Task<void> cancel_and_join(TaskGroup& group) {
    SystemClock clock;
    co_await clock.sleep_for(1ms);  // lets the tasks begin to wait
    group.cancel();
    co_await group.join(1h);
}

TEST(FinishWithin, says_that_the_operation_finished) {
    std::string how;
    EXPECT_TRUE(run_task(finish_within(1h, nothing())));
    EXPECT_TRUE(run_task(finish_within(1h, sleep_and_note(1ms, how))));
    EXPECT_EQ(how, "slept");
}

TEST(FinishWithin, cancels_the_operation_at_the_limit_and_waits_for_its_end) {
    std::string how;
    EXPECT_FALSE(run_task(finish_within(1ms, sleep_and_note(1h, how))));
    EXPECT_EQ(how, "cancelled");
}

TEST(FinishWithin, throws_an_error_at_once) {
    for (bool const sleep_first : {false, true}) {
        EXPECT_THROW(run_task(finish_within(1h, fail(sleep_first))), std::runtime_error);
    }
}

TEST(FinishWithin, is_cancelled_from_outside_as_its_operation_is) {
    boost::asio::io_context io{1};
    TaskGroup group(io.get_executor(), 10);
    std::string how;
    std::string outcome;
    group.spawn("operation", note_outcome(finish_within(1h, sleep_and_note(1h, how)), outcome));
    run_task(io, cancel_and_join(group));
    EXPECT_EQ(how, "cancelled");
    EXPECT_EQ(outcome, "cancelled");
}

TEST(FinishWithin, does_not_lose_a_broken_promise_to_the_limit) {
    EXPECT_THROW(run_task(finish_within(1ms, break_promise_when_cancelled())), InvariantViolation);
}

TEST(ResultWithin, gives_the_result_or_nothing) {
    EXPECT_EQ(run_task(result_within(1h, seven_after(0ms))), 7);
    EXPECT_EQ(run_task(result_within(1ms, seven_after(1h))), std::nullopt);
}

}  // namespace
}  // namespace sycee
