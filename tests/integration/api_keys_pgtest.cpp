// Pins: what the database keeps of API keys; that a rotation gives no more than the old key had and
// overlaps as long as it says; that nothing in the database makes a key wider.
#include <sycee/store/pg_api_keys.hpp>

#include "books_fixture.hpp"

namespace sycee {
namespace {

using namespace std::chrono_literals;

class ApiKeysInPostgres : public BooksInPostgres {
  protected:
    ApiKey make_key(Scopes scopes = Scopes::everything(), std::vector<std::string> addresses = {}) {
        ApiKey key;
        key.id = new_id<ApiKeyTag>(kStart);
        key.merchant_id = merchant_id;
        key.label = "shop \"1\" \\ {,}";
        key.secret_hash = Bytes32{9};
        key.scopes = scopes;
        key.allowed_addresses = std::move(addresses);
        key.created_at = kStart;
        return key;
    }
    ApiKey created(ApiKey key) {
        EXPECT_TRUE(run(keys->create(key)));
        return key;
    }
    ApiKey read(ApiKeyId id) {
        auto const key = run(keys->find(id));
        EXPECT_TRUE(key);
        return key.value_or(ApiKey{});
    }
    RotatedKey fresh(std::optional<Timestamp> expires_at = {}) {
        return {.id = new_id<ApiKeyTag>(kStart + 1s),
                .secret_hash = Bytes32{8},
                .expires_at = expires_at};
    }
    // True where PostgreSQL refuses the change.
    bool is_refused(std::string const& change, ApiKeyId id) {
        try {
            query("UPDATE api_keys SET " + change + " WHERE key_id = '" + to_string(id.uuid) + "'");
        } catch (pqxx::sql_error const& error) {
            EXPECT_TRUE(std::string(error.what()).contains("never widened")) << error.what();
            return true;
        }
        return false;
    }

    std::unique_ptr<PgApiKeys> keys = std::make_unique<PgApiKeys>(*database);
};

TEST_F(ApiKeysInPostgres, are_read_as_they_were_made) {
    auto const full = created(make_key());
    auto made = make_key(Scopes{}.add(Scope::payments_read).add(Scope::webhooks_write),
                         {"192.0.2.0/24", "2001:db8::/32", "203.0.113.9/32"});
    made.expires_at = kStart + 1h;
    auto const restricted = created(made);

    auto const read_full = read(full.id);
    EXPECT_EQ(read_full.merchant_id, merchant_id);
    EXPECT_EQ(read_full.label, full.label);
    EXPECT_EQ(read_full.secret_hash, full.secret_hash);
    EXPECT_EQ(read_full.scopes, Scopes::everything());
    EXPECT_TRUE(read_full.allowed_addresses.empty());
    EXPECT_EQ(read_full.created_at, kStart);
    EXPECT_FALSE(read_full.expires_at || read_full.revoked_at || read_full.last_used_at ||
                 read_full.replaced_by);
    auto const read_restricted = read(restricted.id);
    EXPECT_EQ(read_restricted.scopes, restricted.scopes);
    EXPECT_EQ(read_restricted.allowed_addresses, restricted.allowed_addresses);
    EXPECT_EQ(read_restricted.expires_at, kStart + 1h);
    EXPECT_FALSE(run(keys->find(new_id<ApiKeyTag>(kStart))));

    auto const listed = run(keys->list(merchant_id));
    ASSERT_EQ(listed.size(), 2U);
    auto const other = create_merchant("Hats", 7);
    EXPECT_TRUE(run(keys->list(other)).empty());
    EXPECT_EQ(run(keys->list(std::nullopt)).size(), 2U);
}

TEST_F(ApiKeysInPostgres, are_of_a_merchant_that_is_there) {
    auto key = make_key();
    key.merchant_id = new_id<MerchantTag>(kStart);
    auto const refused = run(keys->create(key));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().field, "merchant");
}

TEST_F(ApiKeysInPostgres, keys_that_were_made_before_may_do_everything) {
    query(
        "INSERT INTO api_keys (merchant_id, key_id, secret_hash, created_at) SELECT merchant_id,"
        " '01938c1e-0000-7000-8000-000000000000', decode(repeat('00', 32), 'hex'), now()"
        " FROM merchants");
    auto const listed = run(keys->list(merchant_id));
    ASSERT_EQ(listed.size(), 1U);
    EXPECT_TRUE(listed[0].scopes.is_everything());
    EXPECT_TRUE(listed[0].allowed_addresses.empty());
    EXPECT_TRUE(listed[0].is_valid(kStart));
}

TEST_F(ApiKeysInPostgres, a_scope_of_a_later_version_gives_this_one_nothing) {
    query(
        "INSERT INTO api_keys (merchant_id, key_id, secret_hash, created_at, scopes) SELECT"
        " merchant_id, '01938c1e-0000-7000-8000-000000000000', decode(repeat('00', 32), 'hex'),"
        " now(), '{payments:read,payouts:write}' FROM merchants");
    EXPECT_EQ(run(keys->list(merchant_id)).at(0).scopes, Scopes{}.add(Scope::payments_read));
}

TEST_F(ApiKeysInPostgres, a_rotation_makes_a_key_alike_and_ends_the_old_one_after_the_overlap) {
    auto const old = created(make_key(Scopes{}.add(Scope::refunds_write), {"192.0.2.0/24"}));
    auto const made = run(keys->rotate(old.id, fresh(), kStart + 5s, 24h));
    ASSERT_TRUE(made);
    auto const now_old = read(old.id);
    auto const now_new = read(made->id);
    EXPECT_EQ(now_old.expires_at, kStart + 5s + 24h);
    EXPECT_EQ(now_old.replaced_by, made->id);
    EXPECT_TRUE(now_old.is_valid(kStart + 24h));
    EXPECT_FALSE(now_old.is_valid(kStart + 5s + 24h));
    EXPECT_EQ(now_new.merchant_id, old.merchant_id);
    EXPECT_EQ(now_new.label, old.label);
    EXPECT_EQ(now_new.scopes, old.scopes);
    EXPECT_EQ(now_new.allowed_addresses, old.allowed_addresses);
    EXPECT_EQ(now_new.secret_hash, Bytes32{8});
    EXPECT_FALSE(now_new.expires_at || now_new.replaced_by || now_new.last_used_at);
}

TEST_F(ApiKeysInPostgres, a_rotation_prolongs_nothing) {
    auto expiring = make_key();
    expiring.expires_at = kStart + 1h;
    auto const old = created(expiring);
    auto const made = run(keys->rotate(old.id, fresh(), kStart, 24h));
    ASSERT_TRUE(made);
    EXPECT_EQ(read(old.id).expires_at, kStart + 1h);
    EXPECT_EQ(read(made->id).expires_at, kStart + 1h);
    // Said in so many words, the new key may live longer.
    auto const longer = run(keys->rotate(made->id, fresh(kStart + 48h), kStart, 0s));
    ASSERT_TRUE(longer);
    EXPECT_EQ(read(longer->id).expires_at, kStart + 48h);
    EXPECT_FALSE(read(made->id).is_valid(kStart));
}

TEST_F(ApiKeysInPostgres, what_is_not_valid_or_was_rotated_is_not_rotated) {
    auto const refused = [this](ApiKeyId id, std::string const& why) {
        auto const made = run(keys->rotate(id, fresh(), kStart + 10s, 24h));
        ASSERT_FALSE(made) << why;
        EXPECT_TRUE(made.error().message.contains(why)) << made.error().message;
    };
    refused(new_id<ApiKeyTag>(kStart), "there is no key");
    auto const revoked = created(make_key());
    EXPECT_TRUE(run(keys->revoke(revoked.id, kStart)));
    refused(revoked.id, "not valid any more");
    auto expiring = make_key();
    expiring.expires_at = kStart + 10s;
    refused(created(expiring).id, "not valid any more");
    auto const twice = created(make_key());
    auto const made = run(keys->rotate(twice.id, fresh(), kStart, 24h));
    refused(twice.id, "rotate " + to_string(made->id));
    EXPECT_EQ(query("SELECT count(*) FROM api_keys"), "4");
}

TEST_F(ApiKeysInPostgres, of_two_rotations_at_once_one_is_refused) {
    auto const old = created(make_key());
    std::vector<bool> done;
    auto const rotate = [&](RotatedKey key) -> Task<void> {
        auto const made = co_await keys->rotate(old.id, key, kStart, 1h);
        done.push_back(made.has_value());
    };
    std::vector<Task<void>> both;
    both.push_back(rotate(fresh()));
    both.push_back(rotate(fresh()));
    for (auto const& error : run_at_once(std::move(both)))
        EXPECT_FALSE(error);
    EXPECT_EQ(std::ranges::count(done, true), 1);
    EXPECT_EQ(query("SELECT count(*) FROM api_keys"), "2");
}

TEST_F(ApiKeysInPostgres, the_newest_use_is_kept) {
    auto const one = created(make_key());
    auto const two = created(make_key());
    run(keys->note_uses({{one.id, kStart + 5s}, {two.id, kStart + 7s}}));
    run(keys->note_uses(
        {{one.id, kStart + 4s}, {two.id, kStart + 9s}, {new_id<ApiKeyTag>(kStart), kStart}}));
    EXPECT_EQ(read(one.id).last_used_at, kStart + 5s);
    EXPECT_EQ(read(two.id).last_used_at, kStart + 9s);
}

TEST_F(ApiKeysInPostgres, nothing_makes_a_key_wider) {
    auto restricted = make_key(Scopes{}.add(Scope::payments_read), {"192.0.2.0/24"});
    restricted.expires_at = kStart + 1h;
    auto const key = created(restricted);
    EXPECT_TRUE(is_refused("scopes = '{*}'", key.id));
    EXPECT_TRUE(is_refused("allowed_addresses = '{}'", key.id));
    EXPECT_TRUE(is_refused("secret_hash = decode(repeat('00', 32), 'hex')", key.id));
    EXPECT_TRUE(is_refused("expires_at = NULL", key.id));
    EXPECT_TRUE(is_refused("expires_at = expires_at + interval '1 second'", key.id));
    EXPECT_FALSE(is_refused("expires_at = expires_at - interval '1 second'", key.id));
    EXPECT_FALSE(is_refused("revoked_at = now()", key.id));
    EXPECT_TRUE(is_refused("revoked_at = NULL", key.id));
    EXPECT_TRUE(is_refused("revoked_at = now() + interval '1 day'", key.id));
    EXPECT_FALSE(is_refused("last_used_at = now()", key.id));
}

}  // namespace
}  // namespace sycee
