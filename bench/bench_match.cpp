// What a million open payments cost: time for each transfer against a thousand of them, memory, and
// the start from the database.
#include <sycee/store/pg_ledger.hpp>

#include "bench_database.hpp"
#include "busy_blocks.hpp"

#include <pqxx/pqxx>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <unistd.h>

namespace sycee::bench {
namespace {

constexpr std::uint64_t kFew = 1'000;
constexpr std::uint64_t kMany = 1'000'000;
constexpr int kRounds = 41;
constexpr ChainId kChain = 1;

double resident_mb() {
    std::ifstream pages("/proc/self/statm");
    std::uint64_t size = 0;
    std::uint64_t resident = 0;
    pages >> size >> resident;
    return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double seconds_of(Answers const& answers, AddressIndex const& index) {
    auto const start = std::chrono::steady_clock::now();
    std::size_t const candidates = read_and_match(answers, index);
    double const seconds = seconds_since(start);
    ensure(candidates < kTransfers, "bench: strangers' addresses are taken for ours");
    return seconds;
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

// Open payments of one merchant, as the store keeps them: written by one statement, because how
// fast they come in is not what is measured here.
void write_open_payments(MerchantId merchant) {
    pqxx::connection connection(database_url());
    pqxx::work tx(connection);
    tx.exec_params(
        "INSERT INTO payments (merchant_id, payment_id, derivation_index, deposit_address,"
        " currency, price, options, reference, created_at, expires_at)"
        " SELECT $1, gen_random_uuid(), i, substr(sha256(i::text::bytea), 1, 20), 'USD', 5000,"
        R"( '[{"chain_id": 1, "token": "0xdac17f958d2ee523a2206206994597c13d831ec7",)"
        R"( "amount": "50000000", "tolerance": "0"}]', 'order ' || i, now(),)"
        " now() + interval '1 hour' FROM generate_series(0, $2 - 1) i",
        to_string(merchant.uuid), kMany);
    tx.exec_params("UPDATE merchants SET next_derivation_index = $1 WHERE merchant_id = $2", kMany,
                   to_string(merchant.uuid));
    tx.commit();
    pqxx::nontransaction(connection).exec("VACUUM ANALYZE payments");
}

int run() {
    boost::asio::io_context io{1};
    {
        Database database(database_url(), 1);
        run_task(io, database.migrate());
        write_open_payments(create_merchant(io, database, 1, kNow));
    }

    // As the service starts: what is not read here is read while it runs.
    AddressIndex many;
    double const empty = resident_mb();
    auto const start = std::chrono::steady_clock::now();
    Database database(database_url(), 1);
    PgLedger ledger(database);
    run_task(io, database.check());
    run_task(io, many.refresh(ledger, SystemClock().now()));
    auto const open = run_task(io, ledger.load_open(kChain));
    double const start_seconds = seconds_since(start);
    double const memory = resident_mb() - empty;
    ensure(many.in_memory() == kMany && open.empty(), "bench: payments got lost");

    AddressIndex few;
    add_addresses(few, kFew);
    Answers const answers = make_answers();
    std::vector<double> with_few;
    std::vector<double> with_many;
    // In turns, so that what else the machine does weighs on both alike.
    for (int round = 0; round < kRounds; ++round) {
        with_few.push_back(seconds_of(answers, few));
        with_many.push_back(seconds_of(answers, many));
    }
    std::printf("{\"cost_ratio\": %.3f, \"memory_mb\": %.1f, \"start_s\": %.2f}\n",
                median(with_many) / median(with_few), memory, start_seconds);
    return 0;
}

}  // namespace
}  // namespace sycee::bench

int main() {
    return sycee::bench::run();
}
