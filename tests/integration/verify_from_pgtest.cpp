// Pins: a verification that goes on from an exported checkpoint passes over right books, also where
// everything of before it is gone that nothing later rests on; it names what was changed after the
// checkpoint, what a later record rests on and is missing or changed, and a journal that vanished,
// was shortened, rewritten or dated back. What it can't see is pinned as well.
#include <sycee/app/receipt_json.hpp>
#include <sycee/crypto/hash.hpp>
#include <sycee/store/pg_checkpoints.hpp>

#include "books_fixture.hpp"

#include <nlohmann/json.hpp>

namespace sycee {
namespace {

class VerifyFrom : public BooksInPostgres {
  protected:
    // Records 1 to 14 are before the checkpoint, and whatever can rest on them comes after it.
    VerifyFrom()
        : part(create_payment(merchant_id, {kChain})),
          cleared(create_payment(merchant_id, {kChain})),
          taken_back(create_payment(merchant_id, {kChain})),
          over(create_payment(merchant_id, {kChain})),
          key(make_key()) {
        settle();  // 1 to 4
        commit(plan({.added = {block(103)},
                     .arrivals = {{over, transfer(over, 2, 60'000'000, block(103))}},
                     .finalized = 102}));  // 5 and 6: ten are on the desk
        commit(plan({.added = {block(104)},
                     .arrivals = {{part, transfer(part, 3, 20'000'000, block(104))},
                                  {cleared, transfer(cleared, 4, 50'000'000, block(104))}},
                     .others = {over},
                     .finalized = 103}));  // settlement 7, batch 8, 9 to 11
        Transfer out = transfer(over, 5, 4'000'000, block(105));
        std::swap(out.sender, out.recipient);
        commit(plan({.added = {block(105)},
                     .arrivals = {{taken_back, transfer(taken_back, 6, 50'000'000, block(105))},
                                  {over, out, false}},
                     .finalized = 103}));  // 12 to 14
        if (query("SELECT max(seq) FROM journal_heads") != "14")
            throw std::runtime_error("other books than these tests are about");
        part_waits = number_in("authorizations", part);
        authorized = number_in("authorizations", cleared);
        cleared_at = number_in("clearings", cleared);
        falls_from = number_in("authorizations", taken_back);
        falls = number_in("clearings", taken_back);
        out_at = query("SELECT seq FROM withdrawals");
        exception = number_in("clearings", over);
        checkpoint = export_now();
    }

    std::string number_in(std::string const& table, Payment const& of) {
        return query("SELECT min(seq) FROM " + table + " WHERE payment_id = '" +
                     to_string(of.id.uuid) + "'");
    }

    static SigningKey make_key() {
        Bytes32 secret{};
        secret[31] = 1;
        return SigningKey::from_bytes(secret).value();
    }

    // What `sycee verify --export` writes, read back.
    CheckpointExport export_now(CheckpointExport const* from = nullptr) {
        PgCheckpoints checkpoints(*database);
        if (query("SELECT count(*) FROM signing_keys") == "0")
            run(checkpoints.add_signing_key(key.public_key(), kStart));
        auto exported =
            run(checkpoints.load_export(run(checkpoints.make(key, booked_at)).number)).value();
        auto result =
            run(verify_books(*database, {.connections = 2, .from = from, .states_at = &exported}));
        EXPECT_EQ(result.first_wrong.value_or(""), "");
        exported.state = VerifiedState{.verified_at = booked_at, .journals = result.states};
        sign(*exported.state, exported.checkpoint, key);
        auto read = parse_export(export_json(exported).dump()).value();
        auto const checked = check_export(read);
        EXPECT_TRUE(checked) << to_string(checked.error());
        EXPECT_EQ(read.state, exported.state);
        return read;
    }

    // Whatever may rest on the records of before.
    void go_on() {
        booked_at = kStart + std::chrono::hours(5);
        commit(plan({.added = {block(105, 1), block(106, 1)},
                     .arrivals = {{part, transfer(part, 7, 30'000'000, block(106, 1))}},
                     .others = {taken_back, over, cleared},
                     .finalized = 103,
                     .rolled_back_to = 104}));
        commit(plan({.added = {block(107, 1)}, .others = {part, cleared, over}, .finalized = 106}));
        decide();
        auto const more = create_payment(merchant_id, {kChain});
        commit(plan({.added = {block(108, 1)},
                     .arrivals = {{more, transfer(more, 8, 50'000'000, block(108, 1))}},
                     .finalized = 106}));
        for (std::string const table : {"reversals", "clearings", "settlements", "resolutions",
                                        "authorizations", "settlement_batches"}) {
            EXPECT_NE(query("SELECT min(seq) FROM " + table + " WHERE seq > 14"), "") << table;
        }
    }

    void decide() {
        PgDesk desk(*database);
        auto const of = run(desk.find({merchant_id, kChain, std::stoull(exception)})).value();
        auto const head =
            run(PgLedger(*database).load_views(kChain, {{merchant_id, over.id}}, {})).at(0).head;
        JournalWriter journal(merchant_id, kChain, head, booked_at);
        journal.append(Resolution{.payment_id = of.payment_id,
                                  .exception_sequence = std::stoull(exception),
                                  .exception_hash = of.hash,
                                  .token = kToken,
                                  .kind = ResolutionKind::write_off,
                                  .target_payment_id = of.payment_id,
                                  .fee_basis_points = 0,
                                  .amount = Amount(5),
                                  .fee = {},
                                  .decided_by = "opr_1",
                                  .approved_by = "",
                                  .reason_hash = sha256(as_bytes(std::string_view("why")))});
        run(desk.commit({.head = {merchant_id, journal.first_head(), journal.head()},
                         .chain_id = kChain,
                         .entries = journal.entries(),
                         .reason = "why",
                         .now = booked_at}));
    }

    VerifyResult verify_from(CheckpointExport const& from) {
        return run(verify_books(*database, {.connections = 2, .from = &from}));
    }
    std::string first_wrong_from() { return verify_from(checkpoint).first_wrong.value_or(""); }

    // Changes the books by hand, expects of both runs what they say, and puts the tables back.
    void expect_named(std::string const& sql, std::vector<std::string> const& tables,
                      std::string const& from_checkpoint, std::string const& from_the_first) {
        for (std::string const& table : tables) {
            replica("CREATE SCHEMA IF NOT EXISTS backup; CREATE TABLE backup." + table +
                    " AS TABLE public." + table);
        }
        replica(sql);
        expect_says(first_wrong_from(), from_checkpoint, sql);
        expect_says(first_wrong(), from_the_first, sql);
        for (std::string const& table : tables) {
            replica("DELETE FROM " + table + "; INSERT INTO " + table + " SELECT * FROM backup." +
                    table + "; DROP TABLE backup." + table);
        }
    }
    static void expect_says(std::string const& said, std::string const& named,
                            std::string const& sql) {
        if (named.empty()) EXPECT_EQ(said, "") << sql;
        EXPECT_NE(said.find(named), std::string::npos) << sql << "\n  is called: " << said;
    }

    // What is later rests on the payments that were open and on the exception, with what each of
    // them is booked upon: of the books, that is left, and what is later.
    void detach() {
        std::string sequences = number_in("authorizations", over);
        for (std::string const& one :
             {part_waits, authorized, cleared_at, falls_from, falls, out_at, exception})
            sequences += ", " + one;
        for (std::string const table :
             {"authorizations", "clearings", "settlements", "settlement_batches",
              "unapplied_receipts", "withdrawals", "reversals", "resolutions", "postings"}) {
            replica("DELETE FROM " + table + " WHERE seq <= 14 AND seq NOT IN (" +
                    (table == "postings" ? "0" : sequences) + ")");
        }
    }

    Payment part;
    Payment cleared;
    Payment taken_back;
    Payment over;
    std::string part_waits;  // numbers of records
    std::string authorized;
    std::string cleared_at;
    std::string falls_from;
    std::string falls;
    std::string out_at;
    std::string exception;
    SigningKey key;
    CheckpointExport checkpoint;
};

TEST_F(VerifyFrom, says_how_each_journal_stood) {
    ASSERT_EQ(checkpoint.state->journals.size(), 1U);
    JournalState const& state = checkpoint.state->journals[0];
    EXPECT_EQ(state.head.sequence, 14U);
    EXPECT_EQ(state.last_batch, 2U);
    EXPECT_EQ(state.live_credits, 5U);
    EXPECT_EQ(state.live_withdrawals, 1U);
    std::vector<JournalState::Open> open{{std::stoull(part_waits), 0},
                                         {std::stoull(authorized), std::stoull(cleared_at)},
                                         {std::stoull(falls_from), std::stoull(falls)}};
    std::ranges::sort(open, {}, &JournalState::Open::authorization);
    EXPECT_EQ(state.open, open);
    EXPECT_EQ(first_wrong_from(), "");
    EXPECT_EQ(verify_from(checkpoint).records, 0U);
}

TEST_F(VerifyFrom, passes_over_what_came_after_and_comes_to_the_same_state) {
    go_on();
    auto const from = verify_from(checkpoint);
    EXPECT_EQ(from.first_wrong.value_or(""), "");
    EXPECT_EQ(std::to_string(from.records), query("SELECT max(seq) - 14 FROM journal_heads"));
    EXPECT_EQ(from.new_journals.size(), 0U);
    auto const whole = export_now();
    auto const gone_on = export_now(&checkpoint);
    EXPECT_EQ(gone_on.state->journals, whole.state->journals);
    EXPECT_EQ(verify_from(gone_on).records, 0U);
}

TEST_F(VerifyFrom, needs_nothing_of_before_but_what_later_records_rest_on) {
    go_on();
    detach();
    EXPECT_NE(first_wrong(), "");
    EXPECT_EQ(first_wrong_from(), "");
    export_now(&checkpoint);
    for (auto const& [table, sequence, named] :
         {std::tuple("authorizations", part_waits, "rests on authorization " + part_waits),
          std::tuple("authorizations", authorized, "rests on authorization " + authorized),
          std::tuple("clearings", cleared_at, "rests on clearing " + cleared_at),
          std::tuple("authorizations", falls_from, "rests on number " + falls),
          std::tuple("clearings", falls, "rests on number " + falls),
          std::tuple("withdrawals", out_at, "rests on number " + out_at),
          std::tuple("clearings", exception, "rests on number " + exception)}) {
        expect_named(std::string("DELETE FROM ") + table + " WHERE seq = " + sequence, {table},
                     named + ", which is missing", "number 1 is missing");
    }
}

TEST_F(VerifyFrom, names_what_was_changed_after_the_checkpoint) {
    go_on();
    std::string const last = query("SELECT max(seq) FROM authorizations");
    std::string const batch = query("SELECT max(seq) FROM settlement_batches");
    auto const both = [&](std::string const& sql, std::vector<std::string> const& tables,
                          std::string const& named) { expect_named(sql, tables, named, named); };
    both("UPDATE authorizations SET log_index = 7 WHERE seq = " + last, {"authorizations"},
         "authorization " + last + " has been changed");
    both("UPDATE settlement_batches SET booked_at = '-infinity' WHERE seq = " + batch,
         {"settlement_batches"}, "settlement_batch " + batch + " has been changed");
    both("DELETE FROM settlement_batches WHERE seq = " + batch, {"settlement_batches"},
         "postings of number " + batch + " have no record");
    both("UPDATE postings SET amount = amount + 1 WHERE seq = " + last, {"postings"},
         "authorization " + last + " has other postings than it says");
    both("DELETE FROM postings WHERE seq = " + last, {"postings"}, "has a posting too few");
    both("UPDATE account_balances SET balance = balance + 1 WHERE account = 'coins'",
         {"account_balances"}, "account coins of token ");
    both("UPDATE journal_heads SET hash = set_byte(hash, 0, get_byte(hash, 0) # 1)",
         {"journal_heads"}, "journal_heads is not the last record");
    both("DELETE FROM live_credits WHERE authorization_seq = " + last, {"live_credits"},
         "live_credits has no row for number " + last);
    both("UPDATE resolution_reasons SET reason = 'because'", {"resolution_reasons"},
         "was given another reason");
    both(
        "UPDATE reversals SET reversed_hash = set_byte(reversed_hash, 0,"
        " get_byte(reversed_hash, 0) # 1) WHERE reversed_seq = " +
            falls,
        {"reversals"}, "reverses a record that is not there");
}

TEST_F(VerifyFrom, names_the_record_of_before_that_a_later_one_rests_on) {
    go_on();
    auto const both = [this](std::string const& table, std::string const& change,
                             std::string const& sequence, std::string const& kind) {
        std::string const named = kind + " " + sequence + " has been changed";
        expect_named("UPDATE " + table + " SET " + change + " WHERE seq = " + sequence, {table},
                     named, named);
    };
    both("authorizations", "amount = amount - 1", part_waits, "authorization");
    both("authorizations", "amount = amount - 1", authorized, "authorization");
    both("clearings", "cleared_at_block = 7", cleared_at, "clearing");
    both("clearings", "excess = excess + 1", exception, "clearing");
    both("clearings", "cleared_at_block = 7", falls, "clearing");
    both("withdrawals", "log_index = 9", out_at, "withdrawal");
}

// The honest limit.
TEST_F(VerifyFrom, does_not_see_what_was_changed_before_and_nothing_rests_on) {
    go_on();
    expect_named("UPDATE authorizations SET sender = set_byte(sender, 0, 7) WHERE seq = 1",
                 {"authorizations"}, "", "authorization 1 has been changed");
    expect_named("DELETE FROM settlements WHERE seq = 3", {"settlements"}, "",
                 "number 3 is missing");
    expect_named("UPDATE postings SET amount = amount + 1 WHERE seq = 1", {"postings"}, "",
                 "authorization 1 has other postings than it says");
    expect_named("UPDATE live_credits SET ordinal = 7 WHERE authorization_seq = 1",
                 {"live_credits"}, "", "live_credits says another transfer for number 1");
    // How many rows there are of what is older is known.
    expect_named("DELETE FROM live_credits WHERE authorization_seq = 1", {"live_credits"},
                 "live_credits has 3 row(s) for numbers up to 14, and must have 4",
                 "live_credits has no row for number 1");
}

TEST_F(VerifyFrom, names_the_journal_that_vanished_was_shortened_or_rewritten) {
    std::vector<std::string> const all{
        "authorizations",     "clearings",         "settlements",   "settlement_batches",
        "withdrawals",        "postings",          "journal_heads", "live_credits",
        "live_withdrawals",   "resolutions",       "reversals",     "account_balances",
        "resolution_reasons", "unapplied_receipts"};
    std::string vanish;
    for (std::string const& table : all)
        vanish += "DELETE FROM " + table + ";";
    expect_named(vanish, all,
                 journal_name(merchant_id, kChain) +
                     ": the journal has no journal_heads row, but had number 14 at the checkpoint",
                 "");
    expect_named("UPDATE journal_heads SET seq = 13", {"journal_heads"},
                 ": journal_heads says that the journal ends at number 13, but had number 14",
                 "journal_heads is not the last record");
    go_on();
    auto rewritten = checkpoint;
    rewritten.state->journals[0].head.hash[3] ^= 1;
    EXPECT_NE(verify_from(rewritten).first_wrong.value_or("").find(
                  "does not hold the hash that number 14 had at the checkpoint: the journal was "
                  "rewritten"),
              std::string::npos);
}

TEST_F(VerifyFrom, verifies_a_new_journal_whole_and_names_one_that_was_dated_back) {
    booked_at = kStart + std::chrono::hours(5);
    auto const other = create_payment(create_merchant("Mugs", 5), {kChain});
    commit(plan({.added = {block(106)},
                 .arrivals = {{other, transfer(other, 9, 50'000'000, block(106))}},
                 .finalized = 103}));
    auto const result = verify_from(checkpoint);
    EXPECT_EQ(result.first_wrong.value_or(""), "");
    EXPECT_EQ(result.new_journals,
              (std::vector<std::pair<MerchantId, ChainId>>{{other.merchant_id, kChain}}));
    EXPECT_EQ(result.records, 2U);
    // As if the checkpoint had been made a day later, and the journal been invented since.
    auto later = checkpoint;
    later.checkpoint.made_at = booked_at + std::chrono::hours(24);
    EXPECT_NE(verify_from(later).first_wrong.value_or("").find(
                  journal_name(other.merchant_id, kChain) +
                  ": the checkpoint does not have this journal, though its record 1 was booked"),
              std::string::npos);
}

// Clocks that were set back must not hide a record.
TEST_F(VerifyFrom, reads_what_says_that_it_was_booked_before_where_it_is_missed) {
    booked_at = kStart - std::chrono::hours(48);
    auto const more = create_payment(merchant_id, {kChain});
    commit(plan({.added = {block(106)},
                 .arrivals = {{more, transfer(more, 8, 50'000'000, block(106))}},
                 .finalized = 103}));
    auto const result = verify_from(checkpoint);
    EXPECT_EQ(result.first_wrong.value_or(""), "");
    EXPECT_EQ(result.records, 2U);
}

// A state is only told of books that are right up to there.
TEST_F(VerifyFrom, tells_no_state_of_wrong_books_nor_of_others_than_the_checkpoints) {
    auto exported = checkpoint;
    exported.state.reset();
    replica("UPDATE authorizations SET log_index = 7 WHERE seq = 1");
    auto const wrong = run(verify_books(*database, {.states_at = &exported}));
    EXPECT_TRUE(wrong.first_wrong);
    EXPECT_TRUE(wrong.states.empty());
    replica("UPDATE authorizations SET log_index = 0 WHERE seq = 1");
    exported.intervals[0].head[0] ^= 1;
    EXPECT_NE(run(verify_books(*database, {.states_at = &exported}))
                  .first_wrong.value_or("")
                  .find("number 14 is not the record of the checkpoint"),
              std::string::npos);
}

}  // namespace
}  // namespace sycee
