#include <sycee/base/ascii.hpp>
#include <sycee/base/assert.hpp>
#include <sycee/net/http_client.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/finish_within.hpp>

#include "connect.hpp"
#include "response_text.hpp"
#include "transport.hpp"
#include "turns.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <optional>
#include <span>
#include <utility>

namespace sycee {
namespace {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using boost::system::system_error;
using Parser = http::response_parser<http::string_body>;

constexpr std::size_t kReadSize = std::size_t{16} * 1024;
constexpr std::uint32_t kMostHeaderBytes = 32 * 1024;

// Reads the answer to one request.
class AnswerReader {
  public:
    AnswerReader(Transport& transport, std::size_t most_bytes)
        : transport_(transport), most_bytes_(most_bytes) {}

    Task<HttpAnswer> read();
    bool started() const { return started_; }
    // The connection is at the beginning of a next answer.
    bool can_be_kept() const { return keep_; }

  private:
    Task<void> read_message(Parser& parser);
    void parse(Parser& parser);

    Transport& transport_;
    std::size_t most_bytes_;
    beast::flat_buffer buffer_;
    bool started_ = false;
    bool keep_ = false;
};

// Takes what it can use of the buffer.
void AnswerReader::parse(Parser& parser) {
    error_code ec;
    buffer_.consume(parser.put(buffer_.cdata(), ec));
    if (!ec || ec == http::error::need_more) return;
    if (ec == http::error::body_limit) throw AnswerOverLimit("the answer is too large");
    throw Unavailable("the answer is not valid HTTP: " + ec.message());
}

Task<void> AnswerReader::read_message(Parser& parser) {
    parser.eager(true);
    parser.header_limit(kMostHeaderBytes);
    parser.body_limit(most_bytes_);
    if (buffer_.size() != 0) parse(parser);
    while (!parser.is_done()) {
        // What waits unparsed is a header, or the head of a chunk.
        if (buffer_.size() > kMostHeaderBytes)
            throw Unavailable("the answer's header is too large");
        auto const room = buffer_.prepare(kReadSize);
        std::span<char> const into(static_cast<char*>(room.data()), room.size());
        auto const size = co_await transport_.read_some(into);
        if (size == 0) {
            if (!started_) throw system_error(asio::error::eof);
            error_code ec;
            parser.put_eof(ec);
            if (ec) throw Unavailable("the answer was cut off");
            co_return;
        }
        started_ = true;
        buffer_.commit(size);
        parse(parser);
    }
}

// The length of an answer with any other coding can't be known.
void check_coding(HttpHeaders const& headers) {
    for (auto const& [name, value] : headers) {
        if (name == "transfer-encoding" && lower_case(value) != "chunked") {
            throw Unavailable("the answer has an unknown transfer coding");
        }
    }
}

Task<HttpAnswer> AnswerReader::read() {
    std::optional<Parser> parser;
    do {
        parser.emplace();
        co_await read_message(*parser);
    } while (parser->get().result_int() / 100 == 1 && parser->get().result_int() != 101);

    auto& message = parser->get();
    HttpAnswer answer;
    answer.status = message.result_int();
    if (answer.status < 200) throw Unavailable("the answer is for another protocol");
    for (auto const& field : message) {
        auto const name = field.name_string();
        auto const value = field.value();
        answer.headers.emplace_back(lower_case(std::string_view(name.data(), name.size())),
                                    std::string(value.data(), value.size()));
    }
    check_coding(answer.headers);
    answer.body = std::move(message.body());
    keep_ = parser->keep_alive() && buffer_.size() == 0;
    co_return answer;
}

std::string request_head(std::string const& method, Url const& url, HttpHeaders const& headers) {
    std::string text =
        method + " " + url.target + " HTTP/1.1\r\nhost: " + host_header(url) + "\r\n";
    for (auto const& [name, value] : headers) {
        ensure(is_token(name) && is_field_value(value), "http client: a header breaks its line");
        auto const lower = lower_case(name);
        ensure(lower != "host" && lower != "content-length" && lower != "transfer-encoding",
               "http client: a header is for the client to set");
        text.append(name).append(": ").append(value).append("\r\n");
    }
    return text;
}

}  // namespace

struct HttpClient::State {
    State(Executor executor, Url u, HttpClientLimits l)
        : url(std::move(u)),
          limits(std::move(l)),
          tls(make_tls_context(url)),
          turns(std::move(executor)) {}

    // As HttpClient::post says.
    Task<HttpAnswer> send(std::string request);
    Task<HttpAnswer> call(std::string const& request);
    Task<std::optional<HttpAnswer>> call_on_kept(std::string const& request);
    Task<HttpAnswer> exchange(std::unique_ptr<Transport> transport, std::string const& request,
                              bool& started);

    Url url;
    HttpClientLimits limits;
    std::unique_ptr<asio::ssl::context> tls;
    Turns turns;
    std::unique_ptr<Transport> kept;
};

// The connection is kept only when all went well.
Task<HttpAnswer> HttpClient::State::exchange(std::unique_ptr<Transport> transport,
                                             std::string const& request, bool& started) {
    co_await transport->write(request);
    AnswerReader reader(*transport, limits.answer_bytes);
    std::exception_ptr error;
    try {
        auto answer = co_await reader.read();
        started = true;
        if (reader.can_be_kept()) kept = std::move(transport);
        co_return answer;
    } catch (...) {
        error = std::current_exception();
    }
    started = reader.started();
    std::rethrow_exception(error);
}

// Nothing when the other end had closed the connection before it saw the request.
Task<std::optional<HttpAnswer>> HttpClient::State::call_on_kept(std::string const& request) {
    bool started = false;
    try {
        co_return co_await exchange(std::move(kept), request, started);
    } catch (system_error const& failure) {
        if (started || failure.code() == asio::error::operation_aborted) throw;
    }
    co_return std::nullopt;
}

Task<HttpAnswer> HttpClient::State::call(std::string const& request) {
    Turns::Turn turn(turns);
    co_await turn.begin();
    if (kept) {
        auto answer = co_await call_on_kept(request);
        if (answer) co_return std::move(*answer);
    }
    auto transport =
        co_await open_transport(url, tls.get(), limits.connect_time, limits.allow_address);
    bool started = false;
    co_return co_await exchange(std::move(transport), request, started);
}

HttpClient::HttpClient(Executor executor, Url origin, HttpClientLimits limits)
    : state_(std::make_unique<State>(std::move(executor), std::move(origin), std::move(limits))) {}

HttpClient::~HttpClient() = default;

Task<HttpAnswer> HttpClient::State::send(std::string request) {
    std::exception_ptr error;
    try {
        auto exchanged = call(request);
        auto answer = co_await result_within(limits.total_time, std::move(exchanged));
        if (!answer) throw AnswerOverLimit("no answer in time");
        co_return std::move(*answer);
    } catch (...) {
        error = std::current_exception();
    }
    co_await throw_as_unavailable(url, error);
    std::unreachable();
}

Task<HttpAnswer> HttpClient::post(HttpHeaders headers, std::string body) {
    std::string request = request_head("POST", state_->url, headers) +
                          "content-length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    return state_->send(std::move(request));
}

Task<HttpAnswer> HttpClient::get(HttpHeaders headers) {
    std::string request = request_head("GET", state_->url, headers) + "\r\n";
    return state_->send(std::move(request));
}

}  // namespace sycee
