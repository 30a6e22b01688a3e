// Pins, against the real PostgreSQL: one commit writes all or nothing, what the books refuse, and
// that verify names the row that was changed by hand.
#include <sycee/app/payment_service.hpp>
#include <sycee/base/assert.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/random.hpp>
#include <sycee/store/pg_access.hpp>
#include <sycee/store/pg_ledger.hpp>
#include <sycee/store/pg_outbox.hpp>
#include <sycee/store/pg_payments.hpp>
#include <sycee/store/pg_reports.hpp>
#include <sycee/store/verify.hpp>

#include <gtest/gtest.h>
#include <pqxx/pqxx>

#include <cstdlib>
#include <run_task.hpp>

namespace sycee {
namespace {

constexpr ChainId kChain = 31337;
Address const kToken{Bytes20{1}};
Timestamp const kStart = timestamp_from_seconds(1'700'000'000);

std::string admin_url() {
    char const* url = std::getenv("SYCEE_TEST_DATABASE");
    if (url == nullptr) throw std::runtime_error("run this through scripts/with-postgres");
    return url;
}

// A database of its own for each test, with one merchant and one payment of 50 USD.
class BooksInPostgres : public ::testing::Test {
  protected:
    BooksInPostgres() {
        static int number = 0;
        name_ = "books_" + std::to_string(++number);
        pqxx::connection admin(admin_url());
        pqxx::nontransaction tx(admin);
        tx.exec("DROP DATABASE IF EXISTS " + name_);
        tx.exec("CREATE DATABASE " + name_);
        url_ = admin_url() + " dbname=" + name_;
        database = std::make_unique<Database>(url_, 2);
        EXPECT_EQ(run(database->migrate()).size(), 6U);
        EXPECT_TRUE(run(database->migrate()).empty());
        run(database->check());
        create_merchant();
        payment = create_payment();
        run(PgLedger(*database).begin_chain(kChain, block(100), kStart));
        head = block(100);
    }

    template <class T>
    T run(Task<T> task) {
        return run_task(io, std::move(task));
    }

    static BlockHeader block(BlockNumber number, std::uint8_t branch = 0) {
        auto const hash = [](BlockNumber at, std::uint8_t on) {
            BlockHash bytes{};
            bytes[0] = static_cast<std::uint8_t>(at);
            bytes[1] = on;
            return bytes;
        };
        return {number, hash(number, branch), hash(number - 1, branch),
                kStart + std::chrono::seconds(number)};
    }

    void create_merchant() {
        NewMerchant merchant;
        merchant.id = new_id<MerchantTag>(kStart);
        merchant.name = "Shirts";
        merchant.extended_public_key = parse_extended_public_key(
                                           "xpub6Ce9NcJvTk36xtLSrJLZqE7wtgA5deCeYs7rSQtreh4cj6ByPtr"
                                           "g9sD7V2FNFLPnf8heNP3FGkeV9qw"
                                           "fzvZNSd54JoNXVsXFYSYwHsnJxqP")
                                           .value();
        merchant.webhook_url = "https://shop.example/webhook";
        merchant.webhook_secret_sealed = {1, 2, 3};
        merchant.created_at = kStart;
        ASSERT_TRUE(run(PgAccess(*database).create_merchant(merchant)));
        merchant_id = merchant.id;
    }

    Payment create_payment() {
        NewPayment input;
        input.merchant_id = merchant_id;
        input.id = new_id<PaymentTag>(kStart);
        input.currency = "USD";
        input.price = Amount(5000);
        input.options = {{kChain, kToken, Amount(50'000'000)}};
        input.reference = "order \"1\" \\ {,}";
        input.metadata = {{"colour", "blau, größe M"}};
        input.created_at = kStart;
        input.expires_at = kStart + std::chrono::hours(1);
        return run(
            PgPayments(*database).create(input, derive_deposit_address, [](Payment const&) {}));
    }

    Transfer transfer(std::uint8_t txn, std::uint64_t amount, BlockHeader const& in) const {
        Transfer result;
        result.key = {kChain, {}, kToken, 0};
        result.key.transaction_hash[0] = txn;
        result.recipient = payment.deposit_address;
        result.amount = Amount(amount);
        result.block_number = in.number;
        result.block_hash = in.hash;
        result.block_time = in.time;
        return result;
    }

    // What the follower would commit for one block with these transfers.
    ChainCommit plan(std::vector<BlockHeader> const& added, std::vector<Transfer> const& transfers,
                     BlockNumber finalized, std::optional<BlockNumber> rolled_back_to = {}) {
        ChainCommit commit{.chain_id = kChain,
                           .expected_head = head,
                           .rolled_back_to = rolled_back_to,
                           .added = added,
                           .finalized = finalized,
                           .now = kStart};
        std::vector<PaymentKey> const keys{{merchant_id, payment.id}};
        auto views = run(PgLedger(*database).load_views(kChain, keys));
        std::vector<MatchedTransfer> matched;
        for (auto const& one : transfers)
            matched.push_back({payment.id, one, true});
        auto step = advance_merchant(views.at(0), matched,
                                     {.chain_id = kChain,
                                      .rolled_back_to = rolled_back_to,
                                      .head = added.back().number,
                                      .head_time = added.back().time,
                                      .finalized = finalized,
                                      .confirmations = 1},
                                     kStart);
        commit.entries = step.entries;
        commit.heads = {{merchant_id, step.first_head, step.head}};
        for (auto const& event : step.events) {
            commit.events.push_back(
                {new_id<EventTag>(kStart + std::chrono::milliseconds(++events_)), merchant_id,
                 payment.id, event.type, "{\"a\": \"\\\"\"}", kStart});
        }
        return commit;
    }

    void commit(ChainCommit const& planned) {
        run(PgLedger(*database).commit(planned));
        head = planned.added.back();
    }

    // Pays, clears and settles the payment.
    void settle() {
        commit(plan({block(101)}, {transfer(1, 60'000'000, block(101))}, 100));
        commit(plan({block(102)}, {}, 101));
    }

    std::string query(std::string const& sql) const {
        pqxx::connection connection(url_);
        pqxx::work tx(connection);
        auto const rows = tx.exec(sql);
        tx.commit();
        return rows.empty() || rows[0].size() == 0 ? "" : rows[0][0].c_str();
    }
    std::string first_wrong() {
        auto const result = run(verify_books(*database));
        return result.first_wrong.value_or("");
    }
    PaymentState state() {
        return run(PgPayments(*database).find(merchant_id, payment.id)).value();
    }

    // Outlives the database, whose threads hold on to it.
    boost::asio::io_context io{1};
    int events_ = 0;  // their ids rise in the order in which they happened
    std::string name_;
    std::string url_;
    std::unique_ptr<Database> database;
    MerchantId merchant_id;
    Payment payment;
    BlockHeader head;
};

TEST_F(BooksInPostgres, a_payment_survives_its_round_trip) {
    auto const stored = state().payment;
    EXPECT_EQ(stored.reference, payment.reference);
    EXPECT_EQ(stored.metadata, payment.metadata);
    EXPECT_EQ(stored.options, payment.options);
    EXPECT_EQ(stored.expires_at, payment.expires_at);
    EXPECT_EQ(to_string(stored.deposit_address), "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
    EXPECT_EQ(create_payment().derivation_index, 1U);
}

TEST_F(BooksInPostgres, three_stages_are_written_and_verify) {
    settle();
    EXPECT_EQ(status_of(state(), {}), PaymentStatus::settled);
    EXPECT_EQ(query("SELECT count(*) FROM postings"), "4");
    EXPECT_EQ(query("SELECT count(*) FROM outbox_events WHERE next_attempt_at IS NOT NULL"), "3");
    EXPECT_EQ(query("SELECT balance FROM account_balances WHERE account = 'payer_unapplied'"),
              "10000000");
    EXPECT_EQ(first_wrong(), "");
    auto const result = run(verify_books(*database));
    EXPECT_EQ(result.records, 4U);
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
    commit(
        plan({block(101, 1), block(102, 1)}, {transfer(1, 50'000'000, block(102, 1))}, 100, 100));
    EXPECT_EQ(query("SELECT count(*) FROM reversals"), "2");
    EXPECT_EQ(query("SELECT count(*) FROM live_credits"), "1");
    EXPECT_EQ(query("SELECT count(*) FROM authorizations"), "2");
    EXPECT_EQ(status_of(state(), {}), PaymentStatus::cleared);
    EXPECT_EQ(first_wrong(), "");
    auto const chain = run(PgLedger(*database).load_chain(kChain));
    ASSERT_TRUE(chain);
    EXPECT_EQ(chain->headers.back().hash, block(102, 1).hash);
}

TEST_F(BooksInPostgres, open_work_is_found_again_after_a_start) {
    EXPECT_TRUE(run(PgLedger(*database).load_open(kChain)).empty());
    commit(plan({block(101)}, {transfer(1, 50'000'000, block(101))}, 100));
    EXPECT_EQ(run(PgLedger(*database).load_open(kChain)).size(), 1U);
    commit(plan({block(102)}, {}, 101));
    EXPECT_TRUE(run(PgLedger(*database).load_open(kChain)).empty());
}

TEST_F(BooksInPostgres, the_database_refuses_to_change_what_is_booked) {
    settle();
    for (std::string const table :
         {"authorizations", "clearings", "settlements", "settlement_batches", "postings"}) {
        EXPECT_THROW(query("UPDATE " + table + " SET merchant_id = merchant_id"), pqxx::sql_error)
            << table;
        EXPECT_THROW(query("DELETE FROM " + table), pqxx::sql_error) << table;
        EXPECT_THROW(query("TRUNCATE " + table + " CASCADE"), pqxx::sql_error) << table;
    }
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
    // Each in turn, undone before the next: session_replication_role turns the triggers off, as an
    // owner of the database could.
    for (Tampering const& row :
         {Tampering{"UPDATE authorizations SET amount = amount + 1", "authorization 1"},
          Tampering{"UPDATE clearings SET gross = gross - 1, net = net - 1", "clearing 2"},
          Tampering{"UPDATE postings SET amount = amount + 1 WHERE seq = 2 AND line = 0",
                    "clearing 2"},
          Tampering{"DELETE FROM settlements", "settlement_batch 4"},
          Tampering{"DELETE FROM settlement_batches; DELETE FROM postings WHERE seq = 4",
                    "number 3"},
          Tampering{"UPDATE settlements SET hash = decode(repeat('00', 32), 'hex')",
                    "settlement 3"},
          Tampering{"UPDATE authorizations SET booked_at = booked_at + interval '1 second'",
                    "authorization 1"},
          Tampering{"DELETE FROM live_credits", "live_credits"},
          Tampering{"UPDATE account_balances SET balance = 1 WHERE account = 'coins'", "coins"},
          Tampering{"UPDATE journal_heads SET seq = 3", "journal_heads"}}) {
        {
            pqxx::connection connection(url_);
            pqxx::nontransaction tx(connection);
            tx.exec("DROP SCHEMA IF EXISTS backup CASCADE; CREATE SCHEMA backup");
            for (auto const& table :
                 tx.exec("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")) {
                std::string const table_name = table[0].c_str();
                tx.exec("CREATE TABLE backup." + table_name + " AS TABLE public." + table_name);
            }
            tx.exec("SET session_replication_role = replica");
            tx.exec(row.sql);
        }
        EXPECT_NE(first_wrong().find(row.named), std::string::npos)
            << row.sql << ": " << first_wrong();
        pqxx::connection connection(url_);
        pqxx::nontransaction tx(connection);
        tx.exec("SET session_replication_role = replica");
        for (auto const& table :
             tx.exec("SELECT tablename FROM pg_tables WHERE schemaname = 'backup'")) {
            std::string const table_name = table[0].c_str();
            tx.exec("DELETE FROM public." + table_name + "; INSERT INTO public." + table_name +
                    " SELECT * FROM backup." + table_name);
        }
        ASSERT_EQ(first_wrong(), "");
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
    auto const due = run(outbox.due(kStart, 2));
    ASSERT_EQ(due.size(), 2U);
    EXPECT_EQ(due[0].event.type, "payment.authorized");
    EXPECT_EQ(due[0].event.payload, "{\"a\": \"\\\"\"}");
    run(outbox.record({.event_id = due[0].event.id,
                       .merchant_id = merchant_id,
                       .attempt = 1,
                       .at = kStart,
                       .status = 200,
                       .delivered = true}));
    run(outbox.record({.event_id = due[1].event.id,
                       .merchant_id = merchant_id,
                       .attempt = 1,
                       .at = kStart,
                       .status = 500,
                       .next_attempt_at = kStart + std::chrono::minutes(1)}));
    EXPECT_EQ(run(outbox.due(kStart, 10)).size(), 1U);
    EXPECT_EQ(run(outbox.due(kStart + std::chrono::minutes(1), 10)).size(), 2U);
    PaymentKey const key{merchant_id, payment.id};
    auto const timeline = run(PgReports(*database).timeline(key));
    EXPECT_EQ(timeline.records.size(), 3U);
    EXPECT_EQ(timeline.batches.size(), 1U);
    EXPECT_EQ(timeline.deliveries.size(), 2U);
}

}  // namespace
}  // namespace sycee
