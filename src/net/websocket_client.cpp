#include <sycee/base/assert.hpp>
#include <sycee/net/websocket_client.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/finish_within.hpp>

#include "connect.hpp"
#include "turns.hpp"

#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <utility>

namespace sycee {
namespace {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using tcp = asio::ip::tcp;
using boost::system::error_code;

class Link {
  public:
    virtual ~Link() = default;
    virtual Task<void> shake_hands(Url const& url) = 0;
    virtual Task<void> write(std::string const& text) = 0;
    virtual Task<std::string> read() = 0;
    // Ends whatever another task awaits here.
    virtual void close() = 0;
};

Task<void> secure(tcp::socket& /*stream*/, Url const& /*url*/) {
    co_return;
}
Task<void> secure(TlsStream& stream, Url const& url) {
    co_await shake_tls_hands(stream, url);
}

// Without the compression of messages: nodes don't need it, and its memory is the sender's to
// spend.
template <class Stream>
class StreamLink final : public Link {
  public:
    template <class... Arguments>
    explicit StreamLink(WebSocketLimits const& limits, Arguments&&... arguments)
        : stream_(std::forward<Arguments>(arguments)...) {
        websocket::stream_base::timeout timeout{};
        timeout.handshake_timeout = limits.connect_time;
        timeout.idle_timeout = limits.idle_time;
        timeout.keep_alive_pings = true;
        stream_.set_option(timeout);
        stream_.read_message_max(limits.message_bytes);
        stream_.text(true);
    }

    Task<void> shake_hands(Url const& url) override {
        auto const host = host_header(url);
        co_await secure(stream_.next_layer(), url);
        co_await stream_.async_handshake(host, url.target, asio::use_awaitable);
    }

    Task<void> write(std::string const& text) override {
        co_await stream_.async_write(asio::buffer(text), asio::use_awaitable);
    }

    Task<std::string> read() override {
        beast::flat_buffer buffer;
        co_await stream_.async_read(buffer, asio::use_awaitable);
        if (!stream_.got_text()) throw Unavailable("a message is not text");
        auto const data = buffer.cdata();
        co_return std::string(static_cast<char const*>(data.data()), data.size());
    }

    void close() override {
        error_code ignored;  // the descriptor is released whatever close() says
        beast::get_lowest_layer(stream_).close(ignored);
    }

  private:
    websocket::stream<Stream, false> stream_;
};

}  // namespace

struct WebSocketClient::State {
    State(Executor executor, Url u, WebSocketLimits l)
        : url(std::move(u)), limits(l), tls(make_tls_context(url)), sends(std::move(executor)) {}

    std::shared_ptr<Link> current() const {
        if (!link) throw Unavailable("not connected");
        return link;
    }

    void drop(std::shared_ptr<Link> const& lost) {
        lost->close();
        if (link == lost) link.reset();
    }

    Task<void> open();
    Task<void> write(std::string const& text);

    Url url;
    WebSocketLimits limits;
    std::unique_ptr<asio::ssl::context> tls;
    Turns sends;
    std::shared_ptr<Link> link;
    bool receiving = false;
};

Task<void> WebSocketClient::State::open() {
    auto socket = co_await connect_tcp(url, limits.connect_time);
    std::shared_ptr<Link> opened;
    if (tls) {
        opened = std::make_shared<StreamLink<TlsStream>>(limits, std::move(socket), *tls);
    } else {
        opened = std::make_shared<StreamLink<tcp::socket>>(limits, std::move(socket));
    }
    co_await opened->shake_hands(url);
    link = std::move(opened);
}

Task<void> WebSocketClient::State::write(std::string const& text) {
    Turns::Turn turn(sends);
    co_await turn.begin();
    auto const used = current();
    std::exception_ptr error;
    try {
        co_await used->write(text);
        co_return;
    } catch (...) {
        error = std::current_exception();
    }
    // Part of the message may have been sent.
    drop(used);
    std::rethrow_exception(error);
}

WebSocketClient::WebSocketClient(Executor executor, Url url, WebSocketLimits limits)
    : state_(std::make_unique<State>(std::move(executor), std::move(url), limits)) {}

WebSocketClient::~WebSocketClient() {
    if (state_->link) state_->link->close();
}

Task<void> WebSocketClient::connect() {
    if (state_->link) state_->drop(state_->link);
    std::exception_ptr error;
    try {
        auto attempt = state_->open();
        if (co_await finish_within(state_->limits.connect_time, std::move(attempt))) co_return;
        throw Unavailable("no connection in time");
    } catch (...) {
        error = std::current_exception();
    }
    co_await throw_as_unavailable(state_->url, error);
}

Task<void> WebSocketClient::send(std::string text) {
    std::exception_ptr error;
    try {
        auto writing = state_->write(text);
        if (co_await finish_within(state_->limits.idle_time, std::move(writing))) co_return;
        throw Unavailable("a message can't be sent in time");
    } catch (...) {
        error = std::current_exception();
    }
    co_await throw_as_unavailable(state_->url, error);
}

// Needs no deadline here: the idle timeout ends it when the other end does not even answer pings.
Task<std::string> WebSocketClient::receive() {
    ensure(!state_->receiving, "websocket client: two tasks receive");
    std::shared_ptr<Link> used;
    std::exception_ptr error;
    state_->receiving = true;
    try {
        used = state_->current();
        auto text = co_await used->read();
        state_->receiving = false;
        co_return text;
    } catch (...) {
        error = std::current_exception();
    }
    state_->receiving = false;
    if (used) state_->drop(used);
    co_await throw_as_unavailable(state_->url, error);
    std::unreachable();
}

}  // namespace sycee
