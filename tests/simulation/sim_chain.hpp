#pragma once

#include <sycee/chain/block_logs.hpp>
#include <sycee/evm/transfer.hpp>

#include "rng.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sycee::simulation {

// A movement of a listed token that really takes place, said by whoever sends it and not read from
// a log.
struct TrueTransfer {
    Address token;
    std::uint32_t ordinal = 0;  // among this token's Transfer logs in the transaction
    std::size_t log = 0;        // in the transaction
    Address from;
    Address to;
    Amount amount;
};

struct SimLog {
    Address contract;
    std::vector<Bytes32> topics;
    std::vector<std::uint8_t> data;
};

struct SimTransaction {
    TransactionHash hash{};
    std::vector<SimLog> logs;
    std::vector<TrueTransfer> transfers;
};

// Builds a transaction log by log.
class TransactionBuilder {
  public:
    explicit TransactionBuilder(TransactionHash hash) { transaction_.hash = hash; }

    // A plain Transfer of a listed token.
    void transfer(Address const& token, Address const& from, Address const& to, Amount amount);
    // A log that is no transfer of a listed token, or a malformed one that only looks like it.
    // `counts`: it stands among the Transfer logs of that contract, and takes an ordinal.
    void other(SimLog log, bool counts);

    SimTransaction take() && { return std::move(transaction_); }

  private:
    SimTransaction transaction_;
    std::map<Address, std::uint32_t> ordinals_;
};

SimLog transfer_log(Address const& token, Address const& from, Address const& to, Amount amount);

struct SimBlock {
    BlockHeader header;
    SimBlock const* parent = nullptr;
    LogsBloom bloom{};
    std::vector<Log> logs;
    std::vector<std::shared_ptr<SimTransaction const>> transactions;
    std::vector<Transfer> transfers;  // what really moved, in log order
    Bytes32 digest{};                 // of its true logs
    // Of the watched addresses, by (holder, token), after the block.
    std::map<std::pair<Address, Address>, Amount> balances;
};

using TransactionPointer = std::shared_ptr<SimTransaction const>;

// One EVM chain as it really is: a tree of blocks with one canonical branch.
class SimChain {
  public:
    SimChain(ChainId id, Timestamp start, Rng rng);

    ChainId id() const { return id_; }
    SimBlock const& head() const { return *canonical_.back(); }
    SimBlock const& finalized() const { return *canonical_[finalized_ - first_]; }
    SimBlock const* at(BlockNumber number) const;
    SimBlock const* find(BlockHash const& hash) const;
    static SimBlock const* ancestor(SimBlock const& tip, BlockNumber number);

    // The newest one that has transactions; zero where none has.
    BlockNumber newest_busy_block() const;

    // Whose balances decide whether a transfer out can be mined.
    void watch(Address const& address) { watched_.insert(address); }
    // Waits to be mined.
    void submit(TransactionPointer transaction) { pending_.push_back(std::move(transaction)); }
    std::size_t pending() const { return pending_.size(); }
    void drop_pending() { pending_.clear(); }
    // Money at an address without a log (a rebasing token): only a transfer out will show it.
    void raise_silently(Address const& holder, Address const& token, Amount amount);

    // Mines one block on the canonical branch; `most` of what waits, in random order.
    void extend(Timestamp now, unsigned include_permille);
    // Takes away `depth` blocks and mines `length` others in their place. Of the transactions in
    // them some are mined again at once, some wait again, some are gone.
    void reorg(BlockNumber depth, BlockNumber length, Timestamp now, unsigned drop_permille);
    // Goes back to a branch that was canonical before, and one block beyond the head of now. False
    // where there is none.
    bool flip_back(Timestamp now);
    // A block of nobody's branch but one node's.
    SimBlock const* mine_apart(SimBlock const& parent, Timestamp now);

    // The finalized block follows the head at that distance; never goes back.
    void finalize(BlockNumber lag);
    // The deepest reorg that leaves the finalized block.
    BlockNumber deepest_reorg() const { return head().header.number - finalized().header.number; }

    // Told of each canonical change: transactions that a reorg took away for good.
    std::function<void(TransactionHash const&)> on_dropped;
    std::function<void(std::string const&)> trace;

  private:
    SimBlock* mine(SimBlock const* parent, std::vector<TransactionPointer> transactions,
                   Timestamp time);
    bool is_payable(SimBlock const* parent, std::vector<TransactionPointer> const& before,
                    SimTransaction const& transaction) const;
    void set_canonical(SimBlock const* tip);
    void forget_pending_of(SimBlock const* block);

    ChainId id_;
    Rng rng_;
    BlockNumber first_;
    BlockNumber finalized_;
    std::map<BlockHash, std::unique_ptr<SimBlock>> blocks_;
    std::vector<SimBlock const*> canonical_;  // from first_
    std::vector<SimBlock const*> abandoned_;  // tips of branches that were canonical once
    std::vector<TransactionPointer> pending_;
    std::set<Address> watched_;
};

}  // namespace sycee::simulation
