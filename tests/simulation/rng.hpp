#pragma once

#include <sycee/base/bytes.hpp>

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

namespace sycee::simulation {

// xoshiro256**: the same numbers on every machine. Everything that a world draws comes from one of
// these, and each of them from the seed.
class Rng {
  public:
    explicit Rng(std::uint64_t seed);

    std::uint64_t next();
    // Uniform in 0 .. bound-1; bound above zero.
    std::uint64_t below(std::uint64_t bound) { return next() % bound; }
    // Uniform in from .. to, both included.
    std::int64_t between(std::int64_t from, std::int64_t to) {
        return from + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(to - from) + 1));
    }
    // True once in `parts` of a thousand.
    bool chance(unsigned permille) { return below(1000) < permille; }
    std::chrono::milliseconds time(std::int64_t from_ms, std::int64_t to_ms) {
        return std::chrono::milliseconds{between(from_ms, to_ms)};
    }
    template <class T>
    T const& pick(std::vector<T> const& from) {
        return from[below(from.size())];
    }
    void fill(std::span<std::uint8_t> bytes);
    template <std::size_t N>
    Bytes<N> bytes() {
        Bytes<N> result{};
        fill(result);
        return result;
    }
    // A generator of its own, so that drawing more here does not change what is drawn there.
    Rng fork() { return Rng(next()); }

  private:
    std::uint64_t state_[4];
};

}  // namespace sycee::simulation
