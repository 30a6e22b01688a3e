#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/task_group.hpp>
#include <sycee/runtime/worker_pool.hpp>

#include "run_task.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <semaphore>
#include <string>
#include <thread>

namespace sycee {
namespace {

using namespace std::chrono_literals;

struct Threads {
    std::thread::id before;
    std::thread::id work;
    std::thread::id after;
};

Task<Threads> note_threads(WorkerPool& pool) {
    Threads threads;
    threads.before = std::this_thread::get_id();
    threads.work = co_await pool.call([] { return std::this_thread::get_id(); });
    threads.after = std::this_thread::get_id();
    co_return threads;
}

Task<void> add_many(WorkerPool& pool, int& sum) {
    for (int i = 0; i < 100; ++i) {
        sum += co_await pool.call([i] { return i; });
    }
}

Task<void> fail(WorkerPool& pool) {
    co_await pool.call([] { throw std::runtime_error("from the worker"); });
}

// Occupies a worker until `gate` opens.
struct Blocker {
    std::binary_semaphore taken{0};
    std::binary_semaphore gate{0};
};

Task<void> block(WorkerPool& pool, Blocker& blocker, std::string& outcome) {
    std::string of_this_frame;
    auto const work = [&blocker, &of_this_frame] {
        blocker.taken.release();
        blocker.gate.acquire();
        of_this_frame = "finished";
    };
    try {
        co_await pool.call(work);
        outcome = of_this_frame;
    } catch (std::exception const& error) {
        outcome = error.what();
    }
}

Task<void> note_call(WorkerPool& pool, std::string& outcome) {
    try {
        co_await pool.call([] {});
        outcome = "finished";
    } catch (Overloaded const&) {
        outcome = "overloaded";
    } catch (Unavailable const&) {
        outcome = "unavailable";
    }
}

class WorkerPoolTest : public ::testing::Test {
  protected:
    void run_ready() {
        io.restart();
        io.poll();
    }

    boost::asio::io_context io{1};
    TaskGroup group{io.get_executor(), 200};
};

TEST_F(WorkerPoolTest, works_on_another_thread_and_resumes_on_the_io_thread) {
    WorkerPool pool(2, 10);
    auto const threads = run_task(io, note_threads(pool));
    EXPECT_EQ(threads.before, threads.after);
    EXPECT_NE(threads.before, threads.work);
}

TEST_F(WorkerPoolTest, serves_many_callers) {
    WorkerPool pool(2, 100);
    int sum = 0;
    for (int i = 0; i < 20; ++i)
        group.spawn("adds", add_many(pool, sum));
    run_task(io, group.join(1h));
    EXPECT_EQ(sum, 20 * 4950);
}

TEST_F(WorkerPoolTest, rethrows_what_the_work_throws) {
    WorkerPool pool(1, 10);
    try {
        run_task(io, fail(pool));
        FAIL() << "nothing was thrown";
    } catch (std::runtime_error const& error) {
        EXPECT_STREQ(error.what(), "from the worker");
    }
}

TEST_F(WorkerPoolTest, refuses_a_job_when_too_many_wait) {
    WorkerPool pool(1, 1);
    Blocker blocker;
    std::string blocked;
    std::string waiting;
    std::string refused;
    group.spawn("blocks", block(pool, blocker, blocked));
    run_ready();
    blocker.taken.acquire();
    group.spawn("waits", note_call(pool, waiting));
    group.spawn("is refused", note_call(pool, refused));
    run_ready();
    EXPECT_EQ(refused, "overloaded");
    blocker.gate.release();
    run_task(io, group.join(1h));
    EXPECT_EQ(blocked, "finished");
    EXPECT_EQ(waiting, "finished");
}

TEST_F(WorkerPoolTest, a_cancelled_caller_stays_until_its_job_has_ended) {
    WorkerPool pool(1, 1);
    Blocker blocker;
    std::string outcome;
    group.spawn("blocks", block(pool, blocker, outcome));
    run_ready();
    blocker.taken.acquire();
    group.cancel();
    run_ready();
    EXPECT_EQ(outcome, "");
    EXPECT_EQ(group.size(), 1U);
    blocker.gate.release();
    run_task(io, group.join(1h));
    EXPECT_NE(outcome, "");
}

TEST_F(WorkerPoolTest, its_end_finishes_what_was_begun_and_fails_what_waits) {
    Blocker blocker;
    std::string begun;
    std::string waiting;
    {
        WorkerPool pool(1, 10);
        group.spawn("blocks", block(pool, blocker, begun));
        run_ready();
        blocker.taken.acquire();
        group.spawn("waits", note_call(pool, waiting));
        run_ready();
        // The destructor asks the worker to stop before the gate opens, or finds it idle: in both
        // cases the job that was begun ends. Only the first leaves the second job unbegun.
        std::jthread const opener([&blocker] { blocker.gate.release(); });
    }
    run_task(io, group.join(1h));
    EXPECT_EQ(begun, "finished");
    EXPECT_TRUE(waiting == "unavailable" || waiting == "finished") << waiting;
}

}  // namespace
}  // namespace sycee
