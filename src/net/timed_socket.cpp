#include "timed_socket.hpp"

#include "server_tls_context.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <optional>
#include <utility>

namespace sycee {
namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using boost::system::error_code;

struct TimedSocket::State {
    State(tcp::socket s, std::shared_ptr<ServerTls::Context> t)
        : socket(std::move(s)), context(std::move(t)), timer(socket.get_executor()) {
        if (context) tls.emplace(socket, context->ssl);
    }

    tcp::socket socket;
    std::shared_ptr<ServerTls::Context> context;
    std::optional<asio::ssl::stream<tcp::socket&>> tls;
    bool tls_ended = false;  // what still comes is not read as TLS any more
    asio::steady_timer timer;
    // A timer that has expired can't be cancelled any more: its handler finds another number.
    std::uint64_t deadline_number = 0;
};

TimedSocket::TimedSocket(tcp::socket socket, std::shared_ptr<ServerTls::Context> tls)
    : state_(std::make_shared<State>(std::move(socket), std::move(tls))) {}

void TimedSocket::close() {
    keep_open();
    error_code ignored;  // the descriptor is released whatever close() says
    state_->socket.close(ignored);
}

TimedSocket::~TimedSocket() {
    close();
}

void TimedSocket::close_after(std::chrono::milliseconds limit) {
    auto const number = ++state_->deadline_number;
    state_->timer.expires_after(limit);
    state_->timer.async_wait([state = state_, number](error_code ec) {
        if (ec || number != state->deadline_number) return;
        error_code ignored;
        state->socket.close(ignored);
    });
}

void TimedSocket::keep_open() {
    ++state_->deadline_number;
    state_->timer.cancel();
}

Task<bool> TimedSocket::shake_hands() {
    if (!state_->tls) co_return true;
    error_code ec;
    co_await state_->tls->async_handshake(asio::ssl::stream_base::server,
                                          asio::redirect_error(asio::use_awaitable, ec));
    co_return !ec;
}

Task<std::size_t> TimedSocket::read_some(std::span<char> into) {
    error_code ec;
    std::size_t size = 0;
    auto const buffer = asio::buffer(into.data(), into.size());
    if (state_->tls && !state_->tls_ended) {
        size = co_await state_->tls->async_read_some(buffer,
                                                     asio::redirect_error(asio::use_awaitable, ec));
    } else {
        size = co_await state_->socket.async_read_some(
            buffer, asio::redirect_error(asio::use_awaitable, ec));
    }
    co_return ec ? 0 : size;
}

Task<bool> TimedSocket::write(std::string_view head, std::string_view body) {
    std::array<asio::const_buffer, 2> const buffers{asio::buffer(head), asio::buffer(body)};
    error_code ec;
    if (state_->tls) {
        co_await asio::async_write(*state_->tls, buffers,
                                   asio::redirect_error(asio::use_awaitable, ec));
    } else {
        co_await asio::async_write(state_->socket, buffers,
                                   asio::redirect_error(asio::use_awaitable, ec));
    }
    co_return !ec;
}

Task<void> TimedSocket::ignore_input(std::size_t most_bytes) {
    std::array<char, 4096> ignored{};
    for (std::size_t total = 0; total < most_bytes;) {
        auto const size = co_await read_some(ignored);
        if (size == 0) break;
        total += size;
    }
}

void TimedSocket::cancel() {
    error_code ignored;  // fails only where the socket is closed, and nothing is waiting then
    state_->socket.cancel(ignored);
}

Task<void> TimedSocket::end_output() {
    error_code ignored;  // fails only where the other end has gone
    if (state_->tls) {
        co_await state_->tls->async_shutdown(asio::redirect_error(asio::use_awaitable, ignored));
        state_->tls_ended = true;
    }
    state_->socket.shutdown(tcp::socket::shutdown_send, ignored);
}

bool TimedSocket::is_secured() const {
    return state_->tls.has_value();
}

std::string TimedSocket::peer() const {
    error_code ec;
    auto const endpoint = state_->socket.remote_endpoint(ec);
    if (ec) return {};
    auto const address = endpoint.address();
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
        return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
    }
    return address.to_string();
}

}  // namespace sycee
