// From the arrival of a new head to the committed authorizations of its block: the real node
// client, endpoint set, follower and store, with a node on loopback and PostgreSQL on the same
// machine. Each block brings 300 transfers to open payments; those of the blocks before are cleared
// and settled meanwhile, so that each block means as many clearings and settlements as
// authorizations. `all_p50_ms`: until these are committed as well.
#include <sycee/app/chain_follower.hpp>
#include <sycee/runtime/task_group.hpp>
#include <sycee/store/pg_ledger.hpp>
#include <sycee/store/pg_payments.hpp>
#include <sycee/store/pg_test_chain.hpp>
#include <sycee/store/verify.hpp>

#include "bench_database.hpp"
#include "busy_blocks.hpp"
#include "chain_access.hpp"
#include "synthetic_node.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace sycee::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kFinality = 4;
constexpr std::uint32_t kConfirmations = 2;
constexpr std::uint64_t kWarmUp = 10;  // blocks that are not counted
constexpr std::uint64_t kCounted = 200;
constexpr std::uint32_t kMerchants = 10;
constexpr std::size_t kWriters = 4;

Network make_network(SyntheticNode const& node) {
    ChainSettings chain;
    chain.id = kChainId;
    chain.name = "Synthetic";
    chain.endpoints = {{node.http_url(), node.ws_url()}};
    chain.finality.bands = {{.below = {}, .confirmations = kConfirmations}};
    chain.tokens = {{"USDT", usdt(), 6, {}}};
    return {{chain}, "http://127.0.0.1"};
}

// The payment that the transfer at that place of a block pays exactly.
NewPayment payment_for(MerchantId merchant, Amount amount) {
    Timestamp const now = SystemClock().now();
    return {.merchant_id = merchant,
            .id = new_id<PaymentTag>(now),
            .currency = "USD",
            .price = Amount(5000),
            .options = {{kChainId, usdt(), amount, {}}},
            .reference = "order",
            .created_at = kNow,
            // By the time of the synthetic blocks, which is far ahead.
            .expires_at = timestamp_from_seconds(13 * static_cast<std::int64_t>(kFirstBlock) +
                                                 1'700'000'000)};
}

struct Writer {
    PgPayments& payments;
    std::vector<MerchantId> const& merchants;
    std::vector<Log> const& logs;
    std::size_t next = 0;
};

// Creates payments, as the API does, until there is one for each transfer.
Task<void> write_some(Writer& writer, std::size_t& running) {
    while (writer.next < writer.logs.size()) {
        std::size_t const i = writer.next++;
        Log const& log = writer.logs[i];
        Address address;
        std::copy(log.topics[2].begin() + 12, log.topics[2].end(), address.bytes.begin());
        Bytes32 amount{};
        std::copy(log.data.begin(), log.data.end(), amount.begin());
        co_await writer.payments.create(
            payment_for(writer.merchants[i % writer.merchants.size()],
                        amount_from_word(amount).value()),
            [&address](ExtendedPublicKey const&, std::uint64_t) { return address; });
    }
    --running;
}

class Bench {
  public:
    Bench()
        : node_(kFirstBlock, kFinality),
          network_(make_network(node_)),
          database_(database_url(), kWriters),
          books_(database_url(), 2),
          ledger_(books_),
          payments_(database_),
          test_chain_(books_),
          access_(io_.get_executor(), network_.chains[0], clock_, metrics_, test_chain_),
          registry_(network_),
          feed_(io_.get_executor()),
          outbox_(io_.get_executor()),
          follower_(network_.chains[0], network_, "bench",
                    {access_.endpoints, ledger_, addresses_, registry_, feed_, outbox_, clock_,
                     metrics_}),
          tasks_(io_.get_executor(), 8) {
        run_task(io_, database_.migrate());
        for (std::uint32_t i = 1; i <= kMerchants; ++i)
            merchants_.push_back(create_merchant(io_, database_, i, kNow));
    }

    int run() {
        run_task(io_, access_.check_all());
        tasks_.spawn("subscription", access_.nodes[0]->run_subscription());
        tasks_.spawn("watch", access_.endpoints.watch(0));
        run_task(io_, catch_up(kFirstBlock));
        std::vector<double> milliseconds;
        std::vector<double> all;
        for (std::uint64_t i = 1; i <= kWarmUp + kCounted; ++i) {
            auto const taken = book_block(kFirstBlock + i, kTransfers);
            if (i <= kWarmUp) continue;
            milliseconds.push_back(taken.to_authorizations);
            all.push_back(taken.to_all);
        }
        for (std::uint64_t i = 1; i <= kFinality; ++i)
            book_block(kFirstBlock + kWarmUp + kCounted + i, 0);
        tasks_.cancel();
        run_task(io_, tasks_.join(1s));
        check_books();
        std::sort(milliseconds.begin(), milliseconds.end());
        std::sort(all.begin(), all.end());
        std::printf(
            "{\"p50_ms\": %.1f, \"p99_ms\": %.1f, \"most_ms\": %.1f, \"all_p50_ms\": %.1f}\n",
            milliseconds[milliseconds.size() / 2], milliseconds[milliseconds.size() * 99 / 100],
            milliseconds.back(), all[all.size() / 2]);
        return 0;
    }

  private:
    struct Times {
        double to_authorizations = 0;
        double to_all = 0;
    };

    // Milliseconds from the announcement of the block.
    Times book_block(std::uint64_t number, std::uint32_t transfers) {
        node_.prepare(transfers);
        write_payments(transfers_of(number, transfers));
        auto const start = std::chrono::steady_clock::now();
        node_.announce();
        auto const since_start = [&start] {
            return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() -
                                                             start)
                .count();
        };
        Times times;
        run_task(io_, catch_up(number));
        times.to_authorizations = since_start();
        run_task(io_, finish());
        times.to_all = since_start();
        return times;
    }

    Task<void> finish() {
        bool more = true;
        while (more)
            more = co_await follower_.step();
    }

    void write_payments(std::vector<Log> const& logs) {
        Writer writer{payments_, merchants_, logs};
        std::size_t running = kWriters;
        for (std::size_t i = 0; i < kWriters; ++i)
            tasks_.spawn("writer", write_some(writer, running));
        run_until(io_, [&running] { return running == 0; });
    }

    // The follower's own loop, up to that block.
    Task<void> catch_up(std::uint64_t number) {
        while (booked_to() < number) {
            bool const more = co_await follower_.step();
            if (!more && booked_to() < number) co_await access_.endpoints.wait_for_head(1s);
        }
    }

    std::uint64_t booked_to() const {
        auto const& progress = registry_.all().at(kChainId);
        if (!progress) return 0;
        auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(
            progress->head_time.time_since_epoch());
        return static_cast<std::uint64_t>((seconds.count() - 1'700'000'000) / 12);
    }

    // That all of it was booked, each stage once, is what makes the time worth anything.
    void check_books() {
        auto const result = run_task(io_, verify_books(database_));
        ensure(!result.first_wrong, "bench: " + result.first_wrong.value_or(""));
        std::uint64_t const stages = 3 * kTransfers * (kWarmUp + kCounted);
        ensure(result.records >= stages, "bench: " + std::to_string(result.records) +
                                             " records, and there were " + std::to_string(stages) +
                                             " stages");
    }

    boost::asio::io_context io_{1};
    SyntheticNode node_;
    Network network_;
    SystemClock clock_;
    Metrics metrics_;
    Database database_;
    Database books_;
    PgLedger ledger_;
    PgPayments payments_;
    PgTestChain test_chain_;
    ChainAccess access_;
    ChainRegistry registry_;
    PaymentFeed feed_;
    Notifier outbox_;
    AddressIndex addresses_;
    ChainFollower follower_;
    TaskGroup tasks_;
    std::vector<MerchantId> merchants_;
};

}  // namespace
}  // namespace sycee::bench

int main() {
    return sycee::bench::Bench().run();
}
