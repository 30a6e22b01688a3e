// Pins: the events of each merchant are numbered from 1, without a gap, in the order in which they
// become visible, whoever writes them at once; what is rolled back leaves no gap; events of before
// are numbered by the migration; the feed names what is not there and goes on.
#include <sycee/store/pg_event_feed.hpp>
#include <sycee/store/pg_outbox.hpp>

#include "books_fixture.hpp"

#include <atomic>
#include <thread>

namespace sycee {
namespace {

using Numbers = std::vector<std::uint64_t>;

class EventFeedInPostgres : public BooksInPostgres {
  protected:
    FeedPage read(std::optional<std::uint64_t> after = {}, std::size_t limit = 100,
                  std::set<std::string> types = {}) {
        return run(feed_.read({merchant_id, after, limit, std::move(types)}));
    }
    static Numbers numbers(FeedPage const& page) {
        Numbers found;
        for (FeedEvent const& event : page.events)
            found.push_back(event.event.sequence);
        return found;
    }
    static std::vector<std::string> types(FeedPage const& page) {
        std::vector<std::string> found;
        for (FeedEvent const& event : page.events)
            found.push_back(event.event.type);
        return found;
    }
    std::string sequences_of(MerchantId merchant) const {
        return query(
            "SELECT coalesce(string_agg(sequence::text, ' ' ORDER BY sequence), '')"
            " FROM outbox_events WHERE merchant_id = '" +
            to_string(merchant.uuid) + "'");
    }
    // The chain has gone on, as the process that commits would know.
    void follow(ChainCommit const& committed) {
        BlockHeader const head = committed.added.back().header;
        heads[committed.chain_id] = head;
        auto& known = progress[committed.chain_id].value();
        known = {head.time, committed.agreed, committed.finalized, known.rule};
    }

    PgEventFeed feed_{*database};
};

TEST_F(EventFeedInPostgres, numbers_what_each_merchant_is_told_from_one) {
    EXPECT_EQ(read().last_sequence, 0U);
    EXPECT_EQ(read().next_after, 0U);
    settle();
    auto const page = read();
    EXPECT_EQ(numbers(page), (Numbers{1, 2, 3}));
    EXPECT_EQ(types(page), (std::vector<std::string>{"payment.authorized", "payment.cleared",
                                                     "payment.settled"}));
    EXPECT_EQ(page.last_sequence, 3U);
    EXPECT_EQ(page.next_after, 3U);
    EXPECT_FALSE(page.has_more);
    EXPECT_TRUE(page.missing.empty());
    // Another merchant's feed is its own.
    MerchantId const other = create_merchant("Shoes", 7);
    Payment const theirs = create_payment(other, {kChain});
    commit(plan({.added = {block(103)},
                 .arrivals = {{theirs, transfer(theirs, 7, 50'000'000, block(103))}},
                 .finalized = 102}));
    EXPECT_EQ(sequences_of(other), "1 2");
    EXPECT_EQ(sequences_of(merchant_id), "1 2 3");
    EXPECT_EQ(numbers(run(feed_.read({other, 1, 10, {}}))), Numbers{2});
}

TEST_F(EventFeedInPostgres, is_read_page_by_page_and_by_type) {
    settle();
    auto const first = read(0, 2);
    EXPECT_EQ(numbers(first), (Numbers{1, 2}));
    EXPECT_TRUE(first.has_more);
    EXPECT_EQ(first.next_after, 2U);
    EXPECT_EQ(numbers(read(2, 2)), Numbers{3});
    EXPECT_TRUE(read(3).events.empty());
    auto const settled = read(0, 1, {"payment.settled"});
    EXPECT_EQ(numbers(settled), Numbers{3});
    EXPECT_FALSE(settled.has_more);
    auto const none = read(0, 1, {"refund.paid"});
    EXPECT_TRUE(none.events.empty());
    EXPECT_EQ(none.next_after, 3U);  // looked at, and not to be looked at again
}

TEST_F(EventFeedInPostgres, tells_what_the_webhook_tells) {
    settle();
    auto const later = kStart + std::chrono::hours(1);
    run(PgOutbox(*database).fan_out(later, 10));
    auto const delivered = run(PgOutbox(*database).due({}, later, 10));
    auto const page = read();
    ASSERT_EQ(delivered.size(), page.events.size());
    for (std::size_t i = 0; i < delivered.size(); ++i) {
        ASSERT_TRUE(page.events[i].told);
        EXPECT_EQ(page.events[i].told->event.id, delivered[i].told.event.id);
        EXPECT_EQ(page.events[i].told->event.sequence, delivered[i].told.event.sequence);
        EXPECT_EQ(page.events[i].told->record_hash, delivered[i].told.record_hash);
    }
    // Authorized: one record; cleared with it: two; settled: three. The batch is no record of it.
    EXPECT_EQ(page.events[0].told->state.version, 1U);
    EXPECT_EQ(page.events[1].told->state.version, 2U);
    EXPECT_EQ(page.events[2].told->state.version, 3U);
    EXPECT_EQ(state().version, 3U);
}

TEST_F(EventFeedInPostgres, a_version_counts_what_was_taken_back_as_well) {
    EXPECT_EQ(state().version, 0U);
    commit(plan({block(101)}, {transfer(1, 50'000'000, block(101))}, 100));
    auto const before = state().version;
    commit(plan({block(101, 1), block(102, 1)}, {}, 100, 100));
    EXPECT_TRUE(state().credits.empty());
    EXPECT_EQ(state().version, 2 * before);
    auto const page = read();
    ASSERT_TRUE(page.events.back().told);
    EXPECT_EQ(page.events.back().event.type, "payment.reversed");
    EXPECT_EQ(page.events.back().told->state.version, state().version);
}

TEST_F(EventFeedInPostgres, has_no_gap_where_a_commit_was_rolled_back) {
    query(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'not now'; END $$;"
        " CREATE TRIGGER refuses BEFORE INSERT ON outbox_events FOR EACH ROW"
        " EXECUTE FUNCTION refuse()");
    auto const planned = plan({block(101)}, {transfer(1, 50'000'000, block(101))}, 100);
    EXPECT_ANY_THROW(commit(planned));
    EXPECT_EQ(query("SELECT count(*) FROM event_feeds"), "0");
    query("DROP TRIGGER refuses ON outbox_events");
    commit(planned);
    EXPECT_EQ(sequences_of(merchant_id), "1 2");
}

TEST_F(EventFeedInPostgres, a_second_writer_waits_for_the_first) {
    settle();
    Payment const next = create_payment(merchant_id, {kChain});
    auto const paid = plan({.added = {block(103)},
                            .arrivals = {{next, transfer(next, 3, 50'000'000, block(103))}},
                            .finalized = 102});
    pqxx::connection connection(url());
    pqxx::work first(connection);
    first.exec("UPDATE event_feeds SET last_sequence = last_sequence + 1");  // number 4
    std::atomic<bool> ended = false;
    std::exception_ptr thrown;
    std::thread second([&] {
        try {
            run(PgLedger(*database).commit(paid));
        } catch (...) {
            thrown = std::current_exception();
        }
        ended = true;
    });
    auto const waits = [this] {
        return query(
                   "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                   " AND wait_event_type = 'Lock'") == "1";
    };
    auto const deadline = std::chrono::steady_clock::now() + kTestPatience;
    while (!waits() && !ended && std::chrono::steady_clock::now() < deadline) {
    }
    EXPECT_FALSE(ended);
    EXPECT_EQ(sequences_of(merchant_id), "1 2 3");
    first.commit();
    second.join();
    if (thrown) std::rethrow_exception(thrown);
    EXPECT_EQ(sequences_of(merchant_id), "1 2 3 5 6");
    auto const page = read(3);
    EXPECT_EQ(page.missing, (std::vector<FeedGap>{{4, 4, Untold::contradiction}}));
}

// Two chains tell two merchants at once, in as many orders as the threads find, while readers look.
TEST_F(EventFeedInPostgres, shows_no_number_before_a_smaller_one) {
    begin(kOtherChain);
    MerchantId const other = create_merchant("Shoes", 7);
    constexpr int kRounds = 25;
    std::atomic<bool> stop = false;
    std::atomic<std::uint64_t> looks = 0;
    std::string wrong;
    std::thread reader([&] {
        pqxx::connection connection(url());
        while (!stop) {
            pqxx::work tx(connection);
            for (auto const& row : tx.exec("SELECT count(sequence), coalesce(max(sequence), 0)"
                                           " FROM outbox_events GROUP BY merchant_id")) {
                if (row[0].as<int>() != row[1].as<int>()) wrong = row[1].c_str();
            }
            ++looks;
        }
    });
    for (int round = 0; round < kRounds; ++round) {
        BlockNumber const number = 101 + static_cast<BlockNumber>(round);
        std::vector<ChainCommit> commits;
        for (ChainId const chain : {kChain, kOtherChain}) {
            Step step{.chain_id = chain, .added = {block(number)}, .finalized = number - 1};
            for (MerchantId const merchant : {merchant_id, other}) {
                Payment const to = create_payment(merchant, {chain});
                auto const txn = static_cast<std::uint8_t>(round * 2 + (merchant == other ? 1 : 0));
                step.arrivals.push_back({to, transfer(to, txn, 50'000'000, block(number), chain)});
            }
            commits.push_back(plan(step));
        }
        // The merchants of the two come in different orders.
        std::ranges::reverse(commits[1].events);
        PgLedger ledger(*database);
        std::vector<Task<void>> tasks;
        for (ChainCommit const& one : commits)
            tasks.push_back(ledger.commit(one));
        for (auto const& error : run_at_once(std::move(tasks))) {
            if (error) std::rethrow_exception(error);
        }
        for (ChainCommit const& one : commits)
            follow(one);
    }
    stop = true;
    reader.join();
    EXPECT_EQ(wrong, "");
    EXPECT_GT(looks, 0U);
    for (MerchantId const merchant : {merchant_id, other}) {
        std::string const of =
            " FROM outbox_events WHERE merchant_id = '" + to_string(merchant.uuid) + "'";
        EXPECT_EQ(query("SELECT count(DISTINCT sequence)" + of), query("SELECT count(*)" + of));
        EXPECT_EQ(query("SELECT max(sequence)" + of), query("SELECT count(*)" + of));
        EXPECT_GE(std::stoi(query("SELECT count(*)" + of)), 2 * 2 * kRounds);
    }
}

TEST_F(EventFeedInPostgres, numbers_the_events_of_before_by_their_time) {
    settle();
    MerchantId const other = create_merchant("Shoes", 7);
    Payment const theirs = create_payment(other, {kChain});
    commit(plan({.added = {block(103)},
                 .arrivals = {{theirs, transfer(theirs, 7, 50'000'000, block(103))}},
                 .finalized = 102}));
    // As it was before: the newest one was written first.
    query(
        "UPDATE outbox_events SET created_at = created_at - interval '1 day'"
        " WHERE type = 'payment.settled'");
    query(
        "DROP VIEW all_outbox_events; DROP TABLE event_feeds;"
        " ALTER TABLE outbox_events DROP COLUMN sequence;"
        " ALTER TABLE archive.outbox_events DROP COLUMN sequence;"
        " CREATE VIEW all_outbox_events AS SELECT * FROM public.outbox_events"
        " UNION ALL SELECT * FROM archive.outbox_events;"
        " DELETE FROM schema_migrations WHERE name LIKE '%event_feed%'");
    EXPECT_EQ(run(database->migrate()).size(), 1U);
    EXPECT_EQ(types(read()), (std::vector<std::string>{"payment.settled", "payment.authorized",
                                                       "payment.cleared"}));
    EXPECT_EQ(sequences_of(merchant_id), "1 2 3");
    EXPECT_EQ(sequences_of(other), "1 2");
    EXPECT_EQ(read().last_sequence, 3U);
    // And on from there.
    commit(plan({block(104)}, {transfer(9, 1'000'000, block(104))}, 103));
    EXPECT_EQ(read().last_sequence, 4U);
    // Once in each month: the index came with the migration, and comes with each month.
    EXPECT_EQ(query("SELECT count(*) FROM pg_inherits i WHERE i.inhparent IN"
                    " ('public.outbox_events'::regclass, 'archive.outbox_events'::regclass)"
                    " AND NOT EXISTS (SELECT FROM pg_index x WHERE x.indrelid = i.inhrelid"
                    " AND x.indisunique AND pg_get_indexdef(x.indexrelid)"
                    " LIKE '%(merchant_id, sequence)')"),
              "0");
}

TEST_F(EventFeedInPostgres, goes_on_past_an_event_that_can_not_be_told) {
    settle();
    query("UPDATE outbox_events SET record_seq = 999 WHERE type = 'payment.cleared'");
    auto const page = read();
    EXPECT_EQ(numbers(page), (Numbers{1, 2, 3}));
    EXPECT_TRUE(page.events[0].told);
    EXPECT_FALSE(page.events[1].told);
    EXPECT_EQ(page.events[1].untold, Untold::contradiction);
    EXPECT_TRUE(page.events[2].told);
}

TEST_F(EventFeedInPostgres, names_numbers_whose_events_are_gone) {
    settle();
    query("DELETE FROM outbox_events WHERE sequence IN (1, 3)");
    auto const page = read(0);
    EXPECT_EQ(numbers(page), Numbers{2});
    EXPECT_EQ(page.missing,
              (std::vector<FeedGap>{{1, 1, Untold::contradiction}, {3, 3, Untold::contradiction}}));
    EXPECT_EQ(page.next_after, 3U);
    // From the first that is kept.
    EXPECT_EQ(read().missing, (std::vector<FeedGap>{{3, 3, Untold::contradiction}}));
}

TEST_F(EventFeedInPostgres, finds_an_event_and_those_of_a_payment_for_their_merchant_alone) {
    settle();
    Payment const second = create_payment(merchant_id, {kChain});
    commit(plan({.added = {block(103)},
                 .arrivals = {{second, transfer(second, 7, 50'000'000, block(103))}},
                 .finalized = 102}));
    MerchantId const other = create_merchant("Shoes", 7);
    auto const event = read().events[1].event;
    auto const found = run(feed_.find(merchant_id, event.id));
    ASSERT_TRUE(found.event);
    EXPECT_EQ(found.event->event.sequence, 2U);
    EXPECT_TRUE(found.event->told);
    EXPECT_FALSE(run(feed_.find(other, event.id)).event);
    EXPECT_FALSE(run(feed_.find(other, event.id)).archived);

    auto const of = run(feed_.of_payment({merchant_id, second.id}, 0, 1));
    ASSERT_EQ(of.events.size(), 1U);
    EXPECT_EQ(of.events[0].event.sequence, 4U);
    EXPECT_TRUE(of.has_more);
    EXPECT_TRUE(of.missing_months.empty());
    EXPECT_EQ(run(feed_.of_payment({merchant_id, second.id}, 4, 5)).events.size(), 1U);
    EXPECT_TRUE(run(feed_.of_payment({other, second.id}, 0, 5)).events.empty());
}

}  // namespace
}  // namespace sycee
