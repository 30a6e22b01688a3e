#include <sycee/base/id.hpp>

namespace sycee {
namespace {

constexpr std::string_view kBase32 = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t kBase32Length = 26;

}  // namespace

Uuid make_uuid_v7(Timestamp now, Bytes<10> const& random) {
    Uuid uuid;
    auto const milliseconds = static_cast<std::uint64_t>(to_unix_milliseconds(now));
    for (unsigned i = 0; i < 6; ++i) {
        uuid.bytes[i] = static_cast<std::uint8_t>(milliseconds >> (8 * (5 - i)));
    }
    for (unsigned i = 0; i < 10; ++i)
        uuid.bytes[6 + i] = random[i];
    uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0f) | 0x70);  // version 7
    uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3f) | 0x80);  // variant 10
    return uuid;
}

std::string to_string(Uuid const& uuid) {
    std::string text = to_hex(uuid.bytes);
    for (std::size_t const position : {20U, 16U, 12U, 8U})
        text.insert(position, 1, '-');
    return text;
}

std::optional<Uuid> parse_uuid(std::string_view text) {
    if (text.size() != 36) return std::nullopt;
    std::string digits;
    for (std::size_t i = 0; i < text.size(); ++i) {
        bool const dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash != (text[i] == '-')) return std::nullopt;
        if (!dash) digits.push_back(text[i]);
    }
    auto const bytes = bytes_from_hex<16>(digits);
    if (!bytes) return std::nullopt;
    return Uuid{*bytes};
}

std::string to_base32(Uuid const& uuid) {
    // 130 bits in 26 letters: two zero bits in front, then the 128 of the UUID.
    std::string text(kBase32Length, '0');
    for (std::size_t letter = 0; letter < kBase32Length; ++letter) {
        unsigned value = 0;
        for (std::size_t i = 0; i < 5; ++i) {
            std::size_t const bit = letter * 5 + i;  // counted over the 130
            value <<= 1;
            if (bit >= 2) value |= (uuid.bytes[(bit - 2) / 8] >> (7 - (bit - 2) % 8)) & 1U;
        }
        text[letter] = kBase32[value];
    }
    return text;
}

std::optional<Uuid> uuid_from_base32(std::string_view text) {
    if (text.size() != kBase32Length || text[0] > '7') return std::nullopt;
    Uuid uuid;
    for (std::size_t letter = 0; letter < kBase32Length; ++letter) {
        auto const value = kBase32.find(text[letter]);
        if (value == std::string_view::npos) return std::nullopt;
        for (std::size_t i = 0; i < 5; ++i) {
            std::size_t const bit = letter * 5 + i;
            if (bit < 2 || ((value >> (4 - i)) & 1U) == 0) continue;
            auto& byte = uuid.bytes[(bit - 2) / 8];
            byte = static_cast<std::uint8_t>(byte | (1U << (7 - (bit - 2) % 8)));
        }
    }
    return uuid;
}

}  // namespace sycee
