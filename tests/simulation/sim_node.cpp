#include "sim_node.hpp"

#include <algorithm>
#include <stdexcept>

namespace sycee::simulation {
namespace {

using namespace std::chrono_literals;

constexpr BlockNumber kFirstBlock = 1000;
constexpr auto kDeadline = 10s;
constexpr unsigned kLiedAboutPermille = 400;  // of the blocks that have something to lie about

// Whether a list that ends early can be told from a whole one: the block's bloom says more.
bool shows(BlockWithLogs const& said) {
    LogsBloom explained{};
    for (Log const& log : said.logs)
        add_to_bloom(explained, log);
    return !is_within(said.bloom, explained);
}

}  // namespace

void SimNode::heal() {
    faults = {};
    own_tip_ = nullptr;
    lied_about_.clear();
}

// A branch of its own, a few blocks below the head, that grows while the lie lasts.
void SimNode::follow_own_fork() {
    if (own_tip_ == nullptr) {
        BlockNumber const depth = 1 + rng_.below(std::max<BlockNumber>(1, chain_.deepest_reorg()));
        BlockNumber const number = chain_.head().header.number;
        SimBlock const* parent = chain_.at(number - std::min(depth, chain_.deepest_reorg()));
        own_tip_ = chain_.mine_apart(*parent, scheduler_.now());
    }
    while (own_tip_->header.number <= chain_.head().header.number)
        own_tip_ = chain_.mine_apart(*own_tip_, scheduler_.now());
}

void SimNode::on_new_head() {
    if (faults.lie == Lie::own_fork) {
        follow_own_fork();
    } else {
        own_tip_ = nullptr;
    }
    if (faults.stuck_at != nullptr || rng_.chance(faults.lost_heads_permille)) return;
    unsigned const times = rng_.chance(faults.double_heads_permille) ? 2 : 1;
    for (unsigned i = 0; i < times; ++i) {
        for (Notifier* listener : listeners)
            listener->notify();
    }
    if (rng_.chance(faults.odd_heads_permille)) {
        scheduler_.after(rng_.time(1, 3'000), [this] {
            for (Notifier* listener : listeners)
                listener->notify();
        });
    }
}

SimBlock const& SimNode::tip() const {
    if (faults.lie == Lie::own_fork && own_tip_ != nullptr) return *own_tip_;
    if (faults.stuck_at != nullptr) return *faults.stuck_at;
    BlockNumber const head = chain_.head().header.number;
    BlockNumber const lowest = chain_.finalized().header.number;
    SimBlock const* seen = chain_.at(head - std::min(faults.lag, head - lowest));
    return *seen;
}

ChainTips SimNode::tips() {
    SimBlock const& head = tip();
    BlockNumber finalized = chain_.finalized().header.number;
    if (faults.stuck_at != nullptr) finalized = std::min(finalized, faults.stuck_finalized);
    finalized -= std::min<BlockNumber>(faults.finalized_behind, finalized - kFirstBlock);
    if (faults.lie == Lie::finalized_ahead) {
        finalized = head.header.number;
        reached("a node calls its head final");
    }
    finalized = std::min(finalized, head.header.number);
    SimBlock const* block = SimChain::ancestor(head, finalized);
    return {head.header, block->header};
}

SimBlock const* SimNode::block(BlockNumber number) {
    SimBlock const* block = SimChain::ancestor(tip(), number);
    if (block != nullptr && faults.lie == Lie::wrong_block && rng_.chance(300) &&
        number > chain_.finalized().header.number) {
        reached("a node gives the wrong block");
        return chain_.mine_apart(*block->parent, scheduler_.now());
    }
    return block;
}

bool SimNode::knows(SimBlock const& block) const {
    return SimChain::ancestor(tip(), block.header.number) == &block ||
           chain_.at(block.header.number) == &block;
}

BlockWithLogs SimNode::read(SimBlock const& block, bool again) {
    BlockWithLogs said{block.header, block.bloom, block.logs};
    bool const lies_of_logs =
        faults.lie == Lie::empty_logs || faults.lie == Lie::last_log_missing ||
        faults.lie == Lie::middle_log_missing || faults.lie == Lie::invented_log;
    if (!lies_of_logs || (again && !faults.lies_twice)) return said;
    // What is final already was read and booked; the lie is about what is new.
    if (block.header.number <= chain_.finalized().header.number &&
        !lied_about_.contains(block.header.hash))
        return said;
    auto const [lied, drawn] = lied_about_.try_emplace(block.header.hash);
    if (drawn) lied->second = rng_.chance(kLiedAboutPermille);
    if (!lied->second) return said;
    if (faults.lie == Lie::invented_log) {
        Log invented;
        SimLog const log = transfer_log(settings_.tokens[0].contract, Address{Bytes20{9, 9, 9}},
                                        some_deposit_address(), Amount(1'000'000));
        invented.contract = log.contract;
        invented.topics = log.topics;
        invented.data = log.data;
        invented.block_number = block.header.number;
        invented.block_hash = block.header.hash;
        invented.transaction_hash = block.header.hash;
        invented.log_index = static_cast<std::uint32_t>(said.logs.size());
        said.logs.push_back(std::move(invented));
        reached("a node invents a transfer");
        hides_well(block.header.hash);
    } else if (!said.logs.empty() && faults.lie == Lie::empty_logs) {
        said.logs.clear();
        reached("a node gives no logs");
        if (!shows(said)) hides_well(block.header.hash);
    } else if (!said.logs.empty() && faults.lie == Lie::last_log_missing) {
        said.logs.pop_back();
        bool const shown = shows(said);
        reached(shown ? "a missing log shows" : "a missing log does not show");
        if (!shown) hides_well(block.header.hash);
    } else if (said.logs.size() > 1 && faults.lie == Lie::middle_log_missing) {
        said.logs.erase(said.logs.begin() +
                        static_cast<std::ptrdiff_t>(rng_.below(said.logs.size() - 1)));
        reached("a node leaves a log out of the middle");
    }
    return said;
}

SimEndpoint::SimEndpoint(SimNode& node, Scheduler& scheduler, ProcessId process, Clock& clock,
                         std::function<void(BlockHash const&, Bytes32 const&)> served)
    : node_(node),
      scheduler_(scheduler),
      process_(process),
      served_(std::move(served)),
      heads_(scheduler.executor(), clock) {
    node_.listeners.push_back(&heads_);
}

SimEndpoint::~SimEndpoint() {
    std::erase(node_.listeners, &heads_);
}

// There and back; what is wrong with the node shows on the way.
Task<void> SimEndpoint::travel() {
    NodeFaults const& faults = node_.faults;
    auto const wait = node_.rng().time(5, 120) + faults.slowness;
    co_await scheduler_.sleep(process_,
                              faults.silent ? std::chrono::milliseconds(kDeadline) : wait);
    if (node_.faults.refuses) throw Unavailable(node_.name() + ": connection refused");
    if (node_.faults.silent) throw Unavailable(node_.name() + ": no answer in time");
    if (node_.faults.rate_limits && node_.rng().chance(700)) {
        node_.reached("a node asks for a pause");
        throw RateLimited(node_.name() + ": 429", node_.rng().time(500, 4'000));
    }
    if (node_.rng().chance(node_.faults.flaky_permille)) throw Unavailable(node_.name() + ": 502");
}

Task<ChainTips> SimEndpoint::tips() {
    seen_ = heads_.generation();
    co_await travel();
    co_return node_.tips();
}

Task<std::optional<BlockHeader>> SimEndpoint::header(BlockNumber number) {
    co_await travel();
    SimBlock const* block = node_.block(number);
    co_return block == nullptr ? std::nullopt : std::optional(block->header);
}

// Each block is asked for after the one before: the node's branch may change in between.
Task<std::vector<BlockWithLogs>> SimEndpoint::blocks(BlockNumber first, BlockNumber last) {
    std::vector<BlockWithLogs> result;
    co_await travel();
    for (BlockNumber number = first; number <= last; ++number) {
        if (number != first && node_.rng().chance(100)) {
            co_await scheduler_.sleep(process_, node_.rng().time(1, 1'000));
        }
        if (node_.rng().chance(20) && number != first) break;  // takes no more at a time
        SimBlock const* block = node_.block(number);
        if (block == nullptr) break;
        result.push_back(node_.read(*block, false));
        if (result.back().logs.size() == block->logs.size()) {
            served_(block->header.hash, block->digest);
        } else if (auto const complete = check_complete(result.back())) {
            served_(block->header.hash, complete->logs_digest);
        }
    }
    co_return result;
}

Task<std::vector<std::optional<BlockWithLogs>>> SimEndpoint::blocks_again(
    std::vector<BlockHash> hashes) {
    co_await travel();
    std::vector<std::optional<BlockWithLogs>> result;
    for (BlockHash const& hash : hashes) {
        SimBlock const* block = node_.chain().find(hash);
        if (block == nullptr || !node_.knows(*block)) {
            result.emplace_back();
        } else {
            result.emplace_back(node_.read(*block, true));
        }
    }
    co_return result;
}

// Nobody looks for a transfer in the simulation: finding writes nothing.
Task<std::optional<NativeTransfer>> SimEndpoint::native_transfer(TransactionHash) {
    co_return std::nullopt;
}

Task<std::optional<ReceiptLogs>> SimEndpoint::receipt(TransactionHash) {
    co_await travel();
    co_return std::nullopt;  // nothing that is simulated asks for it
}

Task<void> SimEndpoint::wait_for_head(std::chrono::milliseconds limit) {
    co_await heads_.wait_after(seen_, limit);
}

Task<ChainId> SimEndpoint::chain_id() {
    co_await travel();
    co_return node_.chain().id();
}

Task<unsigned> SimEndpoint::token_decimals(Address token) {
    co_await travel();
    TokenSettings const* settings = node_.settings().token(token);
    if (settings == nullptr) throw std::runtime_error("no such token");
    co_return settings->decimals;
}

Task<std::string> SimEndpoint::token_symbol(Address token) {
    co_await travel();
    TokenSettings const* settings = node_.settings().token(token);
    if (settings == nullptr) throw std::runtime_error("no such token");
    co_return settings->symbol;
}

Task<Amount> SimEndpoint::token_balance(Address token, Address holder) {
    co_await travel();
    auto const balance = node_.tip().balances.find({holder, token});
    co_return balance == node_.tip().balances.end() ? Amount{} : balance->second;
}

}  // namespace sycee::simulation
