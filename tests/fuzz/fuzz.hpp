#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

// What libFuzzer calls with each input. Of a fuzzer's two worlds, ours has no exceptions that get
// out and no undefined behaviour (the sanitizers see to that), and besides keeps what require()
// asks for.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);

namespace sycee {

inline std::string_view text_of(std::uint8_t const* data, std::size_t size) {
    return {reinterpret_cast<char const*>(data), size};
}

inline void require(bool holds, std::string const& what) {
    if (holds) return;
    std::fputs(("broken: " + what + "\n").c_str(), stderr);
    std::abort();
}

}  // namespace sycee
