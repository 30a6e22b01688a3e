#include "connect.hpp"

#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/finish_within.hpp>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <string_view>
#include <vector>

namespace sycee {
namespace {
namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using boost::system::error_code;
using boost::system::system_error;

constexpr std::size_t kMostAddresses = 8;

// Outlives the task that waits: the resolver asks the system in a thread of its own that nothing
// can interrupt, and a task that was cancelled does not wait for it.
struct Lookup {
    explicit Lookup(Executor const& executor) : resolver(executor), done(executor) {}

    tcp::resolver resolver;
    Notifier done;
    error_code error;
    std::vector<tcp::endpoint> endpoints;
};

Task<std::vector<tcp::endpoint>> resolve(Url const& url, std::chrono::milliseconds limit) {
    error_code not_an_address;
    auto const address = asio::ip::make_address(url.host, not_an_address);
    if (!not_an_address) co_return std::vector{tcp::endpoint(address, url.port)};

    auto const lookup = std::make_shared<Lookup>(co_await asio::this_coro::executor);
    auto const on_answer = [lookup](error_code error, tcp::resolver::results_type const& results) {
        lookup->error = error;
        for (auto const& entry : results)
            lookup->endpoints.push_back(entry.endpoint());
        lookup->done.notify();
    };
    lookup->resolver.async_resolve(url.host, std::to_string(url.port), on_answer);
    co_await lookup->done.wait_after(0, limit);
    if (lookup->done.generation() == 0) throw Unavailable("the host name was not resolved in time");
    if (lookup->error) throw Unavailable("host name: " + lookup->error.message());
    if (lookup->endpoints.size() > kMostAddresses) lookup->endpoints.resize(kMostAddresses);
    co_return lookup->endpoints;
}

Task<void> connect_one(tcp::socket& socket, tcp::endpoint endpoint, error_code& ec) {
    co_await socket.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, ec));
}

bool is_ip_address(std::string const& host) {
    error_code ec;
    asio::ip::make_address(host, ec);
    return !ec;
}

}  // namespace

Task<tcp::socket> connect_tcp(Url const& url, std::chrono::milliseconds limit,
                              AddressFilter allow_address) {
    using std::chrono::steady_clock;
    auto const deadline = steady_clock::now() + limit;
    auto const executor = co_await asio::this_coro::executor;
    auto const endpoints = co_await resolve(url, limit);
    std::string reason = "the host name has no address";
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
        auto const left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
        auto const share = std::max(left, std::chrono::milliseconds{0}) / (endpoints.size() - i);
        if (allow_address && !allow_address(endpoints[i].address().to_string())) {
            reason = "the host's address is not allowed";
            continue;
        }
        tcp::socket socket(executor);
        error_code ec;
        auto attempt = connect_one(socket, endpoints[i], ec);
        bool const finished = co_await finish_within(share, std::move(attempt));
        if (finished && !ec) socket.set_option(tcp::no_delay(true), ec);
        if (finished && !ec) co_return socket;
        reason = finished ? ec.message() : "no connection in time";
    }
    throw Unavailable(reason);
}

std::unique_ptr<asio::ssl::context> make_tls_context(Url const& url) {
    if (!url.secure()) return nullptr;
    auto context = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_client);
    context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                         asio::ssl::context::no_tlsv1_1);
    context->set_default_verify_paths();
    context->set_verify_mode(asio::ssl::verify_peer);
    return context;
}

Task<void> shake_tls_hands(TlsStream& stream, Url const& url) {
    stream.set_verify_callback(asio::ssl::host_name_verification(url.host));
    // The macro of OpenSSL casts away const.
    std::string name = url.host;
    if (!is_ip_address(name) && SSL_ctrl(stream.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME,
                                         TLSEXT_NAMETYPE_host_name, name.data()) != 1) {
        throw Unavailable("the host name does not fit TLS");
    }
    co_await stream.async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
}

std::string host_header(Url const& url) {
    auto const origin = url.origin();
    return origin.substr(origin.find("://") + 3);
}

Task<void> throw_as_unavailable(Url const& url, std::exception_ptr error) {
    // Where this task was cancelled, awaiting this function has thrown that already.
    try {
        std::rethrow_exception(error);
    } catch (Overloaded const&) {
        throw;
    } catch (AnswerOverLimit const& failure) {
        throw AnswerOverLimit(url.origin() + ": " + failure.what());
    } catch (Unavailable const& failure) {
        throw Unavailable(url.origin() + ": " + failure.what());
    } catch (system_error const& failure) {
        throw Unavailable(url.origin() + ": " + failure.code().message());
    }
    co_return;
}

}  // namespace sycee
