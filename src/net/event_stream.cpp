#include "event_stream.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <charconv>
#include <exception>

namespace sycee {
namespace asio = boost::asio;
using boost::system::system_error;

namespace {

// What a client may send during a stream, all of it ignored.
constexpr std::size_t kMostInput = std::size_t{64} * 1024;

}  // namespace

Task<void> EventStream::run(HttpResponse const& response) {
    // Both tasks refer to this object: a cancellation must not end this frame before join() has
    // ended them.
    bool const throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    TaskGroup tasks(co_await asio::this_coro::executor, 2);
    tasks_ = &tasks;
    tasks.spawn("watch the client of a stream", watch_client());
    tasks.spawn("stream", run_handler(response));
    auto const cancellation = co_await asio::this_coro::cancellation_state;
    if (cancellation.cancelled() != asio::cancellation_type::none) tasks.cancel();
    co_await tasks.join(limits_.stream_time);
    tasks_ = nullptr;
    co_await asio::this_coro::throw_if_cancelled(throws);
}

Task<void> EventStream::finish() {
    if (chunked_ && whole_ && !failed_) co_await write("0\r\n\r\n");
}

void EventStream::stop() {
    if (tasks_ != nullptr) tasks_->cancel();
}

Task<void> EventStream::send(std::string chunk) {
    if (chunk.empty()) co_return;
    if (!chunked_) {
        co_await write(std::move(chunk));
        co_return;
    }
    std::array<char, 16> digits{};
    auto const end = std::to_chars(digits.begin(), digits.end(), chunk.size(), 16).ptr;
    std::string framed(digits.begin(), end);
    framed.append("\r\n").append(chunk).append("\r\n");
    co_await write(std::move(framed));
}

// A client that has gone ends the stream the way a cancellation does.
Task<void> EventStream::write(std::string text) {
    whole_ = false;
    socket_.close_after(limits_.write_time);
    bool const written = co_await socket_.write(text);
    if (!written) throw system_error(asio::error::operation_aborted);
    socket_.keep_open();
    whole_ = true;
}

Task<void> EventStream::run_handler(HttpResponse const& response) {
    std::exception_ptr error;
    try {
        co_await response.stream(*this);
    } catch (system_error const& failure) {
        if (failure.code() != asio::error::operation_aborted) error = std::current_exception();
    } catch (...) {
        error = std::current_exception();
    }
    failed_ = error != nullptr;
    tasks_->cancel();
    if (error) std::rethrow_exception(error);
}

Task<void> EventStream::watch_client() {
    co_await socket_.ignore_input(kMostInput);
    tasks_->cancel();
}

}  // namespace sycee
