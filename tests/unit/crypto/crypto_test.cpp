// Pins: hashes, encodings and BIP-32 against published vectors.
#include <sycee/crypto/base58.hpp>
#include <sycee/crypto/base64.hpp>
#include <sycee/crypto/bip32.hpp>
#include <sycee/crypto/hash.hpp>

#include <gtest/gtest.h>

namespace sycee {
namespace {

TEST(Hash, keccak_is_the_original_not_sha3) {
    EXPECT_EQ(to_hex(keccak256({})),
              "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
    EXPECT_EQ(to_hex(keccak256(as_bytes("Transfer(address,address,uint256)"))),
              "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
}

TEST(Hash, sha256_and_hmac_match_their_standards) {
    EXPECT_EQ(to_hex(sha256(as_bytes("abc"))),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    // RFC 4231, test case 2.
    EXPECT_EQ(to_hex(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_TRUE(
        to_hex(hmac_sha512(as_bytes("Jefe"), as_bytes("what do ya want for nothing?")))
            .starts_with("164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"));
}

TEST(Hash, constant_time_comparison_compares) {
    EXPECT_TRUE(equal_in_constant_time(as_bytes("same"), as_bytes("same")));
    EXPECT_FALSE(equal_in_constant_time(as_bytes("same"), as_bytes("samf")));
    EXPECT_FALSE(equal_in_constant_time(as_bytes("same"), as_bytes("sam")));
}

// RFC 4648, section 10.
TEST(Base64, matches_the_vectors) {
    for (auto const& [plain, text] : std::vector<std::pair<std::string, std::string>>{
             {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}}) {
        EXPECT_EQ(to_base64(as_bytes(plain)), text);
        auto const bytes = from_base64(text);
        ASSERT_TRUE(bytes) << text;
        EXPECT_EQ(std::string(bytes->begin(), bytes->end()), plain);
    }
    EXPECT_EQ(to_base64url(Bytes<3>{0xfb, 0xff, 0xfe}), "-__-");
    for (char const* text : {"Zg=", "Zg", "Z===", "Zm9v!", "Zm 9v", "=m9v", "Zg==Zg=="}) {
        EXPECT_FALSE(from_base64(text)) << text;
    }
}

TEST(Base58, keeps_leading_zeros_and_checks_the_sum) {
    Bytes<5> const payload{0, 0, 1, 2, 3};
    auto const text = to_base58_check(payload);
    EXPECT_TRUE(text.starts_with("11"));
    auto const back = from_base58_check(text);
    ASSERT_TRUE(back);
    EXPECT_TRUE(std::equal(back->begin(), back->end(), payload.begin(), payload.end()));
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto damaged = text;
        damaged[i] = damaged[i] == 'z' ? 'y' : 'z';
        EXPECT_FALSE(from_base58_check(damaged)) << i;
    }
    EXPECT_FALSE(from_base58_check(std::string(201, '1')));
    EXPECT_FALSE(from_base58_check("0OIl"));
}

struct Derivation {
    char const* parent;
    std::uint32_t index;
    char const* child;
};

// BIP-32: the public steps of test vectors 1 and 2.
TEST(Bip32, derives_the_published_children) {
    for (Derivation const& row :
         {Derivation{"xpub68Gmy5EdvgibQVfPdqkBBCHxA5htiqg55crXYuXoQRKfDBFA1WEjWgP6LHhwBZeNK1VTsfTFU"
                     "HCdrfp1bgwQ9xv5ski8PX9rL2dZXvgGDnw",
                     1,
                     "xpub6ASuArnXKPbfEwhqN6e3mwBcDTgzisQN1wXN9BJcM47sSikHjJf3UFHKkNAWbWMiGj7Wf5uMa"
                     "sh7SyYq527Hqck2AxYysAA7xmALppuCkwQ"},
          Derivation{"xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapSCGu8ED9W6oDMSgv6Zz8"
                     "idoc4a6mr8BDzTJY47LJhkJ8UB7WEGuduB",
                     0,
                     "xpub69H7F5d8KSRgmmdJg2KhpAK8SR3DjMwAdkxj3ZuxV27CprR9LgpeyGmXUbC6wb7ERfvrnKZjX"
                     "oUmmDznezpbZb7ap6r1D3tgFxHmwMkQTPH"}}) {
        auto const parent = parse_extended_public_key(row.parent);
        ASSERT_TRUE(parent) << to_string(parent.error());
        EXPECT_EQ(to_string(*parent), row.parent);
        auto const child = derive_child(*parent, row.index);
        ASSERT_TRUE(child);
        EXPECT_EQ(to_string(*child), row.child);
    }
}

TEST(Bip32, refuses_hardened_indices) {
    auto const parent = parse_extended_public_key(
        "xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapSCGu8ED9W6oDMSgv6Zz8idoc4a6mr8BDz"
        "TJY47LJhkJ8UB7WEGuduB");
    ASSERT_TRUE(parent);
    EXPECT_FALSE(derive_child(*parent, 0x80000000));
}

// BIP-32, test vector 5: keys that must be refused.
TEST(Bip32, refuses_the_published_invalid_keys) {
    for (char const* text : {"xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6LBpB85b3"
                             "D2yc8sfvZU521AAwdZafEz7mnzBBsz4wKY5fTtTQBm",
                             "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6Txnt3siS"
                             "ujt9RCVYsx4qHZGc62TG4McvMGcAUjeuwZdduYEvFn",
                             "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6N8ZMMXct"
                             "diCjxTNq964yKkwrkBJJwpzZS4HS2fxvyYUA4q2Xe4",
                             "xpub661no6RGEX3uJkY4bNnPcw4URcQTrSibUZ4NqJEw5eBkv7ovTwgiT91XX27VbEXGE"
                             "NhYRCf7hyEbWrR3FewATdCEebj6znwMfQkhRYHRLpJ",
                             "xpub661MyMwAuDcm6CRQ5N4qiHKrJ39Xe1R1NyfouMKTTWcguwVcfrZJaNvhpebzGerh7"
                             "gucBvzEQWRugZDuDXjNDRmXzSZe4c7mnTK97pTvGS8",
                             "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6Q5JXayek"
                             "4PRsn35jii4veMimro1xefsM58PgBMrvdYre8QyULY",
                             "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmP"
                             "GJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi",
                             ""}) {
        EXPECT_FALSE(parse_extended_public_key(text)) << text;
    }
}

}  // namespace
}  // namespace sycee
