// Pins, against the real PostgreSQL: what a check compares and in which order, that a difference is
// recorded once, freezes its payment, and is closed by a person or by agreeing again.
#include <sycee/payment/desk.hpp>
#include <sycee/store/pg_losses.hpp>
#include <sycee/store/pg_reconciliation.hpp>

#include "books_fixture.hpp"

namespace sycee {
namespace {

using namespace std::chrono_literals;

class ReconciliationInPostgres : public BooksInPostgres {
  protected:
    BalancesToCheck next(std::size_t payments = 100) {
        EXPECT_TRUE(run(books.claim(kChain, now, 1s)));
        now += 1s;
        return run(books.next(kChain, payments)).value();
    }
    // Records what was compared; `on_chain`: of the address of that payment, else as booked.
    std::size_t record(BalancesToCheck const& asked, Payment const* of = nullptr,
                       std::uint64_t on_chain = 0) {
        CheckedBalances checked{.head = asked.booked.head,
                                .compared = asked.booked.balances.size(),
                                .moved_to = asked.moved_to,
                                .round_at = asked.round_at,
                                .differences = {},
                                .agreeing = {},
                                .fault = "",
                                .at = now};
        for (BookedBalance const& booked : asked.booked.balances) {
            if (of != nullptr && booked.payment.second == of->id &&
                !agrees(booked, Amount(on_chain))) {
                checked.differences.push_back({booked, Amount(on_chain)});
            } else {
                checked.agreeing.push_back({booked.token, booked.address});
            }
        }
        return run(books.record(kChain, std::move(checked)));
    }
    Payment pay(std::uint8_t txn, std::uint64_t amount) {
        auto const to = create_payment(merchant_id, {kChain});
        BlockHeader const in = block(heads[kChain].number + 1);
        commit(plan(
            {.added = {in}, .arrivals = {{to, transfer(to, txn, amount, in)}}, .finalized = 100}));
        return to;
    }
    void mine(Payment const& with, BlockNumber finalized) {
        commit(plan({.added = {block(heads[kChain].number + 1)},
                     .others = {with},
                     .finalized = finalized}));
    }

    PgReconciliation books{*database};
    PgLosses losses{*database};
    Timestamp now = kStart;
};

TEST_F(ReconciliationInPostgres, one_process_has_the_turn) {
    EXPECT_TRUE(run(books.claim(kChain, kStart, 10s)));
    EXPECT_FALSE(run(books.claim(kChain, kStart + 9s, 10s)));
    EXPECT_TRUE(run(books.claim(kOtherChain, kStart + 9s, 10s)));
    EXPECT_TRUE(run(books.claim(kChain, kStart + 10s, 10s)));
}

TEST_F(ReconciliationInPostgres, asks_for_what_moved_and_goes_round_all_the_rest) {
    std::vector<Payment> paid;
    for (std::uint8_t i = 1; i <= 6; ++i)
        paid.push_back(pay(i, i * 1'000'000U));
    mine(paid[5], 106);
    auto asked = next();
    EXPECT_EQ(asked.booked.head.hash, heads[kChain].hash);
    ASSERT_EQ(asked.booked.balances.size(), 6U);
    Amount sum;
    for (BookedBalance const& booked : asked.booked.balances)
        sum += booked.amount;
    EXPECT_EQ(to_string(sum), "21000000");
    EXPECT_FALSE(asked.round_at);
    record(asked);
    // Nothing moved since: the slow round alone, four payments at a time.
    auto const sizes = [&] {
        auto const some = next(8);
        record(some);
        return some.booked.balances.size();
    };
    EXPECT_EQ(sizes(), 4U);
    EXPECT_EQ(query("SELECT round_ended_at < compared_at FROM reconciliations"), "t");
    EXPECT_EQ(sizes(), 2U);
    EXPECT_EQ(query("SELECT round_ended_at = compared_at FROM reconciliations"), "t");
    EXPECT_EQ(sizes(), 4U);
}

TEST_F(ReconciliationInPostgres, what_a_reorg_took_away_and_what_left_is_not_there) {
    auto const paid = pay(1, 50'000'000);
    BlockHeader const in = block(102);
    auto out = transfer(paid, 2, 20'000'000, in);
    std::swap(out.sender, out.recipient);
    commit(plan({.added = {in}, .arrivals = {{paid, out, false}}, .finalized = 100}));
    EXPECT_EQ(next().booked.balances.at(0).amount, Amount(30'000'000));
    commit(plan(
        {.added = {block(101, 1)}, .others = {paid}, .finalized = 100, .rolled_back_to = 100}));
    EXPECT_TRUE(next().booked.balances.empty());
}

TEST_F(ReconciliationInPostgres, a_difference_freezes_its_payment_until_a_person_closes_it) {
    auto const paid = pay(1, 50'000'000);
    auto const other = pay(2, 50'000'000);
    EXPECT_EQ(record(next(), &paid, 10'000'000), 1U);
    EXPECT_EQ(record(next(), &paid, 10'000'000), 0U);
    ASSERT_EQ(run(books.open_differences(kChain)), 1U);
    for (Payment const* one : {&paid, &other})
        mine(*one, 103);
    EXPECT_EQ(status_of(state(paid), {}), PaymentStatus::cleared);
    EXPECT_EQ(status_of(state(other), {}), PaymentStatus::settled);

    auto const open = run(losses.list_open(10));
    ASSERT_EQ(open.size(), 1U);
    EXPECT_EQ(open[0].difference.booked.payment.second, paid.id);
    EXPECT_EQ(open[0].difference.on_chain, Amount(10'000'000));
    EXPECT_TRUE(run(losses.close(open[0].id, "the issuer destroyed it", now)));
    EXPECT_FALSE(run(losses.close(open[0].id, "once more", now)));
    mine(paid, 104);
    EXPECT_EQ(status_of(state(paid), {}), PaymentStatus::settled);
    // What is missing is known from now on.
    EXPECT_EQ(record(next(), &paid, 10'000'000), 0U);
    EXPECT_EQ(record(next(), &paid, 0), 1U);
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(ReconciliationInPostgres, a_difference_that_is_gone_closes_itself) {
    auto const paid = pay(1, 50'000'000);
    record(next(), &paid, 0);
    EXPECT_EQ(run(books.open_differences(kChain)), 1U);
    record(next());
    EXPECT_EQ(run(books.open_differences(kChain)), 0U);
    EXPECT_EQ(query("SELECT closed_reason || accepted FROM balance_differences"),
              "agrees again at block 101false");
    EXPECT_THROW(query("DELETE FROM balance_differences"), pqxx::sql_error);
}

TEST_F(ReconciliationInPostgres, a_difference_is_asked_for_where_the_books_have_nothing_left) {
    auto const paid = pay(1, 50'000'000);
    record(next(), &paid, 0);
    commit(plan(
        {.added = {block(101, 1)}, .others = {paid}, .finalized = 100, .rolled_back_to = 100}));
    auto const asked = next();
    ASSERT_EQ(asked.booked.balances.size(), 1U);
    EXPECT_EQ(asked.booked.balances[0].amount, Amount(0));
    EXPECT_TRUE(asked.booked.balances[0].is_open);
    record(asked);
    EXPECT_EQ(run(books.open_differences(kChain)), 0U);
}

TEST_F(ReconciliationInPostgres, where_nothing_could_be_compared_the_same_is_asked_for_again) {
    auto const paid = pay(1, 50'000'000);
    mine(paid, 102);
    auto asked = next();
    EXPECT_EQ(asked.moved_to, 102U);
    EXPECT_EQ(run(books.record(kChain, {.head = asked.booked.head,
                                        .compared = 0,
                                        .moved_to = asked.moved_to,
                                        .round_at = asked.round_at,
                                        .differences = {},
                                        .agreeing = {},
                                        .fault = "all nodes are away",
                                        .at = now})),
              0U);
    EXPECT_EQ(query("SELECT fault || checked_above || (round_ended_at IS NULL) FROM"
                    " reconciliations"),
              "all nodes are away0true");
    record(next());
    EXPECT_EQ(query("SELECT fault || checked_above || (round_ended_at IS NULL) FROM"
                    " reconciliations"),
              "102false");
}

TEST_F(ReconciliationInPostgres, no_block_is_passed_over_that_has_more_than_one_check_asks_for) {
    for (std::uint8_t i = 1; i <= 6; ++i)
        pay(i, i * 1'000'000U);
    mine(payment, 107);
    std::vector<BlockNumber> reached;
    for (int i = 0; i < 3; ++i) {
        auto const asked = next(12);  // three transfers at a time
        reached.push_back(asked.moved_to);
        record(asked);
    }
    EXPECT_EQ(reached, (std::vector<BlockNumber>{102, 104, 107}));
}

TEST_F(ReconciliationInPostgres, what_was_found_and_closed_can_not_be_rewritten) {
    auto const paid = pay(1, 50'000'000);
    record(next(), &paid, 0);
    EXPECT_THROW(query("UPDATE balance_differences SET on_chain = 1"), pqxx::sql_error);
    record(next());
    EXPECT_THROW(query("UPDATE balance_differences SET accepted = true"), pqxx::sql_error);
}

TEST_F(ReconciliationInPostgres, a_frozen_payment_is_not_decided_upon) {
    auto const over = pay(1, 60'000'000);
    mine(over, 102);
    record(next(), &over, 0);
    auto views = run(PgLedger(*database).load_views(kChain, {{merchant_id, over.id}}, {}));
    ASSERT_TRUE(views.at(0).frozen.contains(over.id));
    auto const step = resolve_exception(std::move(views.at(0)), kChain,
                                        {.exception_sequence = 2,
                                         .payment_id = over.id,
                                         .kind = ResolutionKind::write_off,
                                         .target = {},
                                         .amount = Amount(1),
                                         .decided_by = "opr_one",
                                         .approved_by = ""},
                                        progress, kStart);
    ASSERT_FALSE(step);
    EXPECT_EQ(step.error().field, "exception");
    EXPECT_NE(step.error().message.find("a payment at an address whose balance"),
              std::string::npos);
}

}  // namespace
}  // namespace sycee
