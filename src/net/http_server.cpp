#include <sycee/base/ascii.hpp>
#include <sycee/net/client_address.hpp>
#include <sycee/net/http_server.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/finish_within.hpp>
#include <sycee/runtime/log.hpp>
#include <sycee/runtime/task_group.hpp>

#include "event_stream.hpp"
#include "request_guard.hpp"
#include "response_text.hpp"
#include "timed_socket.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <iterator>
#include <list>
#include <stdexcept>

namespace sycee {
namespace {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;
using Parser = http::request_parser<http::string_body>;

constexpr std::size_t kReadSize = 4096;
// How much, and for how long, a refused client may go on sending before its connection is reset.
constexpr std::size_t kLingerBytes = std::size_t{256} * 1024;
constexpr std::chrono::seconds kLingerTime{2};
// That were closed for others and have not ended yet.
constexpr std::size_t kMostLeaving = 64;
constexpr char const* kAlwaysSecured = "max-age=31536000";  // RFC 6797: for a year
constexpr std::chrono::milliseconds kFirstAcceptPause{10};
constexpr std::chrono::milliseconds kMostAcceptPause{1'000};

class Connection;

struct Service {
    HttpServerLimits limits;
    HttpHandler handler;
    std::vector<std::string> trusted_proxies;
    std::shared_ptr<ServerTls const> tls;
    bool draining = false;
    std::list<Connection*> connections;
    std::list<Connection*> waiting;  // for their clients; the longest first
    std::size_t leaving = 0;         // that were closed for others, and have not ended yet
};

enum class Read { complete, closed, refused };

class Connection {
  public:
    Connection(Service& service, tcp::socket socket);
    Connection(Connection const&) = delete;
    Connection& operator=(Connection const&) = delete;
    ~Connection();

    Task<void> run();
    // Ends what would not end by itself: the wait for a next request, a stream.
    void stop();
    // Ends it, whatever its client is at.
    void give_way();

  private:
    // From here on it is the client's turn to read or write, or no more.
    void wait_for_client();
    void keep_client();

    Task<bool> serve_one();
    Task<Read> read_header(Parser& parser, HttpRequest& request);
    Task<Read> wait_for_header();
    Task<Read> read_body(Parser& parser, HttpRequest& request);
    Task<bool> read_more();
    Task<HttpResponse> call_handler(HttpRequest const& request);
    Task<bool> respond(HttpResponse const& response, bool head_only, bool http_1_1, bool keep);
    Task<void> explain_and_linger();
    Read refuse_with(unsigned status);

    std::string_view received() const {
        auto const data = buffer_.cdata();
        return {static_cast<char const*>(data.data()), data.size()};
    }

    Service& service_;
    std::list<Connection*>::iterator place_;
    TimedSocket socket_;
    std::string peer_;
    beast::flat_buffer buffer_;
    std::size_t header_size_ = 0;
    unsigned refusal_ = 0;
    bool idle_ = false;
    bool waits_ = false;
    bool leaves_ = false;
    std::list<Connection*>::iterator waiting_place_;  // while it waits
    EventStream* streaming_ = nullptr;
};

Connection::Connection(Service& service, tcp::socket socket)
    : service_(service),
      place_(service.connections.insert(service.connections.end(), this)),
      socket_(std::move(socket), service.tls ? service.tls->context() : nullptr),
      peer_(socket_.peer()) {}

Connection::~Connection() {
    keep_client();
    if (leaves_) --service_.leaving;
    service_.connections.erase(place_);
}

void Connection::wait_for_client() {
    if (leaves_) return;
    keep_client();
    waiting_place_ = service_.waiting.insert(service_.waiting.end(), this);
    waits_ = true;
}

void Connection::keep_client() {
    if (waits_) service_.waiting.erase(waiting_place_);
    waits_ = false;
}

void Connection::give_way() {
    keep_client();
    leaves_ = true;
    ++service_.leaving;
    socket_.close();
}

void Connection::stop() {
    if (idle_) socket_.cancel();
    if (streaming_ != nullptr) streaming_->stop();
}

Task<void> Connection::run() {
    socket_.close_after(service_.limits.read_time);
    wait_for_client();
    if (!co_await socket_.shake_hands()) co_return;
    while (!leaves_ && co_await serve_one()) {
    }
    if (leaves_) co_return;
    if (refusal_ != 0) co_return co_await explain_and_linger();
    if (!socket_.is_secured()) co_return;
    // So that the client knows that what it has is all.
    socket_.close_after(kLingerTime);
    co_await socket_.end_output();
}

Read Connection::refuse_with(unsigned status) {
    refusal_ = status;
    return Read::refused;
}

Task<bool> Connection::read_more() {
    auto const room = buffer_.prepare(kReadSize);
    std::span<char> const into(static_cast<char*>(room.data()), room.size());
    auto const size = co_await socket_.read_some(into);
    buffer_.commit(size);
    co_return size != 0;
}

// Leaves the size of the header, with its empty line, in header_size_.
Task<Read> Connection::wait_for_header() {
    if (buffer_.size() == 0) {
        if (service_.draining) co_return Read::closed;
        idle_ = true;
        socket_.close_after(service_.limits.idle_time);
        bool const more = co_await read_more();
        idle_ = false;
        if (!more) co_return Read::closed;
    }
    socket_.close_after(service_.limits.read_time);
    HeaderScanner scanner;
    for (;;) {
        auto const found = scanner.scan(received());
        header_size_ = scanner.size();
        if (header_size_ > service_.limits.header_bytes) co_return refuse_with(431);
        if (found == HeaderScan::malformed) co_return refuse_with(400);
        if (found == HeaderScan::complete) co_return Read::complete;
        if (!co_await read_more()) co_return Read::closed;
    }
}

unsigned status_of(error_code ec) {
    if (ec == http::error::body_limit) return 413;
    if (ec == http::error::header_limit) return 431;
    return 400;
}

HttpHeaders headers_of(Parser const& parser) {
    HttpHeaders headers;
    for (auto const& field : parser.get()) {
        auto const name = field.name_string();
        auto const value = field.value();
        headers.emplace_back(lower_case(std::string_view(name.data(), name.size())),
                             std::string(value.data(), value.size()));
    }
    return headers;
}

Result<HttpRequest> to_request(Parser const& parser) {
    auto const& message = parser.get();
    if (message.version() != 10 && message.version() != 11) return refuse("version", "is unknown");
    HttpRequest request;
    request.headers = headers_of(parser);
    if (auto framed = check_framing(request.headers, message.version() == 11); !framed) {
        return std::unexpected(framed.error());
    }
    request.target = std::string(message.target().data(), message.target().size());
    auto target = parse_target(request.target);
    if (!target) return std::unexpected(target.error());
    request.path = std::move(target->path);
    request.query = std::move(target->query);
    request.method = std::string(message.method_string().data(), message.method_string().size());
    return request;
}

Task<Read> Connection::read_header(Parser& parser, HttpRequest& request) {
    auto const waited = co_await wait_for_header();
    if (waited != Read::complete) co_return waited;
    parser.header_limit(static_cast<std::uint32_t>(service_.limits.header_bytes));
    parser.body_limit(service_.limits.body_bytes);
    error_code ec;
    buffer_.consume(parser.put(asio::buffer(buffer_.cdata(), header_size_), ec));
    if (ec) co_return refuse_with(status_of(ec));
    if (!parser.is_header_done()) co_return refuse_with(400);
    auto parsed = to_request(parser);
    if (!parsed) {
        log_debug("net", "a request is refused", {{"reason", to_string(parsed.error())}});
        co_return refuse_with(400);
    }
    request = std::move(*parsed);
    co_return Read::complete;
}

Task<Read> Connection::read_body(Parser& parser, HttpRequest& request) {
    auto const expected = lower_case(request.header("expect"));
    if (!expected.empty() && expected != "100-continue") co_return refuse_with(417);
    if (!parser.is_done() && !expected.empty() && parser.get().version() == 11) {
        if (!co_await socket_.write("HTTP/1.1 100 Continue\r\n\r\n")) co_return Read::closed;
    }
    // Extensions of chunks and fields after the last one have no use here, and are a way to
    // smuggle.
    auto refuse_extensions = [](std::uint64_t, beast::string_view extensions, error_code& error) {
        if (!extensions.empty()) error = http::error::bad_chunk_extension;
    };
    if (!parser.is_done()) parser.on_chunk_header(refuse_extensions);
    for (bool wants_more = false; !parser.is_done();) {
        // What waits here unparsed is the head of one chunk.
        if (wants_more && buffer_.size() > service_.limits.header_bytes) co_return refuse_with(400);
        if ((wants_more || buffer_.size() == 0) && !co_await read_more()) co_return Read::closed;
        error_code ec;
        auto const used = parser.put(buffer_.cdata(), ec);
        buffer_.consume(used);
        if (ec && ec != http::error::need_more) co_return refuse_with(status_of(ec));
        wants_more = ec || used == 0;
    }
    auto const fields = std::distance(parser.get().begin(), parser.get().end());
    if (static_cast<std::size_t>(fields) != request.headers.size()) co_return refuse_with(400);
    request.body = std::move(parser.get().body());
    co_return Read::complete;
}

// True when the connection can carry a next request.
Task<bool> Connection::serve_one() {
    Parser parser;
    HttpRequest request;
    wait_for_client();
    if (co_await read_header(parser, request) != Read::complete) co_return false;
    if (co_await read_body(parser, request) != Read::complete) co_return false;
    socket_.keep_open();
    keep_client();
    request.peer = client_address(peer_, request.headers, service_.trusted_proxies);
    bool const head_only = request.method == "HEAD";
    if (head_only) request.method = "GET";
    auto const response = co_await call_handler(request);
    bool const keep = parser.keep_alive() && !service_.draining;
    co_return co_await respond(response, head_only, parser.get().version() == 11, keep);
}

Task<HttpResponse> Connection::call_handler(HttpRequest const& request) {
    std::exception_ptr error;
    try {
        auto work = service_.handler(request);
        auto answer = co_await result_within(service_.limits.handler_time, std::move(work));
        if (!answer) throw Unavailable("the handler took too long");
        auto const checked = check_response(*answer);
        if (!checked) throw std::runtime_error("response: " + to_string(checked.error()));
        if (socket_.is_secured()) answer->with("strict-transport-security", kAlwaysSecured);
        co_return std::move(*answer);
    } catch (...) {
        error = std::current_exception();
    }
    // The failure may only be how the handler took the cancellation of this connection.
    auto const cancellation = co_await asio::this_coro::cancellation_state;
    if (cancellation.cancelled() != asio::cancellation_type::none) std::rethrow_exception(error);
    co_return failure_response(request, error);
}

Task<bool> Connection::respond(HttpResponse const& response, bool head_only, bool http_1_1,
                               bool keep) {
    bool const streams = static_cast<bool>(response.stream);
    bool const stays = keep && !(streams && !head_only);
    auto framing = BodyFraming::length;
    if (streams) framing = http_1_1 ? BodyFraming::chunked : BodyFraming::until_close;
    auto const head =
        response_head(response, framing, stays ? (http_1_1 ? "" : "keep-alive") : "close");
    bool const bodiless = streams || head_only || has_no_body(response.status);
    socket_.close_after(service_.limits.write_time);
    wait_for_client();
    std::string_view const body = bodiless ? std::string_view{} : response.body;
    if (!co_await socket_.write(head, body)) co_return false;
    socket_.keep_open();
    if (!streams || head_only) co_return stays;
    keep_client();
    EventStream stream(socket_, service_.limits, http_1_1);
    streaming_ = &stream;
    if (!service_.draining) co_await stream.run(response);
    streaming_ = nullptr;
    co_await stream.finish();
    co_return false;
}

// A close with unread bytes resets the connection, and the client would not see why it was refused.
Task<void> Connection::explain_and_linger() {
    auto const response = problem_response(refusal_);
    co_await respond(response, false, true, false);
    socket_.close_after(kLingerTime);
    co_await socket_.end_output();
    co_await socket_.ignore_input(kLingerBytes);
}

}  // namespace

struct HttpServer::State {
    State(Executor executor, HttpServerLimits limits, HttpHandler handler,
          std::vector<std::string> trusted_proxies, std::shared_ptr<ServerTls const> tls)
        : service{.limits = limits,
                  .handler = std::move(handler),
                  .trusted_proxies = std::move(trusted_proxies),
                  .tls = std::move(tls)},
          acceptor(executor),
          sessions(std::move(executor), limits.connections + kMostLeaving) {}

    void listen(std::string const& address, std::uint16_t wanted);
    void admit(std::shared_ptr<State> const& self, tcp::socket socket);
    bool make_room();

    Service service;
    tcp::acceptor acceptor;
    std::uint16_t port = 0;
    TaskGroup sessions;
};

void HttpServer::State::listen(std::string const& address, std::uint16_t wanted) {
    error_code ec;
    tcp::endpoint const endpoint(asio::ip::make_address(address, ec), wanted);
    if (!ec) acceptor.open(endpoint.protocol(), ec);
    if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
    if (!ec) acceptor.bind(endpoint, ec);
    if (!ec) acceptor.listen(asio::socket_base::max_listen_connections, ec);
    if (!ec) port = acceptor.local_endpoint(ec).port();
    if (!ec) return;
    throw std::runtime_error("can't listen on " + address + " port " + std::to_string(wanted) +
                             ": " + ec.message());
}

bool HttpServer::State::make_room() {
    if (service.connections.size() - service.leaving < service.limits.connections) return true;
    if (service.waiting.empty() || service.leaving >= kMostLeaving) return false;
    service.waiting.front()->give_way();
    return true;
}

void HttpServer::State::admit(std::shared_ptr<State> const& self, tcp::socket socket) {
    auto const serve = [](std::shared_ptr<State> state, tcp::socket accepted) -> Task<void> {
        Connection connection(state->service, std::move(accepted));
        co_await connection.run();
    };
    error_code ec;
    socket.set_option(tcp::no_delay(true), ec);
    if (ec) return;  // the client has gone already
    // Where there is no room, the socket is closed with the task that it was given to.
    if (!make_room() || !sessions.spawn("http connection", serve(self, std::move(socket)))) {
        log_debug("net", "a connection is refused: too many", {});
    }
}

HttpServer::HttpServer(Executor executor, std::string const& address, std::uint16_t port,
                       HttpServerLimits limits, HttpHandler handler,
                       std::vector<std::string> trusted_proxies,
                       std::shared_ptr<ServerTls const> tls)
    : state_(std::make_shared<State>(std::move(executor), limits, std::move(handler),
                                     std::move(trusted_proxies), std::move(tls))) {
    state_->listen(address, port);
}

HttpServer::~HttpServer() = default;

std::uint16_t HttpServer::port() const {
    return state_->port;
}

Task<void> HttpServer::run() {
    // Whatever ends this task: who connects from then on is told so by the system.
    struct Closing {
        std::shared_ptr<State> state;
        ~Closing() {
            error_code ignored;
            state->acceptor.close(ignored);
        }
    };
    Closing const closing{state_};
    auto* const state = closing.state.get();
    SystemClock clock;
    Backoff pause(kFirstAcceptPause, kMostAcceptPause);
    for (;;) {
        error_code ec;
        auto socket =
            co_await state->acceptor.async_accept(asio::redirect_error(asio::use_awaitable, ec));
        if (ec == asio::error::operation_aborted || ec == asio::error::bad_descriptor) break;
        if (!ec) {
            pause.reset();
            state->admit(closing.state, std::move(socket));
            continue;
        }
        // Too many open files, most likely: accepting at once would only spin.
        log_warning("net", "a connection can't be accepted", {{"error", ec.message()}});
        co_await clock.sleep_for(pause.next());
    }
}

Task<void> HttpServer::drain(std::chrono::milliseconds grace) {
    auto const state = state_;
    state->service.draining = true;
    for (auto* connection : state->service.connections)
        connection->stop();
    co_await state->sessions.join(grace);
}

}  // namespace sycee
