#pragma once

#include <sycee/base/bytes.hpp>
#include <sycee/base/time.hpp>

#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace sycee {

using ChainId = std::uint64_t;      // EIP-155 chain id; 1 .. 2^63-1
using BlockNumber = std::uint64_t;  // never "height"

// A UUID version 7 (RFC 9562): 48 bits of milliseconds, then 74 random bits. Shape: 16 bytes.
struct Uuid {
    Bytes<16> bytes{};

    auto operator<=>(Uuid const&) const = default;
    bool is_nil() const { return bytes == Bytes<16>{}; }
};

// Pure: the caller brings the clock and ten random bytes.
Uuid make_uuid_v7(Timestamp now, Bytes<10> const& random);

// 8-4-4-4-12 lower-case hex, as PostgreSQL writes it.
std::string to_string(Uuid const& uuid);
std::optional<Uuid> parse_uuid(std::string_view text);

// 26 letters of Crockford's base 32, lower case: the suffix of a TypeID
// (github.com/jetify-com/typeid, spec 0.3). Sorts as the UUID does.
std::string to_base32(Uuid const& uuid);
std::optional<Uuid> uuid_from_base32(std::string_view text);

// The ids that people and shops see are TypeIDs: "pay_01kaq...". One type each, so that a
// merchant's id can't be passed for a payment's.
template <class Tag>
struct Id {
    Uuid uuid;

    auto operator<=>(Id const&) const = default;
    static constexpr std::string_view prefix() { return Tag::prefix; }
};

template <class Tag>
std::string to_string(Id<Tag> const& id) {
    return std::string(Tag::prefix) + "_" + to_base32(id.uuid);
}

template <class Tag>
std::optional<Id<Tag>> parse_id(std::string_view text) {
    constexpr std::string_view prefix = Tag::prefix;
    if (!text.starts_with(prefix) || text.size() <= prefix.size() || text[prefix.size()] != '_') {
        return std::nullopt;
    }
    auto const uuid = uuid_from_base32(text.substr(prefix.size() + 1));
    if (!uuid) return std::nullopt;
    return Id<Tag>{*uuid};
}

struct MerchantTag {
    static constexpr std::string_view prefix = "mer";
};
struct PaymentTag {
    static constexpr std::string_view prefix = "pay";
};
struct EventTag {
    static constexpr std::string_view prefix = "evt";
};
struct ApiKeyTag {
    static constexpr std::string_view prefix = "key";
};
struct OperatorTag {
    static constexpr std::string_view prefix = "opr";
};
struct DifferenceTag {
    static constexpr std::string_view prefix = "dif";
};
struct RequestTag {
    static constexpr std::string_view prefix = "req";
};
using MerchantId = Id<MerchantTag>;
using PaymentId = Id<PaymentTag>;
using EventId = Id<EventTag>;
using ApiKeyId = Id<ApiKeyTag>;
using OperatorId = Id<OperatorTag>;
using DifferenceId = Id<DifferenceTag>;
using RequestId = Id<RequestTag>;

}  // namespace sycee

template <>
struct std::hash<sycee::Uuid> {
    std::size_t operator()(sycee::Uuid const& uuid) const noexcept {
        // The last eight bytes are random; the first ones are time.
        std::size_t value = 0;
        std::memcpy(&value, uuid.bytes.data() + 8, sizeof value);
        return value;
    }
};
template <class Tag>
struct std::hash<sycee::Id<Tag>> {
    std::size_t operator()(sycee::Id<Tag> const& id) const noexcept {
        return std::hash<sycee::Uuid>{}(id.uuid);
    }
};
