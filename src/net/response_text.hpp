#pragma once

#include <sycee/base/result.hpp>
#include <sycee/net/http_message.hpp>

#include <exception>
#include <string>
#include <string_view>

namespace sycee {

enum class BodyFraming { length, chunked, until_close };

// A name or value that would break out of its line, or that the server itself sets.
Result<void> check_response(HttpResponse const& response);
bool is_token(std::string_view name);
bool is_field_value(std::string_view value);

bool has_no_body(unsigned status);

// Status line and headers with the empty line. `connection` is what that header says, if anything.
std::string response_head(HttpResponse const& response, BodyFraming framing,
                          std::string_view connection);

// RFC 9457, without a detail.
HttpResponse problem_response(unsigned status);
// For what a handler threw, which goes to the log.
HttpResponse failure_response(HttpRequest const& request, std::exception_ptr const& error);

}  // namespace sycee
