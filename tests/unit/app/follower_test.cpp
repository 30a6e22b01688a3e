// Pins: how the follower closes gaps, follows reorgs however late it sees them, and stops rather
// than book something wrong. Over fakes of the node and the books, without a clock or a socket.
#include <sycee/app/chain_follower.hpp>
#include <sycee/app/webhook_dispatcher.hpp>
#include <sycee/base/assert.hpp>
#include <sycee/runtime/errors.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <run_task.hpp>

namespace sycee {
namespace {

constexpr ChainId kChain = 31337;
Address const kToken{Bytes20{1}};
Address const kDeposit{Bytes20{7}};

BlockHash hash_at(BlockNumber number, std::uint8_t branch) {
    BlockHash hash{};
    hash[0] = static_cast<std::uint8_t>(number);
    hash[1] = static_cast<std::uint8_t>(number >> 8);
    hash[2] = branch;
    return hash;
}

// A chain that the test writes, read through nodes that agree.
class FakeNode final : public ChainPort {
  public:
    FakeNode() { grow(1); }

    void grow(BlockNumber to, std::uint8_t branch = 0) {
        for (BlockNumber number = blocks_.size(); number <= to; ++number) {
            CompleteBlock read;
            BlockHeader& header = read.block.header;
            header.number = number;
            header.hash = hash_at(number, branch);
            if (number > 0) header.parent_hash = blocks_.back().block.header.hash;
            header.time = timestamp_from_seconds(static_cast<std::int64_t>(number));
            blocks_.push_back(std::move(read));
        }
    }
    // Takes the blocks above `ancestor` away and grows another branch.
    void reorg(BlockNumber ancestor, BlockNumber to, std::uint8_t branch) {
        blocks_.resize(ancestor + 1);
        grow(to, branch);
    }
    void pay(BlockNumber number, std::uint8_t txn, std::uint8_t amount) {
        CompleteBlock& read = blocks_.at(number);
        Log log;
        log.contract = kToken;
        log.topics = {transfer_topic(), Bytes32{}, Bytes32{}};
        std::copy(kDeposit.bytes.begin(), kDeposit.bytes.end(), log.topics[2].begin() + 12);
        log.data.assign(32, 0);
        log.data[31] = amount;
        log.block_number = number;
        log.block_hash = read.block.header.hash;
        log.transaction_hash[0] = txn;
        log.log_index = static_cast<std::uint32_t>(read.logs.size());
        read.logs.push_back(std::move(log));
        read.block.logs_digest[0] = static_cast<std::uint8_t>(read.logs.size());
    }
    // What the follower reads of this block at first is without its last log.
    void hide_last_log(BlockNumber number) { hidden = number; }

    Task<ChainTips> tips() override {
        BlockNumber const final_block = std::min<BlockNumber>(finalized, blocks_.size() - 1);
        ChainTips tips{blocks_.back().block.header, blocks_[final_block].block.header};
        if (foreign_tag) tips.finalized.hash[9] ^= 1;
        co_return tips;
    }
    Task<std::optional<BlockHeader>> header(BlockNumber number) override {
        if (number >= blocks_.size()) co_return std::nullopt;
        co_return blocks_[number].block.header;
    }
    Task<std::vector<CompleteBlock>> blocks(BlockNumber first, BlockNumber last) override {
        largest_read = std::max(largest_read, last - first + 1);
        std::vector<CompleteBlock> result;
        for (BlockNumber number = first; number <= last && number < blocks_.size(); ++number) {
            result.push_back(blocks_[number]);
            if (number != hidden) continue;
            hidden.reset();
            result.back().logs.pop_back();
            --result.back().block.logs_digest[0];
        }
        co_return result;
    }
    Task<std::vector<Bytes32>> digests_again(std::vector<ProcessedBlock> asked) override {
        std::vector<Bytes32> digests;
        for (ProcessedBlock const& block : asked) {
            Bytes32 digest = blocks_.at(block.header.number).block.logs_digest;
            if (lies_again) digest[31] = 1;
            digests.push_back(digest);
        }
        co_return digests;
    }
    BlockNumber agreed_to(HeaderChain const& ours) override {
        return std::min(agreed, ours.head().number);
    }
    Task<std::optional<ReceiptLogs>> receipt(TransactionHash) override { co_return std::nullopt; }
    Task<std::optional<NativeTransfer>> native_transfer(TransactionHash) override {
        co_return std::nullopt;
    }
    Task<void> wait_for_head(std::chrono::milliseconds) override { co_return; }

    BlockNumber finalized = 1;
    BlockNumber agreed = ~BlockNumber{0};
    BlockNumber largest_read = 0;
    bool foreign_tag = false;  // the finalized tag is of another branch
    bool lies_again = false;   // the second reading differs from the first
    std::optional<BlockNumber> hidden;

  private:
    std::vector<CompleteBlock> blocks_;
};

// Books in memory: one merchant with one payment.
class FakeLedger final : public LedgerPort {
  public:
    FakeLedger() {
        view.merchant_id.uuid.bytes[0] = 1;
        PaymentState state;
        state.payment.merchant_id = view.merchant_id;
        state.payment.id.uuid.bytes[0] = 2;
        state.payment.deposit_address = kDeposit;
        state.payment.currency = "USD";
        state.payment.price = Amount(50);
        state.payment.options = {{kChain, kToken, Amount(50), Amount{}}};
        state.payment.expires_at = timestamp_from_seconds(10'000);
        view.payments.push_back(state);
    }

    Task<std::optional<Lease>> acquire_lease(ChainId, std::string holder,
                                             std::chrono::milliseconds time) override {
        if (holder != lease_holder) co_return std::nullopt;
        co_return Lease{lease_token, time};
    }
    Task<void> release_lease(ChainId, Lease lease) override {
        EXPECT_EQ(lease.token, lease_token);
        ++releases;
        co_return;
    }
    Task<FinalityRule> use_rule(ChainId, FinalityRule rule, Timestamp) override {
        rule.version = 1;
        co_return rule;
    }
    Task<std::optional<FollowedChain>> load_chain(ChainId) override { co_return chain; }
    Task<std::optional<ChainProgress>> load_progress(ChainId) override {
        if (!chain) co_return std::nullopt;
        co_return ChainProgress{chain->blocks.back().header.time, chain->finalized,
                                chain->finalized, FinalityRule{}};
    }
    Task<void> begin_chain(ChainId, Lease, ProcessedBlock block, Timestamp) override {
        chain = FollowedChain{{block}, block.header.number};
        co_return;
    }
    Task<std::vector<PaymentState>> load_open(ChainId) override { co_return view.payments; }
    Task<std::vector<MerchantView>> load_views(ChainId, std::vector<PaymentKey> keys,
                                               std::vector<MerchantId>) override {
        ++views_loaded;
        payments_loaded += keys.size();
        MerchantView asked = view;
        std::erase_if(asked.payments, [&keys](PaymentState const& state) {
            PaymentKey const key{state.payment.merchant_id, state.payment.id};
            return std::ranges::find(keys, key) == keys.end();
        });
        co_return std::vector<MerchantView>{asked};
    }
    Task<std::vector<NewAddress>> load_new_addresses(
        std::vector<std::pair<MerchantId, std::uint64_t>> known) override {
        std::vector<NewAddress> added;
        if (known.empty() && announced)
            added.push_back({view.merchant_id, 0, kDeposit, timestamp_from_seconds(10'000)});
        co_return added;
    }
    Task<std::vector<WatchedAddress>> find_addresses(std::vector<Address> asked) override {
        std::vector<WatchedAddress> found;
        for (Address const& address : asked) {
            if (address == kDeposit)
                found.push_back({kDeposit, {view.merchant_id, view.payments[0].payment.id}});
        }
        co_return found;
    }
    Task<void> commit(ChainCommit commit) override {
        if (commit.lease_token != lease_token) throw Unavailable("the lease is lost");
        if (lose_next_commit) {
            lose_next_commit = false;
            throw Unavailable("the outcome is unknown");
        }
        EXPECT_EQ(commit.expected_head, chain->blocks.back().header);
        HeaderChain headers(chain->blocks, chain->finalized);
        if (commit.rolled_back_to) headers.roll_back_to(*commit.rolled_back_to);
        for (auto const& block : commit.added)
            headers.append(block);
        headers.finalize(commit.finalized);
        chain->finalized = headers.finalized();
        chain->blocks.clear();
        for (auto number = headers.first(); number <= headers.head().number; ++number) {
            chain->blocks.push_back(*headers.at(number));
        }
        apply(commit);
        co_return;
    }
    Task<void> record_stop(ChainId, Lease, std::string) override {
        ++stops;
        co_return;
    }

    // The state after these entries, as loading it again would give it.
    void apply(ChainCommit const& commit) {
        compared += commit.foreign.size();
        first_booked += commit.first_booked.size();
        for (auto const& event : commit.events)
            events.push_back(event.type);
        for (auto const& entry : commit.entries) {
            entries.push_back(entry);
            PaymentState& state = view.payments[0];
            if (auto const* record = std::get_if<Authorization>(&entry.record)) {
                state.credits.push_back({.transfer = record->transfer,
                                         .authorization_sequence = entry.sequence,
                                         .authorization_hash = entry.hash,
                                         .first_seen_time = record->transfer.block_time});
            } else if (auto const* clearing = std::get_if<Clearing>(&entry.record)) {
                for (Credit& credit : state.credits) {
                    if (credit.authorization_sequence != clearing->authorization_sequence) continue;
                    credit.stage = CreditStage::cleared;
                    credit.stage_sequence = entry.sequence;
                    credit.stage_hash = entry.hash;
                    credit.gross = clearing->gross;
                    credit.excess = clearing->excess;
                }
            } else if (auto const* settlement = std::get_if<Settlement>(&entry.record)) {
                for (Credit& credit : state.credits) {
                    if (credit.authorization_sequence == settlement->authorization_sequence) {
                        credit.stage = CreditStage::settled;
                    }
                }
            } else if (auto const* batch = std::get_if<SettlementBatch>(&entry.record)) {
                view.last_batch_number = batch->batch_number;
            } else if (auto const* reversal = std::get_if<Reversal>(&entry.record)) {
                std::erase_if(state.credits, [&](Credit const& credit) {
                    return credit.authorization_sequence == reversal->reversed_sequence;
                });
            }
        }
        for (auto const& head : commit.heads) {
            EXPECT_EQ(head.from, view.head);
            view.head = head.to;
        }
    }

    std::size_t count(RecordKind kind) const {
        return static_cast<std::size_t>(std::count_if(
            entries.begin(), entries.end(),
            [kind](JournalEntry const& entry) { return kind_of(entry.record) == kind; }));
    }

    MerchantView view;
    std::optional<FollowedChain> chain;
    std::vector<JournalEntry> entries;
    std::vector<std::string> events;
    int views_loaded = 0;
    std::size_t payments_loaded = 0;
    std::size_t compared = 0;      // payments with what other chains did to them
    std::size_t first_booked = 0;  // payments whose records are all in a commit
    bool lose_next_commit = false;
    bool announced = true;  // the payment was there when the addresses are asked for
    std::string lease_holder = "this process";
    std::uint64_t lease_token = 1;
    int releases = 0;
    int stops = 0;
};

class FixedClock final : public Clock {
  public:
    Timestamp now() const override { return timestamp_from_seconds(1'000); }
    Task<void> sleep_for(std::chrono::milliseconds) override { co_return; }
};

// Ends a loop at its first wait.
class ImpatientClock final : public Clock {
  public:
    Timestamp now() const override { return timestamp_from_seconds(1'000); }
    Task<void> sleep_for(std::chrono::milliseconds) override {
        throw std::runtime_error("waits");
        co_return;
    }
};

class Follower : public ::testing::Test {
  protected:
    // Steps until there is nothing more to do at once.
    void follow() {
        while (run_task(io, follower.step())) {
        }
    }
    BlockNumber head() const { return ledger.chain->blocks.back().header.number; }
    ChainFollower follower_of(FakeNode& a_node, FakeLedger& a_ledger) {
        return {settings,
                network,
                "this process",
                {a_node, a_ledger, addresses, registry, feed, outbox, clock, metrics}};
    }

    boost::asio::io_context io{1};
    ChainSettings settings{.id = kChain,
                           .finality = {.bands = {{std::nullopt, 1}}},
                           .tokens = {{"USDT", kToken, 6, {}}}};
    Network network{.chains = {settings}, .public_url = "http://pay.example"};
    FakeNode node;
    FakeLedger ledger;
    AddressIndex addresses;
    ChainRegistry registry{network};
    PaymentFeed feed{io.get_executor()};
    Notifier outbox{io.get_executor()};
    FixedClock clock;
    Metrics metrics;
    ChainFollower follower = follower_of(node, ledger);
};

using Types = std::vector<std::string>;

TEST_F(Follower, begins_at_the_finalized_block_and_books_what_follows) {
    follow();
    EXPECT_EQ(head(), 1U);
    node.grow(2);
    node.pay(2, 1, 50);
    follow();
    EXPECT_EQ(ledger.events, (Types{"payment.authorized", "payment.cleared"}));
    node.finalized = 2;
    follow();
    EXPECT_EQ(ledger.events.back(), "payment.settled");
    EXPECT_EQ(chain_time_of(ledger.view.payments[0].payment, registry.all()),
              timestamp_from_seconds(2));
}

TEST_F(Follower, closes_a_long_gap_in_bounded_steps_without_a_jump) {
    follow();
    node.grow(500);
    for (BlockNumber const number : {2U, 250U, 500U})
        node.pay(number, static_cast<std::uint8_t>(number), 20);
    node.finalized = 490;
    follow();
    EXPECT_EQ(head(), 500U);
    EXPECT_EQ(ledger.count(RecordKind::authorization), 3U);
    EXPECT_LE(node.largest_read, 64U);
    EXPECT_EQ(ledger.chain->finalized, 490U);
}

TEST_F(Follower, quiet_blocks_load_no_payment) {
    follow();
    node.grow(40);
    follow();
    EXPECT_EQ(head(), 40U);
    EXPECT_EQ(ledger.views_loaded, 0);
}

// Whatever changes a payment moves a journal of its merchant: as long as none has moved but by our
// own steps, nothing of it is read again.
TEST_F(Follower, reads_a_payment_again_only_where_a_journal_has_moved) {
    settings.finality.bands = {{std::nullopt, 2}};
    follow();
    node.grow(2);
    node.pay(2, 1, 50);
    follow();
    EXPECT_EQ(ledger.payments_loaded, 1U);
    node.grow(3);
    follow();
    EXPECT_EQ(ledger.count(RecordKind::clearing), 1U);
    EXPECT_EQ(ledger.payments_loaded, 1U);
    ledger.view.other_journals[kChain + 1] = 7;  // another chain's follower, or the desk
    node.finalized = 3;
    follow();
    EXPECT_EQ(ledger.count(RecordKind::settlement), 1U);
    EXPECT_EQ(ledger.payments_loaded, 2U);
}

TEST_F(Follower, says_once_that_nothing_had_been_booked_of_a_payment) {
    settings.finality.bands = {{std::nullopt, 2}};
    follow();
    node.grow(2);
    follow();
    node.grow(3);
    node.pay(3, 1, 50);
    follow();
    EXPECT_EQ(ledger.events, Types{"payment.authorized"});
    EXPECT_EQ(ledger.first_booked, 1U);
    // The state that is remembered has the version from before.
    ASSERT_EQ(ledger.view.payments[0].version, 0U);
    node.grow(4);
    follow();
    node.finalized = 3;
    follow();
    EXPECT_EQ(ledger.count(RecordKind::settlement), 1U);
    EXPECT_EQ(ledger.first_booked, 1U);
}

// The desk books a decision in the merchant's journal; no transfer announces it.
TEST_F(Follower, sees_what_the_desk_gave_to_a_payment_that_waits_for_the_rest) {
    follow();
    node.grow(2);
    node.pay(2, 1, 20);
    follow();
    EXPECT_EQ(ledger.events, Types{"payment.partially_paid"});
    node.grow(3);
    follow();
    auto const loaded = ledger.payments_loaded;
    node.grow(4);
    follow();
    EXPECT_EQ(ledger.payments_loaded, loaded);
    ledger.view.payments[0].desk_credits.push_back(
        {.chain_id = kChain, .token = kToken, .amount = Amount(30), .sequence = 9});
    ledger.view.head = {9, Bytes32{9}};
    node.grow(5);
    follow();
    EXPECT_EQ(ledger.events, (Types{"payment.partially_paid", "payment.cleared"}));
    EXPECT_EQ(ledger.count(RecordKind::clearing), 1U);
}

struct ReorgRow {
    char const* name;
    BlockNumber ancestor;
    BlockNumber new_head;
};

// Our head is 6 when the branch changes; the payment stands in block 5.
TEST_F(Follower, undoes_a_reorg_however_late_it_sees_it) {
    for (ReorgRow const& row : {ReorgRow{"to the same height", 4, 6},
                                ReorgRow{"to a lower one", 4, 5}, ReorgRow{"one above", 4, 7},
                                ReorgRow{"two above", 4, 8}, ReorgRow{"far above", 3, 200}}) {
        FakeNode fresh_node;
        FakeLedger fresh_ledger;
        ChainFollower fresh = follower_of(fresh_node, fresh_ledger);
        auto const follow_fresh = [&] {
            while (run_task(io, fresh.step())) {
            }
        };
        follow_fresh();
        fresh_node.grow(6);
        fresh_node.pay(5, 1, 50);
        follow_fresh();
        ASSERT_EQ(fresh_ledger.count(RecordKind::clearing), 1U) << row.name;
        fresh_node.reorg(row.ancestor, row.new_head, 1);
        follow_fresh();
        EXPECT_EQ(fresh_ledger.events.back(), "payment.reversed") << row.name;
        EXPECT_EQ(fresh_ledger.count(RecordKind::reversal), 2U) << row.name;
        EXPECT_EQ(fresh_ledger.chain->blocks.back().header.number, row.new_head) << row.name;
        EXPECT_TRUE(fresh_ledger.view.payments[0].credits.empty()) << row.name;
    }
}

TEST_F(Follower, a_transaction_mined_again_moves_the_payment) {
    follow();
    node.grow(6);
    node.pay(5, 1, 50);
    follow();
    node.reorg(4, 8, 1);
    node.pay(7, 1, 50);
    follow();
    EXPECT_EQ(ledger.events.back(), "payment.moved");
    ASSERT_EQ(ledger.view.payments[0].credits.size(), 1U);
    EXPECT_EQ(ledger.view.payments[0].credits[0].transfer.block_number, 7U);
}

TEST_F(Follower, a_lagging_node_takes_nothing_away) {
    follow();
    node.grow(6);
    node.pay(5, 1, 50);
    follow();
    node.reorg(4, 4, 0);  // the same branch, two blocks behind
    follow();
    EXPECT_EQ(head(), 6U);
    EXPECT_EQ(ledger.count(RecordKind::reversal), 0U);
}

TEST_F(Follower, stops_where_a_final_block_changes) {
    follow();
    node.grow(6);
    node.finalized = 5;
    follow();
    node.reorg(3, 7, 1);
    EXPECT_THROW(run_task(io, follower.step()), InvariantViolation);
}

// The head may be the same block although another process has undone and read anew what is below.
TEST_F(Follower, what_looks_broken_without_the_newest_lease_stops_nothing) {
    ImpatientClock impatient;
    for (bool const has_newest : {false, true}) {
        FakeNode its_node;
        FakeLedger its_ledger;
        ChainFollower its_follower{
            settings,
            network,
            "this process",
            {its_node, its_ledger, addresses, registry, feed, outbox, impatient, metrics}};
        its_node.grow(6);
        its_node.finalized = 5;
        while (run_task(io, its_follower.step())) {
        }
        its_node.reorg(3, 7, 1);
        if (!has_newest) ++its_ledger.lease_token;
        EXPECT_THROW(run_task(io, its_follower.run()), std::runtime_error);
        EXPECT_EQ(its_ledger.stops, has_newest ? 1 : 0);
    }
}

TEST_F(Follower, calls_nothing_final_before_it_has_read_the_finalized_block) {
    follow();
    node.grow(5);
    node.pay(5, 1, 50);
    node.grow(80);
    node.finalized = 80;
    run_task(io, follower.step());
    EXPECT_EQ(head(), 65U);
    EXPECT_EQ(ledger.count(RecordKind::settlement), 0U);
    follow();
    EXPECT_EQ(ledger.count(RecordKind::settlement), 1U);
}

TEST_F(Follower, a_finalized_tag_of_another_branch_settles_nothing) {
    follow();
    node.grow(6);
    node.pay(5, 1, 50);
    node.finalized = 6;
    node.foreign_tag = true;
    follow();
    EXPECT_EQ(ledger.count(RecordKind::clearing), 1U);
    EXPECT_EQ(ledger.count(RecordKind::settlement), 0U);
    node.foreign_tag = false;
    follow();
    EXPECT_EQ(ledger.count(RecordKind::settlement), 1U);
}

TEST_F(Follower, without_a_quorum_it_authorizes_and_does_no_more) {
    follow();
    node.agreed = 1;
    node.grow(6);
    node.pay(5, 1, 50);
    node.finalized = 6;
    follow();
    EXPECT_EQ(ledger.count(RecordKind::authorization), 1U);
    EXPECT_EQ(ledger.count(RecordKind::clearing), 0U);
    EXPECT_EQ(ledger.chain->finalized, 1U);
    node.agreed = 6;
    follow();
    EXPECT_EQ(ledger.count(RecordKind::settlement), 1U);
}

// A payer may send on a chain that the payment does not offer: that, too, raises what is at stake.
TEST_F(Follower, compares_what_other_chains_did_to_a_payment_that_does_not_offer_them) {
    follow();
    node.grow(3);
    node.pay(3, 1, 50);
    follow();
    EXPECT_EQ(ledger.compared, 0U);
    ChainSettings other = settings;
    other.id = kChain + 1;
    network.chains.push_back(other);
    node.grow(4);
    node.finalized = 4;
    follow();
    EXPECT_EQ(ledger.count(RecordKind::settlement), 1U);
    EXPECT_EQ(ledger.compared, 1U);
}

TEST_F(Follower, a_block_that_reads_differently_at_finality_is_read_anew) {
    follow();
    node.grow(6);
    node.pay(5, 1, 20);
    node.pay(5, 2, 30);
    node.hide_last_log(5);
    follow();
    EXPECT_EQ(ledger.count(RecordKind::authorization), 1U);
    node.finalized = 6;
    follow();
    EXPECT_EQ(ledger.count(RecordKind::reversal), 1U);
    EXPECT_EQ(ledger.view.payments[0].credits.size(), 2U);
    EXPECT_EQ(ledger.count(RecordKind::settlement), 2U);
    EXPECT_EQ(ledger.events.back(), "payment.settled");
}

TEST_F(Follower, nothing_settles_while_the_second_reading_differs_for_no_known_reason) {
    follow();
    node.grow(6);
    node.pay(5, 1, 50);
    node.lies_again = true;
    node.finalized = 6;
    follow();
    EXPECT_EQ(ledger.count(RecordKind::settlement), 0U);
    EXPECT_EQ(ledger.count(RecordKind::reversal), 0U);
    EXPECT_EQ(ledger.chain->finalized, 1U);
    node.lies_again = false;
    follow();
    EXPECT_EQ(ledger.count(RecordKind::settlement), 1U);
}

TEST_F(Follower, knows_a_payment_that_another_process_created_meanwhile) {
    ledger.announced = false;
    follow();
    node.grow(6);
    node.pay(5, 1, 50);
    ledger.announced = true;
    follow();
    EXPECT_EQ(ledger.count(RecordKind::authorization), 1U);
}

TEST_F(Follower, stands_by_while_another_process_has_the_lease) {
    ledger.lease_holder = "another";
    ledger.chain = FollowedChain{{{run_task(io, node.header(1)).value(), {}}}, 1};
    node.grow(6);
    follow();
    EXPECT_FALSE(follower.leads());
    EXPECT_EQ(head(), 1U);
    EXPECT_TRUE(registry.followed(kChain));
    ledger.lease_holder = "this process";
    follow();
    EXPECT_EQ(head(), 6U);
}

TEST_F(Follower, hands_its_lease_over_once) {
    run_task(io, follower.hand_over());
    EXPECT_EQ(ledger.releases, 0);
    follow();
    run_task(io, follower.hand_over());
    run_task(io, follower.hand_over());
    EXPECT_EQ(ledger.releases, 1);
    EXPECT_FALSE(follower.leads());
}

TEST_F(Follower, a_lease_that_another_process_took_stops_every_write) {
    follow();
    node.grow(6);
    ledger.lease_token = 2;
    EXPECT_THROW(run_task(io, follower.step()), Unavailable);
    EXPECT_EQ(head(), 1U);
}

TEST(RetryDelay, is_ten_attempts_over_about_75_hours) {
    std::int64_t total = 0;
    for (unsigned attempts = 1; attempts <= 9; ++attempts) {
        auto const wait = retry_delay(attempts, 0);
        ASSERT_TRUE(wait) << attempts;
        total += wait->count();
        EXPECT_LE(retry_delay(attempts, 999)->count(), wait->count() * 11 / 10);
    }
    EXPECT_EQ(total, 75 * 3600 + 35 * 60 + 5);
    EXPECT_FALSE(retry_delay(10, 0));
}

}  // namespace
}  // namespace sycee
