#include "response_text.hpp"

#include <sycee/base/ascii.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>

#include <algorithm>
#include <array>

namespace sycee {
namespace {

struct Reason {
    unsigned status;
    std::string_view text;
};
constexpr std::array kReasons{
    Reason{200, "OK"},
    Reason{201, "Created"},
    Reason{202, "Accepted"},
    Reason{204, "No Content"},
    Reason{301, "Moved Permanently"},
    Reason{302, "Found"},
    Reason{303, "See Other"},
    Reason{304, "Not Modified"},
    Reason{307, "Temporary Redirect"},
    Reason{308, "Permanent Redirect"},
    Reason{400, "Bad Request"},
    Reason{401, "Unauthorized"},
    Reason{402, "Payment Required"},
    Reason{403, "Forbidden"},
    Reason{404, "Not Found"},
    Reason{405, "Method Not Allowed"},
    Reason{406, "Not Acceptable"},
    Reason{409, "Conflict"},
    Reason{410, "Gone"},
    Reason{413, "Content Too Large"},
    Reason{415, "Unsupported Media Type"},
    Reason{417, "Expectation Failed"},
    Reason{422, "Unprocessable Content"},
    Reason{429, "Too Many Requests"},
    Reason{431, "Request Header Fields Too Large"},
    Reason{500, "Internal Server Error"},
    Reason{501, "Not Implemented"},
    Reason{503, "Service Unavailable"},
};

std::string_view reason_of(unsigned status) {
    auto const found = std::ranges::find(kReasons, status, &Reason::status);
    return found == kReasons.end() ? std::string_view{} : found->text;
}

bool is_token_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").contains(c);
}

}  // namespace

bool is_token(std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, is_token_character);
}

bool is_field_value(std::string_view value) {
    return std::ranges::none_of(value, [](char c) {
        auto const byte = static_cast<unsigned char>(c);
        return (byte < 0x20 && c != '\t') || byte == 0x7f;
    });
}

Result<void> check_response(HttpResponse const& response) {
    if (response.status < 200 || response.status > 599) {
        return refuse("status", "is " + std::to_string(response.status));
    }
    for (auto const& [name, value] : response.headers) {
        if (!is_token(name) || !is_field_value(value)) return refuse(name, "is not a valid header");
        std::string const lower = lower_case(name);
        if (lower == "content-length" || lower == "transfer-encoding" || lower == "connection") {
            return refuse(name, "is for the server to set");
        }
    }
    return {};
}

bool has_no_body(unsigned status) {
    return status == 204 || status == 304;
}

std::string response_head(HttpResponse const& response, BodyFraming framing,
                          std::string_view connection) {
    std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
    head += reason_of(response.status);
    head += "\r\n";
    for (auto const& [name, value] : response.headers) {
        head.append(name).append(": ").append(value).append("\r\n");
    }
    if (framing == BodyFraming::chunked) {
        head += "transfer-encoding: chunked\r\n";
    } else if (framing == BodyFraming::length && !has_no_body(response.status)) {
        head += "content-length: " + std::to_string(response.body.size()) + "\r\n";
    }
    if (!connection.empty()) head.append("connection: ").append(connection).append("\r\n");
    return head + "\r\n";
}

HttpResponse problem_response(unsigned status) {
    std::string body = R"({"type":"about:blank","title":")";
    body.append(reason_of(status));
    body.append(R"(","status":)").append(std::to_string(status)).append("}");
    return text_response(status, "application/problem+json", std::move(body));
}

HttpResponse failure_response(HttpRequest const& request, std::exception_ptr const& error) {
    unsigned status = 500;
    std::string reason = "not an exception of ours";
    try {
        std::rethrow_exception(error);
    } catch (Unavailable const& failure) {
        status = 503;
        reason = failure.what();
    } catch (std::exception const& failure) {
        reason = failure.what();
    } catch (...) {
        status = 500;
    }
    log(status == 503 ? LogLevel::warning : LogLevel::error, "net", "a request failed",
        {{"method", request.method}, {"path", request.path}, {"error", reason}});
    auto response = problem_response(status);
    if (status == 503) response.with("retry-after", "1");
    return response;
}

}  // namespace sycee
