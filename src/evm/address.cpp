#include <sycee/crypto/hash.hpp>
#include <sycee/evm/address.hpp>

#include <algorithm>

namespace sycee {
namespace {

bool is_upper(char c) {
    return c >= 'A' && c <= 'F';
}
bool is_lower(char c) {
    return c >= 'a' && c <= 'f';
}

}  // namespace

std::string to_string(Address const& address) {
    std::string text = to_hex(address.bytes);
    Bytes32 const digest = keccak256(as_bytes(text));
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned const nibble = (i % 2 == 0 ? digest[i / 2] >> 4 : digest[i / 2]) & 15U;
        if (is_lower(text[i]) && nibble >= 8) text[i] = static_cast<char>(text[i] - 'a' + 'A');
    }
    return "0x" + text;
}

Result<Address> parse_address(std::string_view text) {
    auto const bytes = bytes_from_hex<20>(text);
    if (!bytes || !text.starts_with("0x")) {
        return refuse(
            "", "must be 0x and 40 hex digits, not \"" + std::string(text.substr(0, 60)) + "\"");
    }
    Address const address{*bytes};
    auto const digits = text.substr(2);
    bool const mixed = std::any_of(digits.begin(), digits.end(), is_upper) &&
                       std::any_of(digits.begin(), digits.end(), is_lower);
    if (mixed && text != to_string(address)) {
        return refuse("", "has a wrong EIP-55 checksum: " + std::string(text));
    }
    return address;
}

Address address_of(CompressedPublicKey const& key) {
    return address_of(uncompressed_point(key));
}

Address address_of(Bytes<64> const& uncompressed_point) {
    Bytes32 const digest = keccak256(uncompressed_point);
    Address address;
    std::copy(digest.begin() + 12, digest.end(), address.bytes.begin());
    return address;
}

}  // namespace sycee
