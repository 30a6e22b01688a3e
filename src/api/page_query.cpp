#include "page_query.hpp"

#include <charconv>
#include <set>

namespace sycee {
namespace {

constexpr std::size_t kMostLimit = 100;

}  // namespace

std::string take_limit(std::size_t& limit, std::string_view value) {
    std::size_t number = 0;
    auto const* const end = value.data() + value.size();
    auto const parsed = std::from_chars(value.data(), end, number);
    bool const whole = parsed.ec == std::errc{} && parsed.ptr == end;
    if (!whole || number < 1 || number > kMostLimit) {
        return "must be a whole number from 1 to " + std::to_string(kMostLimit);
    }
    limit = number;
    return "";
}

std::expected<void, Problem> read_query(std::string_view query, TakeParameter const& take) {
    std::vector<FieldError> errors;
    std::set<std::string> seen;
    for (auto const& [name, value] : parse_form(query)) {
        std::string detail = seen.insert(name).second
                                 ? take(name, value).value_or("is not a parameter of this request")
                                 : "is given twice";
        if (detail.empty()) continue;
        // A query parameter has no JSON pointer.
        errors.push_back(body_error({name}, std::move(detail)));
        errors.back().pointer.reset();
    }
    if (!errors.empty()) return std::unexpected(invalid_fields(std::move(errors)));
    return {};
}

std::expected<PaymentPageQuery, Problem> read_payment_page(std::string_view query) {
    PaymentPageQuery page;
    auto const take = [&page](std::string_view name,
                              std::string_view value) -> std::optional<std::string> {
        if (name == "limit") return take_limit(page.limit, value);
        if (name != "after") return std::nullopt;
        page.after = parse_id<PaymentTag>(value);
        return page.after ? "" : "must be the next_cursor of the page before";
    };
    if (auto const read = read_query(query, take); !read) return std::unexpected(read.error());
    return page;
}

}  // namespace sycee
