#include <sycee/app/totals_text.hpp>

#include "accepts.hpp"
#include "endpoints.hpp"
#include "page_query.hpp"

#include <nlohmann/json.hpp>

namespace sycee {
namespace {

constexpr std::string_view kCsvType = "text/csv; charset=utf-8; header=present";

}  // namespace

Task<Answer> get_totals(ApiCall const& call) {
    bool csv = accepts(call.request.header("accept"), "text/csv");
    std::string from;
    std::string to;
    auto const take = [&](std::string_view name,
                          std::string_view value) -> std::optional<std::string> {
        if (name == "from" || name == "to") {
            (name == "from" ? from : to) = value;
            return value.empty() ? "must be a day of UTC, such as 2026-11-25" : "";
        }
        if (name != "format") return std::nullopt;
        csv = value == "csv";
        return value == "csv" || value == "json" ? "" : "must be json or csv";
    };
    auto const read = read_query(call.request.query, take);
    if (!read) co_return std::unexpected(read.error());
    auto query = parse_totals_days(from, to, call.clock.now());
    if (!query) {
        co_return std::unexpected(invalid_fields({{.field = query.error().field,
                                                   .pointer = std::nullopt,
                                                   .detail = query.error().message}}));
    }
    query->merchant_id = call.caller.merchant_id;
    auto const totals = co_await call.statements.totals(std::move(*query), call.clock.now());
    if (!csv) {
        co_return text_response(200, "application/json", totals_json(totals, call.network).dump());
    }
    auto response = text_response(200, std::string(kCsvType), totals_csv(totals, call.network));
    response.with("content-disposition",
                  "attachment; filename=\"" + totals_file_name(totals.query) + "\"");
    co_return response;
}

}  // namespace sycee
