#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sycee {

template <std::size_t N>
using Bytes = std::array<std::uint8_t, N>;
using Bytes20 = Bytes<20>;
using Bytes32 = Bytes<32>;
using ByteView = std::span<std::uint8_t const>;

inline ByteView as_bytes(std::string_view text) {
    return {reinterpret_cast<std::uint8_t const*>(text.data()), text.size()};
}

// Lower-case hex without a prefix.
std::string to_hex(ByteView bytes);
// Lower-case hex with the prefix 0x, as JSON-RPC writes it.
std::string to_hex0x(ByteView bytes);

// Reads hex of either case with or without 0x; nothing if the length is odd or a digit is not hex.
std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text);

// Fills `into` from exactly twice as many hex digits, without a prefix; false where they are not.
bool read_hex(std::string_view digits, std::span<std::uint8_t> into);

// As from_hex, for exactly N bytes.
template <std::size_t N>
std::optional<Bytes<N>> bytes_from_hex(std::string_view text) {
    if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
    Bytes<N> bytes{};
    if (!read_hex(text, bytes)) return std::nullopt;
    return bytes;
}

}  // namespace sycee
