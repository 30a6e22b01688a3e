#pragma once

#include <sycee/base/bytes.hpp>
#include <sycee/evm/block.hpp>
#include <sycee/evm/transfer.hpp>
#include <sycee/runtime/errors.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// From a node's JSON to our values. A node is not trusted: what it says may have any type and any
// size.
namespace sycee {

using Json = nlohmann::json;

// The node answered something else than what was asked for.
class BadAnswer : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// The one place where a bad answer becomes a fault that passes.
template <class Decode>
auto decode_answer(std::string_view method, Decode&& decode) {
    try {
        return std::forward<Decode>(decode)();
    } catch (BadAnswer const& bad) {
        throw Unavailable(std::string(method) + ": " + bad.what());
    } catch (Json::exception const&) {
        // Its text may quote the answer.
        throw Unavailable(std::string(method) + ": the answer is not the JSON that it should be");
    }
}

// Refuses a text that nests deeper than any answer of ours does: each level would cost memory many
// times its one byte.
Json parse_json(std::string_view text);

// The member of that name. Throws BadAnswer where `object` is none or lacks it.
Json const& member(Json const& object, char const* name);

// "0x0", "0x1b4": no leading zeros, at most 64 bits.
std::optional<std::uint64_t> parse_quantity(std::string_view text);

// These throw BadAnswer; `what` names the value. A quantity is at most 2^63-1, as the database's
// are.
std::uint64_t decode_quantity(Json const& value, char const* what);
std::vector<std::uint8_t> decode_data(Json const& value, char const* what);
// Nothing for null: the node has no such block.
std::optional<BlockHeader> decode_header(Json const& value);
Log decode_log(Json const& value);
std::vector<Log> decode_logs(Json const& value);

enum class SubscriptionMessage {
    confirmed,  // the answer to our request
    head,
    other,
};
// What came over the WebSocket. Throws BadAnswer where the node refuses the subscription.
SubscriptionMessage decode_subscription_message(std::string_view text, std::uint64_t request_id);

}  // namespace sycee
