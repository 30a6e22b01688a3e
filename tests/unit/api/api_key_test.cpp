#include <sycee/api/api_key.hpp>
#include <sycee/crypto/hash.hpp>

#include <gtest/gtest.h>

#include <string>

namespace sycee {
namespace {

ApiKeyId const kId{make_uuid_v7(timestamp_from_seconds(1'800'000'000), {1, 2, 3})};

TEST(ApiKey, IsReadBackAsItWasMade) {
    Bytes32 random{};
    for (std::size_t i = 0; i < random.size(); ++i)
        random[i] = static_cast<std::uint8_t>(i * 8);
    auto const made = make_api_key(kId, random);
    auto const& text = made.text.reveal();

    EXPECT_EQ(text.size(), 78U);
    EXPECT_TRUE(text.starts_with("sk_live_" + to_base32(kId.uuid) + "_")) << text;
    auto const parsed = parse_api_key(text);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->id, kId);
    EXPECT_EQ(parsed->secret_hash, made.secret_hash);
    EXPECT_EQ(parsed->secret_hash, sha256(as_bytes(text.substr(35))));
}

TEST(ApiKey, TellsByItsPrefixWhetherItIsRestricted) {
    auto const made = make_api_key(kId, Bytes32{7}, ApiKeyKind::restricted);
    auto const& text = made.text.reveal();
    EXPECT_TRUE(text.starts_with("rk_live_" + to_base32(kId.uuid) + "_")) << text;
    auto const parsed = parse_api_key(text);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->kind, ApiKeyKind::restricted);
    EXPECT_EQ(parsed->id, kId);
    EXPECT_EQ(parse_api_key(make_api_key(kId, Bytes32{7}).text.reveal())->kind, ApiKeyKind::full);
}

TEST(ApiKey, MayHoldUnderscoresInItsSecret) {
    Bytes32 random{};
    random.fill(0xff);  // base64url: all underscores
    auto const made = make_api_key(kId, random);
    EXPECT_TRUE(made.text.reveal().ends_with("____8")) << made.text.reveal();
    auto const parsed = parse_api_key(made.text.reveal());
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->secret_hash, made.secret_hash);
}

TEST(ApiKey, HasAnotherHashForAnotherSecret) {
    auto const one = make_api_key(kId, Bytes32{1});
    auto const two = make_api_key(kId, Bytes32{2});
    EXPECT_NE(one.secret_hash, two.secret_hash);
}

TEST(ApiKey, RefusesEveryOtherForm) {
    std::string const good = make_api_key(kId, Bytes32{7}).text.reveal();
    auto const with = [&good](std::size_t at, char c) {
        auto changed = good;
        changed[at] = c;
        return changed;
    };
    for (auto const& text :
         {std::string(), std::string("sk_live_"), good.substr(1), good.substr(0, 77), good + "A",
          " " + good, with(3, 'L'), with(0, 'p'), with(1, 'c'), with(8, 'z'), with(8, 'u'),
          with(20, '!'), with(34, '-'), with(40, '+'), with(40, '/'), with(77, '='), with(77, ' '),
          with(50, '\0')}) {
        EXPECT_FALSE(parse_api_key(text)) << text;
    }
}

}  // namespace
}  // namespace sycee
