#include "book_number.hpp"

#include <charconv>
#include <limits>

namespace sycee {

std::optional<std::uint64_t> parse_book_number(std::string_view text) {
    std::uint64_t number = 0;
    auto const* const end = text.data() + text.size();
    auto const parsed = std::from_chars(text.data(), end, number);
    if (parsed.ec != std::errc{} || parsed.ptr != end || text.front() == '0') return std::nullopt;
    if (number > std::numeric_limits<std::int64_t>::max()) return std::nullopt;
    return number;
}

}  // namespace sycee
