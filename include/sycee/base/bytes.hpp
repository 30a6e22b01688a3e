#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
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

// As from_hex, for exactly N bytes.
template <std::size_t N>
std::optional<Bytes<N>> bytes_from_hex(std::string_view text) {
    auto const bytes = from_hex(text);
    if (!bytes || bytes->size() != N) return std::nullopt;
    Bytes<N> result{};
    std::memcpy(result.data(), bytes->data(), N);
    return result;
}

}  // namespace sycee
