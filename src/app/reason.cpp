#include "reason.hpp"

#include <algorithm>

namespace sycee {

Result<void> check_reason(std::string const& reason) {
    constexpr std::size_t kReasonBytes = 500;
    if (reason.find_first_not_of(" \n") == std::string::npos) {
        return refuse("reason", "is missing");
    }
    if (reason.size() > kReasonBytes) {
        return refuse("reason", "must have at most " + std::to_string(kReasonBytes) +
                                    " bytes, not " + std::to_string(reason.size()));
    }
    bool const clean = std::none_of(reason.begin(), reason.end(), [](char c) {
        return (static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7f;
    });
    if (!clean) return refuse("reason", "must not contain control characters");
    return {};
}

}  // namespace sycee
