#include <sycee/app/statement_text.hpp>

#include "accepts.hpp"
#include "endpoints.hpp"
#include "page_query.hpp"

#include <nlohmann/json.hpp>

#include <charconv>
#include <limits>

namespace sycee {
namespace {

constexpr std::string_view kCsvType = "text/csv; charset=utf-8; header=present";

struct StatementRequest {
    StatementQuery query;
    bool csv = false;
    std::size_t limit = kDefaultLimit;
    std::optional<StatementCursor> after;
};

// What a request may say besides the filters.
enum class Shape { whole, lines, batches };

std::string take_chain(StatementQuery& query, std::string_view value) {
    ChainId number = 0;
    auto const* const end = value.data() + value.size();
    auto const parsed = std::from_chars(value.data(), end, number);
    bool const whole = parsed.ec == std::errc{} && parsed.ptr == end;
    if (!whole || number < 1 || number > std::numeric_limits<std::int64_t>::max()) {
        return "must be the id of a chain, such as 1";
    }
    query.chain_id = number;
    return "";
}

std::string take_token(StatementQuery& query, std::string_view value, Network const& network) {
    auto tokens = parse_statement_token(value, network);
    if (!tokens) return tokens.error().message;
    query.tokens = std::move(*tokens);
    return "";
}

std::string take_cursor(StatementRequest& request, std::string_view value, Shape shape) {
    request.after = shape == Shape::lines ? parse_line_cursor(value) : parse_batch_cursor(value);
    return request.after ? "" : "must be the next_cursor of the page before";
}

std::expected<StatementRequest, Problem> decode(ApiCall const& call, std::string_view period,
                                                Shape shape) {
    StatementRequest request;
    request.query.merchant_id = call.caller.merchant_id;
    request.csv = shape == Shape::whole && accepts(call.request.header("accept"), "text/csv");
    auto const take = [&](std::string_view name,
                          std::string_view value) -> std::optional<std::string> {
        if (name == "chain_id") return take_chain(request.query, value);
        if (name == "token") return take_token(request.query, value, call.network);
        if (shape == Shape::whole) {
            if (name != "format") return std::nullopt;
            request.csv = value == "csv";
            return value == "csv" || value == "json" ? "" : "must be json or csv";
        }
        if (name == "limit") return take_limit(request.limit, value);
        if (name == "after") return take_cursor(request, value, shape);
        return std::nullopt;
    };
    auto parsed = parse_statement_period(period, call.clock.now());
    auto const read = read_query(call.request.query, take);
    if (!parsed) {
        // A part of the path has no JSON pointer, as a query parameter has none.
        std::vector<FieldError> errors{{.field = parsed.error().field,
                                        .pointer = std::nullopt,
                                        .detail = parsed.error().message}};
        if (!read) {
            auto const& more = read.error().errors;
            errors.insert(errors.end(), more.begin(), more.end());
        }
        return std::unexpected(invalid_fields(std::move(errors)));
    }
    if (!read) return std::unexpected(read.error());
    request.query.period = std::move(*parsed);
    return request;
}

HttpResponse csv_response(ApiCall const& call, StatementQuery query) {
    auto response = text_response(200, std::string(kCsvType), "");
    response.with("content-disposition",
                  "attachment; filename=\"" + statement_file_name(query.period) + "\"");
    response.stream = [&statements = call.statements, &network = call.network,
                       query = std::move(query)](HttpStream& stream) {
        auto const send = [&stream](std::string text) { return stream.send(std::move(text)); };
        return send_statement_csv(statements, query, network, send);
    };
    return response;
}

template <class Items>
HttpResponse list_response(Items const& items, bool has_more, auto const& encode,
                           auto const& cursor) {
    nlohmann::ordered_json json;
    json["object"] = "list";
    json["data"] = nlohmann::ordered_json::array();
    for (auto const& item : items)
        json["data"].push_back(encode(item));
    json["has_more"] = has_more && !items.empty();
    json["next_cursor"] = nullptr;
    if (has_more && !items.empty()) json["next_cursor"] = cursor(items.back());
    return text_response(200, "application/json", json.dump());
}

}  // namespace

Task<Answer> get_statement(ApiCall const& call, std::string_view period) {
    auto request = decode(call, period, Shape::whole);
    if (!request) co_return std::unexpected(request.error());
    if (request->csv) co_return csv_response(call, std::move(request->query));
    auto const statement =
        co_await call.statements.statement(std::move(request->query), call.clock.now());
    co_return text_response(200, "application/json",
                            statement_json(statement, call.network).dump());
}

Task<Answer> list_statement_lines(ApiCall const& call, std::string_view period) {
    auto const request = decode(call, period, Shape::lines);
    if (!request) co_return std::unexpected(request.error());
    auto const page =
        co_await call.statements.lines(request->query, request->after, request->limit);
    auto const encode = [&call](StatementLine const& line) {
        return statement_line_json(line, call.network);
    };
    co_return list_response(page.lines, page.has_more, encode, line_cursor);
}

Task<Answer> list_statement_batches(ApiCall const& call, std::string_view period) {
    auto const request = decode(call, period, Shape::batches);
    if (!request) co_return std::unexpected(request.error());
    auto const page =
        co_await call.statements.batches(request->query, request->after, request->limit);
    auto const encode = [&call](StatementBatch const& batch) {
        return statement_batch_json(batch, call.network);
    };
    co_return list_response(page.batches, page.has_more, encode, batch_cursor);
}

}  // namespace sycee
