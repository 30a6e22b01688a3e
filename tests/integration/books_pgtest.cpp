// Pins, against the real PostgreSQL: one commit writes all or nothing, what the books refuse, and
// that verify names the row that was changed by hand.
#include <sycee/app/trial_balance.hpp>
#include <sycee/base/assert.hpp>
#include <sycee/payment/quote.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/random.hpp>
#include <sycee/store/pg_access.hpp>
#include <sycee/store/pg_ledger.hpp>
#include <sycee/store/pg_outbox.hpp>
#include <sycee/store/pg_reports.hpp>

#include "books_fixture.hpp"

namespace sycee {
namespace {

using namespace std::chrono_literals;

TEST_F(BooksInPostgres, a_payment_survives_its_round_trip) {
    auto const created = create_payment(merchant_id, {kChain, kOtherChain}, Amount(3));
    auto const stored = state(created).payment;
    EXPECT_EQ(stored.reference, created.reference);
    EXPECT_EQ(stored.metadata, created.metadata);
    EXPECT_EQ(stored.options, created.options);
    EXPECT_EQ(stored.options[1].tolerance, Amount(3));
    EXPECT_EQ(stored.expires_at, created.expires_at);
    EXPECT_EQ(created.derivation_index, 1U);
    EXPECT_EQ(to_string(state().payment.deposit_address),
              "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
}

TEST_F(BooksInPostgres, the_rate_that_was_locked_survives_its_round_trip) {
    auto const rate = [](char const* text) { return parse_rate(text).value(); };
    PriceQuote const quote{.rate = rate("156.3712345"),
                           .spread_basis_points = 50,
                           .sources = {{"chainlink 1 \"x\"", rate("156.25"), kStart},
                                       {"http b", rate("156.492469"), kStart - 7ms}}};
    auto input = new_payment(merchant_id, {kChain});
    input.currency = "JPY";
    input.quote = std::make_shared<PriceQuote const>(quote);
    auto const created = run(PgPayments(*database).create(input, derive_deposit_address));
    ASSERT_NE(state(created).payment.quote, nullptr);
    EXPECT_EQ(*state(created).payment.quote, quote);
    EXPECT_EQ(*created.quote, quote);
    EXPECT_EQ(state().payment.quote, nullptr);
    EXPECT_EQ(query("SELECT count(*) FROM payments WHERE quote = ''"), "1");
}

TEST_F(BooksInPostgres, an_open_amount_survives_its_round_trip) {
    auto input = new_payment(merchant_id, {kChain});
    input.open_amount = true;
    auto const created = run(PgPayments(*database).create(input, derive_deposit_address));
    EXPECT_TRUE(created.open_amount);
    EXPECT_TRUE(state(created).payment.open_amount);
    EXPECT_FALSE(state().payment.open_amount);
}

TEST_F(BooksInPostgres, three_stages_are_written_and_verify) {
    settle();
    EXPECT_EQ(status_of(state(), {}), PaymentStatus::settled);
    EXPECT_FALSE(state().credits[0].settlement_hash == Bytes32{});
    EXPECT_EQ(query("SELECT encode(hash, 'hex') FROM settlements"),
              to_hex(state().credits[0].settlement_hash));
    EXPECT_EQ(query("SELECT count(*) FROM postings"), "4");
    EXPECT_EQ(query("SELECT count(*) FROM outbox_events"), "3");
    EXPECT_EQ(query("SELECT count(*) FROM webhook_deliveries WHERE next_attempt_at IS NOT NULL"),
              "3");
    EXPECT_EQ(query("SELECT balance FROM account_balances WHERE account = 'payer_unapplied'"),
              "10000000");
    EXPECT_EQ(query("SELECT rule_version FROM authorizations"), "1");
    EXPECT_EQ(first_wrong(), "");
    auto const result = run(verify_books(*database));
    EXPECT_EQ(result.records, 4U);
}

TEST_F(BooksInPostgres, a_shortfall_within_the_tolerance_is_written_and_verifies) {
    auto const tolerant = create_payment(merchant_id, {kChain}, Amount(10));
    commit(plan({.added = {block(101)},
                 .arrivals = {{tolerant, transfer(tolerant, 1, 49'999'993, block(101))}},
                 .finalized = 100}));
    ASSERT_EQ(status_of(state(tolerant), {}), PaymentStatus::cleared);
    EXPECT_EQ(state(tolerant).credits[0].shortfall, Amount(7));
    expect_found(
        [&] {
            replica(
                "UPDATE payments SET options = jsonb_set(options,"
                " '{0,tolerance}', '\"6\"') WHERE options->0->>'tolerance' = '10'");
        },
        "clearing 2", "a tolerance that was made smaller");
}

TEST_F(BooksInPostgres, the_same_commit_twice_is_refused_whole) {
    auto const planned = plan({block(101)}, {transfer(1, 50'000'000, block(101))}, 100);
    commit(planned);
    EXPECT_THROW(run(PgLedger(*database).commit(planned)), Unavailable);
    EXPECT_EQ(query("SELECT count(*) FROM authorizations"), "1");
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(BooksInPostgres, a_journal_that_moved_meanwhile_is_refused_whole) {
    auto planned = plan({block(101)}, {transfer(1, 50'000'000, block(101))}, 100);
    planned.heads[0].from.sequence = 7;
    EXPECT_THROW(run(PgLedger(*database).commit(planned)), Unavailable);
    EXPECT_EQ(query("SELECT head_number FROM chain_cursors"), "100");
    EXPECT_EQ(query("SELECT count(*) FROM authorizations"), "0");
}

TEST_F(BooksInPostgres, a_reorg_is_undone_by_reversals) {
    commit(plan({block(101)}, {transfer(1, 50'000'000, block(101))}, 100));
    EXPECT_FALSE(state().was_cleared);
    commit(
        plan({block(101, 1), block(102, 1)}, {transfer(1, 50'000'000, block(102, 1))}, 100, 100));
    EXPECT_EQ(query("SELECT count(*) FROM reversals"), "2");
    EXPECT_EQ(query("SELECT count(*) FROM live_credits"), "1");
    EXPECT_EQ(query("SELECT count(*) FROM authorizations"), "2");
    EXPECT_EQ(status_of(state(), {}), PaymentStatus::cleared);
    EXPECT_TRUE(state().was_cleared);
    EXPECT_EQ(state().credits[0].first_seen_time, block(101).time);
    EXPECT_EQ(first_wrong(), "");
    auto const chain = run(PgLedger(*database).load_chain(kChain));
    ASSERT_TRUE(chain);
    EXPECT_EQ(chain->blocks.back(), processed(block(102, 1)));
}

TEST_F(BooksInPostgres, a_repair_reverses_settlements) {
    settle();
    commit(plan({.added = {block(101, 1), block(102, 1), block(103, 1)},
                 .others = {payment},
                 .finalized = 101,
                 .rolled_back_to = 100,
                 .repairs = true}));
    EXPECT_EQ(query("SELECT string_agg(reversed_kind, ' ' ORDER BY seq) FROM reversals"),
              "settlement clearing authorization");
    EXPECT_EQ(query("SELECT sum(balance) FROM account_balances"), "0");
    EXPECT_EQ(first_wrong(), "");

    auto const timeline = run(PgReports(*database).timeline({merchant_id, payment.id}));
    ASSERT_EQ(timeline.records.size(), 6U);
    for (JournalEntry const& entry : timeline.records)
        EXPECT_EQ(hash_of(entry), entry.hash) << entry.sequence;
    expect_found(
        [&] {
            replica(
                "DELETE FROM live_credits; UPDATE reversals SET"
                " reversed_kind = 'clearing' WHERE seq = 5");
        },
        "reversal 5", "a settlement's reversal that says something else");
}

TEST_F(BooksInPostgres, a_reversal_of_a_settlement_that_goes_no_further_is_found) {
    settle();
    auto const credit = state().credits[0];
    JournalWriter journal(
        merchant_id, kChain,
        run(PgLedger(*database).load_views(kChain, {{merchant_id, payment.id}}, {})).at(0).head,
        kStart);
    journal.append(
        Reversal{.payment_id = payment.id,
                 .reversed_kind = RecordKind::settlement,
                 .reversed_sequence = credit.settlement_sequence,
                 .reversed_hash = credit.settlement_hash,
                 .ancestor_block = 100,
                 .postings = mirror(settlement_postings(kToken.bytes, Amount(50'000'000)))});
    auto forged = plan({block(103)}, {}, 101);
    forged.entries = journal.entries();
    forged.heads = {{merchant_id, journal.first_head(), journal.head()}};
    expect_found([&] { commit(forged); }, "number 2 stands", "half a reversal");
}

TEST_F(BooksInPostgres, open_work_is_found_again_after_a_start) {
    PgLedger ledger(*database);
    EXPECT_TRUE(run(ledger.load_open(kChain)).empty());
    commit(plan({block(101)}, {transfer(1, 50'000'000, block(101))}, 100));
    EXPECT_EQ(run(ledger.load_open(kChain)).size(), 1U);
    commit(plan({block(102)}, {}, 101));
    EXPECT_TRUE(run(ledger.load_open(kChain)).empty());
}

TEST_F(BooksInPostgres, open_work_is_looked_for_from_the_oldest_open_block_only) {
    PgLedger ledger(*database);
    commit(plan({block(101)}, {transfer(1, 20'000'000, block(101))}, 100));
    commit(plan({block(102), block(103)}, {}, 103));
    EXPECT_EQ(query("SELECT oldest_open FROM chain_cursors"), "101");
    EXPECT_EQ(run(ledger.load_open(kChain)).size(), 1U);
    query("UPDATE chain_cursors SET oldest_open = 102");
    EXPECT_TRUE(run(ledger.load_open(kChain)).empty());
}

TEST_F(BooksInPostgres, what_is_cleared_and_not_final_is_in_the_view) {
    PgLedger ledger(*database);
    std::vector<PaymentKey> const keys{{merchant_id, payment.id}};
    EXPECT_TRUE(run(ledger.load_views(kChain, keys, {})).at(0).cleared_not_final.empty());
    commit(plan({block(101)}, {transfer(1, 60'000'000, block(101))}, 100));
    auto const cleared = run(ledger.load_views(kChain, keys, {})).at(0).cleared_not_final;
    ASSERT_EQ(cleared.size(), 1U);
    EXPECT_EQ(cleared[0], std::pair(kToken, Amount(50'000'000)));
    EXPECT_TRUE(run(ledger.load_views(kOtherChain, keys, {})).at(0).cleared_not_final.empty());
    commit(plan({block(102)}, {}, 101));
    EXPECT_TRUE(run(ledger.load_views(kChain, keys, {})).at(0).cleared_not_final.empty());
}

TEST_F(BooksInPostgres, two_merchants_heads_move_together_or_not_at_all) {
    auto const other = create_payment(create_merchant("Mugs", 5), {kChain});
    auto planned = plan({.added = {block(101)},
                         .arrivals = {{payment, transfer(1, 50'000'000, block(101))},
                                      {other, transfer(other, 2, 50'000'000, block(101))}},
                         .finalized = 100});
    ASSERT_EQ(planned.heads.size(), 2U);
    std::sort(planned.heads.begin(), planned.heads.end(),
              [](auto const& a, auto const& b) { return b.merchant_id < a.merchant_id; });
    auto wrong = planned;
    wrong.heads[1].from.sequence = 3;
    EXPECT_THROW(run(PgLedger(*database).commit(wrong)), Unavailable);
    EXPECT_EQ(query("SELECT count(*) FROM journal_heads"), "0");
    commit(planned);
    EXPECT_EQ(query("SELECT count(*) FROM journal_heads WHERE seq = 2"), "2");
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(BooksInPostgres, heads_are_locked_in_the_order_of_the_merchants) {
    auto const other = create_payment(create_merchant("Mugs", 5), {kChain});
    auto const arrivals = [&](BlockNumber number, std::uint8_t txn) {
        return std::vector<Arrival>{
            {payment, transfer(payment, txn, 1'000'000, block(number))},
            {other, transfer(other, static_cast<std::uint8_t>(txn + 1), 1'000'000, block(number))}};
    };
    commit(plan({.added = {block(101)}, .arrivals = arrivals(101, 1), .finalized = 100}));
    auto const next = plan({.added = {block(102)}, .arrivals = arrivals(102, 3), .finalized = 100});
    auto const [first, last] = std::minmax(merchant_id, other.merchant_id);
    auto const lock = [](MerchantId id) {
        return "SELECT 1 FROM journal_heads WHERE merchant_id = '" + to_string(id.uuid) +
               "' FOR UPDATE NOWAIT";
    };

    PgLedger ledger(*database);
    bool done = false;
    {
        pqxx::connection connection(admin_url() + " dbname=" + query("SELECT current_database()"));
        pqxx::work holder(connection);
        holder.exec1(lock(first));
        boost::asio::co_spawn(io, ledger.commit(next), [&](std::exception_ptr error) {
            done = true;
            EXPECT_FALSE(error);
        });
        io.restart();
        io.poll();
        while (query("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                     " AND wait_event_type = 'Lock'") == "0") {
        }
        // It waits for the first one, and has not touched the last.
        query(lock(last));
    }
    run_until(io, [&] { return done; });
    EXPECT_EQ(query("SELECT sum(seq) FROM journal_heads"), "4");
}

TEST_F(BooksInPostgres, what_another_chain_did_meanwhile_is_decided_again) {
    begin(kOtherChain);
    auto const both = create_payment(merchant_id, {kChain, kOtherChain});
    auto const half = [&](ChainId chain_id, std::uint8_t txn) {
        return plan({.chain_id = chain_id,
                     .added = {block(101)},
                     .arrivals = {{both, transfer(both, txn, 25'000'000, block(101), chain_id)}},
                     .finalized = 100});
    };
    auto const here = half(kChain, 1);
    auto const there = half(kOtherChain, 2);
    PgLedger ledger(*database);
    std::vector<Task<void>> both_at_once;
    both_at_once.push_back(ledger.commit(here));
    both_at_once.push_back(ledger.commit(there));
    expect_one_refused(run_at_once(std::move(both_at_once)));
    // Decided again, it sees the other half: covered.
    bool const here_went =
        query("SELECT head_number FROM chain_cursors WHERE chain_id = 31337") == "101";
    EXPECT_EQ(query("SELECT count(*) FROM authorizations"), "1");
    heads[here_went ? kChain : kOtherChain] = block(101);
    progress[here_went ? kChain : kOtherChain]->agreed = 101;
    commit(half(here_went ? kOtherChain : kChain, 2));
    EXPECT_EQ(query("SELECT count(*) FROM clearings"), "1");
    EXPECT_EQ(status_of(state(both), {}), PaymentStatus::authorized);
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(BooksInPostgres, payments_of_one_chain_do_not_wait_for_one_another) {
    begin(kOtherChain);
    auto const other = create_payment(merchant_id, {kOtherChain});
    auto const here = plan({block(101)}, {transfer(1, 50'000'000, block(101))}, 100);
    auto const there =
        plan({.chain_id = kOtherChain,
              .added = {block(101)},
              .arrivals = {{other, transfer(other, 1, 50'000'000, block(101), kOtherChain)}},
              .finalized = 100});
    EXPECT_TRUE(here.foreign.empty());
    commit(here);
    commit(there);
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(BooksInPostgres, the_database_refuses_to_change_what_is_booked) {
    settle();
    for (std::string const table : {"authorizations", "clearings", "settlements",
                                    "settlement_batches", "postings", "finality_rules"}) {
        std::string const column = table == "finality_rules" ? "chain_id" : "merchant_id";
        EXPECT_THROW(query("UPDATE " + table + " SET " + column + " = " + column), pqxx::sql_error)
            << table;
        EXPECT_THROW(query("DELETE FROM " + table), pqxx::sql_error) << table;
        EXPECT_THROW(query("TRUNCATE " + table + " CASCADE"), pqxx::sql_error) << table;
    }
    EXPECT_THROW(query("TRUNCATE resolutions CASCADE"), pqxx::sql_error);
    EXPECT_THROW(query("INSERT INTO live_credits SELECT merchant_id, chain_id, tx_hash, token,"
                       " ordinal, 99 FROM live_credits"),
                 pqxx::unique_violation);
    EXPECT_THROW(query("UPDATE account_balances SET balance = -1 WHERE account = 'coins'"),
                 pqxx::check_violation);
}

struct Tampering {
    char const* sql;
    char const* named;
};

TEST_F(BooksInPostgres, verify_names_the_row_that_was_changed_by_hand) {
    settle();
    for (Tampering const& row :
         {Tampering{"UPDATE authorizations SET amount = amount + 1", "authorization 1"},
          Tampering{"UPDATE authorizations SET rule_version = 2", "authorization 1"},
          Tampering{"DELETE FROM finality_rules", "authorization 1 names version 1"},
          Tampering{"UPDATE clearings SET gross = gross - 1, net = net - 1", "clearing 2"},
          Tampering{"UPDATE clearings SET excess = 0, shortfall = 1", "clearing 2"},
          Tampering{"UPDATE postings SET amount = amount + 1 WHERE seq = 2 AND line = 0",
                    "clearing 2"},
          Tampering{"DELETE FROM settlements", "settlement_batch 4"},
          Tampering{"DELETE FROM settlement_batches; DELETE FROM postings WHERE seq = 4",
                    "number 3"},
          Tampering{"UPDATE settlements SET hash = decode(repeat('00', 32), 'hex')",
                    "settlement 3"},
          Tampering{"UPDATE authorizations SET booked_at = booked_at + interval '1 second'",
                    "authorization 1"},
          Tampering{"DELETE FROM live_credits", "live_credits has no row for number 1"},
          Tampering{"UPDATE live_credits SET authorization_seq = 9",
                    "live_credits says number 9 where number 1 is live"},
          Tampering{"INSERT INTO live_credits SELECT merchant_id, chain_id, tx_hash, token, 5, 8"
                    " FROM live_credits",
                    "live_credits has a row for number 8, which is not live"},
          Tampering{"INSERT INTO live_withdrawals SELECT * FROM live_credits",
                    "live_withdrawals has a row for number 1"},
          Tampering{"UPDATE account_balances SET balance = 1 WHERE account = 'coins'", "coins"},
          Tampering{"UPDATE journal_heads SET seq = 3", "journal_heads"}}) {
        expect_found([&] { replica(row.sql); }, row.named, row.sql);
    }
}

TEST_F(BooksInPostgres, related_extended_keys_are_refused) {
    PgAccess access(*database);
    NewMerchant merchant;
    merchant.name = "Other";
    merchant.created_at = kStart;
    auto const account = parse_extended_public_key(
        "xpub6Ce9NcJvTk36xtLSrJLZqE7wtgA5deCeYs7rSQtreh4cj6ByPtrg9sD7V2FNFLPnf8heNP3FGkeV9qwfzvZNSd"
        "5"
        "4JoNXVsXFYSYwHsnJxqP");
    for (auto const& key :
         {account.value(), derive_child(*account, 0).value(), derive_child(*account, 1).value()}) {
        merchant.id = new_id<MerchantTag>(kStart);
        merchant.extended_public_key = key;
        EXPECT_FALSE(run(access.create_merchant(merchant)));
    }
}

TEST_F(BooksInPostgres, the_outbox_is_worked_off) {
    settle();
    PgOutbox outbox(*database);
    EXPECT_EQ(run(outbox.fan_out(kStart, 10)), 0U) << "to its one endpoint, the commit made them";
    auto const due = run(outbox.due({}, kStart, 2));
    ASSERT_EQ(due.size(), 2U);
    EXPECT_EQ(due[0].told.event.type, "payment.authorized");
    EXPECT_EQ(due[0].told.event.status, PaymentStatus::authorized);
    // Each tells the payment as it stood then, whatever has been booked since.
    ASSERT_EQ(due[0].told.state.credits.size(), 1U);
    EXPECT_EQ(due[0].told.state.credits[0].stage, CreditStage::authorized);
    EXPECT_EQ(due[0].told.record_hash, due[0].told.state.credits[0].authorization_hash);
    EXPECT_EQ(due[1].told.event.type, "payment.cleared");
    EXPECT_EQ(due[1].told.state.credits.at(0).stage, CreditStage::cleared);
    auto const other = new_id<WebhookEndpointTag>(kStart);
    EXPECT_EQ(run(outbox.due({other}, kStart, 10)).size(), 3U);
    EXPECT_TRUE(run(outbox.due({other, due[0].endpoint_id}, kStart, 10)).empty());
    run(outbox.record(
        {{.key = due[0].key(), .attempt = 1, .at = kStart, .status = 200, .delivered = true},
         {.key = due[1].key(),
          .attempt = 1,
          .at = kStart,
          .status = 500,
          .next_attempt_at = kStart + 1min}}));
    EXPECT_EQ(run(outbox.due({}, kStart, 10)).size(), 1U);
    EXPECT_EQ(run(outbox.due({}, kStart + 1min, 10)).size(), 2U);
    PaymentKey const key{merchant_id, payment.id};
    auto const timeline = run(PgReports(*database).timeline(key));
    EXPECT_EQ(timeline.records.size(), 3U);
    EXPECT_EQ(timeline.batches.size(), 1U);
    ASSERT_EQ(timeline.deliveries.size(), 3U);
    EXPECT_EQ(timeline.deliveries[0].attempts.size(), 1U);
    EXPECT_EQ(timeline.deliveries[0].delivery.state(), DeliveryState::delivered);
}

// What contradicts the books is set aside, and silences nobody.
TEST_F(BooksInPostgres, an_event_that_cannot_be_told_is_set_aside) {
    settle();
    query(
        "INSERT INTO outbox_events (merchant_id, event_id, payment_id, type, status, chain_id,"
        " record_seq, journals, created_at, next_attempt_at)"
        " SELECT merchant_id, '00000000-0000-7000-8000-000000000001', payment_id, type, status,"
        " chain_id, 999, journals, created_at, created_at FROM outbox_events LIMIT 1");
    PgOutbox outbox(*database);
    EXPECT_EQ(run(outbox.fan_out(kStart, 10)), 1U);
    EXPECT_EQ(run(outbox.due({}, kStart, 10)).size(), 3U);
    EXPECT_EQ(query("SELECT count(*) FROM webhook_deliveries WHERE next_attempt_at IS NULL"), "1");
    EXPECT_EQ(run(outbox.due({}, kStart, 10)).size(), 3U);
}

// They are written together; one that can't be takes no other with it.
TEST_F(BooksInPostgres, of_payments_created_at_once_one_that_is_refused_takes_no_other_with_it) {
    PgPayments payments(*database);
    std::vector<Task<void>> creations;
    MerchantId const nobody = new_id<MerchantTag>(kStart);
    auto const create = [&](MerchantId merchant) -> Task<void> {
        co_await payments.create(new_payment(merchant, {kChain}), derive_deposit_address);
    };
    constexpr std::size_t kMany = 40;
    for (std::size_t i = 0; i < kMany; ++i)
        creations.push_back(create(i == 7 ? nobody : merchant_id));
    auto const thrown = run_at_once(std::move(creations));
    for (std::size_t i = 0; i < kMany; ++i)
        EXPECT_EQ(thrown[i] != nullptr, i == 7) << i;
    EXPECT_EQ(query("SELECT count(*) || ' ' || count(DISTINCT derivation_index) || ' ' ||"
                    " max(derivation_index) FROM payments"),
              "40 40 39");  // with the one of the fixture, and without a gap
    EXPECT_EQ(query("SELECT next_derivation_index FROM merchants"), "40");
}

// Everything in these tests is booked at kStart.
TEST_F(BooksInPostgres, the_trial_balance_of_a_past_moment_is_added_from_the_postings) {
    settle();
    PgReports reports(*database);
    EXPECT_TRUE(run(reports.balances_at(kStart - 1ms)).empty());
    auto const then = run(reports.balances_at(kStart));
    std::vector<std::string> added;
    std::vector<std::string> kept;
    auto const text_of = [](BalanceRow const& row) {
        return std::string(to_string(row.account)) + (row.balance.negative ? " -" : " ") +
               to_string(row.balance.magnitude);
    };
    for (BalanceRow const& row : then)
        added.push_back(text_of(row));
    for (BalanceRow const& row : run(reports.balances()))
        kept.push_back(text_of(row));
    EXPECT_EQ(added, kept);
    for (TrialBalance const& sheet : trial_balances(then))
        EXPECT_TRUE(sheet.balanced());
}

TEST_F(BooksInPostgres, addresses_are_exported_once_paid_or_all) {
    create_payment(merchant_id, {kChain});
    PgReports reports(*database);
    EXPECT_TRUE(run(reports.used_addresses()).empty());
    auto const all = run(reports.issued_addresses());
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].address, payment.deposit_address);
    EXPECT_EQ(all[1].derivation_index, 1U);
    settle();
    auto const used = run(reports.used_addresses());
    ASSERT_EQ(used.size(), 1U);
    EXPECT_EQ(used[0].address, payment.deposit_address);
}

TEST_F(BooksInPostgres, a_login_clears_away_the_sessions_that_have_ended) {
    PgAccess access(*database);
    Operator const account{new_id<OperatorTag>(kStart), "ops", "hash"};
    ASSERT_TRUE(run(access.create_operator(account, kStart)));
    Timestamp const later = SystemClock().now() + std::chrono::hours(1);
    run(access.create_session(Bytes32{1}, account.id, later));
    run(access.create_session(Bytes32{2}, account.id, kStart));
    run(access.create_session(Bytes32{3}, account.id, later));
    EXPECT_EQ(query("SELECT count(*) FROM operator_sessions"), "2");
    EXPECT_TRUE(run(access.find_session(Bytes32{1}, kStart)));
    EXPECT_FALSE(run(access.find_session(Bytes32{2}, kStart - std::chrono::hours(1))));
}

TEST_F(BooksInPostgres, payments_that_are_asked_for_at_once_are_each_their_own) {
    PgPayments payments(*database);
    Payment const second = create_payment(merchant_id, {kChain});
    MerchantId const other = create_merchant("Hats", 7);
    std::vector<std::optional<PaymentState>> found(40);
    std::vector<Task<void>> tasks;
    auto const find = [&payments](MerchantId merchant, PaymentId id,
                                  std::optional<PaymentState>& into) -> Task<void> {
        into = co_await payments.find(merchant, id);
    };
    for (std::size_t i = 0; i < found.size(); i += 4) {
        tasks.push_back(find(merchant_id, payment.id, found[i]));
        tasks.push_back(find(merchant_id, second.id, found[i + 1]));
        tasks.push_back(find(other, payment.id, found[i + 2]));
        tasks.push_back(find(merchant_id, new_id<PaymentTag>(kStart), found[i + 3]));
    }
    for (auto const& error : run_at_once(std::move(tasks)))
        EXPECT_EQ(error, nullptr);
    for (std::size_t i = 0; i < found.size(); i += 4) {
        ASSERT_TRUE(found[i] && found[i + 1]);
        EXPECT_EQ(found[i]->payment.id, payment.id);
        EXPECT_EQ(found[i + 1]->payment.id, second.id);
        EXPECT_FALSE(found[i + 2] || found[i + 3]);
    }
}

}  // namespace
}  // namespace sycee
