// What stands in the URL of a request to the API: targets, queries, cursors and ids.
#include <sycee/app/exception_json.hpp>
#include <sycee/base/id.hpp>

#include "../../src/api/page_query.hpp"
#include "../../src/net/request_guard.hpp"
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace sycee;
    std::string_view const text = text_of(data, size);
    if (auto const target = parse_target(text)) {
        require(target->path.starts_with('/'), "a path that does not begin with a slash");
        require(!target->path.contains("..") && !target->path.contains('\0'),
                "a path that leads elsewhere");
    }
    std::size_t limit = kDefaultLimit;
    std::optional<PaymentId> after;
    auto const take = [&](std::string_view name,
                          std::string_view value) -> std::optional<std::string> {
        if (name == "limit") return take_limit(limit, value);
        if (name != "after") return std::nullopt;
        after = parse_id<PaymentTag>(value);
        return after ? "" : "is none";
    };
    auto const read = read_query(text, take);
    if (read) require(limit >= 1 && limit <= 100, "a page without an end");
    if (auto const id = parse_id<PaymentTag>(text)) {
        require(to_string(*id) == text, "two ways to write one id");
    }
    if (auto const key = parse_exception_id(MerchantId{}, text)) {
        require(exception_id(*key) == text, "two ways to write one exception");
    }
    return 0;
}
