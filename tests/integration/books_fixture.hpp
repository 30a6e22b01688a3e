#pragma once

#include <sycee/app/payment_events.hpp>
#include <sycee/app/payment_service.hpp>
#include <sycee/base/assert.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/random.hpp>
#include <sycee/store/pg_access.hpp>
#include <sycee/store/pg_desk.hpp>
#include <sycee/store/pg_ledger.hpp>
#include <sycee/store/pg_payments.hpp>
#include <sycee/store/verify.hpp>

#include <gtest/gtest.h>
#include <pqxx/pqxx>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <run_task.hpp>
#include <string>
#include <utility>
#include <vector>

namespace sycee {

constexpr ChainId kChain = 31337;
constexpr ChainId kOtherChain = 8453;
inline Address const kToken{Bytes20{1}};
inline Address const kUnknownToken{Bytes20{7}};
inline Timestamp const kStart = timestamp_from_seconds(1'700'000'000);

// A database of its own for each test, with one merchant, one payment of 50 USD on kChain, and
// kChain followed from block 100. What is written is what the follower would write.
class BooksInPostgres : public ::testing::Test {
  protected:
    BooksInPostgres() {
        static int number = 0;
        std::string const name = "books_" + std::to_string(++number);
        pqxx::connection admin(admin_url());
        pqxx::nontransaction tx(admin);
        tx.exec("DROP DATABASE IF EXISTS " + name);
        tx.exec("CREATE DATABASE " + name);
        url_ = admin_url() + " dbname=" + name;
        database = std::make_unique<Database>(url_, 4);
        EXPECT_FALSE(run(database->migrate()).empty());
        EXPECT_TRUE(run(database->migrate()).empty());
        run(database->check());
        merchant_id = create_merchant("Shirts", 0);
        payment = create_payment(merchant_id, {kChain});
        begin(kChain);
    }

    static std::string admin_url() {
        char const* url = std::getenv("SYCEE_TEST_DATABASE");
        if (url == nullptr) throw std::runtime_error("run this through scripts/with-postgres");
        return url;
    }

    template <class T>
    T run(Task<T> task) {
        return run_task(io, std::move(task));
    }

    // All of them at once, each on a connection of its own. What each threw.
    std::vector<std::exception_ptr> run_at_once(std::vector<Task<void>> tasks) {
        std::vector<std::exception_ptr> thrown(tasks.size());
        std::size_t done = 0;
        for (std::size_t i = 0; i < tasks.size(); ++i) {
            boost::asio::co_spawn(io, std::move(tasks[i]),
                                  [&thrown, &done, i](std::exception_ptr error) {
                                      thrown[i] = std::move(error);
                                      ++done;
                                  });
        }
        run_until(io, [&] { return done == thrown.size(); });
        return thrown;
    }

    // Whether exactly one of two succeeded, and the other was told to try again.
    static void expect_one_refused(std::vector<std::exception_ptr> const& thrown) {
        ASSERT_EQ(std::count(thrown.begin(), thrown.end(), nullptr), 1);
        for (auto const& error : thrown) {
            if (error) EXPECT_THROW(std::rethrow_exception(error), Unavailable);
        }
    }

    static BlockHeader block(BlockNumber number, std::uint8_t branch = 0) {
        auto const hash = [](BlockNumber at, std::uint8_t on) {
            BlockHash bytes{};
            bytes[0] = static_cast<std::uint8_t>(at);
            bytes[1] = static_cast<std::uint8_t>(at >> 8U);
            bytes[2] = on;
            return bytes;
        };
        return {number, hash(number, branch), hash(number - 1, branch),
                kStart + std::chrono::seconds(number)};
    }
    static ProcessedBlock processed(BlockHeader const& header) {
        ProcessedBlock block{.header = header};
        block.logs_digest[5] = header.hash[0];
        return block;
    }

    static FinalityRule one_block() { return {.bands = {{.below = {}, .confirmations = 1}}}; }

    // `child`: the merchant's key is that child of one account; 0 is the account itself.
    MerchantId create_merchant(std::string name, std::uint32_t child) {
        NewMerchant merchant;
        merchant.id = new_id<MerchantTag>(kStart);
        merchant.name = std::move(name);
        auto const account = parse_extended_public_key(
            "xpub6Ce9NcJvTk36xtLSrJLZqE7wtgA5deCeYs7rSQtreh4cj6ByPtrg9sD7V2FNFLPnf8heNP3FGkeV9qwfzv"
            "ZNSd54JoNXVsXFYSYwHsnJxqP");
        merchant.extended_public_key =
            child == 0 ? account.value() : derive_child(account.value(), child).value();
        merchant.webhook = {{.merchant_id = merchant.id,
                             .id = new_id<WebhookEndpointTag>(kStart),
                             .url = "https://shop.example/webhook",
                             .event_types = {std::string(kEveryEvent)},
                             .created_at = kStart},
                            {1, 2, 3}};
        merchant.created_at = kStart;
        EXPECT_TRUE(run(PgAccess(*database).create_merchant(merchant)));
        return merchant.id;
    }

    static NewPayment new_payment(MerchantId merchant, std::vector<ChainId> const& chains,
                                  Amount tolerance = {}) {
        NewPayment input;
        input.merchant_id = merchant;
        input.id = new_id<PaymentTag>(kStart);
        input.currency = "USD";
        input.price = Amount(5000);
        for (ChainId const chain : chains)
            input.options.push_back({chain, kToken, Amount(50'000'000), tolerance});
        input.reference = "order \"1\" \\ {,}";
        input.metadata = {{"colour", "blau, größe M"}};
        input.created_at = kStart;
        input.expires_at = kStart + std::chrono::hours(1);
        return input;
    }
    Payment create_payment(MerchantId merchant, std::vector<ChainId> const& chains,
                           Amount tolerance = {}) {
        return run(PgPayments(*database).create(new_payment(merchant, chains, tolerance),
                                                derive_deposit_address));
    }

    // Takes the chain's lease and follows it from block 100.
    void begin(ChainId chain_id) {
        PgLedger ledger(*database);
        leases[chain_id] = run(ledger.acquire_lease(chain_id, "test", kLeaseTime)).value();
        auto const rule = run(ledger.use_rule(chain_id, one_block(), kStart));
        run(ledger.begin_chain(chain_id, leases[chain_id], processed(block(100)), kStart));
        heads[chain_id] = block(100);
        progress[chain_id] = ChainProgress{block(100).time, 100, 100, rule};
    }

    static Transfer transfer(Payment const& to, std::uint8_t txn, std::uint64_t amount,
                             BlockHeader const& in, ChainId chain_id = kChain) {
        Transfer result;
        result.key = {chain_id, {}, kToken, 0};
        result.key.transaction_hash[0] = txn;
        result.sender = Address{Bytes20{9}};
        result.recipient = to.deposit_address;
        result.amount = Amount(amount);
        result.block_number = in.number;
        result.block_hash = in.hash;
        result.block_time = in.time;
        return result;
    }
    Transfer transfer(std::uint8_t txn, std::uint64_t amount, BlockHeader const& in) const {
        return transfer(payment, txn, amount, in);
    }

    struct Arrival {
        Payment to;
        Transfer transfer;
        bool incoming = true;
    };
    struct Step {
        ChainId chain_id = kChain;
        std::vector<BlockHeader> added;
        std::vector<Arrival> arrivals;
        std::vector<Payment> others;  // which the step may move as well
        BlockNumber finalized = 0;
        std::optional<BlockNumber> rolled_back_to;
        bool repairs = false;
    };

    // What the follower would commit for these blocks with these transfers.
    ChainCommit plan(Step const& what) {
        BlockHeader const head = what.added.back();
        ChainCommit commit{.chain_id = what.chain_id,
                           .lease_token = leases[what.chain_id].token,
                           .expected_head = heads[what.chain_id],
                           .rolled_back_to = what.rolled_back_to,
                           .agreed = head.number,
                           .finalized = what.finalized,
                           .oldest_open = what.finalized + 1,
                           .now = booked_at};
        for (BlockHeader const& header : what.added)
            commit.added.push_back(processed(header));
        ChainStep step{.chain_id = what.chain_id,
                       .rolled_back_to = what.rolled_back_to,
                       .head = head.number,
                       .tokens = {{kChain, kToken, 6}, {kOtherChain, kToken, 6}},
                       .chains = progress,
                       .repairs = what.repairs};
        step.chains[what.chain_id] =
            ChainProgress{head.time, head.number, what.finalized, progress[what.chain_id]->rule};
        std::vector<PaymentKey> keys;
        std::map<MerchantId, std::vector<MatchedTransfer>> matched;
        for (Arrival const& arrival : what.arrivals) {
            keys.emplace_back(arrival.to.merchant_id, arrival.to.id);
            matched[arrival.to.merchant_id].push_back(
                {arrival.to.id, arrival.transfer, arrival.incoming});
        }
        for (Payment const& other : what.others)
            keys.emplace_back(other.merchant_id, other.id);
        std::sort(keys.begin(), keys.end());
        keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
        for (MerchantView& view : run(PgLedger(*database).load_views(what.chain_id, keys, {})))
            add(commit, std::move(view), matched, step);
        return commit;
    }
    ChainCommit plan(std::vector<BlockHeader> const& added, std::vector<Transfer> const& transfers,
                     BlockNumber finalized, std::optional<BlockNumber> rolled_back_to = {}) {
        Step step{.added = added,
                  .others = {payment},
                  .finalized = finalized,
                  .rolled_back_to = rolled_back_to};
        for (Transfer const& one : transfers)
            step.arrivals.push_back({payment, one});
        return plan(step);
    }

    void commit(ChainCommit const& planned) {
        run(PgLedger(*database).commit(planned));
        BlockHeader const head = planned.added.back().header;
        heads[planned.chain_id] = head;
        auto& known = progress[planned.chain_id].value();
        known = {head.time, planned.agreed, planned.finalized, known.rule};
    }

    // Pays 60 for 50, clears and settles: records 1 to 4.
    void settle() {
        commit(plan({block(101)}, {transfer(1, 60'000'000, block(101))}, 100));
        commit(plan({block(102)}, {}, 101));
    }

    std::string const& url() const { return url_; }
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
    PaymentState state(Payment const& of) {
        return run(PgPayments(*database).find(of.merchant_id, of.id)).value();
    }
    PaymentState state() { return state(payment); }

    // Does something to the books that verify must name, then undoes it.
    void expect_found(std::function<void()> const& tamper, std::string const& named,
                      std::string const& what) {
        ASSERT_EQ(first_wrong(), "") << "before " << what;
        auto const heads_before = heads;
        replica("DROP SCHEMA IF EXISTS backup CASCADE; CREATE SCHEMA backup");
        for_each_table([](std::string const& table) {
            return "CREATE TABLE backup." + table + " AS TABLE public." + table;
        });
        tamper();
        EXPECT_NE(first_wrong().find(named), std::string::npos) << what << ": " << first_wrong();
        for_each_table([](std::string const& table) {
            return "DELETE FROM public." + table + "; INSERT INTO public." + table +
                   " SELECT * FROM backup." + table;
        });
        heads = heads_before;
    }
    // Without triggers and foreign keys, as an owner of the database could.
    void replica(std::string const& sql) const {
        pqxx::connection connection(url_);
        pqxx::nontransaction tx(connection);
        tx.exec("SET session_replication_role = replica");
        tx.exec(sql);
    }

    static constexpr std::chrono::milliseconds kLeaseTime{600'000};
    // Outlives the database, whose threads hold on to it.
    boost::asio::io_context io{1};
    std::unique_ptr<Database> database;
    MerchantId merchant_id;
    Payment payment;
    std::map<ChainId, Lease> leases;
    std::map<ChainId, BlockHeader> heads;
    ChainsProgress progress;
    Timestamp booked_at = kStart;  // of what is planned

  private:
    void add(ChainCommit& commit, MerchantView view,
             std::map<MerchantId, std::vector<MatchedTransfer>>& matched, ChainStep const& step) {
        MerchantId const merchant = view.merchant_id;
        for (PaymentState const& state : view.payments) {
            if (state.version == 0) commit.first_booked.push_back(state.payment);
            if (state.payment.options.size() < 2) continue;
            commit.foreign.emplace_back(PaymentKey{merchant, state.payment.id},
                                        foreign_fingerprint(state, step.chain_id));
        }
        auto result = advance_merchant(std::move(view), matched[merchant], step, booked_at);
        if (result.head != result.first_head)
            commit.heads.push_back({merchant, result.first_head, result.head});
        commit.entries.insert(commit.entries.end(), result.entries.begin(), result.entries.end());
        std::size_t const first = commit.events.size();
        add_events(commit.events, merchant, result.events, step.chain_id, kStart);
        for (std::size_t i = first; i < commit.events.size(); ++i)
            commit.events[i].id = new_id<EventTag>(kStart + std::chrono::milliseconds(++events_));
        for (PaymentState const& state : result.payments) {
            if (!has_open_work(state, step)) continue;
            for (Credit const& credit : state.credits) {
                if (credit.transfer.key.chain_id == step.chain_id)
                    commit.oldest_open = std::min(commit.oldest_open, credit.transfer.block_number);
            }
        }
    }

    void for_each_table(std::function<std::string(std::string const&)> const& sql) const {
        pqxx::connection connection(url_);
        pqxx::work tx(connection);
        tx.exec("SET session_replication_role = replica");
        for (auto const& table :
             tx.exec("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
            tx.exec(sql(table[0].c_str()));
        tx.commit();
    }

    int events_ = 0;  // their ids rise in the order in which they happened
    std::string url_;
};

}  // namespace sycee
