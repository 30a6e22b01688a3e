// Pins the exceptions desk against the real PostgreSQL: what is on it, that a decision is written
// whole and once, and that verify finds a decision that nobody could have made.
#include <sycee/crypto/hash.hpp>
#include <sycee/store/pg_reports.hpp>

#include "books_fixture.hpp"

namespace sycee {
namespace {

using namespace std::chrono_literals;

std::string operator_id(std::uint8_t number) {
    OperatorId id;
    id.uuid.bytes[15] = number;
    return to_string(id);
}

// On kChain, all final: clearing 2 with 10 over, unapplied record 6 of 20 (late), and withdrawal 9
// with 3 unexplained, of the second payment's 4.
class DeskInPostgres : public BooksInPostgres {
  protected:
    DeskInPostgres() : desk(*database), ledger(*database) {
        second = create_payment(merchant_id, {kChain});
        settle();
        BlockHeader late = block(103);
        late.time = kStart + 2h;
        Transfer receipt = transfer(payment, 2, 20'000'000, late);
        commit(plan({.added = {late}, .arrivals = {{payment, receipt}}, .finalized = 102}));
        Transfer stray = transfer(second, 4, 1'000'000, block(104));
        stray.key.token = kUnknownToken;
        Transfer out = transfer(second, 3, 4'000'000, block(104));
        out.key.token = kUnknownToken;
        std::swap(out.sender, out.recipient);
        commit(plan({.added = {block(104)},
                     .arrivals = {{second, stray}, {second, out, false}},
                     .finalized = 103}));
        commit(plan({.added = {block(105)}, .finalized = 104}));
    }

    JournalHead head_of(ChainId chain_id = kChain) {
        return run(ledger.load_views(chain_id, {{merchant_id, payment.id}}, {})).at(0).head;
    }
    DeskException exception(std::uint64_t sequence) {
        return run(desk.find({merchant_id, kChain, sequence})).value();
    }

    Resolution resolution(DeskException const& of, ResolutionKind kind, std::uint64_t amount) {
        return {.payment_id = of.payment_id,
                .exception_sequence = of.key.sequence,
                .exception_hash = of.hash,
                .token = of.transfer.key.token,
                .kind = kind,
                .target_payment_id = of.payment_id,
                .amount = Amount(amount),
                .decided_by = operator_id(1),
                .reason_hash = sha256(as_bytes(std::string_view("they wrote to us")))};
    }
    DeskCommit decide(std::vector<Resolution> const& resolutions) {
        JournalWriter journal(merchant_id, kChain, head_of(), kStart);
        for (Resolution const& one : resolutions)
            journal.append(one);
        DeskCommit commit{.head = {merchant_id, journal.first_head(), journal.head()},
                          .chain_id = kChain,
                          .entries = journal.entries(),
                          .reason = "they wrote to us",
                          .now = kStart};
        return commit;
    }
    ResolutionRequest request(std::uint64_t sequence) {
        return {.id = new_id<RequestTag>(kStart),
                .exception = {merchant_id, kChain, sequence},
                .kind = ResolutionKind::credit,
                .target_payment_id = second.id,
                .amount = Amount(20'000'000),
                .reason = "a \"large\" one",
                .requested_by = operator_id(1),
                .created_at = kStart};
    }
    std::string nothing_decided() {
        return query(
            "SELECT (SELECT count(*) FROM resolutions) + (SELECT count(*) FROM"
            " resolution_reasons)");
    }

    PgDesk desk;
    PgLedger ledger;
    Payment second;
};

TEST_F(DeskInPostgres, what_is_over_late_or_unexplained_is_on_the_desk) {
    EXPECT_EQ(first_wrong(), "");
    auto const page = run(desk.list({.merchant_id = merchant_id, .open_only = true}, {}, 10));
    EXPECT_FALSE(page.has_more);
    std::map<std::uint64_t, std::string> seen;
    for (DeskException const& one : page.exceptions) {
        EXPECT_EQ(one.key.merchant_id, merchant_id);
        EXPECT_EQ(one.key.chain_id, kChain);
        EXPECT_TRUE(one.resolved.is_zero());
        EXPECT_TRUE(one.is_final);
        EXPECT_EQ(one.booked_at, kStart);
        seen[one.key.sequence] = one.reason + " " + to_string(one.amount);
    }
    std::map<std::uint64_t, std::string> const expected{{2, "overpaid 10000000"},
                                                        {6, "late 20000000"},
                                                        {8, "unexplained 3000000"},
                                                        {9, "token_not_offered 1000000"}};
    EXPECT_EQ(seen, expected);
    auto const late = exception(6);
    EXPECT_EQ(late.payment_id, payment.id);
    EXPECT_EQ(late.transfer, state().credits[1].transfer);
    EXPECT_EQ(late.hash, state().credits[1].stage_hash);
    auto const out = exception(8);
    EXPECT_EQ(out.transfer, state(second).outflows[0].transfer);
    EXPECT_EQ(out.hash, state(second).outflows[0].hash);
    EXPECT_FALSE(run(desk.find({merchant_id, kChain, 1})));
    EXPECT_FALSE(run(desk.find({merchant_id, kOtherChain, 2})));
}

TEST_F(DeskInPostgres, pages_go_on_where_the_last_one_ended) {
    for (auto const& merchant : {std::optional(merchant_id), std::optional<MerchantId>()}) {
        std::vector<std::uint64_t> seen;
        std::optional<DeskKey> after;
        for (int pages = 0; pages < 4; ++pages) {
            auto const page =
                run(desk.list({.merchant_id = merchant, .open_only = false}, after, 1));
            ASSERT_EQ(page.exceptions.size(), 1U);
            EXPECT_EQ(page.has_more, pages < 3);
            after = page.exceptions[0].key;
            seen.push_back(after->sequence);
        }
        EXPECT_EQ(seen, (std::vector<std::uint64_t>{9, 8, 6, 2}));
        EXPECT_TRUE(run(desk.list({.merchant_id = merchant, .open_only = false}, after, 1))
                        .exceptions.empty());
    }
    EXPECT_TRUE(
        run(desk.list({.merchant_id = create_merchant("Mugs", 5), .open_only = false}, {}, 10))
            .exceptions.empty());
    DeskKey const unknown{merchant_id, kChain, 99};
    EXPECT_TRUE(run(desk.list({.merchant_id = merchant_id, .open_only = false}, unknown, 10))
                    .exceptions.empty());
}

TEST_F(DeskInPostgres, what_is_not_final_says_so_and_what_was_reversed_is_gone) {
    BlockHeader late = block(106);
    late.time = kStart + 3h;
    auto const receipt = transfer(second, 9, 7, late);
    commit(plan({.added = {late}, .arrivals = {{second, receipt}}, .finalized = 104}));
    auto const newest =
        run(desk.list({.merchant_id = merchant_id, .open_only = true}, {}, 1)).exceptions.at(0);
    EXPECT_FALSE(newest.is_final);
    EXPECT_EQ(newest.amount, Amount(7));
    auto const decision = decide({resolution(newest, ResolutionKind::write_off, 7)});
    EXPECT_THROW(run(desk.commit(decision)), Unavailable);
    EXPECT_EQ(nothing_decided(), "0");
    commit(plan({.added = {block(106, 1), block(107, 1)},
                 .others = {second},
                 .finalized = 104,
                 .rolled_back_to = 105}));
    EXPECT_FALSE(run(desk.find(newest.key)));
    EXPECT_EQ(
        run(desk.list({.merchant_id = merchant_id, .open_only = true}, {}, 10)).exceptions.size(),
        4U);
}

TEST_F(DeskInPostgres, a_decision_is_written_whole) {
    auto credit = resolution(exception(6), ResolutionKind::credit, 12'000'000);
    credit.target_payment_id = second.id;
    credit.fee_basis_points = 50;
    credit.fee = Amount(60'000);
    credit.approved_by = operator_id(2);
    auto const promise = resolution(exception(6), ResolutionKind::refund, 5'000'000);
    auto decision = decide({credit, promise});
    decision.events.push_back({.id = new_id<EventTag>(kStart),
                               .merchant_id = merchant_id,
                               .payment_id = second.id,
                               .type = "payment.credited",
                               .chain_id = kChain,
                               .record_sequence = decision.entries[0].sequence,
                               .positions = {{kChain, decision.head.to.sequence}},
                               .created_at = kStart});
    run(desk.commit(decision));

    EXPECT_EQ(first_wrong(), "");
    EXPECT_EQ(exception(6).resolved, Amount(17'000'000));
    EXPECT_EQ(query("SELECT balance FROM account_balances WHERE account = 'refund_frozen'"),
              "5000000");
    EXPECT_EQ(query("SELECT count(*) FROM resolution_reasons WHERE reason = 'they wrote to us'"),
              "2");
    EXPECT_EQ(query("SELECT count(*) FROM outbox_events WHERE type = 'payment.credited'"), "1");
    EXPECT_EQ(state().credits[1].resolved, Amount(17'000'000));
    EXPECT_TRUE(state().desk_credits.empty());
    auto const paid = state(second);
    ASSERT_EQ(paid.desk_credits.size(), 1U);
    EXPECT_EQ(paid.desk_credits[0].amount, Amount(12'000'000));
    EXPECT_EQ(paid.desk_credits[0].token, kToken);
    EXPECT_EQ(paid.desk_credits[0].chain_id, kChain);
    EXPECT_EQ(paid.desk_credits[0].sequence, decision.head.from.sequence + 1);
    EXPECT_FALSE(paid.desk_credits[0].accepts);
    EXPECT_EQ(paid.desk_credits[0].exception_sequence, 6U);

    auto const decided = exception(6).decisions;
    ASSERT_EQ(decided.size(), 2U);
    EXPECT_EQ(decided[0].sequence, decision.head.from.sequence + 1);
    EXPECT_EQ(decided[0].kind, ResolutionKind::credit);
    EXPECT_EQ(decided[0].target_payment_id, second.id);
    EXPECT_EQ(decided[0].amount, Amount(12'000'000));
    EXPECT_EQ(decided[0].reason, "they wrote to us");
    EXPECT_EQ(decided[0].decided_by, operator_id(1));
    EXPECT_EQ(decided[0].approved_by, operator_id(2));
    EXPECT_EQ(decided[0].decided_at, kStart);
    EXPECT_EQ(decided[1].kind, ResolutionKind::refund);
    EXPECT_TRUE(exception(2).decisions.empty());
    for (DeskException const& one :
         run(desk.list({.merchant_id = merchant_id, .open_only = false}, {}, 10)).exceptions)
        EXPECT_EQ(one.decisions.size(), one.key.sequence == 6 ? 2U : 0U);

    for (Payment const& of : {payment, second}) {
        auto const timeline = run(PgReports(*database).timeline({merchant_id, of.id}));
        auto const found = std::count_if(
            timeline.records.begin(), timeline.records.end(), [](JournalEntry const& entry) {
                EXPECT_EQ(hash_of(entry), entry.hash) << entry.sequence;
                return kind_of(entry.record) == RecordKind::resolution;
            });
        EXPECT_EQ(found, of.id == payment.id ? 2 : 1);
        EXPECT_EQ(timeline.reasons.size(), static_cast<std::size_t>(found));
        EXPECT_EQ(timeline.reasons.at({kChain, decided[0].sequence}), "they wrote to us");
    }
}

TEST_F(DeskInPostgres, what_is_decided_is_no_longer_open) {
    run(desk.commit(decide({resolution(exception(2), ResolutionKind::write_off, 4'000'000)})));
    EXPECT_EQ(
        run(desk.list({.merchant_id = merchant_id, .open_only = true}, {}, 10)).exceptions.size(),
        4U);
    run(desk.commit(decide({resolution(exception(2), ResolutionKind::accept, 6'000'000)})));
    run(desk.commit(decide({resolution(exception(8), ResolutionKind::write_off, 3'000'000)})));
    EXPECT_EQ(
        run(desk.list({.merchant_id = merchant_id, .open_only = true}, {}, 10)).exceptions.size(),
        2U);
    EXPECT_EQ(
        run(desk.list({.merchant_id = merchant_id, .open_only = false}, {}, 10)).exceptions.size(),
        4U);
    EXPECT_EQ(state().credits[0].resolved, Amount(10'000'000));
    ASSERT_EQ(state().desk_credits.size(), 1U);
    EXPECT_TRUE(state().desk_credits[0].accepts);
    EXPECT_EQ(state(second).outflows[0].resolved, Amount(3'000'000));
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(DeskInPostgres, more_than_there_is_is_refused) {
    auto const half = resolution(exception(6), ResolutionKind::write_off, 10'000'001);
    EXPECT_THROW(run(desk.commit(decide({half, half}))), Unavailable);
    EXPECT_EQ(nothing_decided(), "0");
    run(desk.commit(decide({half})));
    EXPECT_THROW(run(desk.commit(decide({half}))), Unavailable);
    EXPECT_EQ(exception(6).resolved, Amount(10'000'001));
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(DeskInPostgres, of_two_decisions_at_once_one_is_refused) {
    auto const decision = decide({resolution(exception(6), ResolutionKind::write_off, 1)});
    std::vector<Task<void>> tasks;
    tasks.push_back(desk.commit(decision));
    tasks.push_back(desk.commit(decision));
    expect_one_refused(run_at_once(std::move(tasks)));
    EXPECT_EQ(exception(6).resolved, Amount(1));
}

TEST_F(DeskInPostgres, a_payment_that_moved_meanwhile_is_not_paid) {
    auto credit = resolution(exception(6), ResolutionKind::credit, 20'000'000);
    credit.target_payment_id = second.id;
    PaymentKey const key{merchant_id, second.id};
    begin(kOtherChain);
    auto decision = decide({credit});
    decision.foreign = {{key, foreign_fingerprint(state(second), 0)}};
    // On another chain, so that the journal of the exception stands where it was.
    commit(plan({.chain_id = kOtherChain,
                 .added = {block(101)},
                 .arrivals = {{second, transfer(second, 1, 9, block(101), kOtherChain)}},
                 .finalized = 100}));
    EXPECT_THROW(run(desk.commit(decision)), Unavailable);
    EXPECT_EQ(nothing_decided(), "0");
    decision.foreign = {{key, foreign_fingerprint(state(second), 0)}};
    run(desk.commit(decision));
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(DeskInPostgres, a_chain_sees_what_the_desk_gave_meanwhile) {
    begin(kOtherChain);
    auto const both = create_payment(merchant_id, {kChain, kOtherChain});
    auto const planned =
        plan({.chain_id = kOtherChain,
              .added = {block(101)},
              .arrivals = {{both, transfer(both, 1, 30'000'000, block(101), kOtherChain)}},
              .finalized = 100});
    auto credit = resolution(exception(6), ResolutionKind::credit, 20'000'000);
    credit.target_payment_id = both.id;
    run(desk.commit(decide({credit})));
    EXPECT_THROW(run(ledger.commit(planned)), Unavailable);
    commit(plan({.chain_id = kOtherChain,
                 .added = {block(101)},
                 .arrivals = {{both, transfer(both, 1, 30'000'000, block(101), kOtherChain)}},
                 .finalized = 100}));
    EXPECT_EQ(status_of(state(both), {}), PaymentStatus::cleared);
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(DeskInPostgres, a_request_waits_and_is_answered_once) {
    auto const asked = request(6);
    run(desk.create_request(asked, std::nullopt));
    auto const waiting = run(desk.requests());
    ASSERT_EQ(waiting.size(), 1U);
    EXPECT_EQ(waiting[0].id, asked.id);
    EXPECT_EQ(waiting[0].exception, asked.exception);
    EXPECT_EQ(waiting[0].kind, asked.kind);
    EXPECT_EQ(waiting[0].target_payment_id, second.id);
    EXPECT_EQ(waiting[0].amount, asked.amount);
    EXPECT_EQ(waiting[0].reason, asked.reason);
    EXPECT_EQ(waiting[0].requested_by, asked.requested_by);
    EXPECT_EQ(waiting[0].created_at, kStart);
    EXPECT_TRUE(run(desk.find_request(asked.id)));

    auto credit = resolution(exception(6), ResolutionKind::credit, 20'000'000);
    credit.target_payment_id = second.id;
    auto decision = decide({credit});
    decision.request = asked.id;
    run(desk.commit(decision));
    EXPECT_TRUE(run(desk.requests()).empty());
    EXPECT_FALSE(run(desk.find_request(asked.id)));
    EXPECT_FALSE(run(desk.withdraw_request(asked.id)));
    EXPECT_EQ(query("SELECT resolution_seq FROM resolution_requests"),
              std::to_string(decision.entries[0].sequence));
}

TEST_F(DeskInPostgres, a_request_that_was_withdrawn_decides_nothing) {
    auto asked = request(8);
    asked.kind = ResolutionKind::write_off;
    asked.target_payment_id = {};
    run(desk.create_request(asked, std::nullopt));
    EXPECT_TRUE(run(desk.find_request(asked.id))->target_payment_id.uuid.is_nil());
    auto decision = decide({resolution(exception(8), ResolutionKind::write_off, 3'000'000)});
    decision.request = asked.id;
    EXPECT_TRUE(run(desk.withdraw_request(asked.id)));
    EXPECT_FALSE(run(desk.withdraw_request(asked.id)));
    EXPECT_THROW(run(desk.commit(decision)), Unavailable);
    EXPECT_EQ(nothing_decided(), "0");
    EXPECT_EQ(head_of(), decision.head.from);
}

TEST_F(DeskInPostgres, nothing_but_resolutions_with_their_reason_is_taken) {
    auto other_reason = decide({resolution(exception(6), ResolutionKind::write_off, 1)});
    other_reason.reason = "another one";
    EXPECT_THROW(run(desk.commit(other_reason)), InvariantViolation);
    auto nothing = decide({});
    EXPECT_THROW(run(desk.commit(nothing)), InvariantViolation);
    auto changed = decide({resolution(exception(6), ResolutionKind::write_off, 1)});
    std::get<Resolution>(changed.entries[0].record).amount = Amount(2);
    EXPECT_THROW(run(desk.commit(changed)), InvariantViolation);
    EXPECT_EQ(nothing_decided(), "0");
}

TEST_F(DeskInPostgres, verify_names_a_resolution_that_was_changed_by_hand) {
    run(desk.commit(decide({resolution(exception(6), ResolutionKind::write_off, 5)})));
    std::string const named = "resolution " + query("SELECT max(seq) FROM resolutions");
    for (std::string const sql :
         {"UPDATE resolutions SET amount = 6", "UPDATE resolutions SET kind = 'refund'",
          "UPDATE resolutions SET decided_by = gen_random_uuid()",
          "UPDATE resolutions SET approved_by = gen_random_uuid()",
          "UPDATE resolutions SET exception_seq = 2", "UPDATE resolutions SET fee_basis_points = 1",
          "UPDATE resolutions SET reason_hash = exception_hash",
          "UPDATE resolution_reasons SET reason = 'they wrote to me'"}) {
        expect_found([&] { replica(sql); }, named, sql);
    }
    expect_found([&] { replica("DELETE FROM resolutions"); }, "postings of number",
                 "a resolution that is gone");
    expect_found(
        [&] { replica("DELETE FROM account_balances WHERE account = 'merchant_settled'"); },
        "merchant_settled", "a balance that is gone");
}

// Written with right hashes and balances, as whoever holds the program and the database could.
TEST_F(DeskInPostgres, verify_names_a_resolution_that_nobody_could_decide) {
    auto const late = exception(6);
    auto const write_off = resolution(late, ResolutionKind::write_off, 1'000'000);
    auto const wrong = [&](auto const& change) {
        Resolution one = write_off;
        change(one);
        return one;
    };
    std::vector<std::pair<std::string, Resolution>> const forgeries{
        {"decides about more than its exception holds",
         wrong([](Resolution& r) { r.amount = Amount(20'000'001); })},
        {"decides about a record that is not on the desk",
         wrong([](Resolution& r) { r.exception_sequence = 5; })},
        {"decides about a record that is not on the desk",
         wrong([](Resolution& r) { r.exception_hash[0] ^= 1; })},
        {"is not on the desk, or not of its payment",
         wrong([&](Resolution& r) { r.payment_id = r.target_payment_id = second.id; })},
        {"is of another token than its exception",
         wrong([&](Resolution& r) { r.token = kUnknownToken; })},
        {"charges another fee than its basis points give", wrong([](Resolution& r) {
             r.kind = ResolutionKind::accept;
             r.fee_basis_points = 50;
             r.fee = Amount(5'001);
         })}};
    for (auto const& [named, forgery] : forgeries) {
        auto const decision = decide({forgery});
        auto forged = plan({.added = {block(heads[kChain].number + 1)}, .finalized = 104});
        forged.entries = decision.entries;
        forged.heads = {decision.head};
        expect_found([&] { commit(forged); }, named, named);
    }
}

TEST_F(DeskInPostgres, verify_names_the_reversal_of_what_was_decided_upon) {
    auto const late = exception(6);
    run(desk.commit(decide({resolution(late, ResolutionKind::write_off, 1)})));
    JournalWriter journal(merchant_id, kChain, head_of(), kStart);
    journal.append(
        Reversal{.payment_id = payment.id,
                 .reversed_kind = RecordKind::unapplied,
                 .reversed_sequence = 6,
                 .reversed_hash = late.hash,
                 .ancestor_block = 100,
                 .postings = mirror(unapplied_postings(kToken.bytes, Amount(20'000'000)))});
    auto forged = plan({.added = {block(106)}, .finalized = 104});
    forged.entries = journal.entries();
    forged.heads = {{merchant_id, journal.first_head(), journal.head()}};
    expect_found([&] { commit(forged); }, "reverses what was decided upon", "its reversal");
}

}  // namespace
}  // namespace sycee
