// Reads whole books again as an auditor does: every record and posting of many journals, each
// checked against what it rests on, by as many connections as there are cores; and the same for one
// long journal, which one connection reads; then the last tenth of them alone, from a checkpoint
// on. The books are those of payments that went all three stages, block after block, written by the
// store's own commit.
#include <sycee/crypto/hash.hpp>
#include <sycee/payment/records.hpp>
#include <sycee/store/pg_checkpoints.hpp>
#include <sycee/store/pg_ledger.hpp>
#include <sycee/store/verify.hpp>

#include "bench_database.hpp"

#include <pqxx/pqxx>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <malloc.h>
#include <thread>
#include <utility>
#include <vector>

namespace sycee::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr ChainId kChain = 1;
constexpr std::uint32_t kFeeBasisPoints = 50;
constexpr std::uint64_t kRuleVersion = 1;
constexpr std::size_t kPaymentsOfMerchant = 100;  // that its transfers are spread over
Address const kToken{Bytes20{0xda, 0xc1}};
Amount const kPrice(50'000'000);
Timestamp const kNow = timestamp_from_seconds(1'800'000'000);

BlockHeader header_of(BlockNumber number) {
    auto const hash = [](BlockNumber of) {
        return keccak256(as_bytes("block " + std::to_string(of)));
    };
    return {.number = number,
            .hash = hash(number),
            .parent_hash = hash(number - 1),
            .time = kNow + std::chrono::seconds(number)};
}

// Two hours after the block before, so that those of the last tenth are told from the others as
// they would be in the books of months.
Timestamp booked_at(BlockHeader const& block) {
    return kNow + std::chrono::hours(2 * block.number);
}

// An authorization that goes on to the next stage with the next block.
struct Waiting {
    PaymentId payment_id;
    std::uint64_t authorization = 0;
    Bytes32 hash{};  // of the newest stage
    Amount net;
};

class Merchant {
  public:
    Merchant(MerchantId id, pqxx::transaction_base& tx) : id_(id) {
        // Verification reads a payment only where something about it is unusual, so they are made
        // without deriving their addresses.
        for (auto const& row : tx.exec_params(
                 "INSERT INTO payments (merchant_id, payment_id, derivation_index,"
                 " deposit_address, currency, price, options, created_at, expires_at)"
                 " SELECT $1::text::uuid, gen_random_uuid(), i, substr(sha256((i || "
                 "$1::text)::bytea), 1, 20),"
                 " 'USD', 5000, '[]', now(), now() FROM generate_series(1, $2::integer) i"
                 " RETURNING payment_id",
                 to_string(id.uuid), kPaymentsOfMerchant)) {
            payments_.push_back({parse_uuid(row[0].c_str()).value()});
        }
    }

    // What one block books: new authorizations, clearings of the block before, and the settlements
    // of those cleared then.
    void advance(ChainCommit& commit, BlockHeader const& block, std::size_t transfers) {
        JournalWriter journal(id_, kChain, head_, booked_at(block));
        for (Waiting& one : cleared_) {
            journal.append(Settlement{.payment_id = one.payment_id,
                                      .authorization_sequence = one.authorization,
                                      .clearing_hash = one.hash,
                                      .batch_number = batches_ + 1,
                                      .finalized_block = block.number - 2,
                                      .net = one.net});
        }
        if (std::uint64_t const count = cleared_.size(); count != 0) {
            std::uint64_t const last = journal.head().sequence;
            journal.append(
                SettlementBatch{.batch_number = ++batches_,
                                .token = kToken,
                                .first_sequence = last - count + 1,
                                .last_sequence = last,
                                .settlement_count = count,
                                .finalized_block = block.number - 2,
                                .net = Amount(cleared_.front().net.base_units() * count)});
        }
        cleared_.clear();
        for (Waiting& one : authorized_) {
            Amount const fee =
                multiply_divide_down(kPrice, Amount(kFeeBasisPoints), Amount(10'000));
            JournalHead const clearing =
                journal.append(Clearing{.payment_id = one.payment_id,
                                        .authorization_sequence = one.authorization,
                                        .authorization_hash = one.hash,
                                        .token = kToken,
                                        .cleared_at_block = block.number,
                                        .fee_basis_points = kFeeBasisPoints,
                                        .gross = kPrice,
                                        .fee = fee,
                                        .net = kPrice - fee,
                                        .excess = {},
                                        .shortfall = {}});
            cleared_.push_back({one.payment_id, one.authorization, clearing.hash, kPrice - fee});
        }
        authorized_.clear();
        for (std::size_t i = 0; i < transfers; ++i) {
            PaymentId const payment = payments_[transfers_++ % payments_.size()];
            JournalHead const at =
                journal.append(Authorization{payment, transfer_in(block), kRuleVersion});
            authorized_.push_back({payment, at.sequence, at.hash, {}});
        }
        if (journal.head() == head_) return;
        commit.heads.push_back({id_, head_, journal.head()});
        head_ = journal.head();
        for (JournalEntry& entry : std::move(journal).take_entries())
            commit.entries.push_back(std::move(entry));
    }

  private:
    Transfer transfer_in(BlockHeader const& block) const {
        Transfer transfer;
        transfer.key = {kChain, keccak256(as_bytes(to_string(id_) + std::to_string(transfers_))),
                        kToken, 0};
        transfer.log_index = static_cast<std::uint32_t>(transfers_ % 1'000);
        transfer.sender = Address{Bytes20{9}};
        transfer.recipient = Address{Bytes20{7}};
        transfer.amount = kPrice;
        transfer.block_number = block.number;
        transfer.block_hash = block.hash;
        transfer.block_time = block.time;
        return transfer;
    }

    MerchantId id_;
    JournalHead head_;
    std::uint64_t batches_ = 0;
    std::uint64_t transfers_ = 0;
    std::vector<PaymentId> payments_;
    std::vector<Waiting> authorized_;
    std::vector<Waiting> cleared_;
};

// The books of that many settled payments of that many merchants. `near_end` is called once, when
// nine tenths of them are authorized.
void fill(boost::asio::io_context& io, std::string const& url, std::uint64_t payments,
          std::uint32_t merchants, std::function<void(Timestamp)> near_end = {}) {
    Database database(url, 1);
    run_task(io, database.migrate());
    std::vector<Merchant> all;
    {
        std::vector<MerchantId> ids;
        for (std::uint32_t i = 1; i <= merchants; ++i)
            ids.push_back(create_merchant(io, database, i, kNow));
        pqxx::connection connection(url);
        pqxx::work tx(connection);
        for (MerchantId const id : ids)
            all.emplace_back(id, tx);
        tx.commit();
    }
    PgLedger ledger(database);
    FinalityRule const rule{.bands = {{.below = {}, .confirmations = 2}}};
    auto const lease =
        run_task(io, ledger.acquire_lease(kChain, "bench", std::chrono::hours(1))).value();
    run_task(io, ledger.use_rule(kChain, rule, kNow));
    BlockHeader head = header_of(1);
    run_task(io, ledger.begin_chain(kChain, lease, ProcessedBlock{.header = head}, kNow));
    std::uint64_t const of_block = 3'000 - 3'000 % merchants;
    for (std::uint64_t authorized = 0, idle = 0; idle < 2;) {
        std::uint64_t const transfers = std::min(of_block, payments - authorized) / merchants;
        if (transfers == 0) ++idle;  // two blocks more, for what waits
        BlockHeader const block = header_of(head.number + 1);
        ChainCommit commit{.chain_id = kChain,
                           .lease_token = lease.token,
                           .expected_head = head,
                           .added = {ProcessedBlock{.header = block}},
                           .agreed = block.number,
                           .finalized = block.number - 2,
                           .oldest_open = block.number - 2,
                           .now = booked_at(block)};
        for (Merchant& merchant : all)
            merchant.advance(commit, block, transfers);
        Timestamp const commit_time = commit.now;
        run_task(io, ledger.commit(std::move(commit)));
        head = block;
        authorized += transfers * merchants;
        if (near_end && authorized >= payments / 10 * 9) std::exchange(near_end, {})(commit_time);
    }
    // As the server does by itself, some time after so many rows.
    pqxx::connection connection(url);
    pqxx::nontransaction tx(connection);
    tx.exec("VACUUM ANALYZE");
    tx.exec("CHECKPOINT");
}

// The most memory that this process held since reset_peak(), in MB. What filling the books left
// unused is given back first, so that it is not used again unseen.
void reset_peak() {
    ::malloc_trim(0);
    std::ofstream("/proc/self/clear_refs") << "5";
}
double peak_mb() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        double kilobytes = 0;
        if (word == "VmHWM:" && status >> kilobytes) return kilobytes / 1'024;
    }
    return 0;
}

struct Run {
    double entries_per_s = 0;
    double megabytes = 0;
    std::uint64_t entries = 0;
    double seconds = 0;
};

// What `sycee verify --export` writes.
CheckpointExport export_verified(boost::asio::io_context& io, std::string const& url,
                                 Timestamp now) {
    Database database(url, 1);
    PgCheckpoints checkpoints(database);
    Bytes32 secret{};
    secret[31] = 1;
    auto const key = SigningKey::from_bytes(secret).value();
    run_task(io, checkpoints.add_signing_key(key.public_key(), kNow));
    auto const made = run_task(io, checkpoints.make(key, now));
    auto exported = run_task(io, checkpoints.load_export(made.number)).value();
    auto result = run_task(io, verify_books(database, {.states_at = &exported}));
    ensure(!result.first_wrong, "bench: " + result.first_wrong.value_or(""));
    exported.state = VerifiedState{.verified_at = now, .journals = std::move(result.states)};
    sign(*exported.state, exported.checkpoint, key);
    return exported;
}

// Seconds to go on from there.
double verify_from(boost::asio::io_context& io, std::string const& url, std::size_t connections,
                   CheckpointExport const& from) {
    Database database(url, 1);
    auto const start = SteadyClock::now();
    auto const result =
        run_task(io, verify_books(database, {.connections = connections, .from = &from}));
    ensure(!result.first_wrong, "bench: " + result.first_wrong.value_or(""));
    return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

Run verify(boost::asio::io_context& io, std::string const& url, std::size_t connections,
           std::uint64_t payments) {
    Database database(url, 1);
    reset_peak();
    double const before = peak_mb();
    auto const start = SteadyClock::now();
    auto const result =
        run_task(io, verify_books(database, {.connections = connections, .progress = {}}));
    double const seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
    ensure(!result.first_wrong, "bench: " + result.first_wrong.value_or(""));
    ensure(result.records >= 3 * payments, "bench: not every payment was settled");
    std::uint64_t const entries = result.records + result.postings;
    return {static_cast<double>(entries) / seconds, peak_mb() - before, entries, seconds};
}

int run_verify(std::uint64_t payments) {
    boost::asio::io_context io{1};
    std::string const url = database_url();
    constexpr std::uint32_t kMerchants = 100;
    std::size_t const connections = std::max(1U, std::thread::hardware_concurrency());
    CheckpointExport checkpoint;
    fill(io, url, payments, kMerchants,
         [&](Timestamp now) { checkpoint = export_verified(io, url, now); });
    std::string const long_url = url + " dbname=sycee_long";
    {
        pqxx::connection connection(url);
        pqxx::nontransaction tx(connection);
        tx.exec("CREATE DATABASE sycee_long");
    }
    fill(io, long_url, payments, 1);
    Run const many = verify(io, url, connections, payments);
    Run const one = verify(io, long_url, connections, payments);
    double const last_tenth = verify_from(io, url, connections, checkpoint);
    std::printf(
        "{\"entries_per_s\": %.0f, \"one_journal_entries_per_s\": %.0f, \"memory_mb\": %.1f, "
        "\"one_journal_memory_mb\": %.1f, \"last_tenth_over_whole_time\": %.3f, "
        "\"entries\": %.0f, \"connections\": %.0f}\n",
        many.entries_per_s, one.entries_per_s, many.megabytes, one.megabytes,
        last_tenth / many.seconds, static_cast<double>(many.entries),
        static_cast<double>(connections));
    return 0;
}

}  // namespace
}  // namespace sycee::bench

int main(int argc, char** argv) {
    std::uint64_t const payments = argc > 1 ? std::stoull(argv[1]) : 300'000;
    return sycee::bench::run_verify(payments);
}
