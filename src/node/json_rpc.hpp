#pragma once

#include <sycee/net/http_client.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/task.hpp>

#include "decode.hpp"

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sycee {

struct RpcCall {
    std::string method;
    Json params;
};

using RpcAnswer = std::expected<Json, RpcError>;

// JSON-RPC 2.0. The calls of a batch have consecutive ids from `first_id` on.
std::string encode_call(RpcCall const& call, std::uint64_t id);
std::string encode_batch(std::span<RpcCall const> calls, std::uint64_t first_id);
// These throw BadAnswer or Json::exception, and Refused where there is one error for a whole batch.
// A batch may be answered in any order, but each call once.
RpcAnswer decode_call(std::string_view body, std::uint64_t id);
std::vector<RpcAnswer> decode_batch(std::string_view body, std::uint64_t first_id,
                                    std::size_t calls);

// Throws Refused where this is the one error for a whole batch.
void throw_if_refused(Json const& answer);

// In the order of the calls, each answered once; throws BadAnswer otherwise.
template <class T>
std::vector<T> in_order(std::vector<std::pair<std::uint64_t, T>> answers, std::uint64_t first_id,
                        std::size_t calls) {
    if (answers.size() != calls) {
        throw BadAnswer(std::to_string(answers.size()) + " answers to " + std::to_string(calls) +
                        " calls");
    }
    std::vector<std::optional<T>> places(calls);
    for (auto& [id, answer] : answers) {
        if (id < first_id || id - first_id >= calls)
            throw BadAnswer("an answer is for another call");
        auto& place = places[id - first_id];
        if (place) throw BadAnswer("a call is answered twice");
        place.emplace(std::move(answer));
    }
    // As many answers as calls, none twice: no place is left empty.
    std::vector<T> ordered;
    ordered.reserve(calls);
    for (auto& place : places)
        ordered.push_back(std::move(*place));
    return ordered;
}

// Calls to one node, one after the other. Throws Unavailable with the method in front for whatever
// keeps an answer from coming: RateLimited where a pause is asked for, NodeFault where less should
// be asked for. An error that the node answers to one call is the caller's to judge.
class JsonRpc {
  public:
    JsonRpc(Executor executor, Url const& url, HttpClientLimits const& limits, Clock& clock);

    Task<RpcAnswer> call(RpcCall call);
    Task<std::vector<RpcAnswer>> batch(std::vector<RpcCall> calls) {
        return batch<RpcAnswer>(std::move(calls), decode_batch);
    }
    // In the order of the calls, which are all of one method for the messages' sake.
    template <class Answer>
    Task<std::vector<Answer>> batch(std::vector<RpcCall> calls,
                                    std::vector<Answer> (*decode)(std::string_view, std::uint64_t,
                                                                  std::size_t)) {
        if (calls.empty()) co_return std::vector<Answer>{};
        std::uint64_t const first_id = next_id_;
        next_id_ += calls.size();
        auto const& method = calls.front().method;
        auto const body = co_await post(method, encode_batch(calls, first_id));
        if (!body) throw_error(method, body.error());
        co_return decode_answer(method, [&] { return decode(*body, first_id, calls.size()); });
    }

  private:
    // The body, or the error of a node that puts it behind a status of HTTP.
    Task<std::expected<std::string, RpcError>> post(std::string method, std::string body);

    HttpClient client_;
    Clock& clock_;
    std::uint64_t next_id_ = 1;
};

// The result. Throws as throw_error() does for an error.
template <class T>
T const& result_of(std::expected<T, RpcError> const& answer, std::string_view method) {
    if (!answer) throw_error(method, answer.error());
    return *answer;
}

}  // namespace sycee
