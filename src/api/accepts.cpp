#include "accepts.hpp"

#include <sycee/base/ascii.hpp>

namespace sycee {

bool accepts(std::string_view accept, std::string_view media_type) {
    while (!accept.empty()) {
        std::string_view choice = take_until(accept, ',');
        auto const type = trimmed(take_until(choice, ';'));
        if (!equal_ignoring_case(type, media_type)) continue;
        while (!choice.empty()) {
            auto const parameter = trimmed(take_until(choice, ';'));
            if (parameter.starts_with("q=0") &&
                parameter.find_first_not_of("q=0.") == std::string_view::npos) {
                return false;
            }
        }
        return true;
    }
    return false;
}

}  // namespace sycee
