#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/worker_pool.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace sycee {
namespace {
namespace asio = boost::asio;

struct Job {
    std::function<void()>* work;
    // Resumes the coroutine that waits, on its executor.
    std::move_only_function<void(std::exception_ptr)> finish;
};

}  // namespace

struct WorkerPool::State {
    explicit State(std::size_t most) : most_waiting(most) {}

    bool enqueue(Job& job) {
        std::scoped_lock const lock(mutex);
        if (jobs.size() >= most_waiting) return false;
        jobs.push_back(std::move(job));
        ready.notify_one();
        return true;
    }

    void work_until(std::stop_token const& stop) {
        for (;;) {
            std::unique_lock lock(mutex);
            ready.wait(lock, stop, [this] { return !jobs.empty(); });
            if (stop.stop_requested()) return;
            Job job = std::move(jobs.front());
            jobs.pop_front();
            lock.unlock();

            std::exception_ptr error;
            try {
                (*job.work)();
            } catch (...) {
                error = std::current_exception();
            }
            job.finish(std::move(error));
        }
    }

    std::size_t most_waiting;
    std::mutex mutex;
    std::condition_variable_any ready;
    std::deque<Job> jobs;
    std::vector<std::jthread> threads;
};

WorkerPool::WorkerPool(std::size_t threads, std::size_t most_waiting)
    : state_(std::make_unique<State>(most_waiting)) {
    for (std::size_t i = 0; i < threads; ++i) {
        state_->threads.emplace_back(
            [state = state_.get()](std::stop_token const& stop) { state->work_until(stop); });
    }
}

WorkerPool::~WorkerPool() {
    for (auto& thread : state_->threads)
        thread.request_stop();
    state_->threads.clear();
    for (auto& job : state_->jobs) {
        job.finish(std::make_exception_ptr(Unavailable("the worker pool has stopped")));
    }
}

Task<void> WorkerPool::run(std::function<void()> work) {
    auto const executor = co_await asio::this_coro::executor;
    auto const initiate = [this, &work, &executor](auto handler) {
        // The guard keeps the io context running while only a thread of ours holds the coroutine.
        auto finish = [guard = asio::make_work_guard(executor),
                       waiter = std::move(handler)](std::exception_ptr error) mutable {
            auto const to = guard.get_executor();
            // With the guard, so that this thread holds nothing of the io context once it has
            // posted.
            auto resume = [held = std::move(guard), resumed = std::move(waiter),
                           error = std::move(error)]() mutable {
                std::move(resumed)(std::move(error));
            };
            asio::post(to, std::move(resume));
        };
        Job job{&work, std::move(finish)};
        if (!state_->enqueue(job)) {
            job.finish(std::make_exception_ptr(Overloaded("too many jobs wait for a worker")));
        }
    };
    co_await asio::async_initiate<asio::use_awaitable_t<> const, void(std::exception_ptr)>(
        initiate, asio::use_awaitable);
}

}  // namespace sycee
