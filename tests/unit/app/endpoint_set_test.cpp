// Pins: what is read is proved, nothing is agreed by fewer nodes than the quorum, and a node that
// fails, lags or lies costs time, never money.
#include <sycee/app/endpoint_set.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/task_group.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <run_task.hpp>

namespace sycee {
namespace {

using namespace std::chrono_literals;

constexpr ChainId kChain = 31337;
Address const kToken{Bytes20{1}};

class ManualClock final : public Clock {
  public:
    Timestamp now() const override { return time; }
    Task<void> sleep_for(std::chrono::milliseconds duration) override {
        slept += duration;
        if (--sleeps < 0) throw std::runtime_error("enough");
        co_return;
    }
    Timestamp time = timestamp_from_seconds(1'000);
    std::chrono::milliseconds slept{};
    int sleeps = 0;  // before the watch under test is ended
};

Log log_of(BlockHeader const& header, std::uint32_t index, std::uint8_t amount) {
    Log log;
    log.contract = kToken;
    log.topics = {transfer_topic(), Bytes32{}, Bytes32{}};
    log.data.assign(32, 0);
    log.data[31] = amount;
    log.block_number = header.number;
    log.block_hash = header.hash;
    log.transaction_hash[0] = static_cast<std::uint8_t>(index + 1);
    log.log_index = index;
    return log;
}

// A node with a chain of blocks of one log each.
class FakeEndpoint final : public EndpointPort {
  public:
    explicit FakeEndpoint(std::string name) : name_(std::move(name)) { grow(10, 0); }

    void grow(BlockNumber to, std::uint8_t branch) {
        for (BlockNumber number = chain_.size(); number <= to; ++number) {
            BlockWithLogs block;
            block.header.number = number;
            block.header.hash[0] = static_cast<std::uint8_t>(number);
            block.header.hash[1] = branch;
            if (number > 0) block.header.parent_hash = chain_.back().header.hash;
            block.logs = {log_of(block.header, 0, 5), log_of(block.header, 1, 6)};
            for (Log const& log : block.logs)
                add_to_bloom(block.bloom, log);
            chain_.push_back(std::move(block));
        }
    }
    void reorg(BlockNumber ancestor, BlockNumber to, std::uint8_t branch) {
        chain_.resize(ancestor + 1);
        grow(to, branch);
    }

    std::string name() const override { return name_; }
    Task<ChainTips> tips() override {
        count();
        co_return ChainTips{chain_.back().header, chain_.at(finalized).header};
    }
    Task<std::optional<BlockHeader>> header(BlockNumber number) override {
        count();
        if (number >= chain_.size()) co_return std::nullopt;
        co_return chain_[number].header;
    }
    Task<std::vector<BlockWithLogs>> blocks(BlockNumber first, BlockNumber last) override {
        count();
        std::vector<BlockWithLogs> result;
        for (BlockNumber number = first; number <= last && number < chain_.size(); ++number) {
            result.push_back(chain_[number]);
            if (change) change(result.back());
        }
        co_return result;
    }
    Task<std::vector<std::optional<BlockWithLogs>>> blocks_again(
        std::vector<BlockHash> hashes) override {
        count();
        ++read_again;
        std::vector<std::optional<BlockWithLogs>> result;
        for (BlockHash const& hash : hashes) {
            auto& found = result.emplace_back();
            for (BlockWithLogs const& block : chain_) {
                if (block.header.hash == hash) found = block;
            }
        }
        co_return result;
    }
    Task<std::optional<ReceiptLogs>> receipt(TransactionHash) override {
        count();
        co_return std::nullopt;
    }
    Task<std::optional<NativeTransfer>> native_transfer(TransactionHash) override {
        co_return std::nullopt;
    }
    Task<void> wait_for_head(std::chrono::milliseconds) override {
        if (--waits < 0) throw std::runtime_error("enough");
        co_return;
    }
    Task<ChainId> chain_id() override { co_return id; }
    Task<unsigned> token_decimals(Address) override { co_return decimals; }
    Task<std::string> token_symbol(Address) override {
        if (nameless) throw std::runtime_error("symbol() reverts");
        co_return "USDT";
    }
    Task<Amount> token_balance(Address, Address) override { co_return Amount{}; }

    std::function<void(BlockWithLogs&)> change;
    std::optional<std::chrono::milliseconds> limited;
    bool away = false;
    int calls = 0;
    int read_again = 0;
    int waits = 0;  // before the watch under test is ended
    ChainId id = kChain;
    unsigned decimals = 6;
    bool nameless = false;
    BlockNumber finalized = 1;

  private:
    void count() {
        ++calls;
        if (limited) throw RateLimited("429", *limited);
        if (away) throw Unavailable(name_ + " is away");
    }
    std::string name_;
    std::vector<BlockWithLogs> chain_;
};

class Endpoints : public ::testing::Test {
  protected:
    void build(std::size_t count, std::size_t quorum) {
        settings.quorum = quorum;
        std::vector<EndpointPort*> ports;
        for (std::size_t i = 0; i < count; ++i) {
            nodes.push_back(std::make_unique<FakeEndpoint>("node " + std::to_string(i)));
            ports.push_back(nodes.back().get());
        }
        set = std::make_unique<EndpointSet>(settings, ports, clock, metrics);
        for (std::size_t i = 0; i < count; ++i)
            watch(i);
    }
    // One round of a node's watch.
    void watch(std::size_t index) {
        nodes[index]->waits = 0;
        clock.sleeps = 0;
        try {
            run_task(io, set->watch(index));
        } catch (std::runtime_error const& error) {
            if (std::string(error.what()) != "enough") throw;
        }
    }
    HeaderChain ours(BlockNumber first, BlockNumber last) {
        std::vector<ProcessedBlock> processed;
        for (CompleteBlock const& read : run_task(io, set->blocks(first, last)))
            processed.push_back(read.block);
        return {processed, first};
    }

    boost::asio::io_context io{1};
    ChainSettings settings{.id = kChain, .tokens = {{"USDT", kToken, 6, {}}}};
    ManualClock clock;
    Metrics metrics;
    std::vector<std::unique_ptr<FakeEndpoint>> nodes;
    std::unique_ptr<EndpointSet> set;
};

TEST_F(Endpoints, asks_no_node_that_was_not_checked) {
    nodes.push_back(std::make_unique<FakeEndpoint>("node"));
    set = std::make_unique<EndpointSet>(settings, std::vector<EndpointPort*>{nodes[0].get()}, clock,
                                        metrics);
    EXPECT_THROW(run_task(io, set->tips()), Unavailable);
    EXPECT_EQ(nodes[0]->calls, 0);
    nodes[0]->id = 1;
    EXPECT_THROW(watch(0), std::runtime_error);
    nodes[0]->id = kChain;
    nodes[0]->decimals = 18;
    EXPECT_THROW(watch(0), std::runtime_error);
    nodes[0]->decimals = 6;
    nodes[0]->nameless = true;
    watch(0);
    EXPECT_EQ(run_task(io, set->tips()).head.number, 10U);
}

TEST_F(Endpoints, reads_another_node_where_one_fails_and_comes_back_later) {
    build(2, 1);
    nodes[0]->away = true;
    EXPECT_EQ(run_task(io, set->tips()).head.number, 10U);
    nodes[0]->away = false;
    int const before = nodes[0]->calls;
    run_task(io, set->tips());
    EXPECT_EQ(nodes[0]->calls, before);  // paused, and the other one serves
    nodes[1]->away = true;
    EXPECT_EQ(run_task(io, set->tips()).head.number, 10U);
    nodes[0]->away = true;
    EXPECT_THROW(run_task(io, set->tips()), Unavailable);
}

TEST_F(Endpoints, a_question_after_a_transaction_speaks_against_no_node) {
    build(2, 1);
    nodes[0]->away = true;
    EXPECT_FALSE(run_task(io, set->receipt({})));
    nodes[0]->away = false;
    int const before = nodes[0]->calls;
    run_task(io, set->tips());
    EXPECT_GT(nodes[0]->calls, before);  // it is still the one that is read from
}

TEST_F(Endpoints, leaves_a_node_that_asks_for_a_pause_alone_for_that_long) {
    build(2, 1);
    nodes[0]->limited = 20s;
    run_task(io, set->tips());
    nodes[0]->limited.reset();
    nodes[1]->away = true;
    clock.time += 5s;
    int const before = nodes[0]->calls;
    EXPECT_EQ(run_task(io, set->tips()).head.number, 10U);
    EXPECT_EQ(nodes[0]->calls, before + 1);  // still better than none
}

TEST_F(Endpoints, leaves_a_node_that_lags) {
    build(2, 1);
    nodes[1]->grow(20, 0);
    watch(1);
    run_task(io, set->tips());  // the reader's own word is old by now
    EXPECT_EQ(run_task(io, set->tips()).head.number, 20U);
}

TEST_F(Endpoints, refuses_a_block_with_a_hole_and_reads_it_elsewhere) {
    for (auto const& lie : std::vector<std::function<void(BlockWithLogs&)>>{
             [](BlockWithLogs& block) { block.logs.clear(); },
             [](BlockWithLogs& block) { block.logs.erase(block.logs.begin()); },
             [](BlockWithLogs& block) { block.logs[1].block_hash[5] ^= 1; },
             [](BlockWithLogs& block) { block.logs[1].log_index = 0; },
             [](BlockWithLogs& block) { block.logs[0].removed = true; }}) {
        nodes.clear();
        build(2, 1);
        nodes[0]->change = lie;
        auto const read = run_task(io, set->blocks(2, 3));
        ASSERT_EQ(read.size(), 2U);
        EXPECT_EQ(read[0].logs.size(), 2U);
        nodes[1]->change = lie;
        EXPECT_THROW(run_task(io, set->blocks(2, 3)), Unavailable);
    }
}

TEST_F(Endpoints, keeps_the_blocks_before_one_that_is_not_proved) {
    build(1, 1);
    nodes[0]->change = [](BlockWithLogs& block) {
        if (block.header.number == 4) block.logs.clear();
    };
    EXPECT_EQ(run_task(io, set->blocks(2, 6)).size(), 2U);
}

TEST_F(Endpoints, one_node_agrees_with_itself) {
    build(1, 1);
    EXPECT_EQ(set->agreed_to(ours(1, 8)), 8U);
}

TEST_F(Endpoints, nothing_is_agreed_before_the_quorum_has_read_it) {
    build(3, 2);
    run_task(io, set->tips());
    HeaderChain const chain = ours(1, 8);
    EXPECT_EQ(set->agreed_to(chain), 1U);
    watch(1);
    EXPECT_EQ(set->agreed_to(chain), 8U);
}

TEST_F(Endpoints, a_node_that_hides_a_log_at_the_end_agrees_with_nobody) {
    build(3, 2);
    run_task(io, set->tips());
    HeaderChain const chain = ours(1, 8);
    set->agreed_to(chain);
    // The last log's bits are those of the first: the bloom can't show that it is missing.
    nodes[1]->change = [](BlockWithLogs& block) { block.logs.pop_back(); };
    watch(1);
    EXPECT_EQ(set->agreed_to(chain), 1U);
    watch(2);
    EXPECT_EQ(set->agreed_to(chain), 8U);
}

TEST_F(Endpoints, a_node_on_another_branch_takes_its_word_back) {
    build(2, 2);
    run_task(io, set->tips());
    HeaderChain const chain = ours(1, 8);
    set->agreed_to(chain);
    watch(1);
    ASSERT_EQ(set->agreed_to(chain), 8U);
    nodes[0]->grow(12, 0);
    HeaderChain const longer = ours(1, 12);
    ASSERT_EQ(set->agreed_to(longer), 8U);
    nodes[1]->reorg(5, 12, 1);
    watch(1);
    EXPECT_LE(set->agreed_to(longer), 5U);
}

TEST_F(Endpoints, final_is_what_a_quorum_calls_final) {
    build(3, 2);
    nodes[0]->finalized = 9;
    nodes[1]->finalized = 4;
    nodes[2]->finalized = 2;
    for (std::size_t i = 1; i < 3; ++i)
        watch(i);
    auto const tips = run_task(io, set->tips());
    EXPECT_EQ(set->final_to(ours(1, 10), tips), 4U);
}

TEST_F(Endpoints, a_final_block_is_contradicted_by_what_a_quorum_calls_final_alone) {
    build(3, 2);
    BlockHeader const ours_at_5 = *run_task(io, set->header(5));
    nodes[0]->finalized = 5;
    for (std::size_t i = 1; i < 3; ++i) {
        nodes[i]->reorg(3, 10, 1);
        nodes[i]->finalized = 4;
    }
    EXPECT_FALSE(run_task(io, set->is_contradicted(ours_at_5)));  // they stand on another branch
    nodes[1]->finalized = 5;
    EXPECT_FALSE(run_task(io, set->is_contradicted(ours_at_5)));  // one alone
    nodes[2]->finalized = 6;
    EXPECT_TRUE(run_task(io, set->is_contradicted(ours_at_5)));
    nodes[2]->away = true;
    EXPECT_FALSE(run_task(io, set->is_contradicted(ours_at_5)));
}

TEST_F(Endpoints, reads_again_by_another_node_where_there_is_one) {
    build(2, 1);
    run_task(io, set->tips());
    HeaderChain const chain = ours(1, 4);
    std::vector<ProcessedBlock> blocks;
    for (BlockNumber number = 2; number <= 4; ++number)
        blocks.push_back(*chain.at(number));
    auto const digests = run_task(io, set->digests_again(blocks));
    ASSERT_EQ(digests.size(), 3U);
    EXPECT_EQ(digests[2], blocks[2].logs_digest);
    EXPECT_EQ(nodes[0]->read_again, 0);
    nodes[1]->away = true;
    EXPECT_EQ(run_task(io, set->digests_again(blocks)).size(), 3U);
    EXPECT_EQ(nodes[0]->read_again, 1);
}

TEST_F(Endpoints, says_when_the_quorum_is_lost_and_when_it_is_back) {
    build(2, 2);
    EXPECT_TRUE(metrics.text().contains("sycee_chain_quorum_lost{chain=\"31337\"} 0"));
    nodes[1]->away = true;
    watch(1);
    EXPECT_TRUE(metrics.text().contains("sycee_chain_quorum_lost{chain=\"31337\"} 1"));
    nodes[1]->away = false;
    watch(1);
    EXPECT_TRUE(metrics.text().contains("sycee_chain_quorum_lost{chain=\"31337\"} 0"));
}

}  // namespace
}  // namespace sycee
