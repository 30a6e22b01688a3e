#include "sim_chain.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace sycee::simulation {
namespace {

constexpr BlockNumber kFirstBlock = 1000;

Bytes32 topic_of(Address const& address) {
    Bytes32 topic{};
    std::copy(address.bytes.begin(), address.bytes.end(), topic.begin() + 12);
    return topic;
}

std::vector<std::uint8_t> word_of(Amount amount) {
    std::vector<std::uint8_t> word(32);
    for (std::size_t i = 0; i < 16; ++i)
        word[31 - i] = static_cast<std::uint8_t>(amount.base_units() >> (8 * i));
    return word;
}

bool contains(std::vector<TransactionPointer> const& list, TransactionHash const& hash) {
    return std::any_of(list.begin(), list.end(),
                       [&hash](auto const& transaction) { return transaction->hash == hash; });
}

}  // namespace

SimLog transfer_log(Address const& token, Address const& from, Address const& to, Amount amount) {
    return {token, {transfer_topic(), topic_of(from), topic_of(to)}, word_of(amount)};
}

void TransactionBuilder::transfer(Address const& token, Address const& from, Address const& to,
                                  Amount amount) {
    transaction_.transfers.push_back(
        {token, ordinals_[token]++, transaction_.logs.size(), from, to, amount});
    transaction_.logs.push_back(transfer_log(token, from, to, amount));
}

void TransactionBuilder::other(SimLog log, bool counts) {
    if (counts) ++ordinals_[log.contract];
    transaction_.logs.push_back(std::move(log));
}

SimChain::SimChain(ChainId id, Timestamp start, Rng rng)
    : id_(id), rng_(rng), first_(kFirstBlock), finalized_(kFirstBlock) {
    auto first = std::make_unique<SimBlock>();
    first->header = {kFirstBlock, rng_.bytes<32>(), rng_.bytes<32>(),
                     timestamp_from_seconds(to_unix_seconds(start))};
    first->digest = check_complete({first->header, first->bloom, {}}).value().logs_digest;
    canonical_.push_back(first.get());
    blocks_.emplace(first->header.hash, std::move(first));
}

SimBlock const* SimChain::at(BlockNumber number) const {
    if (number < first_ || number > head().header.number) return nullptr;
    return canonical_[number - first_];
}

SimBlock const* SimChain::find(BlockHash const& hash) const {
    auto const found = blocks_.find(hash);
    return found == blocks_.end() ? nullptr : found->second.get();
}

SimBlock const* SimChain::ancestor(SimBlock const& tip, BlockNumber number) {
    SimBlock const* block = &tip;
    while (block != nullptr && block->header.number > number)
        block = block->parent;
    return block != nullptr && block->header.number == number ? block : nullptr;
}

BlockNumber SimChain::newest_busy_block() const {
    auto const busy =
        std::find_if(canonical_.rbegin(), canonical_.rend(),
                     [](SimBlock const* block) { return !block->transactions.empty(); });
    return busy == canonical_.rend() ? 0 : (*busy)->header.number;
}

void SimChain::raise_silently(Address const& holder, Address const& token, Amount amount) {
    // Only the newest block knows: a reorg takes it away again, and then the transfer out as well.
    auto const block = blocks_.find(head().header.hash);
    block->second->balances[{holder, token}] += amount;
}

// A transfer out of a watched address needs the balance.
bool SimChain::is_payable(SimBlock const* parent, std::vector<TransactionPointer> const& before,
                          SimTransaction const& transaction) const {
    std::map<std::pair<Address, Address>, Amount> balances;
    auto const balance = [&](Address const& holder, Address const& token) -> Amount& {
        auto const [place, added] = balances.try_emplace({holder, token});
        if (added) {
            auto const known = parent->balances.find({holder, token});
            if (known != parent->balances.end()) place->second = known->second;
        }
        return place->second;
    };
    auto const apply = [&](SimTransaction const& applied) {
        for (TrueTransfer const& transfer : applied.transfers) {
            if (watched_.contains(transfer.from)) {
                Amount& from = balance(transfer.from, transfer.token);
                if (from < transfer.amount) return false;
                from -= transfer.amount;
            }
            if (watched_.contains(transfer.to))
                balance(transfer.to, transfer.token) += transfer.amount;
        }
        return true;
    };
    bool const moves_out =
        std::any_of(transaction.transfers.begin(), transaction.transfers.end(),
                    [this](auto const& transfer) { return watched_.contains(transfer.from); });
    if (!moves_out) return true;
    for (auto const& earlier : before)
        apply(*earlier);
    return apply(transaction);
}

SimBlock* SimChain::mine(SimBlock const* parent, std::vector<TransactionPointer> transactions,
                         Timestamp time) {
    auto block = std::make_unique<SimBlock>();
    block->parent = parent;
    block->header = {parent->header.number + 1, rng_.bytes<32>(), parent->header.hash,
                     std::max(time, parent->header.time)};
    block->balances = parent->balances;
    block->transactions = std::move(transactions);
    for (auto const& transaction : block->transactions) {
        auto const base = static_cast<std::uint32_t>(block->logs.size());
        for (SimLog const& log : transaction->logs) {
            Log mined;
            mined.contract = log.contract;
            mined.topics = log.topics;
            mined.data = log.data;
            mined.block_number = block->header.number;
            mined.block_hash = block->header.hash;
            mined.transaction_hash = transaction->hash;
            mined.log_index = static_cast<std::uint32_t>(block->logs.size());
            add_to_bloom(block->bloom, mined);
            block->logs.push_back(std::move(mined));
        }
        for (TrueTransfer const& moved : transaction->transfers) {
            block->transfers.push_back({.key = {id_, transaction->hash, moved.token, moved.ordinal},
                                        .log_index = base + static_cast<std::uint32_t>(moved.log),
                                        .sender = moved.from,
                                        .recipient = moved.to,
                                        .amount = moved.amount,
                                        .block_number = block->header.number,
                                        .block_hash = block->header.hash,
                                        .block_time = block->header.time});
            if (watched_.contains(moved.from)) {
                Amount& from = block->balances[{moved.from, moved.token}];
                from -= std::min(from, moved.amount);
            }
            if (watched_.contains(moved.to)) {
                block->balances[{moved.to, moved.token}] += moved.amount;
            }
        }
    }
    block->digest = check_complete({block->header, block->bloom, block->logs}).value().logs_digest;
    SimBlock* const result = block.get();
    blocks_.emplace(result->header.hash, std::move(block));
    return result;
}

void SimChain::forget_pending_of(SimBlock const* block) {
    std::erase_if(pending_, [block](TransactionPointer const& waiting) {
        return contains(block->transactions, waiting->hash);
    });
}

void SimChain::extend(Timestamp now, unsigned include_permille) {
    for (std::size_t i = pending_.size(); i > 1; --i)
        std::swap(pending_[i - 1], pending_[rng_.below(i)]);
    std::vector<TransactionPointer> chosen;
    for (auto const& transaction : pending_) {
        if (rng_.chance(include_permille) && !contains(chosen, transaction->hash) &&
            is_payable(&head(), chosen, *transaction)) {
            chosen.push_back(transaction);
        }
    }
    auto const time = timestamp_from_seconds(to_unix_seconds(now));
    SimBlock const* const block = mine(&head(), std::move(chosen), time);
    forget_pending_of(block);
    canonical_.push_back(block);
}

void SimChain::set_canonical(SimBlock const* tip) {
    std::vector<SimBlock const*> branch;
    SimBlock const* block = tip;
    while (at(block->header.number) != block) {
        branch.push_back(block);
        block = block->parent;
    }
    if (block->header.number < finalized_) throw std::logic_error("a reorg below the final block");
    canonical_.resize(block->header.number - first_ + 1);
    for (auto next = branch.rbegin(); next != branch.rend(); ++next) {
        canonical_.push_back(*next);
        forget_pending_of(*next);
    }
}

void SimChain::reorg(BlockNumber depth, BlockNumber length, Timestamp now, unsigned drop_permille) {
    SimBlock const* const old_head = &head();
    SimBlock const* tip = at(old_head->header.number - depth);
    std::vector<TransactionPointer> again;
    for (BlockNumber number = tip->header.number + 1; number <= old_head->header.number; ++number) {
        for (auto const& transaction : at(number)->transactions) {
            if (rng_.chance(drop_permille)) {
                if (on_dropped) on_dropped(transaction->hash);
            } else if (rng_.chance(300)) {
                pending_.push_back(transaction);
            } else {
                again.push_back(transaction);
            }
        }
    }
    auto const time = [&](BlockNumber mined) {
        auto const from = to_unix_seconds(tip->header.time);
        auto const to = std::max(from, to_unix_seconds(now));
        return mined == length ? timestamp_from_seconds(to)
                               : timestamp_from_seconds(rng_.between(from, to));
    };
    for (BlockNumber mined = 1; mined <= length; ++mined) {
        std::vector<TransactionPointer> chosen;
        std::vector<TransactionPointer> left;
        for (std::size_t i = again.size(); i > 1; --i)
            std::swap(again[i - 1], again[rng_.below(i)]);
        for (auto const& transaction : again) {
            bool const taken =
                (mined == length || rng_.chance(500)) && is_payable(tip, chosen, *transaction);
            (taken ? chosen : left).push_back(transaction);
        }
        again = std::move(left);
        // Somebody else's transaction before ours: everything moves to another place.
        if (rng_.chance(300) && !pending_.empty()) {
            auto const& extra = pending_[rng_.below(pending_.size())];
            if (!contains(chosen, extra->hash) && is_payable(tip, {}, *extra))
                chosen.insert(chosen.begin(), extra);
        }
        std::erase_if(chosen, [&](TransactionPointer const& candidate) {
            for (SimBlock const* block = tip;
                 block != nullptr && block->header.number > old_head->header.number - depth;
                 block = block->parent) {
                if (contains(block->transactions, candidate->hash)) return true;
            }
            return false;
        });
        std::vector<TransactionPointer> valid;
        for (auto const& transaction : chosen) {
            if (is_payable(tip, valid, *transaction)) {
                valid.push_back(transaction);
            } else {
                again.push_back(transaction);
            }
        }
        tip = mine(tip, std::move(valid), time(mined));
    }
    for (auto const& transaction : again)
        pending_.push_back(transaction);
    abandoned_.push_back(old_head);
    set_canonical(tip);
}

bool SimChain::flip_back(Timestamp now) {
    std::erase_if(abandoned_, [this](SimBlock const* tip) {
        SimBlock const* block = tip;
        while (at(block->header.number) != block)
            block = block->parent;
        return block == tip || block->header.number < finalized_;
    });
    if (abandoned_.empty()) return false;
    SimBlock const* tip = abandoned_[rng_.below(abandoned_.size())];
    SimBlock const* const old_head = &head();
    // What only the branch of now has waits again.
    std::vector<TransactionPointer> only_now;
    SimBlock const* fork = tip;
    while (at(fork->header.number) != fork)
        fork = fork->parent;
    for (BlockNumber number = fork->header.number + 1; number <= old_head->header.number;
         ++number) {
        for (auto const& transaction : at(number)->transactions)
            only_now.push_back(transaction);
    }
    while (tip->header.number <= old_head->header.number)
        tip = mine(tip, {}, timestamp_from_seconds(to_unix_seconds(now)));
    for (auto const& transaction : only_now)
        pending_.push_back(transaction);
    abandoned_.push_back(old_head);
    set_canonical(tip);
    return true;
}

SimBlock const* SimChain::mine_apart(SimBlock const& parent, Timestamp now) {
    std::vector<TransactionPointer> chosen;
    for (auto const& transaction : pending_) {
        bool known = false;
        for (SimBlock const* block = &parent; block != nullptr && !known; block = block->parent)
            known = contains(block->transactions, transaction->hash);
        if (!known && rng_.chance(500) && is_payable(&parent, chosen, *transaction)) {
            chosen.push_back(transaction);
        }
    }
    return mine(&parent, std::move(chosen), timestamp_from_seconds(to_unix_seconds(now)));
}

void SimChain::finalize(BlockNumber lag) {
    BlockNumber const number = head().header.number;
    if (number > first_ + lag) finalized_ = std::max(finalized_, number - lag);
}

}  // namespace sycee::simulation
