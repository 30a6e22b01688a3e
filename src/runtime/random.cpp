#include <sycee/runtime/log.hpp>
#include <sycee/runtime/random.hpp>

#include "sodium_ready.hpp"

#include <sodium.h>

#include <cstdlib>

namespace sycee {

void ensure_sodium() {
    static int const status = sodium_init();
    if (status >= 0) return;
    log_critical("random", "libsodium finds no random number generator");
    std::abort();
}

void fill_random(std::span<std::uint8_t> bytes) {
    ensure_sodium();
    randombytes_buf(bytes.data(), bytes.size());
}

std::uint32_t random_below(std::uint32_t bound) {
    ensure_sodium();
    return randombytes_uniform(bound);
}

}  // namespace sycee
