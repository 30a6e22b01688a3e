#pragma once

#include <sycee/base/bytes.hpp>
#include <sycee/base/id.hpp>
#include <sycee/base/time.hpp>

#include <cstdint>

namespace sycee {

// Bytes of the operating system's generator, through libsodium. Ends the program if it has none.
void fill_random(std::span<std::uint8_t> bytes);

template <std::size_t N>
Bytes<N> random_bytes() {
    Bytes<N> bytes{};
    fill_random(bytes);
    return bytes;
}

// Uniform in 0 .. bound-1.
std::uint32_t random_below(std::uint32_t bound);

template <class Tag>
Id<Tag> new_id(Timestamp now) {
    return {make_uuid_v7(now, random_bytes<10>())};
}

}  // namespace sycee
