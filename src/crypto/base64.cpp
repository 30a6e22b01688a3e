#include <sycee/crypto/base64.hpp>

#include <openssl/evp.h>

#include <algorithm>

namespace sycee {

std::string to_base64(ByteView bytes) {
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // EVP writes a zero behind the text
    int const length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                                       static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(length));
    return text;
}

std::optional<std::vector<std::uint8_t>> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    std::size_t const padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
    auto const letters = text.substr(0, text.size() - padding);
    bool const clean = std::all_of(letters.begin(), letters.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '+' || c == '/';
    });
    if (!clean) return std::nullopt;
    std::vector<std::uint8_t> bytes(text.size() / 4 * 3);
    int const length =
        EVP_DecodeBlock(bytes.data(), reinterpret_cast<unsigned char const*>(text.data()),
                        static_cast<int>(text.size()));
    if (length < 0) return std::nullopt;
    bytes.resize(static_cast<std::size_t>(length) -
                 padding);  // EVP counts the padding as zero bytes
    return bytes;
}

std::string to_base64url(ByteView bytes) {
    std::string text = to_base64(bytes);
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    std::erase(text, '=');
    return text;
}

std::optional<std::vector<std::uint8_t>> from_base64url(std::string_view text) {
    if (text.find_first_of("+/=") != std::string_view::npos) return std::nullopt;
    std::string standard(text);
    std::replace(standard.begin(), standard.end(), '-', '+');
    std::replace(standard.begin(), standard.end(), '_', '/');
    standard.append((4 - standard.size() % 4) % 4, '=');
    return from_base64(standard);
}

}  // namespace sycee
