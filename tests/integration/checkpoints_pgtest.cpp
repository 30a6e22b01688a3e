// Pins: a checkpoint has every record of every journal, one after the other, whatever their times
// say; a receipt is proved by it; a journal that was rewritten as a whole, so that `sycee verify`
// calls it right, is named by a checkpoint that was kept outside.
#include <sycee/store/pg_checkpoints.hpp>
#include <sycee/store/pg_reports.hpp>

#include "books_fixture.hpp"

namespace sycee {
namespace {

class CheckpointsInPostgres : public BooksInPostgres {
  protected:
    CheckpointsInPostgres() { key = use_key(1); }

    SigningKey use_key(std::uint8_t number) {
        Bytes32 secret{};
        secret[31] = number;
        auto const made = SigningKey::from_bytes(secret).value();
        run(checkpoints.add_signing_key(made.public_key(), kStart + std::chrono::hours(number)));
        return made;
    }
    Checkpoint make(Timestamp at = kStart) { return run(checkpoints.make(*key, at)); }
    CheckpointExport exported(std::uint64_t number) {
        return run(checkpoints.load_export(number)).value();
    }
    std::string first_difference(CheckpointExport const& kept) {
        auto const result = run(verify_checkpoint(*database, kept));
        return result.first_wrong.value_or("");
    }
    ReceiptMaterial receipt(Payment const& of) {
        return run(PgReceipts(*database).load({of.merchant_id, of.id}, 100));
    }
    std::string fault_of(Payment const& of) {
        auto const material = receipt(of);
        auto const checked = check_payment_receipt(material.receipt);
        return checked ? "" : to_string(checked.error());
    }

    // As the owner of the database could: another sender, and every hash after it made anew.
    void rewrite() {
        auto const timeline = run(PgReports(*database).timeline({merchant_id, payment.id}));
        auto records = timeline.records;
        records.insert(records.end(), timeline.batches.begin(), timeline.batches.end());
        JournalWriter writer(merchant_id, kChain, {}, kStart);
        std::string sql;
        for (JournalEntry const& entry : records) {
            Record record = entry.record;
            if (auto* authorization = std::get_if<Authorization>(&record)) {
                authorization->transfer.sender.bytes[5] ^= 1;
                sql += "UPDATE authorizations SET sender = " +
                       quoted(authorization->transfer.sender.bytes) + ";";
            }
            if (auto* clearing = std::get_if<Clearing>(&record)) {
                clearing->authorization_hash = writer.entries()[0].hash;
                sql += "UPDATE clearings SET authorization_hash = " +
                       quoted(clearing->authorization_hash) + ";";
            }
            if (auto* settlement = std::get_if<Settlement>(&record)) {
                settlement->clearing_hash = writer.entries()[1].hash;
                sql +=
                    "UPDATE settlements SET clearing_hash = " + quoted(settlement->clearing_hash) +
                    ";";
            }
            writer.append(record);
        }
        for (JournalEntry const& entry : writer.entries()) {
            for (std::string const table :
                 {"authorizations", "clearings", "settlements", "settlement_batches"}) {
                sql += "UPDATE " + table + " SET previous_hash = " + quoted(entry.previous_hash) +
                       ", hash = " + quoted(entry.hash) +
                       " WHERE seq = " + std::to_string(entry.sequence) + ";";
            }
        }
        sql += "UPDATE journal_heads SET hash = " + quoted(writer.head().hash);
        replica(sql);
    }
    static std::string quoted(ByteView bytes) { return "'\\x" + to_hex(bytes) + "'"; }

    std::string journal() const { return journal_name(merchant_id, kChain); }

    PgCheckpoints checkpoints{*database};
    std::optional<SigningKey> key;
};

TEST_F(CheckpointsInPostgres, have_every_record_once) {
    settle();
    auto const first = make();
    EXPECT_EQ(first.number, 1U);
    EXPECT_EQ(first.journal_count, 1U);
    auto const kept = exported(1);
    EXPECT_EQ(kept.checkpoint, first);
    ASSERT_EQ(kept.intervals.size(), 1U);
    EXPECT_EQ(kept.intervals[0].first_sequence, 1U);
    EXPECT_EQ(kept.intervals[0].last_sequence, 4U);
    EXPECT_TRUE(check_export(kept));
    auto const result = run(verify_checkpoint(*database, kept));
    EXPECT_EQ(result.first_wrong, std::nullopt);
    EXPECT_EQ(result.records, 4U);
    EXPECT_EQ(result.journals, 1U);
    EXPECT_EQ(result.checkpoints, 1U);
    // Nothing was booked since: the second has no journal, and tells where they were.
    auto const second = make(kStart + std::chrono::hours(24));
    EXPECT_EQ(second.journal_count, 0U);
    EXPECT_EQ(second.previous_hash, hash_of(first));
    EXPECT_EQ(exported(2).heads,
              (std::vector<CheckpointedHead>{{merchant_id, kChain, 4, kept.intervals[0].head}}));
    auto const more = create_payment(merchant_id, {kChain});
    commit(plan({.added = {block(103)},
                 .arrivals = {{more, transfer(more, 2, 50'000'000, block(103))}},
                 .finalized = 102}));
    make();
    EXPECT_EQ(exported(3).intervals[0].first_sequence, 5U);
    EXPECT_EQ(exported(3).intervals[0].last_sequence, 6U);
    EXPECT_EQ(first_difference(exported(3)), "");
    EXPECT_EQ(first_difference(kept), "");
}

TEST_F(CheckpointsInPostgres, prove_a_receipt) {
    settle();
    EXPECT_EQ(receipt(payment).uncovered, 1U);
    make();
    auto const material = receipt(payment);
    EXPECT_EQ(material.uncovered, 0U);
    ASSERT_EQ(material.receipt.transfers.size(), 1U);
    EXPECT_EQ(fault_of(payment), "");
    EXPECT_TRUE(receipt(create_payment(merchant_id, {kChain})).receipt.transfers.empty());
}

// More records than one part of a tree has, and several journals.
TEST_F(CheckpointsInPostgres, prove_receipts_in_large_journals) {
    Step step{.added = {block(101)}, .finalized = 100};
    std::vector<Payment> payments;
    for (unsigned i = 0; i < 400; ++i) {
        payments.push_back(create_payment(merchant_id, {kChain}));
        Transfer paid = transfer(payments[i], 7, 50'000'000, block(101));
        paid.key.transaction_hash[1] = static_cast<std::uint8_t>(i);
        paid.key.transaction_hash[2] = static_cast<std::uint8_t>(i >> 8U);
        step.arrivals.push_back({payments[i], paid});
    }
    auto const other = create_payment(create_merchant("Mugs", 5), {kChain});
    step.arrivals.push_back({other, transfer(other, 8, 50'000'000, block(101))});
    commit(plan(step));
    step = {.added = {block(102)}, .finalized = 101};
    step.others = payments;
    step.others.push_back(other);
    commit(plan(step));
    EXPECT_EQ(make().journal_count, 2U);
    // Which merchant's is the first depends on their ids.
    auto const intervals = exported(1).intervals;
    EXPECT_EQ(intervals.at(0).last_sequence + intervals.at(1).last_sequence, 1'201U + 4U);
    for (std::size_t const i : {0U, 1U, 222U, 223U, 224U, 398U, 399U})
        EXPECT_EQ(fault_of(payments[i]), "") << i;
    EXPECT_EQ(fault_of(other), "");
    EXPECT_EQ(first_difference(exported(1)), "");
    // A record whose time is far from those of the records around it is found all the same.
    replica("UPDATE settlement_batches SET booked_at = booked_at - interval '3 days'");
    EXPECT_EQ(fault_of(payments[399]), "");
}

TEST_F(CheckpointsInPostgres, miss_no_record_where_a_clock_was_set_back) {
    settle();
    make(kStart + std::chrono::hours(240));
    auto const more = create_payment(merchant_id, {kChain});
    commit(plan({.added = {block(103)},
                 .arrivals = {{more, transfer(more, 2, 50'000'000, block(103))}},
                 .finalized = 102}));  // booked at kStart
    auto const second = make(kStart);
    EXPECT_EQ(second.journal_count, 1U);
    EXPECT_EQ(second.made_at, kStart + std::chrono::hours(240)) << "never before the one before";
    EXPECT_EQ(exported(2).intervals[0].last_sequence, 6U);
}

TEST_F(CheckpointsInPostgres, kept_outside_name_a_journal_that_was_rewritten) {
    settle();
    make();
    auto const moved = exported(1);
    make(kStart + std::chrono::hours(24));
    auto const unmoved = exported(2);
    EXPECT_EQ(first_difference(unmoved), "");
    rewrite();
    EXPECT_EQ(first_wrong(), "") << "the books agree with themselves";
    for (auto const& kept : {moved, unmoved}) {
        EXPECT_EQ(first_difference(kept).find(journal() + ": record 4 is not the one"), 0U)
            << first_difference(kept);
    }
    // Even where checkpoints were made anew, by a key of the forger's own.
    replica("DELETE FROM checkpoint_journals; DELETE FROM checkpoints; DELETE FROM signing_keys");
    key = use_key(9);
    make();
    make(kStart + std::chrono::hours(24));
    EXPECT_EQ(first_difference(exported(2)), "");
    for (auto const& kept : {moved, unmoved}) {
        EXPECT_EQ(first_difference(kept).find(journal() + ": record 4 is not the one"), 0U)
            << first_difference(kept);
    }
}

TEST_F(CheckpointsInPostgres, kept_outside_name_what_was_changed_by_hand) {
    settle();
    make();
    make(kStart + std::chrono::hours(24));
    auto const kept = exported(2);
    auto const expect_named = [&](std::string const& sql, std::string const& named) {
        replica("DROP SCHEMA IF EXISTS aside CASCADE; CREATE SCHEMA aside");
        std::string back;
        for (std::string const table :
             {"clearings", "settlement_batches", "settlements", "authorizations", "checkpoints",
              "checkpoint_journals", "signing_keys"}) {
            replica("CREATE TABLE aside." + table + " AS TABLE public." + table);
            back += "DELETE FROM public." + table + "; INSERT INTO public." + table +
                    " SELECT * FROM aside." + table + ";";
        }
        replica(sql);
        EXPECT_NE(first_difference(kept).find(named), std::string::npos)
            << sql << ": " << first_difference(kept);
        replica(back);
        ASSERT_EQ(first_difference(kept), "");
    };
    expect_named("UPDATE clearings SET hash = sha256('x')",
                 journal() + ": records 1 to 4 are not those of checkpoint 1");
    expect_named("DELETE FROM clearings", journal() + ": record 2 is missing");
    expect_named("DELETE FROM settlement_batches", journal() + ": it ends at record 3, and had 4");
    expect_named("UPDATE checkpoint_journals SET root = sha256('x')",
                 journal() + ": records 1 to 4 are not those of checkpoint 1");
    expect_named("DELETE FROM checkpoint_journals",
                 journal() + ": record 1 is in no stored checkpoint");
    expect_named("UPDATE checkpoint_journals SET leaf_index = 1, checkpoint_number = 2",
                 "checkpoint 1 in the database has other journals than those that were signed");
    expect_named("UPDATE checkpoints SET made_at = made_at + interval '1s' WHERE number = 1",
                 "checkpoint 1 in the database has another hash than what it says gives");
    expect_named("DELETE FROM checkpoints WHERE number = 1",
                 "checkpoint 2 in the database follows number 0");
    expect_named("DELETE FROM checkpoints WHERE number = 2",
                 "checkpoint 2 is not in the database, which ends at 1");
    expect_named("DELETE FROM signing_keys",
                 "checkpoint 1 in the database is signed by a key that is not published");
}

TEST_F(CheckpointsInPostgres, are_not_made_of_a_journal_with_a_gap) {
    settle();
    replica("DELETE FROM clearings");
    EXPECT_THROW(make(), std::runtime_error);
    EXPECT_EQ(run(checkpoints.newest()), std::nullopt);
}

TEST_F(CheckpointsInPostgres, are_signed_by_the_key_in_use_and_a_retired_one_stays_published) {
    settle();
    make();
    SigningKey const old = *key;
    key = use_key(2);
    EXPECT_THROW(run(checkpoints.make(old, kStart)), std::runtime_error);
    auto const second = make();
    EXPECT_EQ(second.public_key, key->public_key());
    auto const keys = run(PgReceipts(*database).signing_keys());
    ASSERT_EQ(keys.size(), 2U);
    EXPECT_EQ(keys[0].public_key, key->public_key());
    EXPECT_FALSE(keys[0].retired_at);
    EXPECT_EQ(keys[1].public_key, old.public_key());
    EXPECT_TRUE(keys[1].retired_at);
    EXPECT_EQ(first_difference(exported(2)), "");
    EXPECT_EQ(fault_of(payment), "") << "what the retired key has signed stands";
}

TEST_F(CheckpointsInPostgres, of_several_processes_follow_one_another) {
    settle();
    auto const make_one = [](PgCheckpoints& of, SigningKey signing) -> Task<void> {
        co_await of.make(signing, kStart);
    };
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 4; ++i)
        tasks.push_back(make_one(checkpoints, *key));
    auto const thrown = run_at_once(std::move(tasks));
    for (auto const& error : thrown) {
        if (error) EXPECT_THROW(std::rethrow_exception(error), Unavailable);
    }
    auto const made = std::count(thrown.begin(), thrown.end(), nullptr);
    EXPECT_GE(made, 1);
    auto const newest = run(checkpoints.newest()).value();
    EXPECT_EQ(newest.number, static_cast<std::uint64_t>(made));
    EXPECT_EQ(first_difference(exported(newest.number)), "");
}

TEST_F(CheckpointsInPostgres, are_never_changed) {
    settle();
    make();
    for (std::string const statement :
         {"UPDATE checkpoints SET made_at = made_at", "DELETE FROM checkpoints",
          "UPDATE checkpoint_journals SET root = root", "DELETE FROM checkpoint_journals",
          "TRUNCATE checkpoint_journals", "DELETE FROM signing_keys",
          "UPDATE signing_keys SET created_at = created_at - interval '1s'"}) {
        EXPECT_THROW(query(statement), pqxx::sql_error) << statement;
    }
    use_key(2);
    EXPECT_THROW(query("UPDATE signing_keys SET retired_at = NULL"), pqxx::sql_error)
        << "a retired key stays retired";
}

}  // namespace
}  // namespace sycee
