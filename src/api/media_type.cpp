#include "media_type.hpp"

#include <sycee/base/ascii.hpp>

namespace sycee {

bool is_json_content_type(std::string_view value) {
    auto const take_part = [&value] { return trimmed(take_until(value, ';')); };
    if (!equal_ignoring_case(take_part(), "application/json")) return false;
    while (!value.empty()) {
        auto const parameter = take_part();
        if (!parameter.empty() && !equal_ignoring_case(parameter, "charset=utf-8") &&
            !equal_ignoring_case(parameter, "charset=\"utf-8\"")) {
            return false;
        }
    }
    return true;
}

}  // namespace sycee
