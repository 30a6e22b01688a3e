#include "json_rpc.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace sycee {
namespace {

constexpr std::size_t kLongestMessage = 120;

Json to_json(RpcCall const& call, std::uint64_t id) {
    return {{"jsonrpc", "2.0"}, {"id", id}, {"method", call.method}, {"params", call.params}};
}

// Providers put our own URL, with its key, into some of their messages.
std::string printable(std::string const& message) {
    if (message.contains("://")) return "(message left out)";
    std::string text = message.substr(0, kLongestMessage);
    std::ranges::replace_if(text, [](char c) { return c < ' ' || c > '~'; }, '?');
    return text;
}

RpcError decode_error(Json const& error) {
    auto const& code = member(error, "code");
    if (!code.is_number_integer()) throw BadAnswer("the error's code is not an integer");
    auto const message = error.find("message");
    bool const has_message = message != error.end() && message->is_string();
    return {code.get<std::int64_t>(), has_message ? printable(message->get<std::string>()) : ""};
}

std::string to_string(RpcError const& error) {
    return "error " + std::to_string(error.code) + ": " + error.message;
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
void throw_if_refused(Json const& answer) {
    if (!answer.is_object()) return;
    auto const error = answer.find("error");
    if (error == answer.end() || error->is_null()) return;
    auto const id = answer.find("id");
    if (id != answer.end() && !id->is_null()) return;
    throw BadAnswer(to_string(decode_error(*error)));
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

RpcAnswer decode_call(std::string_view body, std::uint64_t id) {
    Json answer = parse_json(body);
    throw_if_refused(answer);
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
    if (answers.size() != calls) {
        throw BadAnswer(std::to_string(answers.size()) + " answers to " + std::to_string(calls) +
                        " calls");
    }
    std::vector<std::optional<RpcAnswer>> places(calls);
    for (Json& answer : answers) {
        auto const& id = member(answer, "id");
        bool const known = id.is_number_unsigned() && id.get<std::uint64_t>() >= first_id &&
                           id.get<std::uint64_t>() - first_id < calls;
        if (!known) throw BadAnswer("an answer is for another call");
        auto& place = places[id.get<std::uint64_t>() - first_id];
        if (place) throw BadAnswer("a call is answered twice");
        place = take_answer(answer);
    }
    // As many answers as calls, none twice: no place is left empty.
    std::vector<RpcAnswer> ordered;
    ordered.reserve(calls);
    for (auto& place : places)
        ordered.push_back(std::move(*place));
    return ordered;
}

JsonRpc::JsonRpc(Executor executor, Url const& url, HttpClientLimits const& limits)
    : client_(std::move(executor), url, limits) {}

Task<std::string> JsonRpc::post(std::string method, std::string body) {
    HttpHeaders headers{{"content-type", "application/json"}, {"accept", "application/json"}};
    std::string fault;
    HttpAnswer answer;
    try {
        answer = co_await client_.post(std::move(headers), std::move(body));
    } catch (Unavailable const& unavailable) {
        fault = unavailable.what();
    }
    if (!fault.empty()) throw Unavailable(method + ": " + fault);
    if (answer.status != 200) {
        throw Unavailable(method + ": HTTP status " + std::to_string(answer.status));
    }
    co_return std::move(answer.body);
}

Task<RpcAnswer> JsonRpc::call(RpcCall call) {
    std::uint64_t const id = next_id_++;
    std::string const body = co_await post(call.method, encode_call(call, id));
    co_return decode_answer(call.method, [&] { return decode_call(body, id); });
}

Task<std::vector<RpcAnswer>> JsonRpc::batch(std::vector<RpcCall> calls) {
    if (calls.empty()) co_return std::vector<RpcAnswer>{};
    std::uint64_t const first_id = next_id_;
    next_id_ += calls.size();
    auto const& method = calls.front().method;
    std::string const body = co_await post(method, encode_batch(calls, first_id));
    co_return decode_answer(method, [&] { return decode_batch(body, first_id, calls.size()); });
}

Json const& result_of(RpcAnswer const& answer, std::string_view method) {
    if (!answer) throw Unavailable(std::string(method) + ": " + to_string(answer.error()));
    return *answer;
}

}  // namespace sycee
