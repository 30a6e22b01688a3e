#include <sycee/runtime/password.hpp>

#include "sodium_ready.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <new>

namespace sycee {
namespace {

constexpr std::ptrdiff_t kFewestCharacters = 12;
constexpr std::size_t kMostBytes = 256;

// Every byte of UTF-8 but the second to fourth of a character.
bool begins_character(char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
}

}  // namespace

std::string hash_password(Secret const& password) {
    ensure_sodium();
    std::string const& text = password.reveal();
    std::array<char, crypto_pwhash_STRBYTES> hash{};
    // Fails only where it can't get its memory.
    if (crypto_pwhash_str(hash.data(), text.data(), text.size(), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                          crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0) {
        throw std::bad_alloc();
    }
    return hash.data();
}

bool verify_password(std::string const& hash, Secret const& password) {
    ensure_sodium();
    std::string const& text = password.reveal();
    return crypto_pwhash_str_verify(hash.c_str(), text.data(), text.size()) == 0;
}

Result<void> check_new_password(Secret const& password) {
    std::string const& text = password.reveal();
    if (std::ranges::count_if(text, begins_character) < kFewestCharacters) {
        return refuse("password", "must have at least 12 characters");
    }
    if (text.size() > kMostBytes) return refuse("password", "must have at most 256 bytes");
    return {};
}

}  // namespace sycee
