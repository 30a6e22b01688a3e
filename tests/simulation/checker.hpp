#pragma once

#include "gateway.hpp"
#include "sim_chain.hpp"
#include "sim_store.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sycee::simulation {

// A broken invariant: its name, and what was seen.
struct Violation {
    std::string invariant;
    std::string detail;
};

// The invariants, checked after every commit and at the end. Written against what really happened
// on the chains and against the rows of the store; nothing here calls the code that decides.
class Checker {
  public:
    Checker(SimStore const& store, Network const& network,
            std::vector<std::unique_ptr<SimChain>> const& chains,
            std::function<void(std::string const&)> reached);

    // `served`: what the process that commits has been given by its nodes.
    void after_commit(ChainCommit const& commit, ServedBlocks const& served);
    void after_cancel(CancelCommit const& commit);
    // A node has said something else of this block, and nothing in its answer shows it.
    void may_be_misread(BlockHash const& hash) { hidden_well_.insert(hash); }
    void begin(ChainId chain_id, ProcessedBlock const& block);
    // When nothing moves any more: the books are those of the chains as they are.
    void at_the_end();
    // True where the payment has come to an end; `why_not` says what is missing.
    bool is_done(PaymentKey const& key, std::string* why_not = nullptr) const;

    std::optional<Violation> const& violation() const { return violation_; }
    void fail(std::string invariant, std::string detail);

  private:
    struct FollowedChainTruth {
        std::map<BlockNumber, ProcessedBlock> blocks;  // all that was processed and not rolled back
        BlockNumber first = 0;  // where following began: what it holds is older than that
        BlockNumber finalized = 0;
        BlockNumber agreed = 0;
        // The highest that was agreed while a block was on the chain, for blocks from that number
        // up: a process that has just begun to follow knows of less until it has heard the nodes,
        // and a reorg begins anew for the blocks that it takes away alone.
        std::map<BlockNumber, BlockNumber> once_agreed{{0, 0}};
        std::set<BlockNumber> misread;  // of `blocks`: not as they really are
        Timestamp latest_head_time{};
        bool was_misread = false;   // a block of it at some time: money came to light later
        bool was_behind = false;    // not all of it was agreed on
        Timestamp latest_undone{};  // of the heads that a reorg took away
    };
    // Signed, on its own side.
    using Sum = __int128;
    using Books = std::map<std::tuple<MerchantId, ChainId, Address, Account>, Sum>;

    void check_told_amount(ChainCommit const& commit, PaymentKey const& key);
    Sum worth_of(PaymentState const& state);
    void check_told(OutboxEvent const& event);
    void check_blocks(ChainCommit const& commit, ServedBlocks const& served);
    void check_transfers(ChainCommit const& commit);
    void check_live(ChainId chain_id);
    void check_journal(JournalEntry const& entry);
    void check_entry(ChainCommit const& commit, JournalEntry const& entry);
    void check_fee(JournalEntry const& entry, Clearing const& clearing, PaymentState const& state);
    void check_clearing(ChainCommit const& commit, JournalEntry const& entry,
                        Clearing const& clearing);
    void check_unapplied(ChainCommit const& commit, JournalEntry const& entry,
                         Unapplied const& unapplied);
    void check_reversal(ChainCommit const& commit, JournalEntry const& entry,
                        Reversal const& reversal);
    void check_first_to_pay(PaymentState const& state);
    void check_coverage(ChainCommit const& commit, PaymentKey const& key);
    void check_balances(ChainId chain_id, std::set<MerchantId> const& merchants);
    void check_cap(ChainCommit const& commit);
    void check_events(ChainCommit const& commit);
    void check_open_index(ChainId chain_id);
    void book(JournalEntry const& entry, int direction);

    SimChain const& chain(ChainId id) const;
    std::size_t quorum(ChainId id) const;
    unsigned decimals(ChainId id, Address const& token) const;
    Sum value(ChainId id, Address const& token, Amount amount) const;
    Sum at_stake(PaymentState const& state) const;
    bool met_rule(PaymentState const& state, Transfer const& transfer) const;
    bool once_met_rule(PaymentState const& state, Transfer const& transfer) const;
    bool met_rule(PaymentState const& state, Transfer const& transfer, BlockNumber agreed) const;
    bool is_really_in(Transfer const& transfer) const;
    struct Paid {
        ChainId chain_id;
        Address token;
        Amount amount;
    };
    // Without the tolerance, and with it.
    bool covers(Payment const& payment, std::vector<Paid> const& paid, bool tolerant) const;
    std::vector<Paid> applied_of(PaymentState const& state) const;
    bool is_cleared(PaymentState const& state) const;
    Sum coins_by_chain(MerchantId merchant, ChainId chain_id, Address const& token) const;

    SimStore const& store_;
    Network const& network_;
    std::vector<std::unique_ptr<SimChain>> const& chains_;
    std::function<void(std::string const&)> reached_;
    std::map<ChainId, FollowedChainTruth> followed_;
    std::map<JournalKey, JournalHead> journals_;
    std::map<JournalKey, std::uint64_t> last_batches_;
    std::map<PaymentKey, std::optional<Sum>> told_amounts_;  // of open ones, as a shop knows them
    std::map<MerchantId, std::uint64_t> fed_;  // the last number of each merchant's events
    Books books_;
    std::map<PaymentKey, PaymentState> before_;  // as the last commit left it
    std::set<BlockHash> hidden_well_;
    std::set<BlockHash> misread_hashes_;
    std::set<PaymentKey> touched_;  // by the commit
    std::set<PaymentKey> was_reversed_;
    std::optional<Violation> violation_;
};

}  // namespace sycee::simulation
