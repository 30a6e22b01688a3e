#pragma once

#include <sycee/net/http_client.hpp>
#include <sycee/runtime/task.hpp>

#include "decode.hpp"

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sycee {

struct RpcCall {
    std::string method;
    Json params;
};

struct RpcError {
    std::int64_t code = 0;
    std::string message;  // for a log line: short, without anything that looks like a URL
};
using RpcAnswer = std::expected<Json, RpcError>;

// JSON-RPC 2.0. The calls of a batch have consecutive ids from `first_id` on.
std::string encode_call(RpcCall const& call, std::uint64_t id);
std::string encode_batch(std::span<RpcCall const> calls, std::uint64_t first_id);
// These throw BadAnswer or Json::exception. A batch may be answered in any order, but each call
// once.
RpcAnswer decode_call(std::string_view body, std::uint64_t id);
std::vector<RpcAnswer> decode_batch(std::string_view body, std::uint64_t first_id,
                                    std::size_t calls);

// Calls to one node, one after the other. Throws Unavailable with the method in front for whatever
// keeps an answer from coming; an error that the node answers is the caller's to judge.
class JsonRpc {
  public:
    JsonRpc(Executor executor, Url const& url, HttpClientLimits const& limits);

    Task<RpcAnswer> call(RpcCall call);
    // In the order of the calls, which are all of one method for the messages' sake.
    Task<std::vector<RpcAnswer>> batch(std::vector<RpcCall> calls);

  private:
    Task<std::string> post(std::string method, std::string body);

    HttpClient client_;
    std::uint64_t next_id_ = 1;
};

// The result. Throws Unavailable for an error.
Json const& result_of(RpcAnswer const& answer, std::string_view method);

}  // namespace sycee
