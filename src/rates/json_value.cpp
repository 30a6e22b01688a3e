#include "json_value.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace sycee {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kDeepest = 32;

// Follows the parser through the document, and keeps what stands at the places.
class ValueFinder {
  public:
    explicit ValueFinder(std::vector<std::vector<std::string>> const& places)
        : places_(places), found_(places.size()) {}

    bool null() { return other(); }
    bool boolean(bool) { return other(); }
    bool number_integer(Json::number_integer_t value) { return take(std::to_string(value)); }
    bool number_unsigned(Json::number_unsigned_t value) { return take(std::to_string(value)); }
    // Whatever is not a whole number of 64 bits comes here, with the digits as they were written.
    bool number_float(Json::number_float_t, std::string const& written) { return take(written); }
    bool string(std::string& value) { return take(value); }
    bool binary(Json::binary_t&) { return other(); }
    bool start_object(std::size_t) { return enter(false); }
    bool key(std::string& name) {
        levels_.back().name = name;
        return true;
    }
    bool end_object() { return leave(); }
    bool start_array(std::size_t) { return enter(true); }
    bool end_array() { return leave(); }
    bool parse_error(std::size_t, std::string const&, Json::exception const&) {
        // Its text may quote the document.
        return fail("is not JSON");
    }

    std::string const& fault() const { return fault_; }
    std::vector<std::optional<std::string>> const& found() const { return found_; }

  private:
    struct Level {
        bool is_array = false;
        std::size_t index = 0;
        std::string name;
    };

    bool fail(std::string what) {
        if (fault_.empty()) fault_ = std::move(what);
        return false;
    }
    bool is_here(std::vector<std::string> const& place) const {
        return std::ranges::equal(place, levels_, [](std::string const& step, Level const& level) {
            return step == (level.is_array ? std::to_string(level.index) : level.name);
        });
    }
    bool take(std::string value) {
        for (std::size_t i = 0; i < places_.size(); ++i) {
            if (!is_here(places_[i])) continue;
            if (found_[i]) return fail("has a value twice");
            found_[i] = value;
        }
        return next();
    }
    bool other() {
        bool const wanted =
            std::ranges::any_of(places_, [this](auto const& place) { return is_here(place); });
        return wanted ? fail("has no number where one is looked for") : next();
    }
    bool enter(bool is_array) {
        if (levels_.size() == kDeepest) return fail("is nested too deeply");
        bool const wanted =
            std::ranges::any_of(places_, [this](auto const& place) { return is_here(place); });
        if (wanted) return fail("has no number where one is looked for");
        levels_.push_back({.is_array = is_array});
        return true;
    }
    bool leave() {
        levels_.pop_back();
        return next();
    }
    bool next() {
        if (!levels_.empty() && levels_.back().is_array) ++levels_.back().index;
        return true;
    }

    std::vector<std::vector<std::string>> const& places_;
    std::vector<std::optional<std::string>> found_;
    std::vector<Level> levels_;
    std::string fault_;
};

}  // namespace

Result<std::vector<std::string>> parse_json_pointer(std::string_view text) {
    if (!text.starts_with('/')) return refuse("", "must begin with a slash, as \"/rates/EUR\"");
    std::vector<std::string> steps;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '/') {
            steps.emplace_back();
        } else if (text[i] != '~') {
            steps.back() += text[i];
        } else if (i + 1 < text.size() && (text[i + 1] == '0' || text[i + 1] == '1')) {
            steps.back() += text[++i] == '0' ? '~' : '/';
        } else {
            return refuse("", "must have ~0 or ~1 where it has a ~");
        }
    }
    return steps;
}

Result<std::vector<std::string>> read_json_values(
    std::string_view document, std::vector<std::vector<std::string>> const& places) {
    ValueFinder finder(places);
    bool const whole = Json::sax_parse(document, &finder);
    if (!whole) return refuse("", finder.fault());
    std::vector<std::string> values;
    for (auto const& found : finder.found()) {
        if (!found) return refuse("", "has nothing where a number is looked for");
        values.push_back(*found);
    }
    return values;
}

}  // namespace sycee
