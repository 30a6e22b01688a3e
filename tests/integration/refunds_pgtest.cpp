// Pins refunds against the real PostgreSQL: what is promised, paid and taken back is written in one
// transaction, read back as it was, and right for verify; "once" is refused by the database itself;
// and of two that race, one is told to try again.
#include <sycee/crypto/hash.hpp>
#include <sycee/payment/desk.hpp>
#include <sycee/payment/refund.hpp>
#include <sycee/store/pg_idempotency.hpp>
#include <sycee/store/pg_refunds.hpp>

#include "books_fixture.hpp"

namespace sycee {
namespace {

using namespace std::chrono_literals;

Address const kPayer{Bytes20{8}};

class RefundsInPostgres : public BooksInPostgres {
  protected:
    RefundsInPostgres() : refunds(*database) { settle(); }  // 60 for 50: 1 to 4

    MerchantView view() {
        return run(PgLedger(*database).load_views(kChain, {{merchant_id, payment.id}}, {})).at(0);
    }
    RefundCommit commit_of(Result<MerchantStep> const& step, std::string reason = "") const {
        EXPECT_TRUE(step) << to_string(step.error());
        RefundCommit commit{.head = {merchant_id, step->first_head, step->head},
                            .chain_id = kChain,
                            .entries = step->entries,
                            .events = {},
                            .reason = std::move(reason),
                            .request = std::nullopt,
                            .claim = std::nullopt,
                            .foreign = {},
                            .now = kStart};
        add_events(commit.events, merchant_id, step->events, kChain, kStart);
        give_ids(commit.events, kStart);
        return commit;
    }
    static Bytes32 hash(std::string_view reason) { return sha256(as_bytes(reason)); }
    Result<MerchantStep> promise(std::uint64_t amount) {
        return promise_refund(view(), kChain,
                              {.payment_id = payment.id,
                               .token = kToken,
                               .recipient = kPayer,
                               .amount = Amount(amount),
                               .decided_by = "key_1",
                               .approved_by = "",
                               .reason_hash = hash("it did not fit")},
                              progress, kStart);
    }
    RefundKey promised(std::uint64_t amount) {
        auto const commit = commit_of(promise(amount), "it did not fit");
        run(refunds.commit(commit));
        return {merchant_id, kChain, commit.entries.front().sequence};
    }
    Transfer paid_by(std::uint8_t number, std::uint64_t amount) const {
        Transfer paid = transfer(number, amount, block(101));
        paid.recipient = kPayer;
        return paid;
    }
    Result<MerchantStep> keep(RefundKey const& key, Transfer const& by) {
        return keep_promise(view(), kChain,
                            {.payment_id = payment.id,
                             .promise_sequence = key.sequence,
                             .recipient = kPayer,
                             .promised_at = by.block_time,
                             .transfer = by},
                            progress, kStart);
    }
    Result<MerchantStep> cancel(RefundKey const& key) {
        return cancel_promise(view(), kChain,
                              {.payment_id = payment.id,
                               .promise_sequence = key.sequence,
                               .decided_by = "key_1",
                               .reason_hash = hash("kept")},
                              progress, kStart);
    }
    // A promise out of what is over, by the desk.
    RefundKey promised_by_desk(std::uint64_t amount) {
        auto const step = resolve_exception(view(), kChain,
                                            {.exception_sequence = 2,
                                             .payment_id = payment.id,
                                             .kind = ResolutionKind::refund,
                                             .target = {},
                                             .amount = Amount(amount),
                                             .decided_by = "key_1",
                                             .approved_by = "",
                                             .reason_hash = hash("too much")},
                                            progress, kStart);
        EXPECT_TRUE(step);
        run(PgDesk(*database).commit({.head = {merchant_id, step->first_head, step->head},
                                      .chain_id = kChain,
                                      .entries = step->entries,
                                      .reason = "too much",
                                      .now = kStart}));
        return {merchant_id, kChain, step->head.sequence};
    }
    std::string balance(std::string const& account) {
        return query("SELECT balance FROM account_balances WHERE account = '" + account + "'");
    }
    RefundDetail found(RefundKey const& key) { return run(refunds.find(key)).value(); }

    PgRefunds refunds;
};

TEST_F(RefundsInPostgres, are_promised_paid_and_read_back) {
    RefundKey const key = promised(20'000'000);
    EXPECT_EQ(balance("refund_frozen"), "20000000");
    EXPECT_EQ(balance("merchant_settled"), "30000000");
    RefundDetail refund = found(key);
    EXPECT_EQ(refund.status(), RefundStatus::frozen);
    EXPECT_EQ(refund.recipient, kPayer);
    EXPECT_EQ(refund.amount, Amount(20'000'000));
    EXPECT_EQ(refund.reason, "it did not fit");
    EXPECT_EQ(state().promises.size(), 1U);

    Transfer const by = paid_by(9, 21'000'000);
    run(refunds.commit(commit_of(keep(key, by))));
    refund = found(key);
    EXPECT_EQ(refund.status(), RefundStatus::paid);
    EXPECT_EQ(refund.payment->transfer, by);
    EXPECT_EQ(balance("refund_frozen"), "0");
    EXPECT_EQ(balance("drawn"), "-20000000");
    EXPECT_EQ(state().promises.at(0).stage, PromiseStage::paid);
    EXPECT_EQ(query("SELECT string_agg(type, ' ' ORDER BY record_seq) FROM outbox_events"
                    " WHERE type LIKE 'refund.%'"),
              "refund.created refund.paid");
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(RefundsInPostgres, are_taken_back_with_the_reason) {
    RefundKey const key = promised(20'000'000);
    run(refunds.commit(commit_of(cancel(key), "kept")));
    EXPECT_EQ(found(key).status(), RefundStatus::canceled);
    EXPECT_EQ(found(key).cancellation->reason, "kept");
    EXPECT_EQ(balance("merchant_settled"), "50000000");
    EXPECT_EQ(refundable_amount(state(), kChain, kToken), Amount(50'000'000));
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(RefundsInPostgres, of_the_desk_open_the_exception_again_when_they_are_taken_back) {
    RefundKey const key = promised_by_desk(4'000'000);
    PgDesk desk(*database);
    EXPECT_EQ(run(desk.find({merchant_id, kChain, 2}))->resolved, Amount(4'000'000));
    EXPECT_EQ(state().credits.at(0).resolved, Amount(4'000'000));
    EXPECT_EQ(found(key).recipient, Address{});
    EXPECT_TRUE(run(refunds.give_recipient(key, kPayer, "key_1", kStart)));
    EXPECT_TRUE(run(refunds.give_recipient(key, kPayer, "key_1", kStart)));
    EXPECT_FALSE(run(refunds.give_recipient(key, kToken, "key_1", kStart)));
    EXPECT_EQ(found(key).recipient, kPayer);
    run(refunds.commit(commit_of(cancel(key), "kept")));
    EXPECT_TRUE(run(desk.find({merchant_id, kChain, 2}))->resolved.is_zero());
    EXPECT_TRUE(state().credits.at(0).resolved.is_zero());
    EXPECT_EQ(balance("payer_unapplied"), "10000000");
    EXPECT_EQ(first_wrong(), "");
    RefundKey const again = promised_by_desk(10'000'000);
    run(refunds.commit(commit_of(keep(again, paid_by(9, 10'000'000)))));
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(RefundsInPostgres, that_race_for_the_same_money_are_promised_once) {
    auto const one = commit_of(promise(30'000'000), "it did not fit");
    auto const other = commit_of(promise(30'000'000), "it did not fit");
    std::vector<Task<void>> both;
    both.push_back(refunds.commit(one));
    both.push_back(refunds.commit(other));
    expect_one_refused(run_at_once(std::move(both)));
    EXPECT_EQ(balance("refund_frozen"), "30000000");
    EXPECT_FALSE(promise(30'000'000));
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(RefundsInPostgres, are_paid_by_a_transfer_of_their_own) {
    RefundKey const first = promised(5'000'000);
    RefundKey const second = promised(5'000'000);
    Transfer const by = paid_by(9, 5'000'000);
    run(refunds.commit(commit_of(keep(first, by))));
    EXPECT_EQ(run(refunds.used_transfers(kChain, by.key.transaction_hash)), std::vector{by.key});
    EXPECT_THROW(run(refunds.commit(commit_of(keep(second, by)))), Unavailable);
    EXPECT_EQ(found(second).status(), RefundStatus::frozen);
}

// By whoever writes past the program.
TEST_F(RefundsInPostgres, end_once_by_the_databases_own_rules) {
    RefundKey const key = promised(5'000'000);
    auto const paid = commit_of(keep(key, paid_by(9, 5'000'000)));
    auto const canceled = commit_of(cancel(key), "kept");
    run(refunds.commit(paid));
    std::string const copy =
        "INSERT INTO refund_cancellations SELECT merchant_id, chain_id, seq + 1, previous_hash,"
        " hash, booked_at, payment_id, promise_kind, promise_seq, promise_hash, token, promised,"
        " 'key_1', '', promise_hash FROM refund_payments";
    EXPECT_THROW(query(copy), pqxx::unique_violation);
    EXPECT_THROW(query("INSERT INTO refund_payments SELECT * FROM refund_payments"),
                 pqxx::unique_violation);
    EXPECT_THROW(query("INSERT INTO refund_payments SELECT merchant_id, chain_id, seq + 1,"
                       " previous_hash, hash, booked_at, payment_id, promise_kind, 1, promise_hash,"
                       " tx_hash, token, 7, log_index, sender, recipient, amount, block_number,"
                       " block_hash, block_time, promised, finalized_block FROM refund_payments"),
                 pqxx::foreign_key_violation);
    for (std::string const book : {"refunds", "refund_payments"}) {
        EXPECT_THROW(query("UPDATE " + book + " SET seq = seq"), pqxx::sql_error);
        EXPECT_THROW(query("DELETE FROM " + book), pqxx::sql_error);
    }
    // The head has moved as well.
    EXPECT_THROW(run(refunds.commit(canceled)), Unavailable);
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(RefundsInPostgres, are_listed_newest_first_in_pages) {
    RefundKey const first = promised(1);
    RefundKey const second = promised_by_desk(2);
    RefundKey const third = promised(3);
    run(refunds.commit(commit_of(cancel(third), "kept")));
    auto const keys = [](RefundPage const& page) {
        std::vector<RefundKey> keys;
        for (RefundDetail const& refund : page.refunds)
            keys.push_back(refund.key);
        return keys;
    };
    RefundFilter filter{.merchant_id = merchant_id, .payment_id = {}, .open_only = false};
    auto const page = run(refunds.list(filter, std::nullopt, 2));
    EXPECT_EQ(keys(page), (std::vector{third, second}));
    EXPECT_TRUE(page.has_more);
    auto const rest = run(refunds.list(filter, second, 2));
    EXPECT_EQ(keys(rest), std::vector{first});
    EXPECT_FALSE(rest.has_more);
    filter.open_only = true;
    EXPECT_EQ(keys(run(refunds.list(filter, std::nullopt, 10))), (std::vector{second, first}));
    filter.payment_id = PaymentId{};
    EXPECT_TRUE(run(refunds.list(filter, std::nullopt, 10)).refunds.empty());
}

TEST_F(RefundsInPostgres, are_looked_for_until_the_report_is_answered) {
    RefundKey const key = promised(5'000'000);
    auto const report = [&](std::uint8_t number, std::chrono::seconds later) {
        RefundReport made{.transaction = paid_by(number, 1).key.transaction_hash,
                          .reported_by = "key_1",
                          .reported_at = kStart + later,
                          .answered = false,
                          .problem = ""};
        run(refunds.report(key, made));
        return DueReport{key, made.transaction};
    };
    DueReport const first = report(7, 1s);
    report(7, 2s);
    EXPECT_EQ(query("SELECT count(*) FROM refund_reports"), "1");
    EXPECT_EQ(found(key).status(), RefundStatus::reported);
    auto due = run(refunds.take_due(kChain, 10, kStart));
    ASSERT_EQ(due.size(), 1U);
    EXPECT_EQ(due[0].transaction, first.transaction);
    EXPECT_TRUE(run(refunds.take_due(kOtherChain, 10, kStart)).empty());
    run(refunds.answer_report(first, "has failed", kStart));
    EXPECT_EQ(found(key).status(), RefundStatus::frozen);
    EXPECT_EQ(found(key).report->problem, "has failed");
    EXPECT_TRUE(run(refunds.take_due(kChain, 10, kStart)).empty());
    report(8, 3s);
    DueReport const third = report(9, 4s);  // beside the one before
    EXPECT_EQ(found(key).report->transaction, third.transaction);
    EXPECT_EQ(run(refunds.take_due(kChain, 10, kStart)).size(), 2U);
    run(refunds.answer_report(third, "has failed", kStart));
    EXPECT_EQ(found(key).status(), RefundStatus::reported);  // by the one before
    EXPECT_EQ(run(refunds.open_reports(key)), std::vector{paid_by(8, 1).key.transaction_hash});
    run(refunds.commit(commit_of(keep(key, paid_by(9, 5'000'000)))));
    EXPECT_TRUE(run(refunds.take_due(kChain, 10, kStart)).empty());
}

TEST_F(RefundsInPostgres, are_not_taken_back_while_a_transaction_that_was_reported_is_looked_for) {
    RefundKey const key = promised(5'000'000);
    auto const canceled = commit_of(cancel(key), "kept");
    RefundReport const made{.transaction = paid_by(7, 1).key.transaction_hash,
                            .reported_by = "key_1",
                            .reported_at = kStart,
                            .answered = false,
                            .problem = ""};
    run(refunds.report(key, made));
    EXPECT_THROW(run(refunds.commit(canceled)), Unavailable);
    run(refunds.answer_report({key, made.transaction}, "has failed", kStart));
    run(refunds.commit(canceled));
    EXPECT_EQ(found(key).status(), RefundStatus::canceled);
    EXPECT_THROW(run(refunds.report(key, made)), Unavailable);
    EXPECT_EQ(query("SELECT count(*) FROM refund_reports WHERE answered_at IS NULL"), "0");
}

// A server whose clock is behind books the end of a promise that another one made.
TEST_F(RefundsInPostgres, are_read_by_their_place_in_the_journal_and_not_by_the_time) {
    RefundKey const key = promised(5'000'000);
    run(refunds.commit(commit_of(cancel_promise(view(), kChain,
                                                {.payment_id = payment.id,
                                                 .promise_sequence = key.sequence,
                                                 .decided_by = "key_1",
                                                 .reason_hash = hash("kept")},
                                                progress, kStart - 1s),
                                 "kept")));
    EXPECT_EQ(state().promises.at(0).stage, PromiseStage::canceled);
}

TEST_F(RefundsInPostgres, a_promise_that_names_nobody_is_given_a_recipient_once) {
    auto const step = promise_refund(view(), kChain,
                                     {.payment_id = payment.id,
                                      .token = kToken,
                                      .recipient = {},
                                      .amount = Amount(10),
                                      .decided_by = "key_1",
                                      .approved_by = "",
                                      .reason_hash = hash("it did not fit")},
                                     progress, kStart);
    auto const commit = commit_of(step, "it did not fit");
    run(refunds.commit(commit));
    RefundKey const key{merchant_id, kChain, commit.entries.front().sequence};
    EXPECT_EQ(run(refunds.find(key))->recipient, Address{});
    EXPECT_TRUE(run(refunds.give_recipient(key, kPayer, "payer", kStart)));
    EXPECT_FALSE(run(refunds.give_recipient(key, Address{Bytes20{9}}, "payer", kStart)));
    EXPECT_EQ(run(refunds.find(key))->recipient, kPayer);
    // What names somebody is given nobody else.
    RefundKey const named = promised(5);
    EXPECT_THROW(run(refunds.give_recipient(named, kPayer, "payer", kStart)), InvariantViolation);
    EXPECT_EQ(run(refunds.find(key))->given_by, "payer");
    EXPECT_EQ(run(refunds.find(named))->given_by, "");
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(RefundsInPostgres, an_idempotency_key_is_claimed_with_the_promise_or_neither_is_there) {
    PgIdempotency keys(*database);
    auto commit = commit_of(promise(10), "it did not fit");
    commit.claim = IdempotencyClaim{.key = "refund-7",
                                    .request_hash = Bytes32{1},
                                    .answer = {},
                                    .subject = subject_of(kChain, 5)};
    run(refunds.commit(commit));
    auto const claimed = run(keys.find(merchant_id, "refund-7"));
    ASSERT_TRUE(claimed);
    EXPECT_EQ(claimed->subject, "31337_5");
    EXPECT_FALSE(claimed->answer);
    run(keys.keep(merchant_id, *commit.claim, {201, "/v1/refunds/ref_31337_5", "{}"}, kStart));
    EXPECT_EQ(run(keys.find(merchant_id, "refund-7"))->answer->status, 201U);

    auto second = commit_of(promise(10), "it did not fit");
    second.claim = commit.claim;
    EXPECT_THROW(run(refunds.commit(second)), KeyWasUsed);
    EXPECT_EQ(view().payments.front().promises.size(), 1U);
}

TEST_F(RefundsInPostgres, above_the_limit_wait_for_a_second_operator_and_are_answered_once) {
    RefundRequest request{.id = new_id<RequestTag>(kStart),
                          .merchant_id = merchant_id,
                          .chain_id = kChain,
                          .payment_id = payment.id,
                          .token = kToken,
                          .recipient = kPayer,
                          .amount = Amount(5),
                          .reason = "it did not fit",
                          .requested_by = "key_1",
                          .created_at = kStart};
    run(refunds.create_request(request, std::nullopt));
    EXPECT_EQ(run(refunds.requests()).size(), 1U);
    EXPECT_EQ(run(refunds.find_request(request.id))->recipient, kPayer);
    auto commit = commit_of(promise(5), "it did not fit");
    commit.request = request.id;
    run(refunds.commit(commit));
    EXPECT_FALSE(run(refunds.find_request(request.id)));
    EXPECT_FALSE(run(refunds.withdraw_request(request.id)));
    auto again = commit_of(promise(5), "it did not fit");
    again.request = request.id;
    EXPECT_THROW(run(refunds.commit(again)), Unavailable);
    EXPECT_EQ(balance("refund_frozen"), "5");
}

TEST_F(RefundsInPostgres, are_not_taken_away_by_a_repair) {
    promised(50'000'000);
    EXPECT_THROW(plan({.added = {block(101, 1), block(102, 1)},
                       .others = {payment},
                       .finalized = 100,
                       .rolled_back_to = 100,
                       .repairs = true}),
                 InvariantViolation);
}

}  // namespace
}  // namespace sycee
