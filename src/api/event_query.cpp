#include "event_query.hpp"

#include <charconv>
#include <limits>

namespace sycee {
namespace {

constexpr std::uint64_t kMostSequence = std::numeric_limits<std::int64_t>::max();

}  // namespace

std::string take_sequence(std::optional<std::uint64_t>& after, std::string_view value) {
    std::uint64_t number = 0;
    auto const* const end = value.data() + value.size();
    auto const parsed = std::from_chars(value.data(), end, number);
    if (parsed.ec != std::errc{} || parsed.ptr != end || number > kMostSequence)
        return "must be the sequence of an event, or 0";
    after = number;
    return "";
}

}  // namespace sycee
