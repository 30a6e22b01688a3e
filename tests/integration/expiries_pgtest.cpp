// Pins, against the real PostgreSQL: each payment is passed once, in the order of expiry, whatever
// processes look at the same time; what was covered is not shown, and what is told comes in the
// feed.
#include <sycee/store/pg_event_feed.hpp>
#include <sycee/store/pg_expiries.hpp>

#include "books_fixture.hpp"

namespace sycee {
namespace {

using namespace std::chrono_literals;

class ExpiriesInPostgres : public BooksInPostgres {
  protected:
    ExpiriesInPostgres() {
        // The clock of these books is another one than that of the machine.
        query("INSERT INTO expiry_places VALUES (31337, 'epoch'), (8453, 'epoch')");
    }
    Task<ExpiryPort::Round> pass(Timestamp reach, std::size_t limit = 100,
                                 ChainId chain_id = kChain) {
        co_return co_await expiries.pass(chain_id, reach, {kChain, kOtherChain}, limit,
                                         [this](std::vector<ExpiringPayment> const& payments) {
                                             for (ExpiringPayment const& shown : payments)
                                                 seen.push_back(shown.state.payment.id);
                                             auto events = expiry_events(payments, kEnd);
                                             give_ids(events, kEnd);
                                             return events;
                                         });
    }
    Payment expiring(Timestamp at) {
        auto input = new_payment(merchant_id, {kChain});
        input.expires_at = at;
        return run(PgPayments(*database).create(input, derive_deposit_address));
    }

    static inline Timestamp const kEnd = kStart + 1h;  // of the fixture's payments
    PgExpiries expiries{*database};
    std::vector<PaymentId> seen;
};

TEST_F(ExpiriesInPostgres, pass_each_payment_once_and_tell_of_what_was_never_covered) {
    settle();
    auto const unpaid = create_payment(merchant_id, {kChain});
    auto const half = create_payment(merchant_id, {kChain});
    commit(plan({.added = {block(103)},
                 .arrivals = {{half, transfer(half, 7, 25'000'000, block(103))}},
                 .finalized = 101}));
    EXPECT_EQ(run(pass(kEnd)).passed, 0U);
    auto const round = run(pass(kEnd + 1ms));
    EXPECT_EQ(round.passed, 3U);
    EXPECT_EQ(std::set(seen.begin(), seen.end()), (std::set{unpaid.id, half.id}));
    EXPECT_EQ(round.events.size(), 2U);
    EXPECT_EQ(run(pass(kEnd + 1h)).passed, 0U);

    auto const page = run(
        PgEventFeed(*database).read({.merchant_id = merchant_id, .types = {"payment.expired"}}));
    ASSERT_EQ(page.events.size(), 2U);
    for (FeedEvent const& event : page.events) {
        ASSERT_TRUE(event.told);
        bool const is_half = event.event.payment_id == half.id;
        EXPECT_EQ(event.event.status, PaymentStatus::expired);
        EXPECT_EQ(event.event.record_sequence, 0U);
        EXPECT_EQ(event.told->state.credits.size(), is_half ? 1U : 0U);
        EXPECT_EQ(event.told->state.version, is_half ? 1U : 0U);
    }
}

TEST_F(ExpiriesInPostgres, go_on_in_the_order_of_expiry_where_the_last_round_ended) {
    auto const third = expiring(kEnd + 2s);
    auto const second = expiring(kEnd + 1s);
    EXPECT_EQ(run(pass(kEnd + 10s, 2)).passed, 2U);
    EXPECT_EQ(seen, (std::vector{payment.id, second.id}));
    EXPECT_EQ(run(pass(kEnd + 10s, 2)).passed, 1U);
    EXPECT_EQ(seen.back(), third.id);
}

TEST_F(ExpiriesInPostgres, are_told_by_the_slowest_chain_of_the_payment) {
    auto const both = create_payment(merchant_id, {kChain, kOtherChain});
    EXPECT_EQ(run(pass(kEnd + 1ms)).events.size(), 1U);
    EXPECT_EQ(seen, std::vector{payment.id});
    EXPECT_EQ(run(pass(kEnd + 1ms, 100, kOtherChain)).events.size(), 1U);
    EXPECT_EQ(seen.back(), both.id);
    EXPECT_EQ(run(pass(kEnd + 1h)).passed + run(pass(kEnd + 1h, 100, kOtherChain)).passed, 0U);
    // A chain that comes back finds them told.
    query("UPDATE expiry_places SET expires_at = 'epoch' WHERE chain_id = 8453");
    EXPECT_EQ(run(pass(kEnd + 1ms, 100, kOtherChain)).events.size(), 0U);
    EXPECT_EQ(seen.size(), 2U);
}

TEST_F(ExpiriesInPostgres, begin_for_a_chain_when_it_is_seen_first) {
    query("DELETE FROM expiry_places");
    EXPECT_EQ(run(pass(kEnd + 1ms)).passed, 0U);
    EXPECT_EQ(query("SELECT count(*) FROM expiry_places WHERE expires_at > now() - interval '1 h'"),
              "1");
}

TEST_F(ExpiriesInPostgres, are_told_once_by_processes_that_look_at_the_same_time) {
    auto const look = [this]() -> Task<void> { co_await pass(kEnd + 1ms); };
    std::vector<Task<void>> looks;
    for (int i = 0; i < 4; ++i)
        looks.push_back(look());
    for (auto const& thrown : run_at_once(std::move(looks)))
        EXPECT_EQ(thrown, nullptr);
    EXPECT_EQ(query("SELECT count(*) FROM outbox_events WHERE type = 'payment.expired'"), "1");
}

TEST_F(ExpiriesInPostgres, are_passed_again_where_the_round_failed) {
    auto const fail = [](auto const&) -> std::vector<OutboxEvent> { throw Unavailable("away"); };
    EXPECT_THROW(run(expiries.pass(kChain, kEnd + 1ms, {kChain}, 10, fail)), Unavailable);
    EXPECT_EQ(run(pass(kEnd + 1ms)).events.size(), 1U);
}

}  // namespace
}  // namespace sycee
