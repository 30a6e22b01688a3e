#include "decode.hpp"

#include <charconv>
#include <limits>

namespace sycee {
namespace {

constexpr int kDeepest = 32;
constexpr std::size_t kMostTopics = 4;
constexpr std::uint64_t kLargest = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t kLatestTime = 253'402'300'799;  // the end of the year 9999

bool is_too_deep(std::string_view text) {
    int depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char const c = text[i];
        if (in_string) {
            if (c == '\\') ++i;
            if (c == '"') in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > kDeepest) return true;
        } else if (c == ']' || c == '}') {
            --depth;
        }
    }
    return false;
}

std::string const& text_of(Json const& value, char const* what) {
    auto const* text = value.get_ptr<Json::string_t const*>();
    if (text == nullptr) throw BadAnswer(std::string(what) + " is not a string");
    return *text;
}

template <std::size_t N>
Bytes<N> decode_bytes(Json const& value, char const* what) {
    auto const& text = text_of(value, what);
    auto const bytes = text.starts_with("0x") ? bytes_from_hex<N>(text) : std::nullopt;
    if (!bytes) {
        throw BadAnswer(std::string(what) + " is not 0x and " + std::to_string(2 * N) +
                        " hex digits");
    }
    return *bytes;
}

}  // namespace

Json parse_json(std::string_view text) {
    if (is_too_deep(text)) throw BadAnswer("the answer nests too deeply");
    return Json::parse(text);
}

Json const& member(Json const& object, char const* name) {
    if (!object.is_object()) {
        throw BadAnswer(std::string("what should hold ") + name + " is not an object");
    }
    auto const found = object.find(name);
    if (found == object.end()) throw BadAnswer(std::string(name) + " is missing");
    return *found;
}

std::optional<std::uint64_t> parse_quantity(std::string_view text) {
    if (!text.starts_with("0x")) return std::nullopt;
    text.remove_prefix(2);
    if (text.empty() || (text.size() > 1 && text[0] == '0')) return std::nullopt;
    std::uint64_t value = 0;
    auto const* const end = text.data() + text.size();
    auto const parsed = std::from_chars(text.data(), end, value, 16);
    if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
    return value;
}

std::uint64_t decode_quantity(Json const& value, char const* what) {
    auto const quantity = parse_quantity(text_of(value, what));
    if (!quantity || *quantity > kLargest) {
        throw BadAnswer(std::string(what) + " is not a quantity below 2^63");
    }
    return *quantity;
}

std::vector<std::uint8_t> decode_data(Json const& value, char const* what) {
    auto const& text = text_of(value, what);
    auto bytes = text.starts_with("0x") ? from_hex(text) : std::nullopt;
    if (!bytes) throw BadAnswer(std::string(what) + " is not 0x and pairs of hex digits");
    return std::move(*bytes);
}

std::optional<BlockHeader> decode_header(Json const& value) {
    if (value.is_null()) return std::nullopt;
    BlockHeader header;
    header.number = decode_quantity(member(value, "number"), "number");
    header.hash = decode_bytes<32>(member(value, "hash"), "hash");
    header.parent_hash = decode_bytes<32>(member(value, "parentHash"), "parentHash");
    auto const seconds = decode_quantity(member(value, "timestamp"), "timestamp");
    if (seconds > kLatestTime) throw BadAnswer("timestamp is no time that can be");
    header.time = timestamp_from_seconds(static_cast<std::int64_t>(seconds));
    return header;
}

Log decode_log(Json const& value) {
    Log log;
    log.contract = Address{decode_bytes<20>(member(value, "address"), "address")};
    auto const& topics = member(value, "topics");
    if (!topics.is_array() || topics.size() > kMostTopics) {
        throw BadAnswer("topics is not an array of at most 4");
    }
    for (auto const& topic : topics)
        log.topics.push_back(decode_bytes<32>(topic, "topic"));
    log.data = decode_data(member(value, "data"), "data");
    log.block_number = decode_quantity(member(value, "blockNumber"), "blockNumber");
    log.block_hash = decode_bytes<32>(member(value, "blockHash"), "blockHash");
    log.transaction_hash = decode_bytes<32>(member(value, "transactionHash"), "transactionHash");
    auto const index = decode_quantity(member(value, "logIndex"), "logIndex");
    if (index > std::numeric_limits<std::uint32_t>::max()) {
        throw BadAnswer("logIndex is not a quantity below 2^32");
    }
    log.log_index = static_cast<std::uint32_t>(index);
    // Some nodes leave it out where it is false.
    if (auto const removed = value.find("removed"); removed != value.end()) {
        if (!removed->is_boolean()) throw BadAnswer("removed is not true or false");
        log.removed = removed->get<bool>();
    }
    return log;
}

std::vector<Log> decode_logs(Json const& value) {
    if (!value.is_array()) throw BadAnswer("the logs are not an array");
    std::vector<Log> logs;
    logs.reserve(value.size());
    for (auto const& log : value)
        logs.push_back(decode_log(log));
    return logs;
}

SubscriptionMessage decode_subscription_message(std::string_view text, std::uint64_t request_id) {
    Json const message = parse_json(text);
    if (!message.is_object()) throw BadAnswer("a message is not an object");
    if (auto const id = message.find("id"); id != message.end() && *id == request_id) {
        auto const result = message.find("result");
        if (result == message.end() || !result->is_string()) {
            throw BadAnswer("the subscription was refused");
        }
        return SubscriptionMessage::confirmed;
    }
    auto const method = message.find("method");
    bool const is_head = method != message.end() && *method == "eth_subscription";
    return is_head ? SubscriptionMessage::head : SubscriptionMessage::other;
}

}  // namespace sycee
