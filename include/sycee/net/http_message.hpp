#pragma once

#include <sycee/runtime/task.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sycee {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
    std::string method;  // "GET"
    std::string target;  // as sent: "/v1/payments?limit=10"
    std::string path;    // percent-decoded; never with "..", a zero byte or an empty segment inside
    std::string query;   // as sent, without "?"
    HttpHeaders headers;  // names in lower case, in the order sent
    std::string body;
    std::string peer;  // the sender's IP address

    // The first header of that lower-case name, or "".
    std::string_view header(std::string_view name) const;
    // The first cookie of that name, or "".
    std::string_view cookie(std::string_view name) const;
};

// Where a streaming handler writes to. send() throws when the client has gone.
class HttpStream {
  public:
    virtual ~HttpStream() = default;
    virtual Task<void> send(std::string chunk) = 0;
};

struct HttpResponse {
    unsigned status = 200;
    HttpHeaders headers;
    std::string body;
    // If set, the body is what this writes (server-sent events): sent in chunks, and the connection
    // closes after it. It is cancelled when the server stops.
    std::function<Task<void>(HttpStream&)> stream;

    HttpResponse& with(std::string name, std::string value) {
        headers.emplace_back(std::move(name), std::move(value));
        return *this;
    }
};

HttpResponse text_response(unsigned status, std::string content_type, std::string body);
HttpResponse redirect(std::string location);  // 303 See Other

// Name and value pairs of a query string or of an application/x-www-form-urlencoded body, decoded.
// At most 100 pairs are read.
std::vector<std::pair<std::string, std::string>> parse_form(std::string_view text);
// The first value of that name, or "".
std::string form_value(std::vector<std::pair<std::string, std::string>> const& form,
                       std::string_view name);

}  // namespace sycee
