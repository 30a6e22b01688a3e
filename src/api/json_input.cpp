#include "json_input.hpp"

#include <sycee/base/ascii.hpp>

#include "media_type.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>
#include <set>

namespace sycee {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kDeepest = 8;

struct Refused {
    Problem problem;
};

// Looks at the parser's events for what the parser itself lets through.
class StrictRules {
  public:
    bool look(std::size_t depth, Json::parse_event_t event, Json const& parsed) {
        switch (event) {
            case Json::parse_event_t::object_start:
                open(depth, false);
                break;
            case Json::parse_event_t::array_start:
                open(depth, true);
                break;
            case Json::parse_event_t::key:
                name(depth, parsed.get_ref<std::string const&>());
                break;
            case Json::parse_event_t::value:
                next_element(depth);
                break;
            default:
                break;
        }
        return true;
    }

  private:
    struct Level {
        bool is_array = false;
        std::size_t elements = 0;
        std::string current;  // the name or index of what is being read
        std::set<std::string> names;
    };

    void open(std::size_t depth, bool is_array) {
        if (depth >= kDeepest) {
            throw Refused{
                {.kind = kMalformedJson,
                 .detail = "The body nests deeper than " + std::to_string(kDeepest) + "."}};
        }
        next_element(depth);
        levels_.resize(depth);
        levels_.push_back({.is_array = is_array});
    }

    void next_element(std::size_t depth) {
        if (depth == 0 || !levels_[depth - 1].is_array) return;
        levels_[depth - 1].current = std::to_string(levels_[depth - 1].elements++);
    }

    void name(std::size_t depth, std::string const& text) {
        levels_.resize(depth);
        levels_.back().current = text;
        if (levels_.back().names.insert(text).second) return;
        std::vector<std::string_view> path;
        for (auto const& level : levels_)
            path.push_back(level.current);
        throw Refused{invalid_fields({body_error(path, "is given twice")})};
    }

    std::vector<Level> levels_;
};

// Compressed bodies are refused: a small one can become a very large one.
bool is_plain_json(HttpRequest const& request) {
    auto const encoding = request.header("content-encoding");
    return is_json_content_type(request.header("content-type")) &&
           (encoding.empty() || equal_ignoring_case(encoding, "identity"));
}

std::string must_be(std::string const& what, Json const& value) {
    return "must be " + what + ", not " + value.type_name();
}

}  // namespace

std::expected<Json, Problem> parse_json_object(std::string_view text) {
    StrictRules rules;
    auto const look = [&rules](int depth, Json::parse_event_t event, Json& parsed) {
        return rules.look(static_cast<std::size_t>(depth), event, parsed);
    };
    try {
        Json json = Json::parse(text, look);
        if (json.is_object()) return json;
        return std::unexpected(
            invalid_fields({body_error({}, "The body " + must_be("a JSON object", json) + ".")}));
    } catch (Refused& refused) {
        return std::unexpected(std::move(refused.problem));
    } catch (Json::parse_error const& error) {
        return std::unexpected(
            Problem{.kind = kMalformedJson,
                    .detail = "The body is not valid JSON in UTF-8: the error is at byte " +
                              std::to_string(error.byte) + "."});
    } catch (Json::exception const&) {
        return std::unexpected(
            Problem{.kind = kMalformedJson, .detail = "The body holds a number out of range."});
    }
}

std::expected<Json, Problem> read_json_body(HttpRequest const& request) {
    if (!is_plain_json(request)) {
        return std::unexpected(
            Problem{.kind = kUnsupportedMediaType,
                    .detail = "Send the body as application/json in UTF-8, not compressed."});
    }
    return parse_json_object(request.body);
}

Json const* FieldReader::find(std::string_view name) {
    known_.push_back(name);
    auto const found = object_.find(name);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
}

void FieldReader::refuse_null(std::initializer_list<std::string_view> names) {
    for (std::string_view const name : names) {
        auto const found = object_.find(name);
        if (found != object_.end() && found->is_null())
            errors_.push_back(body_error({name}, "must not be null; it may be left out"));
    }
}

std::string FieldReader::required_text(std::string_view name, std::string_view example) {
    auto const before = errors_.size();
    auto value = text(name, example);
    if (!value && errors_.size() == before) errors_.push_back(body_error({name}, "is required"));
    return std::move(value).value_or("");
}

std::optional<std::string> FieldReader::text(std::string_view name, std::string_view example) {
    Json const* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (value->is_string()) return value->get<std::string>();
    std::string const what = "given as a string such as \"" + std::string(example) + "\"";
    errors_.push_back(body_error({name}, must_be(what, *value)));
    return std::nullopt;
}

std::optional<std::int64_t> FieldReader::integer(std::string_view name) {
    Json const* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_number_integer()) {
        auto const what = value->is_number() ? "must be a whole number, without point or exponent"
                                             : must_be("a whole number", *value);
        errors_.push_back(body_error({name}, what));
        return std::nullopt;
    }
    constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (value->is_number_unsigned() && value->get<std::uint64_t>() > kLargest) {
        errors_.push_back(body_error({name}, "is too large"));
        return std::nullopt;
    }
    return value->get<std::int64_t>();
}

std::vector<std::pair<std::string, std::string>> FieldReader::texts(std::string_view name) {
    std::vector<std::pair<std::string, std::string>> texts;
    for (auto& [key, text] : texts_or_null(name)) {
        if (text) {
            texts.emplace_back(key, std::move(*text));
        } else {
            errors_.push_back(body_error({name, key}, "must be a string, not null"));
        }
    }
    return texts;
}

std::vector<std::pair<std::string, std::optional<std::string>>> FieldReader::texts_or_null(
    std::string_view name) {
    std::vector<std::pair<std::string, std::optional<std::string>>> texts;
    Json const* value = find(name);
    if (value == nullptr) return texts;
    if (!value->is_object()) {
        errors_.push_back(body_error({name}, must_be("an object of strings", *value)));
        return texts;
    }
    for (auto const& [key, text] : value->items()) {
        if (text.is_string()) {
            texts.emplace_back(key, text.get<std::string>());
        } else if (text.is_null()) {
            texts.emplace_back(key, std::nullopt);
        } else {
            errors_.push_back(body_error({name, key}, must_be("a string", text)));
        }
    }
    return texts;
}

std::optional<std::vector<std::string>> FieldReader::text_list(std::string_view name,
                                                               std::string_view example) {
    Json const* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_array()) {
        std::string const what = "an array of strings such as [\"" + std::string(example) + "\"]";
        errors_.push_back(body_error({name}, must_be(what, *value)));
        return std::nullopt;
    }
    std::vector<std::string> texts;
    for (Json const& element : *value) {
        if (element.is_string()) {
            texts.push_back(element.get<std::string>());
            continue;
        }
        std::string const place = std::to_string(&element - &value->front());
        errors_.push_back(body_error({name, place}, must_be("a string", element)));
    }
    return texts;
}

std::optional<bool> FieldReader::boolean(std::string_view name) {
    Json const* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (value->is_boolean()) return value->get<bool>();
    errors_.push_back(body_error({name}, must_be("true or false", *value)));
    return std::nullopt;
}

std::vector<FieldError> FieldReader::take_errors() {
    for (auto const& [name, value] : object_.items()) {
        if (std::ranges::find(known_, name) != known_.end()) continue;
        errors_.push_back(body_error({name}, "is not a field of this request"));
    }
    return std::move(errors_);
}

}  // namespace sycee
