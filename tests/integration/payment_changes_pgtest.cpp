// Pins, against the real PostgreSQL: a payment is canceled once and only as long as nothing came,
// whatever follower commits at the same moment with what it remembers; of a payment only the words
// change; and searches find what fits, page by page.
#include <sycee/crypto/hash.hpp>
#include <sycee/payment/cancel.hpp>
#include <sycee/store/pg_payment_changes.hpp>
#include <sycee/store/pg_payment_search.hpp>

#include "books_fixture.hpp"

#include <optional>
#include <set>

namespace sycee {
namespace {

using namespace std::chrono_literals;

class PaymentChangesInPostgres : public BooksInPostgres {
  protected:
    // What PaymentChanges would commit now.
    CancelCommit cancellation(Payment const& of, ChainId chain_id = kChain,
                              std::string const& reason = "") {
        PgLedger ledger(*database);
        std::vector<PaymentKey> keys{{of.merchant_id, of.id}};
        auto view = run(ledger.load_views(chain_id, keys, {})).at(0);
        CancelCommit commit{.head = {},
                            .chain_id = chain_id,
                            .entries = {},
                            .events = {},
                            .reason = reason,
                            .foreign = {{keys[0], foreign_fingerprint(view.payments.at(0), 0)}},
                            .now = kStart};
        auto step = cancel_payment(view, chain_id,
                                   {.payment_id = of.id,
                                    .ends_at = std::nullopt,
                                    .decided_by = "key_1",
                                    .approved_by = "",
                                    .reason_hash = sha256(as_bytes(std::string_view(reason)))},
                                   progress, kStart);
        EXPECT_TRUE(step) << to_string(step.error());
        commit.head = {of.merchant_id, step->first_head, step->head};
        commit.entries = step->entries;
        add_events(commit.events, of.merchant_id, step->events, chain_id, kStart);
        give_ids(commit.events, kStart);
        return commit;
    }
    Task<void> cancel(CancelCommit commit) {
        PgPaymentChanges changes(*database);
        co_await changes.commit(std::move(commit));
    }
    // Which of two at the same moment threw, and what.
    std::vector<std::exception_ptr> at_once(Task<void> one, Task<void> other) {
        std::vector<Task<void>> tasks;
        tasks.push_back(std::move(one));
        tasks.push_back(std::move(other));
        return run_at_once(std::move(tasks));
    }
    Task<void> follow(ChainCommit commit) {
        PgLedger ledger(*database);
        co_await ledger.commit(std::move(commit));
    }

    PaymentStatus status(Payment const& of) {
        auto const now = state(of);
        return status_of(now, chain_time_of(now.payment, progress));
    }
    // Canceled, or paid for and not canceled; never both in part.
    void expect_one_of_both(Payment const& of) {
        auto const now = state(of);
        EXPECT_NE(now.canceled.has_value(), !now.credits.empty());
        EXPECT_EQ(first_wrong(), "");
    }

    std::set<PaymentId> found(PaymentFilter const& filter) {
        std::set<PaymentId> ids;
        for (auto const& one :
             run(PgPaymentSearch(*database).look(merchant_id, filter, std::nullopt, 100)).fitting)
            ids.insert(one.payment.id);
        return ids;
    }
};

TEST_F(PaymentChangesInPostgres, a_cancellation_is_booked_and_what_comes_after_it_is_late) {
    run(cancel(cancellation(payment, kChain, "the customer went away")));
    auto const now = state();
    ASSERT_TRUE(now.canceled);
    EXPECT_EQ(now.canceled->chain_id, kChain);
    EXPECT_EQ(now.canceled->sequence, 1U);
    EXPECT_EQ(now.canceled->ends_at, block(100).time - 1s);
    EXPECT_EQ(now.canceled->booked_at, kStart);
    EXPECT_EQ(status(payment), PaymentStatus::canceled);
    EXPECT_EQ(query("SELECT type || ' ' || status FROM outbox_events"),
              "payment.canceled canceled");
    EXPECT_EQ(query("SELECT reason FROM resolution_reasons"), "the customer went away");
    EXPECT_EQ(query("SELECT count(*) FROM postings"), "0");
    EXPECT_EQ(first_wrong(), "");

    commit(plan({block(101)}, {transfer(1, 50'000'000, block(101))}, 100));
    EXPECT_EQ(state().credits.at(0).unapplied_reason, UnappliedReason::late);
    EXPECT_EQ(status(payment), PaymentStatus::canceled);
    EXPECT_EQ(query("SELECT reason FROM unapplied_receipts"), "late");
    EXPECT_EQ(first_wrong(), "");
    expect_found([&] { replica("UPDATE cancellations SET ends_at = ends_at + interval '10s'"); },
                 "cancellation 1 has been changed", "another end");
    expect_found([&] { replica("UPDATE resolution_reasons SET reason = 'because'"); },
                 "cancellation 1 was given another reason", "another reason");
}

TEST_F(PaymentChangesInPostgres, two_cancellations_at_once_are_one) {
    auto const planned = cancellation(payment);
    expect_one_refused(at_once(cancel(planned), cancel(planned)));
    EXPECT_EQ(query("SELECT count(*) FROM cancellations"), "1");
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(PaymentChangesInPostgres, two_cancellations_by_two_chains_are_one) {
    begin(kOtherChain);
    auto const both = create_payment(merchant_id, {kChain, kOtherChain});
    expect_one_refused(
        at_once(cancel(cancellation(both, kChain)), cancel(cancellation(both, kOtherChain))));
    EXPECT_EQ(query("SELECT count(*) FROM cancellations"), "1");
    EXPECT_EQ(first_wrong(), "");
}

// The follower decided before the cancellation, by the payment that it remembers.
TEST_F(PaymentChangesInPostgres, a_follower_of_its_chain_and_a_cancellation_do_not_both_win) {
    auto const arrives = plan({block(101)}, {transfer(1, 50'000'000, block(101))}, 100);
    expect_one_refused(at_once(follow(arrives), cancel(cancellation(payment))));
    expect_one_of_both(payment);
}

TEST_F(PaymentChangesInPostgres, whichever_of_both_is_first_the_other_is_refused) {
    auto const arrives = plan({block(101)}, {transfer(1, 50'000'000, block(101))}, 100);
    auto const planned = cancellation(payment);
    run(cancel(planned));
    EXPECT_THROW(run(follow(arrives)), Unavailable);
    expect_one_of_both(payment);
}

TEST_F(PaymentChangesInPostgres, nor_do_a_follower_of_another_chain_and_a_cancellation) {
    begin(kOtherChain);
    for (bool const cancels_first : {true, false}) {
        auto const both = create_payment(merchant_id, {kChain, kOtherChain});
        BlockHeader const next = block(heads.at(kOtherChain).number + 1);
        auto const other = transfer(both, cancels_first ? 5 : 6, 50'000'000, next, kOtherChain);
        auto arrives = plan({.chain_id = kOtherChain,
                             .added = {next},
                             .arrivals = {{both, other}},
                             .finalized = 100});
        // As a follower that trusts what it remembers as long as no other journal has moved.
        for (auto const& view :
             run(PgLedger(*database).load_views(kOtherChain, {{merchant_id, both.id}}, {})))
            arrives.other_journals.emplace(merchant_id, view.other_journals);
        auto const planned = cancellation(both, kChain);
        if (cancels_first) {
            run(cancel(planned));
            EXPECT_THROW(run(follow(arrives)), Unavailable);
        } else {
            commit(arrives);
            EXPECT_THROW(run(cancel(planned)), Unavailable);
        }
        expect_one_of_both(both);
    }
    auto const raced = create_payment(merchant_id, {kChain, kOtherChain});
    BlockHeader const next = block(heads.at(kOtherChain).number + 1);
    auto const arrives =
        plan({.chain_id = kOtherChain,
              .added = {next},
              .arrivals = {{raced, transfer(raced, 7, 50'000'000, next, kOtherChain)}},
              .finalized = 100});
    expect_one_refused(at_once(follow(arrives), cancel(cancellation(raced, kChain))));
    expect_one_of_both(raced);
}

TEST_F(PaymentChangesInPostgres, the_database_refuses_what_no_cancellation_could_be) {
    auto const planned = cancellation(payment);
    auto const with = [&](auto change) {
        CancelCommit changed = planned;
        auto record = std::get<Cancellation>(planned.entries[0].record);
        change(record);
        JournalWriter journal(merchant_id, kChain, planned.head.from, kStart);
        journal.append(record);
        changed.entries = journal.entries();
        changed.head.to = journal.head();
        return changed;
    };
    EXPECT_THROW(run(cancel(with([](Cancellation& one) { one.ends_at = kStart + 1h; }))),
                 InvariantViolation);
    EXPECT_THROW(run(cancel(with([](Cancellation& one) { one.ends_at += 1ms; }))),
                 InvariantViolation);
    EXPECT_THROW(run(cancel(with([](Cancellation& one) { one.decided_by = ""; }))),
                 InvariantViolation);
    EXPECT_THROW(run(cancel(with([](Cancellation& one) { one.reason_hash[0] ^= 1; }))),
                 InvariantViolation);
    EXPECT_EQ(query("SELECT count(*) FROM cancellations"), "0");
    run(cancel(planned));
    EXPECT_THROW(query("UPDATE cancellations SET ends_at = now()"), pqxx::sql_error);
    EXPECT_THROW(query("DELETE FROM cancellations"), pqxx::sql_error);
}

TEST_F(PaymentChangesInPostgres, of_a_payment_only_the_words_change) {
    PgPaymentChanges changes(*database);
    PaymentKey const key{merchant_id, payment.id};
    std::vector<std::string> seen;
    auto const updated =
        run(changes.update(key,
                           [&](PaymentState const& now) {
                               seen.push_back(now.payment.metadata.at(0).second);
                               return std::optional(PaymentWords{"two \"shirts\" \\ 'L'",
                                                                 {{"size", "L"}, {"fit", ""}}});
                           },
                           kStart, {}));
    ASSERT_TRUE(updated);
    EXPECT_EQ(seen, std::vector<std::string>{"blau, größe M"});
    EXPECT_EQ(updated->payment.description, "two \"shirts\" \\ 'L'");
    EXPECT_EQ(state().payment.metadata.size(), 2U);
    EXPECT_EQ(state().payment.reference, payment.reference);
    // Nothing decided, nobody else's.
    EXPECT_TRUE(run(changes.update(key, [](auto const&) { return std::nullopt; }, kStart, {})));
    EXPECT_EQ(state().payment.description, "two \"shirts\" \\ 'L'");
    MerchantId const other = create_merchant("Hats", 2);
    EXPECT_FALSE(run(changes.update(
        {other, payment.id},
        [](PaymentState const&) { return std::optional(PaymentWords{"stolen", {}}); }, kStart,
        {})));
    EXPECT_EQ(state().payment.description, "two \"shirts\" \\ 'L'");
    for (std::string const column :
         {"price = price + 1", "options = '[]'", "reference = 'x'", "expires_at = now()",
          "success_url = 'https://evil.example'", "currency = 'EUR'", "open_amount = true"})
        EXPECT_THROW(query("UPDATE payments SET " + column), pqxx::sql_error) << column;
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(PaymentChangesInPostgres, searches_find_what_fits_all_of_a_filter) {
    auto const add = [&](std::string const& reference, Timestamp at, std::string const& size) {
        NewPayment input = new_payment(merchant_id, {kChain});
        input.id = new_id<PaymentTag>(at);
        input.created_at = at;
        input.expires_at = at + 1h;
        input.reference = reference;
        input.metadata = {{"size", size}, {"fit", "slim"}};
        return run(PgPayments(*database).create(input, derive_deposit_address)).id;
    };
    auto const a = add("order-1", kStart + 1min, "L");
    auto const b = add("order-2", kStart + 2min, "L");
    auto const c = add("order-2", kStart + 3min, "M");
    MerchantId const other = create_merchant("Hats", 2);
    NewPayment theirs = new_payment(other, {kChain});
    theirs.reference = "order-2";
    run(PgPayments(*database).create(theirs, derive_deposit_address));

    using Ids = std::set<PaymentId>;
    EXPECT_EQ(found({}), (Ids{payment.id, a, b, c}));
    EXPECT_EQ(found({.reference = "order-2"}), (Ids{b, c}));
    EXPECT_EQ(found({.reference = "order"}), Ids{});
    EXPECT_EQ(found({.metadata = {{"size", "L"}}}), (Ids{a, b}));
    EXPECT_EQ(found({.reference = "order-2", .metadata = {{"size", "L"}, {"fit", "slim"}}}),
              Ids{b});
    EXPECT_EQ(found({.metadata = {{"size", "L"}, {"fit", "wide"}}}), Ids{});
    EXPECT_EQ(found({.created_after = kStart + 2min}), (Ids{b, c}));
    EXPECT_EQ(found({.created_before = kStart + 2min}), (Ids{payment.id, a}));
    EXPECT_EQ(found({.created_after = kStart + 1min, .created_before = kStart + 2min}), Ids{a});

    // What an index leaves out is not looked at; what only the metadata leave out is.
    PgPaymentSearch search(*database);
    auto const by_reference =
        run(search.look(merchant_id, {.reference = "order-1"}, std::nullopt, 2));
    EXPECT_EQ(by_reference.count, 1U);
    EXPECT_FALSE(by_reference.has_more);
    auto looked = run(search.look(merchant_id, {.metadata = {{"size", "L"}}}, std::nullopt, 2));
    EXPECT_EQ(looked.count, 2U);
    EXPECT_EQ(looked.fitting.size(), 1U);
    EXPECT_EQ(looked.last, b);
    EXPECT_TRUE(looked.has_more);
    looked = run(search.look(merchant_id, {.metadata = {{"size", "L"}}}, looked.last, 2));
    EXPECT_EQ(looked.fitting.size(), 1U);
    EXPECT_FALSE(looked.has_more);
    EXPECT_NE(query("SELECT indexdef FROM pg_indexes WHERE indexname = 'payments_by_reference'"),
              "");
}

}  // namespace
}  // namespace sycee
