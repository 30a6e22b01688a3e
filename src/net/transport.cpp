#include "transport.hpp"

#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/finish_within.hpp>

#include "connect.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>

#include <utility>

namespace sycee {
namespace {
namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using boost::system::error_code;

template <class Stream>
class StreamTransport final : public Transport {
  public:
    template <class... Arguments>
    explicit StreamTransport(Arguments&&... arguments)
        : stream_(std::forward<Arguments>(arguments)...) {}

    Task<std::size_t> read_some(std::span<char> into) override {
        error_code ec;
        auto const size = co_await stream_.async_read_some(
            asio::buffer(into.data(), into.size()), asio::redirect_error(asio::use_awaitable, ec));
        if (ec && ec != asio::error::eof) throw boost::system::system_error(ec);
        co_return size;
    }

    Task<void> write(std::string_view text) override {
        co_await asio::async_write(stream_, asio::buffer(text), asio::use_awaitable);
    }

    Stream& stream() { return stream_; }

  private:
    Stream stream_;
};

Task<std::unique_ptr<Transport>> open(Url const& url, asio::ssl::context* tls,
                                      std::chrono::milliseconds limit,
                                      AddressFilter allow_address) {
    auto socket = co_await connect_tcp(url, limit, std::move(allow_address));
    if (tls == nullptr) {
        co_return std::make_unique<StreamTransport<tcp::socket>>(std::move(socket));
    }
    auto secured = std::make_unique<StreamTransport<TlsStream>>(std::move(socket), *tls);
    co_await shake_tls_hands(secured->stream(), url);
    co_return secured;
}

}  // namespace

Task<std::unique_ptr<Transport>> open_transport(Url const& url, asio::ssl::context* tls,
                                                std::chrono::milliseconds limit,
                                                AddressFilter allow_address) {
    auto attempt = open(url, tls, limit, std::move(allow_address));
    auto transport = co_await result_within(limit, std::move(attempt));
    if (!transport) throw Unavailable("no connection in time");
    co_return std::move(*transport);
}

}  // namespace sycee
