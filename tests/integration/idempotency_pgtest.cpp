#include <sycee/store/pg_idempotency.hpp>

#include "books_fixture.hpp"

namespace sycee {
namespace {

class IdempotencyInPostgres : public BooksInPostgres {
  protected:
    NewPayment claiming(std::string key, std::uint8_t request = 1) {
        NewPayment input = new_payment(merchant_id, {kChain});
        input.claim = IdempotencyClaim{
            .key = std::move(key), .request_hash = Bytes32{request}, .answer = answer_of};
        return input;
    }
    static KeptAnswer answer_of(Payment const& payment) {
        return {201, "/v1/payments/" + to_string(payment.id), to_string(payment.deposit_address)};
    }
    Payment create(NewPayment input) {
        return run(payments.create(std::move(input), derive_deposit_address));
    }
    std::size_t count_of_payments() {
        pqxx::connection connection(url());
        pqxx::nontransaction tx(connection);
        return tx.exec1("SELECT count(*) FROM payments")[0].as<std::size_t>();
    }

    PgPayments payments{*database};
    PgIdempotency keys{*database};
};

TEST_F(IdempotencyInPostgres, a_key_is_there_with_what_was_created_and_creates_once) {
    auto const before = count_of_payments();
    Payment const created = create(claiming("order 1: \"a\\b\""));
    EXPECT_THROW(create(claiming("order 1: \"a\\b\"")), KeyWasUsed);
    EXPECT_EQ(count_of_payments(), before + 1);
    auto const used = run(keys.find(merchant_id, "order 1: \"a\\b\""));
    ASSERT_TRUE(used && used->answer);
    EXPECT_EQ(used->request_hash, Bytes32{1});
    EXPECT_EQ(used->answer->status, 201U);
    EXPECT_EQ(used->answer->location, "/v1/payments/" + to_string(created.id));
    EXPECT_EQ(used->answer->body, to_string(created.deposit_address));
    EXPECT_FALSE(run(keys.find(merchant_id, "order 2")));
    EXPECT_FALSE(run(keys.find(create_merchant("Hats", 5), "order 1: \"a\\b\"")));
}

TEST_F(IdempotencyInPostgres, an_answer_is_kept_after_its_work_and_then_stays) {
    IdempotencyClaim const claim{.key = "cancel-7", .request_hash = Bytes32{1}};
    run(keys.keep(merchant_id, claim, {200, "", "first"}, kStart));
    run(keys.keep(merchant_id, claim, {200, "", "second"}, kStart));
    IdempotencyClaim const other{.key = "cancel-7", .request_hash = Bytes32{2}};
    run(keys.keep(merchant_id, other, {200, "", "third"}, kStart));
    auto const used = run(keys.find(merchant_id, "cancel-7"));
    ASSERT_TRUE(used && used->answer);
    EXPECT_EQ(used->request_hash, Bytes32{1});
    EXPECT_EQ(used->answer->body, "first");
}

TEST_F(IdempotencyInPostgres, of_many_at_once_with_one_key_one_creates) {
    auto const before = count_of_payments();
    std::vector<Task<void>> tasks;
    std::size_t created = 0;
    std::size_t used = 0;
    auto one = [&](NewPayment input) -> Task<void> {
        try {
            co_await payments.create(std::move(input), derive_deposit_address);
            ++created;
        } catch (KeyWasUsed const&) {
            ++used;
        }
    };
    for (int i = 0; i < 20; ++i)
        tasks.push_back(one(claiming(i % 2 == 0 ? "even" : "odd")));
    for (auto const& error : run_at_once(std::move(tasks)))
        EXPECT_FALSE(error);
    EXPECT_EQ(created, 2U);
    EXPECT_EQ(used, 18U);
    EXPECT_EQ(count_of_payments(), before + 2);
}

// A second process has a writer, and a connection, of its own.
TEST_F(IdempotencyInPostgres, of_two_processes_with_one_key_one_creates) {
    auto const before = count_of_payments();
    Database another_database(url(), 2);
    PgPayments another(another_database);
    for (int round = 0; round < 20; ++round) {
        std::string const key = "round " + std::to_string(round);
        std::size_t created = 0;
        auto one = [&](PgPayments& process) -> Task<void> {
            try {
                co_await process.create(claiming(key), derive_deposit_address);
                ++created;
            } catch (KeyWasUsed const&) {
            }
        };
        std::vector<Task<void>> tasks;
        tasks.push_back(one(payments));
        tasks.push_back(one(another));
        for (auto const& error : run_at_once(std::move(tasks)))
            EXPECT_FALSE(error);
        EXPECT_EQ(created, 1U) << key;
    }
    EXPECT_EQ(count_of_payments(), before + 20);
}

TEST_F(IdempotencyInPostgres, a_payment_that_is_refused_leaves_its_key_free) {
    NewPayment refused = claiming("once");
    refused.expires_at = refused.created_at;
    refused.price = Amount(0);
    EXPECT_THROW(create(refused), InvariantViolation);
    EXPECT_FALSE(run(keys.find(merchant_id, "once")));
    create(claiming("once"));
}

TEST_F(IdempotencyInPostgres, old_keys_are_forgotten_some_at_a_time) {
    for (int i = 0; i < 5; ++i)
        create(claiming("old " + std::to_string(i)));
    NewPayment young = claiming("young");
    young.created_at = kStart + std::chrono::hours(2);
    create(young);
    Timestamp const before = kStart + std::chrono::hours(1);
    EXPECT_EQ(run(keys.forget(before, 3)), 3U);
    EXPECT_EQ(run(keys.forget(before, 3)), 2U);
    EXPECT_EQ(run(keys.forget(before, 3)), 0U);
    EXPECT_FALSE(run(keys.find(merchant_id, "old 0")));
    EXPECT_TRUE(run(keys.find(merchant_id, "young")));
    create(claiming("old 0"));
}

}  // namespace
}  // namespace sycee
