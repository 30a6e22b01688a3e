// A payment's whole way, as often as a machine can: created through the store as the API does,
// paid in a block of a synthetic chain, matched, authorized, cleared and settled, with journal,
// hash chain and outbox, while many more payments stay open. Creating is part of the time.
#include <sycee/app/chain_follower.hpp>
#include <sycee/app/payment_service.hpp>
#include <sycee/runtime/task_group.hpp>
#include <sycee/store/pg_ledger.hpp>
#include <sycee/store/pg_payments.hpp>
#include <sycee/store/verify.hpp>

#include "bench_database.hpp"
#include "busy_blocks.hpp"

#include <pqxx/pqxx>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>

namespace sycee::bench {
namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

constexpr BlockNumber kFinality = 2;  // blocks behind the head
constexpr std::size_t kWriters = 2'000;
constexpr std::uint32_t kMerchants = 100;
constexpr std::int64_t kExpiry = 1'000'000'000;  // seconds: nothing expires
Amount const kPrice(50'000'000);

// A chain whose blocks are made when the bench says so. Reads cost nothing here: what a node's
// answers cost is measured by `catchup`.
class SyntheticChain final : public ChainPort {
  public:
    explicit SyntheticChain(Executor const& executor) : grown_(executor) { add({}); }

    // A block in which each of these addresses gets the price of a payment.
    void add(std::vector<Address> const& paid) {
        CompleteBlock block;
        block.block.header.number = blocks_.size();
        block.block.header.hash = keccak256(as_bytes("block " + std::to_string(blocks_.size())));
        if (!blocks_.empty()) block.block.header.parent_hash = blocks_.back().block.header.hash;
        block.block.header.time = timestamp_from_seconds(to_unix_seconds(kNow) +
                                                         static_cast<std::int64_t>(blocks_.size()));
        for (Address const& address : paid)
            block.logs.push_back(log_of(block.block.header, block.logs.size(), address));
        blocks_.push_back(std::move(block));
        // What has been read is not read again.
        if (blocks_.size() > 8) blocks_[blocks_.size() - 8].logs.clear();
        grown_.notify();
    }

    Task<ChainTips> tips() override {
        BlockNumber const head = blocks_.size() - 1;
        BlockNumber const final = head > kFinality ? head - kFinality : 0;
        co_return ChainTips{blocks_[head].block.header, blocks_[final].block.header};
    }
    Task<std::optional<BlockHeader>> header(BlockNumber number) override {
        if (number >= blocks_.size()) co_return std::nullopt;
        co_return blocks_[number].block.header;
    }
    Task<std::vector<CompleteBlock>> blocks(BlockNumber first, BlockNumber last) override {
        std::vector<CompleteBlock> read;
        for (BlockNumber number = first; number <= last && number < blocks_.size(); ++number)
            read.push_back(blocks_[number]);
        co_return read;
    }
    Task<std::vector<Bytes32>> digests_again(std::vector<ProcessedBlock> processed) override {
        std::vector<Bytes32> digests;
        for (ProcessedBlock const& block : processed)
            digests.push_back(blocks_[block.header.number].block.logs_digest);
        co_return digests;
    }
    BlockNumber agreed_to(HeaderChain const& ours) override { return ours.head().number; }
    Task<std::optional<ReceiptLogs>> receipt(TransactionHash) override { co_return std::nullopt; }
    Task<std::optional<NativeTransfer>> native_transfer(TransactionHash) override {
        co_return std::nullopt;
    }
    Task<void> wait_for_head(std::chrono::milliseconds) override { co_return; }

  private:
    static Log log_of(BlockHeader const& header, std::size_t index, Address const& recipient) {
        Log log;
        log.contract = usdt();
        log.topics = {transfer_topic(), topic_of(address_number(index)), topic_of(recipient)};
        log.data.assign(32, 0);
        for (unsigned i = 0; i < 8; ++i)
            log.data[31 - i] = static_cast<std::uint8_t>(kPrice.base_units() >> (8 * i));
        log.block_number = header.number;
        log.block_hash = header.hash;
        log.transaction_hash = header.hash;
        log.transaction_hash[0] = static_cast<std::uint8_t>(index);
        log.transaction_hash[1] = static_cast<std::uint8_t>(index >> 8);
        log.transaction_hash[2] = static_cast<std::uint8_t>(index >> 16);
        log.log_index = static_cast<std::uint32_t>(index);
        return log;
    }

    std::vector<CompleteBlock> blocks_;
    Notifier grown_;
};

Network make_network() {
    ChainSettings chain;
    chain.id = 1;
    chain.name = "Synthetic";
    chain.finality.bands = {{.below = {}, .confirmations = 2}};
    chain.tokens = {{"USDT", usdt(), 6, {}}};
    return {{chain}, "http://127.0.0.1"};
}

struct Sizes {
    std::uint64_t payments = 0;  // to be settled
    std::uint64_t open = 0;      // besides, throughout
    std::uint64_t block = 0;     // transfers in one
};

class Pipeline {
  public:
    Pipeline(std::string const& url, Sizes sizes)
        : sizes_(sizes),
          network_(make_network()),
          database_(url, 1),
          books_(url, 1),
          chain_(io_.get_executor()),
          ledger_(books_),
          payments_(database_),
          registry_(network_),
          feed_(io_.get_executor()),
          outbox_(io_.get_executor()),
          follower_(network_.chains[0], network_, "bench",
                    {chain_, ledger_, addresses_, registry_, feed_, outbox_, clock_, metrics_}),
          tasks_(io_.get_executor(), kWriters + 8) {
        run_task(io_, database_.migrate());
        for (std::uint32_t i = 1; i <= kMerchants; ++i)
            merchants_.push_back(create_merchant(io_, database_, i, kNow));
        run_task(io_, follower_.step());
        chain_.add({});
    }

    // The open ones, before the time begins.
    void prepare() {
        wanted_ = sizes_.open;
        create();
        run_until(io_, [this] { return unpaid_.size() >= sizes_.open && creating_ == 0; });
    }

    // Seconds to settle `payments`, and those for the first and the last tenth of it.
    struct Run {
        double seconds = 0;
        double first_tenth = 0;
        double last_tenth = 0;
    };
    Run run() {
        std::uint64_t const blocks = (sizes_.payments + sizes_.block - 1) / sizes_.block;
        std::uint64_t const tenth = std::max<std::uint64_t>(1, blocks / 10);
        auto const start = SteadyClock::now();
        auto const since = [&start] {
            return std::chrono::duration<double>(SteadyClock::now() - start).count();
        };
        Run result;
        for (std::uint64_t i = 0; i < blocks; ++i) {
            pay_block();
            if (i + 1 == tenth) result.first_tenth = since();
            if (i + 1 == blocks - tenth) result.last_tenth = since();
        }
        for (BlockNumber i = 0; i <= kFinality; ++i) {
            chain_.add({});
            run_task(io_, catch_up());
        }
        result.seconds = since();
        result.last_tenth = result.seconds - result.last_tenth;
        return result;
    }

    boost::asio::io_context& io() { return io_; }
    Database& database() { return database_; }

  private:
    // As many are created as are paid, at the same time.
    void pay_block() {
        std::vector<Address> paid;
        for (std::uint64_t i = 0; i < sizes_.block && !unpaid_.empty(); ++i) {
            paid.push_back(unpaid_.front());
            unpaid_.pop_front();
        }
        chain_.add(paid);
        wanted_ += paid.size();
        create();
        run_task(io_, catch_up());
        run_until(io_, [this] { return creating_ == 0; });
    }

    Task<void> catch_up() {
        bool more = true;
        while (more)
            more = co_await follower_.step();
    }

    void create() {
        while (creating_ < kWriters && created_ + creating_ < wanted_) {
            ++creating_;
            tasks_.spawn("creates payments", create_some());
        }
    }

    Task<void> create_some() {
        while (created_ + creating_ <= wanted_) {
            std::uint64_t const number = started_++;
            Payment const payment = co_await payments_.create(
                {.merchant_id = merchants_[number % kMerchants],
                 .id = new_id<PaymentTag>(clock_.now()),
                 .currency = "USD",
                 .price = Amount(5000),
                 .options = {{1, usdt(), kPrice, {}}},
                 .reference = "order-" + std::to_string(number),
                 .created_at = kNow,
                 .expires_at = timestamp_from_seconds(to_unix_seconds(kNow) + kExpiry)},
                derive_deposit_address);
            ++created_;
            unpaid_.push_back(payment.deposit_address);
        }
        --creating_;
    }

    Sizes sizes_;
    boost::asio::io_context io_{1};
    Network network_;
    SystemClock clock_;
    Metrics metrics_;
    Database database_;
    Database books_;
    SyntheticChain chain_;
    PgLedger ledger_;
    PgPayments payments_;
    ChainRegistry registry_;
    PaymentFeed feed_;
    Notifier outbox_;
    AddressIndex addresses_;
    ChainFollower follower_;
    TaskGroup tasks_;
    std::vector<MerchantId> merchants_;
    std::deque<Address> unpaid_;
    std::uint64_t wanted_ = 0;
    std::uint64_t started_ = 0;
    std::uint64_t created_ = 0;
    std::size_t creating_ = 0;
};

// What a settled payment leaves behind.
constexpr auto kTables =
    std::to_array<char const*>({"payments", "authorizations", "clearings", "settlement_batches",
                                "settlements", "postings", "live_credits", "outbox_events"});

std::uint64_t bytes_of_tables(std::string const& url) {
    pqxx::connection connection(url);
    pqxx::work tx(connection);
    std::uint64_t bytes = 0;
    for (char const* table : kTables) {
        bytes += tx.exec_params1(
                       "SELECT coalesce(sum(pg_total_relation_size(relid)),"
                       " pg_total_relation_size($1::regclass))::bigint"
                       " FROM pg_partition_tree($1::regclass)",
                       table)[0]
                     .as<std::uint64_t>();
    }
    return bytes;
}

// By way of a file in the folder of the throw-away cluster; seconds for the writing alone.
double copy_table(pqxx::connection& source, pqxx::connection& target, std::string const& table) {
    pqxx::nontransaction read(source);
    std::string const file =
        read.exec1("SHOW data_directory")[0].as<std::string>() + "/" + table + ".copy";
    read.exec("COPY (SELECT * FROM " + table + ") TO " + read.quote(file));
    auto const start = SteadyClock::now();
    pqxx::work tx(target);
    tx.exec("COPY " + table + " FROM " + tx.quote(file));
    tx.commit();
    return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

// The very same rows, by COPY alone, into the same tables of an empty database: seconds.
double copy_rows(std::string const& from, std::string const& to) {
    pqxx::connection source(from);
    pqxx::connection target(to);
    copy_table(source, target, "merchants");
    double seconds = 0;
    for (char const* table : kTables)
        seconds += copy_table(source, target, table);
    return seconds;
}

// Another database of the same cluster, empty.
std::string database_beside(std::string const& url, std::string const& name) {
    pqxx::connection connection(url);
    pqxx::nontransaction tx(connection);
    tx.exec("CREATE DATABASE " + tx.quote_name(name));
    return url + " dbname=" + name;
}

int run_pipeline(std::uint64_t payments) {
    std::string const url = database_url();
    constexpr std::uint64_t kOpen = 100'000;
    Pipeline pipeline(url, {.payments = payments, .open = kOpen, .block = 3'000});
    pipeline.prepare();
    std::uint64_t const bytes_before = bytes_of_tables(url);
    auto const run = pipeline.run();
    std::uint64_t const bytes = bytes_of_tables(url) - bytes_before;
    auto const result = run_task(pipeline.io(), verify_books(pipeline.database()));
    ensure(!result.first_wrong, "bench: " + result.first_wrong.value_or(""));
    ensure(result.records >= 3 * payments, "bench: not every payment was settled");

    std::string const copy_url = database_beside(url, "sycee_copy");
    Database copy(copy_url, 1);
    run_task(pipeline.io(), copy.migrate());
    double const copied_per_s = static_cast<double>(payments + kOpen) / copy_rows(url, copy_url);

    constexpr std::uint64_t kSingle = 300;
    Pipeline one_by_one(database_beside(url, "sycee_single"),
                        {.payments = kSingle, .open = 1'000, .block = 1});
    one_by_one.prepare();
    double const single_per_s = static_cast<double>(kSingle) / one_by_one.run().seconds;

    double const settled_per_s = static_cast<double>(payments) / run.seconds;
    std::printf(
        "{\"settled_per_s\": %.0f, \"end_over_start\": %.2f, \"of_copy_ceiling\": %.2f, "
        "\"over_single_transactions\": %.1f, \"bytes_per_payment\": %.0f, "
        "\"copied_per_s\": %.0f, \"payments\": %.0f}\n",
        settled_per_s, run.first_tenth / run.last_tenth, settled_per_s / copied_per_s,
        settled_per_s / single_per_s, static_cast<double>(bytes) / static_cast<double>(payments),
        copied_per_s, static_cast<double>(payments));
    return 0;
}

}  // namespace
}  // namespace sycee::bench

int main(int argc, char** argv) {
    std::uint64_t const payments = argc > 1 ? std::stoull(argv[1]) : 2'000'000;
    return sycee::bench::run_pipeline(payments);
}
