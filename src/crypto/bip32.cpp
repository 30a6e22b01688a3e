#include <sycee/base/assert.hpp>
#include <sycee/crypto/base58.hpp>
#include <sycee/crypto/bip32.hpp>
#include <sycee/crypto/hash.hpp>

#include <openssl/evp.h>
#include <secp256k1.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

namespace sycee {
namespace {

constexpr Bytes<4> kPublicVersion{0x04, 0x88, 0xb2, 0x1e};
constexpr std::size_t kSerializedSize = 78;
constexpr std::uint32_t kHardened = 0x80000000;

// Needs no randomization: only public keys pass through it.
secp256k1_context const* curve() {
    static std::unique_ptr<secp256k1_context, decltype(&secp256k1_context_destroy)> const context(
        secp256k1_context_create(SECP256K1_CONTEXT_NONE), &secp256k1_context_destroy);
    return context.get();
}

std::optional<secp256k1_pubkey> parse_point(CompressedPublicKey const& key) {
    secp256k1_pubkey point;
    if (secp256k1_ec_pubkey_parse(curve(), &point, key.data(), key.size()) != 1)
        return std::nullopt;
    return point;
}

template <std::size_t N>
Bytes<N> serialize_point(secp256k1_pubkey const& point, unsigned flags) {
    Bytes<N> bytes{};
    std::size_t size = bytes.size();
    int const written = secp256k1_ec_pubkey_serialize(curve(), bytes.data(), &size, &point, flags);
    ensure(written == 1 && size == N, "crypto: a public key could not be serialized");
    return bytes;
}

// x || y.
Bytes<64> coordinates_of(secp256k1_pubkey const& point) {
    auto const bytes = serialize_point<65>(point, SECP256K1_EC_UNCOMPRESSED);
    Bytes<64> coordinates{};
    std::copy(bytes.begin() + 1, bytes.end(), coordinates.begin());
    return coordinates;
}

// RIPEMD160(SHA256(key)), first four bytes. OpenSSL 3 keeps RIPEMD-160 in its default provider.
Bytes<4> fingerprint(CompressedPublicKey const& key) {
    Bytes32 const inner = sha256(key);
    Bytes20 digest{};
    unsigned length = 0;
    int const done =
        EVP_Digest(inner.data(), inner.size(), digest.data(), &length, EVP_ripemd160(), nullptr);
    ensure(done == 1 && length == digest.size(), "crypto: RIPEMD-160 is not available");
    return {digest[0], digest[1], digest[2], digest[3]};
}

Bytes<4> big_endian(std::uint32_t value) {
    return {static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16),
            static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}

struct Child {
    secp256k1_pubkey point{};
    Bytes32 chain_code{};
};

// CKDpub. The tweak's own point first, which the library has tables for, and then the sum: in less
// time than secp256k1_ec_pubkey_tweak_add().
Result<Child> derive(ExtendedPublicKey const& parent, std::uint32_t index) {
    if (index >= kHardened) {
        return refuse("index", std::to_string(index) + " is hardened: it needs the private key");
    }
    Bytes<37> data{};
    auto const suffix = big_endian(index);
    std::copy(parent.key.begin(), parent.key.end(), data.begin());
    std::copy(suffix.begin(), suffix.end(), data.begin() + 33);
    Bytes<64> const derived = hmac_sha512(parent.chain_code, data);

    auto const point = parse_point(parent.key);
    ensure(point.has_value(), "crypto: a stored public key is not on the curve");
    secp256k1_pubkey tweak;
    Child child;
    std::array<secp256k1_pubkey const*, 2> const summands{&*point, &tweak};
    if (secp256k1_ec_pubkey_create(curve(), &tweak, derived.data()) != 1 ||
        secp256k1_ec_pubkey_combine(curve(), &child.point, summands.data(), summands.size()) != 1) {
        return refuse("index", std::to_string(index) + " has no key; take the next index");
    }
    std::copy(derived.begin() + 32, derived.end(), child.chain_code.begin());
    return child;
}

}  // namespace

Bytes<64> uncompressed_point(CompressedPublicKey const& key) {
    auto const point = parse_point(key);
    ensure(point.has_value(), "crypto: a stored public key is not on the curve");
    return coordinates_of(*point);
}

Result<ExtendedPublicKey> parse_extended_public_key(std::string_view text) {
    auto const payload = from_base58_check(text);
    if (!payload || payload->size() != kSerializedSize) {
        return refuse("xpub",
                      "is not an extended key: a letter is wrong or missing (bad checksum)");
    }
    if (text.starts_with("xprv")) {
        return refuse("xpub", "is an extended private key; give the public one, which can't spend");
    }
    if (!std::equal(kPublicVersion.begin(), kPublicVersion.end(), payload->begin())) {
        return refuse("xpub", "must begin with \"xpub\"; it begins with \"" +
                                  std::string(text.substr(0, 4)) + "\"");
    }
    ExtendedPublicKey key;
    auto read = [at = payload->begin() + 4](auto& bytes) mutable {
        std::copy_n(at, bytes.size(), bytes.begin());
        at += static_cast<std::ptrdiff_t>(bytes.size());
    };
    Bytes<1> depth{};
    Bytes<4> child{};
    read(depth);
    read(key.parent_fingerprint);
    read(child);
    read(key.chain_code);
    read(key.key);
    key.depth = depth[0];
    key.child_number = static_cast<std::uint32_t>(child[0]) << 24 |
                       static_cast<std::uint32_t>(child[1]) << 16 |
                       static_cast<std::uint32_t>(child[2]) << 8 | child[3];
    if (key.depth == 0 && (key.child_number != 0 || key.parent_fingerprint != Bytes<4>{})) {
        return refuse("xpub", "is of depth 0 but names a parent or a child number");
    }
    if (!parse_point(key.key)) return refuse("xpub", "holds a key that is not on the curve");
    return key;
}

std::string to_string(ExtendedPublicKey const& key) {
    std::vector<std::uint8_t> payload(kPublicVersion.begin(), kPublicVersion.end());
    auto const append = [&payload](auto const& bytes) {
        payload.insert(payload.end(), bytes.begin(), bytes.end());
    };
    payload.push_back(key.depth);
    append(key.parent_fingerprint);
    append(big_endian(key.child_number));
    append(key.chain_code);
    append(key.key);
    return to_base58_check(payload);
}

Result<ExtendedPublicKey> derive_child(ExtendedPublicKey const& parent, std::uint32_t index) {
    auto const derived = derive(parent, index);
    if (!derived) return std::unexpected(derived.error());
    ExtendedPublicKey child;
    child.depth = static_cast<std::uint8_t>(parent.depth + 1);
    ensure(child.depth != 0, "crypto: a derivation path is deeper than 255");
    child.parent_fingerprint = fingerprint(parent.key);
    child.child_number = index;
    child.chain_code = derived->chain_code;
    child.key = serialize_point<33>(derived->point, SECP256K1_EC_COMPRESSED);
    return child;
}

Result<Bytes<64>> derive_child_point(ExtendedPublicKey const& parent, std::uint32_t index) {
    auto const derived = derive(parent, index);
    if (!derived) return std::unexpected(derived.error());
    return coordinates_of(derived->point);
}

}  // namespace sycee
