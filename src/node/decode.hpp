#pragma once

#include <sycee/base/bytes.hpp>
#include <sycee/evm/block.hpp>
#include <sycee/evm/bloom.hpp>

#include "rpc_error.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// From a node's JSON to our values. A node is not trusted: what it says may have any type and any
// size. Short answers are read as a tree here, long lists without one: list_reader.hpp.
namespace sycee {

using Json = nlohmann::json;

// The node answered something else than what was asked for.
class BadAnswer : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// The node refused a batch as a whole.
class Refused : public std::runtime_error {
  public:
    explicit Refused(RpcError error)
        : std::runtime_error(to_string(error)), error_(std::move(error)) {}
    RpcError const& error() const { return error_; }

  private:
    RpcError error_;
};

// The one place where a bad answer becomes a fault that passes.
template <class Decode>
auto decode_answer(std::string_view method, Decode&& decode) {
    try {
        return std::forward<Decode>(decode)();
    } catch (BadAnswer const& bad) {
        throw Unavailable(std::string(method) + ": " + bad.what());
    } catch (Refused const& refused) {
        throw_error(method, refused.error());
    } catch (Json::exception const&) {
        // Its text may quote the answer.
        throw Unavailable(std::string(method) + ": the answer is not the JSON that it should be");
    }
}

// Levels of the deepest answer that is read: each could cost memory many times its one byte.
constexpr int kDeepest = 32;
Json parse_json(std::string_view text);

// The member of that name. Throws BadAnswer where `object` is none or lacks it.
Json const& member(Json const& object, char const* name);

// "0x0", "0x1b4": no leading zeros, at most 64 bits.
std::optional<std::uint64_t> parse_quantity(std::string_view text);

// These throw BadAnswer; `what` names the value. A quantity is at most 2^63-1, as the database's
// are.
std::uint64_t read_quantity(std::string_view text, char const* what);
std::uint32_t read_index(std::string_view text, char const* what);  // below 2^32
std::vector<std::uint8_t> read_data(std::string_view text, char const* what);
[[noreturn]] void refuse_bytes(std::size_t size, char const* what);
template <std::size_t N>
Bytes<N> read_bytes(std::string_view text, char const* what) {
    Bytes<N> bytes{};
    if (!text.starts_with("0x") || !read_hex(text.substr(2), bytes)) refuse_bytes(N, what);
    return bytes;
}

std::string const& text_of(Json const& value, char const* what);
// Nothing for null: the node has no such block.
std::optional<BlockHeader> decode_header(Json const& value);

// What the logs and receipts of a block are held against.
struct BlockOutline {
    BlockHeader header;
    LogsBloom bloom{};
    std::vector<TransactionHash> transactions;  // in their order
};
std::optional<BlockOutline> decode_outline(Json const& value);

struct SubscriptionMessage {
    enum class Kind {
        confirmed,  // the answer to our request
        told,       // what was subscribed to
        other,
    };
    Kind kind = Kind::other;
    Json told;  // null where the node tells nothing
};
// What came over the WebSocket. Throws BadAnswer where the node refuses the subscription.
SubscriptionMessage decode_subscription_message(std::string_view text, std::uint64_t request_id);

}  // namespace sycee
