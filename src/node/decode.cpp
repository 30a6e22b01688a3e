#include "decode.hpp"

#include <charconv>
#include <limits>

namespace sycee {
namespace {

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

template <std::size_t N>
Bytes<N> bytes_at(Json const& object, char const* name) {
    return read_bytes<N>(text_of(member(object, name), name), name);
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

std::uint64_t read_quantity(std::string_view text, char const* what) {
    auto const quantity = parse_quantity(text);
    if (!quantity || *quantity > kLargest) {
        throw BadAnswer(std::string(what) + " is not a quantity below 2^63");
    }
    return *quantity;
}

std::uint32_t read_index(std::string_view text, char const* what) {
    auto const index = read_quantity(text, what);
    if (index > std::numeric_limits<std::uint32_t>::max()) {
        throw BadAnswer(std::string(what) + " is not a quantity below 2^32");
    }
    return static_cast<std::uint32_t>(index);
}

std::vector<std::uint8_t> read_data(std::string_view text, char const* what) {
    auto bytes = text.starts_with("0x") ? from_hex(text) : std::nullopt;
    if (!bytes) throw BadAnswer(std::string(what) + " is not 0x and pairs of hex digits");
    return std::move(*bytes);
}

void refuse_bytes(std::size_t size, char const* what) {
    throw BadAnswer(std::string(what) + " is not 0x and " + std::to_string(2 * size) +
                    " hex digits");
}

std::string const& text_of(Json const& value, char const* what) {
    auto const* text = value.get_ptr<Json::string_t const*>();
    if (text == nullptr) throw BadAnswer(std::string(what) + " is not a string");
    return *text;
}

std::optional<BlockHeader> decode_header(Json const& value) {
    if (value.is_null()) return std::nullopt;
    BlockHeader header;
    header.number = read_quantity(text_of(member(value, "number"), "number"), "number");
    header.hash = bytes_at<32>(value, "hash");
    header.parent_hash = bytes_at<32>(value, "parentHash");
    auto const seconds =
        read_quantity(text_of(member(value, "timestamp"), "timestamp"), "timestamp");
    if (seconds > kLatestTime) throw BadAnswer("timestamp is no time that can be");
    header.time = timestamp_from_seconds(static_cast<std::int64_t>(seconds));
    return header;
}

std::optional<BlockOutline> decode_outline(Json const& value) {
    auto const header = decode_header(value);
    if (!header) return std::nullopt;
    BlockOutline outline{.header = *header, .bloom = bytes_at<256>(value, "logsBloom")};
    auto const& transactions = member(value, "transactions");
    if (!transactions.is_array()) throw BadAnswer("transactions is not an array");
    outline.transactions.reserve(transactions.size());
    for (auto const& hash : transactions)
        outline.transactions.push_back(read_bytes<32>(text_of(hash, "transaction"), "transaction"));
    return outline;
}

SubscriptionMessage decode_subscription_message(std::string_view text, std::uint64_t request_id) {
    using enum SubscriptionMessage::Kind;
    Json message = parse_json(text);
    if (!message.is_object()) throw BadAnswer("a message is not an object");
    if (auto const id = message.find("id"); id != message.end() && *id == request_id) {
        auto const result = message.find("result");
        if (result == message.end() || !result->is_string()) {
            throw BadAnswer("the subscription was refused");
        }
        return {confirmed, {}};
    }
    auto const method = message.find("method");
    if (method == message.end() || *method != "eth_subscription") return {other, {}};
    auto const params = message.find("params");
    bool const has_result =
        params != message.end() && params->is_object() && params->contains("result");
    return {told, has_result ? std::move((*params)["result"]) : Json()};
}

}  // namespace sycee
