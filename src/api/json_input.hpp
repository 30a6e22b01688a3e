#pragma once

#include <sycee/net/http_message.hpp>

#include "problem.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <expected>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sycee {

// One JSON object and nothing behind it. Refused: what is not JSON in UTF-8, a name that comes
// twice (parsers differ in which one they believe), and nesting beyond eight.
std::expected<nlohmann::json, Problem> parse_json_object(std::string_view text);

// The object in a request's body, which must say that it is JSON, and not be compressed.
std::expected<nlohmann::json, Problem> read_json_body(HttpRequest const& request);

// Reads the fields of a body one by one and remembers everything that is wrong, so that the caller
// hears of all of it at once. An optional field that is null counts as left out, but for those that
// refuse_null() names.
class FieldReader {
  public:
    explicit FieldReader(nlohmann::json const& object) : object_(object) {}

    std::string required_text(std::string_view name, std::string_view example);
    std::optional<std::string> text(std::string_view name, std::string_view example);
    std::optional<std::int64_t> integer(std::string_view name);
    std::vector<std::pair<std::string, std::string>> texts(std::string_view name);
    std::optional<std::vector<std::string>> text_list(std::string_view name,
                                                      std::string_view example);
    std::optional<bool> boolean(std::string_view name);
    // Where a key may be null.
    std::vector<std::pair<std::string, std::optional<std::string>>> texts_or_null(
        std::string_view name);

    // For what must not be left out by mistake, such as an amount that then is all there is.
    void refuse_null(std::initializer_list<std::string_view> names);

    // What was wrong, and the fields that nobody has asked for. The last call.
    std::vector<FieldError> take_errors();

  private:
    // Nothing where the field was left out.
    nlohmann::json const* find(std::string_view name);

    nlohmann::json const& object_;
    std::vector<std::string_view> known_;
    std::vector<FieldError> errors_;
};

}  // namespace sycee
