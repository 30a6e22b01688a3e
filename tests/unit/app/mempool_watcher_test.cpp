// Pins: only calls of configured tokens to deposit addresses are detected; what is detected is
// looked after until the books have it or it is gone; the node is asked in bounds, and left alone
// when it refuses.
#include <sycee/app/mempool_watcher.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <run_task.hpp>

namespace sycee {
namespace {

using namespace std::chrono_literals;

constexpr ChainId kChain = 31337;
Address const kToken{Bytes20{1}};
Address const kDeposit{Bytes20{7}};

TransactionHash hash_of(std::uint8_t number) {
    TransactionHash hash{};
    hash.fill(number);
    return hash;
}

std::vector<std::uint8_t> transfer_call(Address const& recipient, std::uint8_t amount) {
    std::vector<std::uint8_t> data{0xa9, 0x05, 0x9c, 0xbb};
    data.resize(4 + 12);
    data.insert(data.end(), recipient.bytes.begin(), recipient.bytes.end());
    data.resize(4 + 32 + 31);
    data.push_back(amount);
    return data;
}

PendingTransaction payment_of(std::uint8_t number) {
    return {.hash = hash_of(number),
            .sender = Address{Bytes20{9}},
            .nonce = number,
            .recipient = kToken,
            .data = transfer_call(kDeposit, 50),
            .block_number = {}};
}

// A mempool that the test writes.
class FakeMempool final : public MempoolPort {
  public:
    void announce(PendingTransaction transaction) {
        waiting.push_back({transaction.hash, {}});
        known[transaction.hash] = std::move(transaction);
    }

    std::string name() const override { return "http://node"; }
    Task<PendingAnnouncements> take_announced(std::size_t most,
                                              std::chrono::milliseconds) override {
        PendingAnnouncements taken;
        while (!waiting.empty() && taken.announced.size() < most) {
            taken.announced.push_back(waiting.front());
            waiting.pop_front();
        }
        taken.forgotten = 2;
        co_return taken;
    }
    Task<std::vector<std::optional<PendingTransaction>>> transactions(
        std::vector<TransactionHash> hashes) override {
        ++questions;
        largest = std::max(largest, hashes.size());
        if (refuses) throw RateLimited("too many", 7s);
        std::vector<std::optional<PendingTransaction>> answers;
        for (TransactionHash const& hash : hashes) {
            auto const found = known.find(hash);
            answers.push_back(found == known.end() ? std::nullopt : std::optional(found->second));
        }
        co_return answers;
    }

    std::deque<PendingAnnouncement> waiting;
    std::map<TransactionHash, PendingTransaction> known;
    std::size_t questions = 0;
    std::size_t largest = 0;
    bool refuses = false;
};

// One payment, which may be made at any moment.
class FakeAddresses final : public AddressPort {
  public:
    Task<std::vector<NewAddress>> load_new_addresses(
        std::vector<std::pair<MerchantId, std::uint64_t>> known) override {
        ++refreshed;
        std::vector<NewAddress> added;
        if (exists && known.empty())
            added.push_back({MerchantId{}, 0, kDeposit, timestamp_from_seconds(2'000)});
        co_return added;
    }
    Task<std::vector<WatchedAddress>> find_addresses(std::vector<Address> asked) override {
        std::vector<WatchedAddress> found;
        for (Address const& address : asked) {
            if (exists && address == kDeposit) found.push_back({address, {MerchantId{}, payment}});
        }
        co_return found;
    }

    PaymentId payment;
    bool exists = true;
    int refreshed = 0;
};

// Goes on by what is slept.
class SleptClock final : public Clock {
  public:
    Timestamp now() const override { return time; }
    Task<void> sleep_for(std::chrono::milliseconds duration) override {
        time += duration;
        longest = std::max(longest, duration);
        if (duration >= most) throw std::logic_error("slept long enough");
        co_return;
    }

    Timestamp time = timestamp_from_seconds(1'000);
    std::chrono::milliseconds longest{0};
    std::chrono::milliseconds most = 24h;
};

class MempoolWatching : public ::testing::Test {
  protected:
    MempoolWatching() { process(100); }

    void process(BlockNumber agreed) {
        registry.set(kChain,
                     {.head_time = clock.time, .agreed = agreed, .finalized = 1, .rule = {}});
    }
    void step() { run_task(io, watcher.step()); }
    // So that what is detected is looked after.
    void step_later() {
        clock.time += 2s;
        step();
    }
    std::size_t shown() const { return detected.of(books.payment, clock.time).size(); }

    boost::asio::io_context io{1};
    SleptClock clock;
    ChainSettings settings{.id = kChain, .tokens = {{"USDT", kToken, 6, {}}}};
    Network network{.chains = {settings}, .public_url = "http://pay.example"};
    ChainRegistry registry{network};
    FakeMempool mempool;
    FakeAddresses books;
    AddressIndex addresses;
    PaymentFeed feed{io.get_executor()};
    DetectedTransfers detected{feed};
    Metrics metrics;
    MempoolWatcher watcher{settings,
                           {mempool, books, addresses, registry, detected, clock, metrics}};
};

TEST_F(MempoolWatching, finds_a_transfer_to_a_payment_that_was_just_made) {
    books.exists = false;
    mempool.announce(payment_of(1));
    step();
    EXPECT_EQ(shown(), 0U);
    books.exists = true;
    mempool.announce(payment_of(2));
    step();
    auto const found = detected.of(books.payment, clock.time);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].transaction_hash, hash_of(2));
    EXPECT_EQ(found[0].token, kToken);
    EXPECT_EQ(found[0].amount, Amount(50));
}

TEST_F(MempoolWatching, passes_over_everything_else) {
    auto other_contract = payment_of(1);
    other_contract.recipient = Address{Bytes20{2}};
    auto creation = payment_of(2);
    creation.recipient.reset();
    auto other_call = payment_of(3);
    other_call.data[0] ^= 1;
    auto mined = payment_of(4);
    mined.block_number = 101;
    for (auto const& transaction : {other_contract, creation, other_call, mined})
        mempool.announce(transaction);
    mempool.waiting.push_back({hash_of(5), {}});  // gone already
    step();
    EXPECT_EQ(books.refreshed, 0) << "the books are not asked about these";
    auto to_another = payment_of(6);
    to_another.data = transfer_call(Address{Bytes20{8}}, 50);
    mempool.announce(to_another);
    step();
    EXPECT_EQ(books.refreshed, 1);
    EXPECT_EQ(detected.count(kChain), 0U);
}

TEST_F(MempoolWatching, does_not_ask_for_what_was_told_whole) {
    mempool.waiting.push_back({hash_of(1), payment_of(1)});
    step();
    EXPECT_EQ(mempool.questions, 0U);
    EXPECT_EQ(shown(), 1U);
}

TEST_F(MempoolWatching, shows_it_until_the_books_have_its_block) {
    mempool.announce(payment_of(1));
    step();
    mempool.known[hash_of(1)].block_number = 101;
    step_later();
    EXPECT_EQ(shown(), 1U) << "nobody is shown an unpaid page between the two";
    process(101);
    step_later();
    EXPECT_EQ(shown(), 0U);
}

TEST_F(MempoolWatching, ends_when_the_node_has_it_no_more) {
    mempool.announce(payment_of(1));
    step();
    for (int i = 0; i < 600; ++i)
        step_later();
    EXPECT_EQ(shown(), 1U) << "as long as the node has it";
    mempool.known.clear();
    step_later();
    EXPECT_EQ(shown(), 0U);
}

TEST_F(MempoolWatching, ends_when_its_sender_replaces_it) {
    mempool.announce(payment_of(1));
    step();
    auto instead = payment_of(1);
    instead.hash = hash_of(2);
    instead.recipient = Address{Bytes20{3}};
    mempool.announce(instead);
    step();
    EXPECT_EQ(shown(), 0U);
}

TEST_F(MempoolWatching, asks_for_a_bounded_number_at_a_bounded_pace) {
    for (std::uint8_t number = 1; number <= 100; ++number)
        mempool.announce(payment_of(number));
    Timestamp const begun = clock.time;
    while (!mempool.waiting.empty())
        step();
    EXPECT_EQ(mempool.largest, 20U);
    EXPECT_EQ(clock.time - begun, 1s);
    EXPECT_TRUE(metrics.text().contains("sycee_mempool_forgotten_total{chain=\"31337\"} 10"));
    EXPECT_TRUE(metrics.text().contains("sycee_mempool_detected_transfers{chain=\"31337\"} 100"));
}

TEST_F(MempoolWatching, waits_for_the_chain_to_be_followed) {
    registry.lose(kChain);
    mempool.announce(payment_of(1));
    step();
    EXPECT_EQ(mempool.questions, 0U);
}

TEST_F(MempoolWatching, leaves_a_node_alone_that_refuses) {
    mempool.refuses = true;
    for (std::uint8_t number = 1; number <= 250; ++number)
        mempool.announce(payment_of(number));
    clock.most = 2min;  // ends the test
    EXPECT_THROW(run_task(io, watcher.run()), std::logic_error);
    EXPECT_LE(mempool.questions, 13U);
    EXPECT_TRUE(metrics.text().contains("sycee_mempool_faults_total{chain=\"31337\"}"));
}

}  // namespace
}  // namespace sycee
