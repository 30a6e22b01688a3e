#include "problem.hpp"

#include <nlohmann/json.hpp>

namespace sycee {
namespace {

constexpr std::size_t kMostNameBytes = 100;
constexpr std::size_t kMostErrors = 20;

std::string escaped(std::string_view name) {
    std::string text;
    for (char const c : name) {
        if (c == '~') {
            text += "~0";
        } else if (c == '/') {
            text += "~1";
        } else {
            text += c;
        }
    }
    return text;
}

}  // namespace

FieldError body_error(std::vector<std::string_view> const& path, std::string detail) {
    FieldError error{.field = "", .pointer = "", .detail = std::move(detail)};
    for (auto const whole : path) {
        auto const name = whole.substr(0, kMostNameBytes);
        if (!error.field.empty()) error.field += "/";
        error.field += name;
        *error.pointer += "/" + escaped(name);
    }
    return error;
}

Problem invalid_fields(std::vector<FieldError> errors) {
    std::string detail;
    if (errors.size() == 1) {
        auto const& only = errors.front();
        detail = only.field.empty() ? only.detail : only.field + ": " + only.detail;
    } else {
        detail = std::to_string(errors.size()) + " fields are wrong.";
    }
    if (errors.size() > kMostErrors) errors.resize(kMostErrors);
    return {.kind = kInvalidRequest, .detail = std::move(detail), .errors = std::move(errors)};
}

Problem invalid_field(std::string_view name, std::string detail) {
    return invalid_fields({body_error({name}, std::move(detail))});
}

HttpResponse problem_response(Problem const& problem, std::string const& request_id) {
    nlohmann::ordered_json json;
    json["type"] = "urn:sycee:problem:" + std::string(problem.kind.code);
    json["title"] = problem.kind.title;
    json["status"] = problem.kind.status;
    json["detail"] = problem.detail;
    json["code"] = problem.kind.code;
    json["request_id"] = request_id;
    for (auto const& error : problem.errors) {
        nlohmann::ordered_json entry;
        entry["field"] = error.field;
        if (error.pointer) entry["pointer"] = *error.pointer;
        entry["detail"] = error.detail;
        json["errors"].push_back(std::move(entry));
    }
    // What is quoted from the request may have been cut inside a character.
    auto response =
        text_response(problem.kind.status, "application/problem+json",
                      json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    for (auto const& [name, value] : problem.headers)
        response.with(name, value);
    return response;
}

}  // namespace sycee
