#include <sycee/app/exception_json.hpp>

#include "endpoints.hpp"
#include "find_exception.hpp"

#include <nlohmann/json.hpp>

namespace sycee {

Task<std::expected<DeskException, Problem>> find_exception(ApiCall const& call,
                                                           std::string_view id) {
    auto const key = parse_exception_id(call.caller.merchant_id, id);
    std::optional<DeskException> found;
    if (key) found = co_await call.desk.find(*key);
    // The same for an id that is none, one that nobody has, and one of another merchant.
    if (!found) {
        co_return std::unexpected(
            Problem{.kind = kNotFound, .detail = "There is no exception with this id."});
    }
    co_return std::move(*found);
}

Task<Answer> get_exception(ApiCall const& call, std::string_view id) {
    auto const exception = co_await find_exception(call, id);
    if (!exception) co_return std::unexpected(exception.error());
    co_return text_response(200, "application/json",
                            exception_json(*exception, call.network).dump());
}

}  // namespace sycee
