#include "json_rpc.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace sycee {
namespace {

constexpr unsigned kTooManyRequests = 429;
constexpr unsigned kServiceUnavailable = 503;
constexpr unsigned kContentTooLarge = 413;
constexpr std::size_t kLongestError = std::size_t{64} * 1024;

Json to_json(RpcCall const& call, std::uint64_t id) {
    return {{"jsonrpc", "2.0"}, {"id", id}, {"method", call.method}, {"params", call.params}};
}

RpcError decode_error(Json const& error) {
    auto const& code = member(error, "code");
    if (!code.is_number_integer()) throw BadAnswer("the error's code is not an integer");
    auto const message = error.find("message");
    bool const has_message = message != error.end() && message->is_string();
    return make_error(code.get<std::int64_t>(), has_message ? message->get<std::string>() : "");
}

// Takes the result out: it may be large.
RpcAnswer take_answer(Json& answer) {
    auto const error = answer.find("error");
    if (error != answer.end() && !error->is_null()) return std::unexpected(decode_error(*error));
    auto const result = answer.find("result");
    if (result == answer.end()) throw BadAnswer("the answer has neither result nor error");
    return std::move(*result);
}

// A node that refuses a request as a whole may not have read its id.
std::optional<RpcError> error_of_all(Json const& answer) {
    if (!answer.is_object()) return std::nullopt;
    auto const error = answer.find("error");
    if (error == answer.end() || error->is_null()) return std::nullopt;
    auto const id = answer.find("id");
    if (id != answer.end() && !id->is_null()) return std::nullopt;
    return decode_error(*error);
}

// Some providers answer the errors of JSON-RPC with a status of HTTP that is none of success.
std::optional<RpcError> error_behind_status(std::string_view body) {
    if (body.size() > kLongestError) return std::nullopt;
    try {
        Json const answer = parse_json(body);
        Json const& one = answer.is_array() && !answer.empty() ? answer.front() : answer;
        return decode_error(member(one, "error"));
    } catch (BadAnswer const&) {
        return std::nullopt;
    } catch (Json::exception const&) {
        return std::nullopt;
    }
}

std::string_view header_of(HttpAnswer const& answer, std::string_view name) {
    for (auto const& [key, value] : answer.headers) {
        if (key == name) return value;
    }
    return {};
}

}  // namespace

std::string encode_call(RpcCall const& call, std::uint64_t id) {
    return to_json(call, id).dump();
}

std::string encode_batch(std::span<RpcCall const> calls, std::uint64_t first_id) {
    Json batch = Json::array();
    for (RpcCall const& call : calls)
        batch.push_back(to_json(call, first_id++));
    return batch.dump();
}

void throw_if_refused(Json const& answer) {
    if (auto const error = error_of_all(answer)) throw Refused(*error);
}

RpcAnswer decode_call(std::string_view body, std::uint64_t id) {
    Json answer = parse_json(body);
    if (auto const error = error_of_all(answer)) return std::unexpected(*error);
    auto const& answered = member(answer, "id");
    if (!answered.is_number_unsigned() || answered.get<std::uint64_t>() != id) {
        throw BadAnswer("the answer is for another call");
    }
    return take_answer(answer);
}

std::vector<RpcAnswer> decode_batch(std::string_view body, std::uint64_t first_id,
                                    std::size_t calls) {
    Json answers = parse_json(body);
    throw_if_refused(answers);
    if (!answers.is_array()) throw BadAnswer("the answer to a batch is not an array");
    std::vector<std::pair<std::uint64_t, RpcAnswer>> taken;
    for (Json& answer : answers) {
        auto const& id = member(answer, "id");
        if (!id.is_number_unsigned()) throw BadAnswer("an answer is for another call");
        taken.emplace_back(id.get<std::uint64_t>(), take_answer(answer));
    }
    return in_order(std::move(taken), first_id, calls);
}

JsonRpc::JsonRpc(Executor executor, Url const& url, HttpClientLimits const& limits, Clock& clock)
    : client_(std::move(executor), url, limits), clock_(clock) {}

Task<std::expected<std::string, RpcError>> JsonRpc::post(std::string method, std::string body) {
    HttpHeaders headers{{"content-type", "application/json"}, {"accept", "application/json"}};
    std::string fault;
    RpcFault kind = RpcFault::other;
    HttpAnswer answer;
    try {
        answer = co_await client_.post(std::move(headers), std::move(body));
    } catch (AnswerOverLimit const& over) {
        fault = over.what();
        kind = RpcFault::too_much;
    } catch (Unavailable const& unavailable) {
        fault = unavailable.what();
    }
    if (!fault.empty()) throw NodeFault(method + ": " + fault, kind);
    if (answer.status == 200) co_return std::move(answer.body);

    std::string const what = method + ": HTTP status " + std::to_string(answer.status);
    auto const retry_after = header_of(answer, "retry-after");
    if (answer.status == kTooManyRequests ||
        (answer.status == kServiceUnavailable && !retry_after.empty())) {
        throw RateLimited(what, parse_retry_after(retry_after, clock_.now()));
    }
    if (answer.status == kContentTooLarge) throw NodeFault(what, RpcFault::too_much);
    if (auto error = error_behind_status(answer.body)) co_return std::unexpected(std::move(*error));
    throw Unavailable(what);
}

Task<RpcAnswer> JsonRpc::call(RpcCall call) {
    std::uint64_t const id = next_id_++;
    auto const body = co_await post(call.method, encode_call(call, id));
    if (!body) co_return std::unexpected(body.error());
    co_return decode_answer(call.method, [&] { return decode_call(*body, id); });
}

}  // namespace sycee
