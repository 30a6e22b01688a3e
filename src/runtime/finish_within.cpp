#include <sycee/base/assert.hpp>
#include <sycee/runtime/finish_within.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>

namespace sycee {
namespace {
namespace asio = boost::asio;

// What an operation throws after its limit is how it took the cancellation; only a broken promise
// of our own code must not get lost with it.
void rethrow_broken_promise(std::exception_ptr const& error) {
    if (!error) return;
    try {
        std::rethrow_exception(error);
    } catch (InvariantViolation const&) {
        throw;
    } catch (...) {
        return;
    }
}

}  // namespace

// operator|| of Asio's awaitable_operators is no substitute: it takes an error of the operation for
// a lost race and waits out the limit.
Task<bool> finish_within(std::chrono::milliseconds limit, Task<void> operation) {
    auto const executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor, limit);
    auto race = asio::experimental::make_parallel_group(
        asio::co_spawn(executor, std::move(operation), asio::deferred),
        timer.async_wait(asio::deferred));
    auto const [order, operation_error, timer_error] =
        co_await race.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    bool const timed_out = order[0] == 1 && !timer_error;
    if (timed_out) {
        rethrow_broken_promise(operation_error);
        co_return false;
    }
    if (operation_error) std::rethrow_exception(operation_error);
    co_return true;
}

}  // namespace sycee
