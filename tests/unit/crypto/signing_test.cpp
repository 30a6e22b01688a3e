// Pins: signatures are those of RFC 6979 on secp256k1 with a low s, by vectors that other
// implementations share, and only the very digest, key and signature are accepted.
#include <sycee/crypto/hash.hpp>
#include <sycee/crypto/signing.hpp>

#include <gtest/gtest.h>

namespace sycee {
namespace {

constexpr char const* kTuring = "f8b8af8ce3c7cca5e300d33939540c10d45ce001b8f252bfbc57ba0342904181";

SigningKey key_of(std::string_view hex) {
    return SigningKey::from_bytes(bytes_from_hex<32>(hex).value()).value();
}

Bytes32 digest_of(std::string_view message) {
    return sha256(as_bytes(message));
}

TEST(SigningKey, signs_as_other_implementations_do) {
    Bytes32 one{};
    one[31] = 1;
    EXPECT_EQ(to_hex(SigningKey::from_bytes(one)->sign(digest_of("Satoshi Nakamoto"))),
              "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8"
              "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5");
    EXPECT_EQ(to_hex(key_of(kTuring).sign(digest_of("Alan Turing"))),
              "7063ae83e7f62bbb171798131b4a0564b956930092b33b07b395615d9ec7e15c"
              "58dfcc1e00a35e1572f366ffe34ba0fc47db1e7189759b9fb233c5b05ab388ea");
    EXPECT_EQ(to_hex(key_of(kTuring).public_key()),
              "0292df7b245b81aa637ab4e867c8d511008f79161a97d64f2ac709600352f7acbc");
}

TEST(SigningKey, is_a_number_below_the_order_and_not_zero) {
    EXPECT_FALSE(SigningKey::from_bytes(Bytes32{}));
    EXPECT_FALSE(SigningKey::from_bytes(
        bytes_from_hex<32>("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
            .value()));
    EXPECT_TRUE(SigningKey::from_bytes(
        bytes_from_hex<32>("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140")
            .value()));
}

TEST(Signature, is_accepted_for_its_digest_and_key_alone) {
    SigningKey const key = key_of(kTuring);
    Bytes32 const digest = digest_of("Alan Turing");
    Signature const signature = key.sign(digest);
    EXPECT_TRUE(is_signed_by(key.public_key(), digest, signature));
    for (std::size_t i = 0; i < digest.size(); ++i) {
        Bytes32 other = digest;
        other.at(i) ^= 1;
        EXPECT_FALSE(is_signed_by(key.public_key(), other, signature)) << i;
    }
    for (std::size_t i = 0; i < signature.size(); ++i) {
        Signature other = signature;
        other.at(i) ^= 1;
        EXPECT_FALSE(is_signed_by(key.public_key(), digest, other)) << i;
    }
    EXPECT_FALSE(is_signed_by(key_of(std::string(63, '0') + "7").public_key(), digest, signature));
    EXPECT_FALSE(is_signed_by(CompressedPublicKey{2}, digest, Signature{}));
}

// The same r with the order less s is as good to the curve: whoever counted signatures would count
// two.
TEST(Signature, with_a_high_s_is_refused) {
    auto const high = bytes_from_hex<64>(
        "7063ae83e7f62bbb171798131b4a0564b956930092b33b07b395615d9ec7e15c"
        "a72033e1ff5ca1ea8d0c99001cb45f0272d3be7525d3049c0d9e98dc7582b857");
    EXPECT_FALSE(is_signed_by(key_of(kTuring).public_key(), digest_of("Alan Turing"), *high));
}

}  // namespace
}  // namespace sycee
