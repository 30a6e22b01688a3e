// Pins who may follow a chain, by which rule, and that no deposit address is ever missed.
#include "books_fixture.hpp"

#include <set>

namespace sycee {
namespace {

using namespace std::chrono_literals;

class WatchingInPostgres : public BooksInPostgres {
  protected:
    void let_lease_run_out(ChainId chain_id) {
        query(
            "UPDATE chain_leases SET expires_at = clock_timestamp() - interval '1 second'"
            " WHERE chain_id = " +
            std::to_string(chain_id));
    }
    ChainCommit next_block() {
        BlockNumber const number = heads[kChain].number + 1;
        return plan({.added = {block(number)}, .finalized = 100});
    }

    std::vector<std::exception_ptr> twice(std::function<Task<void>()> const& make) {
        std::vector<Task<void>> tasks;
        tasks.push_back(make());
        tasks.push_back(make());
        return run_at_once(std::move(tasks));
    }

    // Keeps asking for what is new until `count` addresses are known; none may be skipped.
    static Task<void> watch(PgLedger& ledger, std::size_t count,
                            std::map<MerchantId, std::uint64_t>& next) {
        std::size_t seen = 0;
        while (seen < count) {
            std::vector<std::pair<MerchantId, std::uint64_t>> const known(next.begin(), next.end());
            auto addresses = co_await ledger.load_new_addresses(known);
            std::sort(addresses.begin(), addresses.end(), [](auto const& a, auto const& b) {
                return a.derivation_index < b.derivation_index;
            });
            for (NewAddress const& added : addresses) {
                std::uint64_t& expected = next[added.merchant_id];
                ensure(added.derivation_index == expected, "an index was skipped or came twice");
                ++expected;
                ++seen;
            }
        }
    }
    static Task<void> create_many(PgPayments& payments, MerchantId merchant, int count) {
        for (int i = 0; i < count; ++i) {
            NewPayment input = new_payment(merchant, {kChain});
            co_await payments.create(std::move(input), derive_deposit_address);
        }
    }
};

TEST_F(WatchingInPostgres, one_of_two_holders_has_the_lease) {
    PgLedger ledger(*database);
    auto const first = run(ledger.acquire_lease(7, "a", 10s));
    ASSERT_TRUE(first);
    EXPECT_EQ(first->token, 1U);
    EXPECT_GT(first->time_left, 5s);
    EXPECT_LE(first->time_left, 10s);
    EXPECT_FALSE(run(ledger.acquire_lease(7, "b", 10s)));

    auto const renewed = run(ledger.acquire_lease(7, "a", 60s));
    ASSERT_TRUE(renewed);
    EXPECT_EQ(renewed->token, 1U);
    EXPECT_GT(renewed->time_left, 50s);

    let_lease_run_out(7);
    EXPECT_EQ(run(ledger.acquire_lease(7, "a", 10s))->token, 2U) << "it had run out";
    let_lease_run_out(7);
    EXPECT_EQ(run(ledger.acquire_lease(7, "b", 10s))->token, 3U);
    EXPECT_FALSE(run(ledger.acquire_lease(7, "a", 10s)));

    run(ledger.release_lease(7, *renewed));
    EXPECT_FALSE(run(ledger.acquire_lease(7, "a", 10s))) << "it was not theirs to give back";
    run(ledger.release_lease(7, Lease{.token = 3}));
    EXPECT_EQ(run(ledger.acquire_lease(7, "a", 10s))->token, 4U);
}

TEST_F(WatchingInPostgres, of_two_who_ask_at_once_one_gets_the_lease) {
    PgLedger ledger(*database);
    std::optional<Lease> a;
    std::optional<Lease> b;
    auto const ask = [](PgLedger& of, std::string holder,
                        std::optional<Lease>& into) -> Task<void> {
        into = co_await of.acquire_lease(7, std::move(holder), 10s);
    };
    std::vector<Task<void>> tasks;
    tasks.push_back(ask(ledger, "a", a));
    tasks.push_back(ask(ledger, "b", b));
    for (auto const& error : run_at_once(std::move(tasks)))
        EXPECT_FALSE(error);
    EXPECT_NE(a.has_value(), b.has_value());
}

TEST_F(WatchingInPostgres, a_holder_that_lost_its_lease_writes_nothing) {
    PgLedger ledger(*database);
    auto const planned = next_block();
    let_lease_run_out(kChain);
    auto const taken = run(ledger.acquire_lease(kChain, "another", kLeaseTime));
    ASSERT_TRUE(taken);
    EXPECT_THROW(run(ledger.commit(planned)), Unavailable);
    EXPECT_THROW(run(ledger.record_stop(kChain, leases[kChain], "broken")), Unavailable);
    EXPECT_THROW(run(ledger.begin_chain(kChain, leases[kChain], processed(block(100)), kStart)),
                 Unavailable);
    EXPECT_EQ(query("SELECT head_number FROM chain_cursors WHERE stopped_reason IS NULL"), "100");

    leases[kChain] = *taken;
    commit(next_block());
    run(ledger.record_stop(kChain, *taken, "broken"));
    EXPECT_EQ(query("SELECT stopped_reason FROM chain_cursors"), "broken");
}

TEST_F(WatchingInPostgres, a_holder_that_slept_writes_while_its_token_is_the_newest) {
    let_lease_run_out(kChain);
    commit(next_block());
    EXPECT_EQ(query("SELECT head_number FROM chain_cursors"), "101");
    // Its own new lease ends that as well: a commit of before may still be under way.
    auto const planned = next_block();
    ASSERT_TRUE(run(PgLedger(*database).acquire_lease(kChain, "test", kLeaseTime)));
    EXPECT_THROW(run(PgLedger(*database).commit(planned)), Unavailable);
}

TEST_F(WatchingInPostgres, nobody_takes_the_lease_while_its_holder_commits) {
    PgLedger ledger(*database);
    let_lease_run_out(kChain);
    bool done = false;
    std::optional<Lease> taken;
    auto const ask = [](PgLedger& of, std::optional<Lease>& into) -> Task<void> {
        into = co_await of.acquire_lease(kChain, "another", 10s);
    };
    {
        pqxx::connection connection(admin_url() + " dbname=" + query("SELECT current_database()"));
        pqxx::work committing(connection);
        committing.exec1("SELECT 1 FROM chain_leases WHERE chain_id = 31337 FOR SHARE");
        boost::asio::co_spawn(io, ask(ledger, taken), [&](std::exception_ptr error) {
            done = true;
            EXPECT_FALSE(error);
        });
        io.restart();
        io.poll();
        while (query("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                     " AND wait_event_type = 'Lock'") == "0") {
        }
        EXPECT_FALSE(done);
    }
    run_until(io, [&] { return done; });
    EXPECT_EQ(taken->token, leases[kChain].token + 1);
}

TEST_F(WatchingInPostgres, of_two_who_begin_a_chain_one_is_told_to_load_it) {
    PgLedger ledger(*database);
    auto const lease = run(ledger.acquire_lease(kOtherChain, "a", kLeaseTime)).value();
    EXPECT_FALSE(run(ledger.load_chain(kOtherChain)));
    EXPECT_FALSE(run(ledger.load_progress(kOtherChain)));
    expect_one_refused(twice(
        [&] { return ledger.begin_chain(kOtherChain, lease, processed(block(50)), kStart); }));
    auto const chain = run(ledger.load_chain(kOtherChain));
    ASSERT_TRUE(chain);
    EXPECT_EQ(chain->finalized, 50U);
    ASSERT_EQ(chain->blocks.size(), 1U);
    EXPECT_EQ(chain->blocks[0], processed(block(50)));
}

TEST_F(WatchingInPostgres, a_rule_that_differs_is_a_new_version) {
    PgLedger ledger(*database);
    EXPECT_EQ(run(ledger.use_rule(kChain, one_block(), kStart)).version, 1U);
    FinalityRule rule{.bands = parse_bands("100:1,10000:12,finalized").value()};
    EXPECT_EQ(run(ledger.use_rule(kChain, rule, kStart)).version, 2U);
    rule.most_not_final = Amount(5);
    auto const stored = run(ledger.use_rule(kChain, rule, kStart));
    EXPECT_EQ(stored.version, 3U);
    EXPECT_EQ(stored.bands, rule.bands);
    EXPECT_EQ(stored.most_not_final, rule.most_not_final);
    EXPECT_EQ(run(ledger.use_rule(kChain, stored, kStart)), stored);
    EXPECT_EQ(run(ledger.use_rule(kChain, one_block(), kStart)).version, 4U);
    EXPECT_EQ(run(ledger.use_rule(kOtherChain, rule, kStart)).version, 1U) << "of each chain";
    EXPECT_THROW(run(ledger.use_rule(kChain, FinalityRule{}, kStart)), InvariantViolation);

    auto const use = [](PgLedger& of, FinalityRule used) -> Task<void> {
        co_await of.use_rule(kChain, std::move(used), kStart);
    };
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 4; ++i)
        tasks.push_back(use(ledger, rule));
    for (auto const& error : run_at_once(std::move(tasks)))
        EXPECT_FALSE(error);
    EXPECT_EQ(query("SELECT max(version) FROM finality_rules WHERE chain_id = 31337"), "5");
    EXPECT_EQ(query("SELECT count(*) FROM finality_rules WHERE chain_id = 31337"), "5");
}

TEST_F(WatchingInPostgres, progress_is_what_the_last_commit_said) {
    PgLedger ledger(*database);
    auto planned = plan({.added = {block(101), block(102), block(103)}, .finalized = 101});
    planned.agreed = 102;
    commit(planned);
    auto const read = run(ledger.load_progress(kChain));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->head_time, block(103).time);
    EXPECT_EQ(read->agreed, 102U);
    EXPECT_EQ(read->finalized, 101U);
    EXPECT_EQ(read->rule, progress[kChain]->rule);
}

TEST_F(WatchingInPostgres, headers_below_the_final_block_stay_for_a_while_and_are_not_loaded) {
    PgLedger ledger(*database);
    commit(plan({.added = {block(101), block(102)}, .finalized = 101}));
    EXPECT_EQ(query("SELECT string_agg(number::text, ' ' ORDER BY number) FROM chain_blocks"),
              "100 101 102");
    auto const chain = run(ledger.load_chain(kChain));
    ASSERT_TRUE(chain);
    ASSERT_EQ(chain->blocks.size(), 2U);
    EXPECT_EQ(chain->blocks[0], processed(block(101)));
    EXPECT_EQ(HeaderChain(chain->blocks, chain->finalized).first(), 101U);

    std::vector<BlockHeader> many;
    for (BlockNumber number = 103; number <= 100 + 4'096 + 2; ++number)
        many.push_back(block(number));
    commit(plan({.added = many, .finalized = 100 + 4'096 + 1}));
    EXPECT_EQ(query("SELECT min(number) FROM chain_blocks"), "101");
}

TEST_F(WatchingInPostgres, new_addresses_are_those_since_the_index_that_is_known) {
    PgLedger ledger(*database);
    auto const other = create_merchant("Mugs", 5);
    auto const idle = create_merchant("Nothing yet", 6);
    auto const second = create_payment(merchant_id, {kChain});
    auto const third = create_payment(other, {kChain});
    EXPECT_EQ(run(ledger.load_new_addresses({})).size(), 3U);
    auto const since = run(ledger.load_new_addresses({{merchant_id, 1}, {other, 1}, {idle, 0}}));
    ASSERT_EQ(since.size(), 1U);
    EXPECT_EQ(since[0].merchant_id, merchant_id);
    EXPECT_EQ(since[0].derivation_index, 1U);
    EXPECT_EQ(since[0].address, second.deposit_address);
    EXPECT_EQ(since[0].expires_at, second.expires_at);
    auto const unnamed = run(ledger.load_new_addresses({{merchant_id, 2}}));
    ASSERT_EQ(unnamed.size(), 1U);
    EXPECT_EQ(unnamed[0].address, third.deposit_address);
    EXPECT_TRUE(run(ledger.load_new_addresses({{merchant_id, 2}, {other, 1}})).empty());
}

TEST_F(WatchingInPostgres, no_address_is_missed_while_payments_are_created) {
    PgLedger ledger(*database);
    PgPayments payments(*database);
    auto const other = create_merchant("Mugs", 5);
    std::map<MerchantId, std::uint64_t> next;
    std::vector<Task<void>> tasks;
    tasks.push_back(watch(ledger, 1 + 4 * 25, next));
    for (MerchantId const merchant : {merchant_id, merchant_id, other, other})
        tasks.push_back(create_many(payments, merchant, 25));
    for (auto const& error : run_at_once(std::move(tasks))) {
        if (error) std::rethrow_exception(error);
    }
    EXPECT_EQ(next[merchant_id], 51U);
    EXPECT_EQ(next[other], 50U);
}

TEST_F(WatchingInPostgres, many_addresses_are_read_and_found) {
    PgLedger ledger(*database);
    auto const other = create_merchant("Mugs", 5);
    query(
        "INSERT INTO payments (merchant_id, payment_id, derivation_index, deposit_address,"
        " currency, price, options, created_at, expires_at) SELECT '" +
        to_string(other.uuid) +
        "', gen_random_uuid(), n, substr(sha256(n::text::bytea), 1, 20), 'USD', 1, '[]', now(),"
        " now() FROM generate_series(0, 99999) n");
    query("UPDATE merchants SET next_derivation_index = 100000 WHERE merchant_id = '" +
          to_string(other.uuid) + "'");
    query("ANALYZE payments");
    auto const all = run(ledger.load_new_addresses({}));
    EXPECT_EQ(all.size(), 100'001U);
    EXPECT_EQ(run(ledger.load_new_addresses({{merchant_id, 1}, {other, 99'997}})).size(), 3U);

    std::vector<Address> asked{kToken};
    std::set<Address> expected;
    for (std::size_t i = 0; i < 25'000; ++i) {
        asked.push_back(all[i].address);
        expected.insert(all[i].address);
    }
    asked.push_back(payment.deposit_address);
    expected.insert(payment.deposit_address);
    std::set<Address> found;
    for (WatchedAddress const& watched : run(ledger.find_addresses(asked))) {
        found.insert(watched.address);
        if (watched.address == payment.deposit_address)
            EXPECT_EQ(watched.payment, PaymentKey(merchant_id, payment.id));
    }
    EXPECT_EQ(found, expected);
    EXPECT_TRUE(run(ledger.find_addresses({})).empty());
}

}  // namespace
}  // namespace sycee
