#pragma once

#include <sycee/base/result.hpp>
#include <sycee/net/http_message.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/task.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace sycee {

// A parsed http, https, ws or wss URL. User names and fragments are refused: a secret in a URL ends
// up in logs.
struct Url {
    std::string scheme;
    std::string host;
    std::uint16_t port = 0;
    std::string target;  // path and query, at least "/"

    bool secure() const { return scheme == "https" || scheme == "wss"; }
    // Without path and query, where providers put their API keys: for logs.
    std::string origin() const;
};
Result<Url> parse_url(std::string_view text);

struct HttpClientLimits {
    std::chrono::milliseconds connect_time{5'000};
    std::chrono::milliseconds total_time{15'000};  // from the call to the last byte
    std::size_t answer_bytes = std::size_t{16} * 1024 * 1024;
    // Asked for each resolved address right before connecting to it, since a host name may resolve
    // differently each time; an address that it refuses is not tried. Empty: all are allowed.
    std::function<bool(std::string const& ip)> allow_address;
};

struct HttpAnswer {
    unsigned status = 0;
    HttpHeaders headers;
    std::string body;
};

// An answer that was larger than `answer_bytes`, or not whole within `total_time`: a smaller
// question may get one.
class AnswerOverLimit : public Unavailable {
  public:
    using Unavailable::Unavailable;
};

// Requests to one origin. Keeps one connection alive between calls; calls of one client go one
// after the other (a second one waits). Follows no redirects. https verifies certificate and host
// name.
class HttpClient {
  public:
    HttpClient(Executor executor, Url origin, HttpClientLimits limits);
    HttpClient(HttpClient const&) = delete;
    HttpClient& operator=(HttpClient const&) = delete;
    ~HttpClient();

    // POSTs `body` to the URL's target. Throws Unavailable for anything that kept an answer from
    // coming: refused, reset, not HTTP; AnswerOverLimit where it was too slow or too large. Any
    // status is an answer.
    // A request on a kept connection that turns out to be closed is sent once more on a new one.
    Task<HttpAnswer> post(HttpHeaders headers, std::string body);
    // GETs the URL's target, in the same way.
    Task<HttpAnswer> get(HttpHeaders headers);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace sycee
