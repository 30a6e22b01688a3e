// Pins: the test chain's head never goes back, and nothing is added to what was told; what is added
// is kept.
#include <sycee/store/pg_fees.hpp>
#include <sycee/store/pg_idempotency.hpp>
#include <sycee/store/pg_test_chain.hpp>

#include "books_fixture.hpp"

namespace sycee {
namespace {

using namespace std::chrono_literals;

class TestChainInPostgres : public BooksInPostgres {
  protected:
    TestTransfer transfer(std::uint8_t number) const {
        return {.merchant_id = merchant_id,
                .transaction_hash = Bytes32{number},
                .token = kToken,
                .sender = Address{Bytes20{1}},
                .recipient = Address{Bytes20{number}},
                .amount = Amount(1'000)};
    }
    Task<TestTransfer> add(TestTransfer transfer, TestMoment moment) {
        co_return (co_await chain->add(transfer, moment, 1'000, std::nullopt)).value();
    }
    std::unique_ptr<PgTestChain> chain = std::make_unique<PgTestChain>(*database);
};

TEST_F(TestChainInPostgres, begins_with_blocks_that_are_final) {
    auto const state = run(chain->advance());
    EXPECT_GE(state.head, 2 * kTestBlocksToFinal);
    EXPECT_GT(state.finalized(), 0U);
    auto const again = run(chain->advance());
    EXPECT_EQ(again.seed, state.seed);
    EXPECT_EQ(again.genesis, state.genesis);
    EXPECT_GE(again.head, state.head);
}

TEST_F(TestChainInPostgres, keeps_its_head_when_the_clock_goes_back) {
    auto const state = run(chain->advance());
    query("UPDATE test_chain SET head = head + 1000");
    EXPECT_EQ(run(chain->advance()).head, state.head + 1000);
    EXPECT_EQ(run(add(transfer(1), {})).block_number, state.head + 1001);
}

TEST_F(TestChainInPostgres, adds_above_what_was_told_and_gives_it_back) {
    auto const state = run(chain->advance());
    auto const one = run(add(transfer(1), {}));
    EXPECT_GT(one.block_number, state.head);
    EXPECT_FALSE(one.gone_at);
    auto const two = run(add(transfer(2), {.after = {}, .taken_back_after = 2}));
    EXPECT_EQ(two.gone_at, two.block_number + 2);
    auto const expiry = state.time_of(state.head + 500) + 1s;
    auto const late = run(add(transfer(3), {.after = expiry, .taken_back_after = {}}));
    EXPECT_EQ(late.block_number, state.head + 501);

    EXPECT_EQ(run(chain->find(Bytes32{2})), two);
    EXPECT_FALSE(run(chain->find(Bytes32{9})));
    EXPECT_EQ(run(chain->in_blocks(one.block_number, two.block_number)), (std::vector{one, two}));
    EXPECT_EQ(run(chain->in_blocks(late.block_number, late.block_number)), std::vector{late});
    EXPECT_EQ(run(chain->of({Address{Bytes20{3}}})), std::vector{late});
    EXPECT_EQ(run(chain->of({Address{Bytes20{1}}})).size(), 3U);
    EXPECT_TRUE(run(chain->of({})).empty());
}

TEST_F(TestChainInPostgres, a_reorg_is_never_deeper_than_what_is_not_final) {
    EXPECT_THROW(run(add(transfer(1), {.after = {}, .taken_back_after = kDeepestTestReorg + 1})),
                 InvariantViolation);
    EXPECT_THROW(query("INSERT INTO test_chain_transfers (merchant_id, transaction_hash, token,"
                       " sender, recipient, amount, block_number, gone_at) SELECT merchant_id,"
                       " decode(repeat('01', 32), 'hex'), decode(repeat('01', 20), 'hex'),"
                       " decode(repeat('01', 20), 'hex'), decode(repeat('01', 20), 'hex'), 1, 100,"
                       " 105 FROM merchants"),
                 pqxx::sql_error);
}

TEST_F(TestChainInPostgres, a_key_is_claimed_with_the_transfer) {
    PgIdempotency keys(*database);
    IdempotencyClaim const claim{
        .key = "test-1", .request_hash = Bytes32{7}, .answer = {}, .subject = "0x01"};
    run(chain->add(transfer(1), {}, 1'000, claim));
    EXPECT_THROW(run(chain->add(transfer(2), {}, 1'000, claim)), KeyWasUsed);
    EXPECT_FALSE(run(chain->find(Bytes32{2})));
    EXPECT_EQ(run(keys.find(merchant_id, "test-1"))->subject, "0x01");
}

TEST_F(TestChainInPostgres, a_block_takes_so_many_and_a_recipient_as_well) {
    auto const state = run(chain->advance());
    auto const expiry = state.time_of(state.head + 500) + 1s;
    TestMoment const late{.after = expiry, .taken_back_after = {}};
    auto const full = run(add(transfer(1), late)).block_number;
    query(
        "INSERT INTO test_chain_transfers (merchant_id, transaction_hash, token, sender,"
        " recipient, amount, block_number) SELECT merchant_id, decode(lpad(to_hex(n), 64, '0'),"
        " 'hex'), token, sender, recipient, 1, block_number FROM test_chain_transfers,"
        " generate_series(1000, 1198) n");
    EXPECT_EQ(run(add(transfer(2), late)).block_number, full + 1);
    EXPECT_FALSE(run(chain->add(transfer(1), late, 200, std::nullopt)));
    EXPECT_EQ(run(add(transfer(3), {})).block_number, run(chain->advance()).head + 1);
}

TEST_F(TestChainInPostgres, a_merchant_has_one_test_twin) {
    NewMerchant twin;
    twin.id = new_id<MerchantTag>(kStart);
    twin.name = "Shirts";
    twin.test_twin_of = merchant_id;
    auto const account = parse_extended_public_key(
        "xpub6Ce9NcJvTk36xtLSrJLZqE7wtgA5deCeYs7rSQtreh4cj6ByPtrg9sD7V2FNFLPnf8heNP3FGkeV9qwfzv"
        "ZNSd54JoNXVsXFYSYwHsnJxqP");
    twin.extended_public_key = derive_child(account.value(), 0x7fffffff).value();
    twin.created_at = kStart;
    ASSERT_TRUE(run(PgAccess(*database).create_merchant(twin)));
    auto second = twin;
    second.id = new_id<MerchantTag>(kStart);
    EXPECT_FALSE(run(PgAccess(*database).create_merchant(second)));
    second.test_twin_of = twin.id;
    EXPECT_FALSE(run(PgAccess(*database).create_merchant(second)));
    EXPECT_EQ(query("SELECT mode FROM merchants WHERE live_merchant_id IS NOT NULL"), "test");
    PgFees fees(*database);
    EXPECT_EQ(run(fees.set_recipient(twin.id, kStart)).error().field, "merchant");
    EXPECT_TRUE(run(fees.set_recipient(merchant_id, kStart)));
}

}  // namespace
}  // namespace sycee
