#include <sycee/runtime/password.hpp>
#include <sycee/runtime/random.hpp>
#include <sycee/runtime/secret_box.hpp>

#include <gtest/gtest.h>

#include <set>

namespace sycee {
namespace {

TEST(Random, differs_each_time_and_stays_below_its_bound) {
    EXPECT_NE(random_bytes<32>(), random_bytes<32>());
    std::set<std::uint32_t> seen;
    for (int i = 0; i < 1000; ++i)
        seen.insert(random_below(4));
    EXPECT_EQ(seen, (std::set<std::uint32_t>{0, 1, 2, 3}));
    auto const now = timestamp_from_seconds(1'795'426'406);
    EXPECT_NE(new_id<EventTag>(now), new_id<EventTag>(now));
}

TEST(Password, is_verified_by_its_hash_only) {
    Secret const password("correct horse battery");
    auto const hash = hash_password(password);
    EXPECT_TRUE(hash.starts_with("$argon2id$v=19$m=65536,t=2,p=1$")) << hash;
    EXPECT_TRUE(verify_password(hash, password));
    EXPECT_FALSE(verify_password(hash, Secret("correct horse batterz")));
    EXPECT_FALSE(verify_password(hash, Secret("")));
    EXPECT_NE(hash_password(password), hash) << "the salt differs";
}

TEST(Password, a_broken_hash_verifies_nothing) {
    for (auto const* hash : {"", "x", "$argon2id$", "$argon2id$v=19$m=65536,t=2,p=1$AAAA$AAAA"}) {
        EXPECT_FALSE(verify_password(hash, Secret("anything at all"))) << hash;
    }
}

TEST(Password, needs_twelve_characters_and_at_most_256_bytes) {
    EXPECT_FALSE(check_new_password(Secret("12345678901")));
    EXPECT_TRUE(check_new_password(Secret("123456789012")));
    EXPECT_FALSE(check_new_password(Secret("银银银银银银"))) << "six characters of three bytes";
    EXPECT_TRUE(check_new_password(Secret("银银银银银银银银银银银银")));
    EXPECT_TRUE(check_new_password(Secret(std::string(256, 'x'))));
    auto const refused = check_new_password(Secret(std::string(257, 'x')));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().field, "password");
    EXPECT_FALSE(refused.error().message.contains("xxx"));
}

class SecretBoxTest : public ::testing::Test {
  protected:
    Bytes32 key = random_bytes<32>();
    SecretBox box{key};
};

TEST_F(SecretBoxTest, opens_what_it_sealed) {
    for (std::string const& text :
         {std::string(), std::string("whsec_1"), std::string(1000, '\0')}) {
        auto const sealed = box.seal(Secret(text));
        EXPECT_EQ(sealed.size(), 24 + 16 + text.size());
        auto const opened = box.open(sealed);
        ASSERT_TRUE(opened);
        EXPECT_EQ(opened->reveal(), text);
    }
    EXPECT_NE(box.seal(Secret("same")), box.seal(Secret("same"))) << "the nonce differs";
}

TEST_F(SecretBoxTest, refuses_each_changed_byte_another_key_and_a_short_text) {
    auto sealed = box.seal(Secret("whsec_1"));
    for (auto& byte : sealed) {
        byte ^= 1U;
        EXPECT_FALSE(box.open(sealed));
        byte ^= 1U;
    }
    EXPECT_TRUE(box.open(sealed));
    EXPECT_FALSE(SecretBox(random_bytes<32>()).open(sealed));
    sealed.resize(39);
    EXPECT_FALSE(box.open(sealed));
    EXPECT_FALSE(box.open({}));
}

}  // namespace
}  // namespace sycee
