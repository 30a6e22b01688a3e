#include <sycee/app/chain_follower.hpp>
#include <sycee/app/payment_json.hpp>
#include <sycee/base/assert.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>
#include <sycee/runtime/random.hpp>

#include <algorithm>
#include <set>

namespace sycee {
namespace {

using namespace std::chrono_literals;

constexpr BlockNumber kMostBlocks = 64;     // of one step, and so of one transaction
constexpr BlockNumber kDeepestReorg = 512;  // walked back in one step before giving up
constexpr auto kStoppedPoll = 60s;

std::string label(ChainId id) {
    return std::to_string(id);
}

// True where a step could move something of this payment: what is not due is not read again.
bool is_due(PaymentState const& state, ChainStep const& step) {
    auto const taken_away = [&step](Transfer const& transfer) {
        return step.rolled_back_to && transfer.key.chain_id == step.chain_id &&
               transfer.block_number > *step.rolled_back_to;
    };
    for (Outflow const& outflow : state.outflows) {
        if (taken_away(outflow.transfer)) return true;
    }
    bool const over_time = step.head_time > state.payment.expires_at;
    PaymentStatus const status = status_of(state, step.head_time);
    for (Credit const& credit : state.credits) {
        if (credit.transfer.key.chain_id != step.chain_id) continue;
        if (taken_away(credit.transfer)) return true;
        bool const rule = credit.transfer.block_number + step.confirmations <= step.head + 1;
        bool const final = credit.transfer.block_number <= step.finalized;
        if (credit.stage == CreditStage::cleared && final) return true;
        // Waiting for more money changes nothing until it comes or the time is over.
        if (credit.stage == CreditStage::authorized && rule &&
            (over_time || status != PaymentStatus::partially_paid)) {
            return true;
        }
    }
    return false;
}

// Events of one millisecond: their ids rise in the order in which they happened, which is the order
// in which they are delivered.
void number_events(std::vector<OutboxEvent>& events) {
    std::vector<EventId> ids;
    for (OutboxEvent const& event : events)
        ids.push_back(event.id);
    std::sort(ids.begin(), ids.end());
    for (std::size_t i = 0; i < events.size(); ++i)
        events[i].id = ids[i];
}

}  // namespace

// What one step has read so far.
struct ChainFollower::Batch {
    std::optional<BlockNumber> rolled_back_to;
    std::vector<BlockHeader> added;
    std::map<MerchantId, std::vector<MatchedTransfer>> matched;
    BlockHeader head;
    BlockNumber finalized = 0;
    std::uint32_t malformed = 0;
    bool branches_off = false;  // the first block read does not build on ours
};

ChainFollower::ChainFollower(ChainSettings const& settings, Network const& network,
                             ChainFollowerPorts ports)
    : settings_(settings), network_(network), ports_(ports) {
    for (auto const& token : settings.tokens)
        tokens_.push_back(token.contract);
}

Task<void> ChainFollower::run() {
    Backoff backoff(250ms, 30s);
    for (;;) {
        std::optional<std::string> fault;
        std::optional<std::string> broken;
        bool more = false;
        try {
            more = co_await step();
            backoff.reset();
        } catch (InvariantViolation const& violation) {
            broken = violation.what();
        } catch (Unavailable const& unavailable) {
            fault = unavailable.what();
        }
        if (broken) {
            // Wrong books are worse than stopped ones: nothing more is booked for this chain until
            // somebody has looked and started the program again.
            log_critical("chain", "stopped: " + *broken, {{"chain", settings_.id}});
            ports_.metrics.set("sycee_chain_stopped", 1, {{"chain", label(settings_.id)}});
            try {
                co_await ports_.ledger.record_stop(settings_.id, *broken);
            } catch (Unavailable const& unavailable) {
                log_error("chain", "the stop could not be recorded", {{"why", unavailable.what()}});
            }
            for (;;)
                co_await ports_.clock.sleep_for(kStoppedPoll);
        }
        if (fault) {
            log_warning("chain", "step failed, will retry",
                        {{"chain", settings_.id}, {"why", *fault}});
            ports_.metrics.count("sycee_chain_faults_total", {{"chain", label(settings_.id)}});
            headers_.reset();  // the outcome of a commit may be unknown: load the truth again
            co_await ports_.clock.sleep_for(backoff.next());
        } else if (!more) {
            co_await ports_.chain.wait_for_head(std::max<std::chrono::milliseconds>(
                200ms, std::min<std::chrono::milliseconds>(settings_.block_time, 5s)));
        }
    }
}

Task<void> ChainFollower::load() {
    auto stored = co_await ports_.ledger.load_chain(settings_.id);
    if (!stored) {
        // Every payment is created after this moment, so nothing older can be for us.
        auto const tips = co_await ports_.chain.tips();
        co_await ports_.ledger.begin_chain(settings_.id, tips.finalized, ports_.clock.now());
        stored = FollowedChain{{tips.finalized}, tips.finalized.number};
        log_info("chain", "begins to follow",
                 {{"chain", settings_.id}, {"block", tips.finalized.number}});
    }
    auto states = co_await ports_.ledger.load_open(settings_.id);
    open_.clear();
    for (auto& state : states) {
        PaymentKey const key{state.payment.merchant_id, state.payment.id};
        open_.emplace(key, std::move(state));
    }
    headers_.emplace(std::move(stored->headers), stored->finalized);
    ports_.times.set(settings_.id, headers_->head().time);
}

Task<bool> ChainFollower::step() {
    if (!headers_) co_await load();
    auto const tips = co_await ports_.chain.tips();
    auto const plan = plan_next(*headers_, tips.head, kMostBlocks);
    ports_.metrics.set("sycee_chain_node_head_block", static_cast<double>(tips.head.number),
                       {{"chain", label(settings_.id)}});

    Batch batch;
    batch.head = headers_->head();
    bool more = false;
    if (plan.action == FollowAction::find_ancestor) {
        co_await find_ancestor(plan.first, batch);
        more = co_await read_blocks(batch, tips.head, *batch.rolled_back_to);
    } else if (plan.action == FollowAction::extend) {
        more = co_await read_blocks(batch, tips.head, headers_->head().number);
        if (batch.branches_off) {
            // More than one block passed since we looked, and the new ones do not build on ours.
            co_await find_ancestor(headers_->head().number, batch);
            more = co_await read_blocks(batch, tips.head, *batch.rolled_back_to);
        }
    }

    // Final only if it is the block that we processed: a node may serve another branch's tag.
    batch.finalized = headers_->finalized();
    BlockNumber const candidate = std::min(tips.finalized.number, batch.head.number);
    if (candidate > batch.finalized && candidate == tips.finalized.number) {
        bool const among_added =
            std::any_of(batch.added.begin(), batch.added.end(), [&](BlockHeader const& header) {
                return header.number == candidate && header.hash == tips.finalized.hash;
            });
        bool const rolled_back = batch.rolled_back_to && candidate > *batch.rolled_back_to;
        BlockHeader const* kept = rolled_back ? nullptr : headers_->at(candidate);
        if (among_added || (kept != nullptr && kept->hash == tips.finalized.hash)) {
            batch.finalized = candidate;
        }
    }

    bool const nothing =
        batch.added.empty() && !batch.rolled_back_to && batch.finalized == headers_->finalized();
    if (!nothing) co_await commit(std::move(batch));
    co_return more && !nothing;
}

// Walks back by number to the last block that the node and we agree on.
Task<void> ChainFollower::find_ancestor(BlockNumber first, Batch& batch) {
    for (BlockNumber number = first;; --number) {
        ensure(number >= headers_->finalized(),
               "chain agreement: the node's branch has no block in common with ours down to the "
               "finalized block " +
                   std::to_string(headers_->finalized()));
        ensure(first - number <= kDeepestReorg, "chain agreement: a reorg is deeper than " +
                                                    std::to_string(kDeepestReorg) + " blocks");
        auto const theirs = co_await ports_.chain.header(number);
        if (!theirs) throw Unavailable("the node lost block " + std::to_string(number));
        BlockHeader const* ours = headers_->at(number);
        if (ours != nullptr && ours->hash == theirs->hash) {
            batch.rolled_back_to = number;
            batch.head = *ours;
            co_return;
        }
    }
}

// Reads blocks on top of `base`; true where the node has more of them.
Task<bool> ChainFollower::read_blocks(Batch& batch, BlockHeader node_head, BlockNumber base) {
    BlockNumber const last = std::min(node_head.number, base + kMostBlocks);
    if (last <= base) co_return false;
    auto const blocks = co_await ports_.chain.blocks(base + 1, last);
    for (BlockWithLogs const& block : blocks) {
        bool const links = block.header.number == batch.head.number + 1 &&
                           block.header.parent_hash == batch.head.hash;
        if (!links) {
            batch.branches_off = batch.added.empty() && !batch.rolled_back_to;
            co_return true;  // or the branch changed while we read: the next step sees how
        }
        match(batch, block);
        batch.added.push_back(block.header);
        batch.head = block.header;
    }
    co_return batch.head.number < node_head.number;
}

void ChainFollower::match(Batch& batch, BlockWithLogs const& block) const {
    auto const decoded = decode_transfers(settings_.id, block.header, tokens_, block.logs);
    if (!decoded)
        throw Unavailable("the node's logs can't be right: " + to_string(decoded.error()));
    batch.malformed += decoded->malformed;
    for (Transfer const& transfer : decoded->transfers) {
        if (auto const* payment = ports_.addresses.find(transfer.recipient)) {
            batch.matched[payment->first].push_back({payment->second, transfer, true});
        }
        if (auto const* payment = ports_.addresses.find(transfer.sender)) {
            batch.matched[payment->first].push_back({payment->second, transfer, false});
        }
    }
}

ChainStep ChainFollower::step_of(Batch const& batch) const {
    return {.chain_id = settings_.id,
            .rolled_back_to = batch.rolled_back_to,
            .head = batch.head.number,
            .head_time = batch.head.time,
            .finalized = batch.finalized,
            .confirmations = settings_.confirmations};
}

std::vector<PaymentKey> ChainFollower::touched_by(Batch const& batch, ChainStep const& step) const {
    std::set<PaymentKey> touched;
    for (auto const& [merchant_id, transfers] : batch.matched) {
        for (auto const& matched : transfers)
            touched.insert({merchant_id, matched.payment_id});
    }
    for (auto const& [key, state] : open_) {
        if (is_due(state, step)) touched.insert(key);
    }
    return {touched.begin(), touched.end()};
}

Task<void> ChainFollower::commit(Batch batch) {
    Timestamp const now = ports_.clock.now();
    ChainStep const step = step_of(batch);
    auto touched = touched_by(batch, step);
    std::vector<MerchantView> views;
    if (!touched.empty()) {
        views = co_await ports_.ledger.load_views(settings_.id, std::move(touched));
    }

    ChainCommit commit{
        .chain_id = settings_.id,
        .expected_head = headers_->head(),
        .rolled_back_to = batch.rolled_back_to,
        .reorg_depth = batch.rolled_back_to ? headers_->head().number - *batch.rolled_back_to : 0,
        .added = batch.added,
        .finalized = batch.finalized,
        .entries = {},
        .heads = {},
        .events = {},
        .now = now};
    std::vector<PaymentState> states;
    for (MerchantView& view : views) {
        MerchantId const merchant_id = view.merchant_id;
        // An announced payment whose commit failed is in the address book but not in the books.
        auto transfers = batch.matched[merchant_id];
        std::erase_if(transfers, [&view](MatchedTransfer const& matched) {
            return std::none_of(
                view.payments.begin(), view.payments.end(),
                [&](PaymentState const& state) { return state.payment.id == matched.payment_id; });
        });
        MerchantStep result = advance_merchant(std::move(view), transfers, step, now);
        if (result.head != result.first_head) {
            commit.heads.push_back({merchant_id, result.first_head, result.head});
        }
        std::move(result.entries.begin(), result.entries.end(), std::back_inserter(commit.entries));
        for (PaymentEvent const& event : result.events) {
            commit.events.push_back({.id = new_id<EventTag>(now),
                                     .merchant_id = merchant_id,
                                     .payment_id = event.state.payment.id,
                                     .type = event.type,
                                     .payload = event_payload(event, settings_.id, network_, now),
                                     .created_at = now});
        }
        std::move(result.payments.begin(), result.payments.end(), std::back_inserter(states));
    }
    number_events(commit.events);
    bool const has_events = !commit.events.empty();
    std::uint64_t const reorg_depth = commit.reorg_depth;
    auto const booked = commit.entries.size();
    co_await ports_.ledger.commit(std::move(commit));

    if (batch.rolled_back_to) {
        headers_->roll_back_to(*batch.rolled_back_to);
        log_warning("chain", "reorg", {{"chain", settings_.id}, {"depth", reorg_depth}});
        ports_.metrics.count("sycee_chain_reorgs_total", {{"chain", label(settings_.id)}});
    }
    for (BlockHeader const& header : batch.added)
        headers_->append(header);
    headers_->finalize(batch.finalized);
    ports_.times.set(settings_.id, headers_->head().time);
    auto const chain_label = label(settings_.id);
    ports_.metrics.set("sycee_chain_head_block", static_cast<double>(step.head),
                       {{"chain", chain_label}});
    ports_.metrics.count("sycee_ledger_records_total", {{"chain", chain_label}},
                         static_cast<double>(booked));
    ports_.metrics.count("sycee_chain_malformed_logs_total", {{"chain", chain_label}},
                         batch.malformed);
    remember(std::move(states), step);
    if (has_events) ports_.outbox.notify();
}

void ChainFollower::remember(std::vector<PaymentState> states, ChainStep const& step) {
    for (PaymentState& state : states) {
        ports_.feed.publish(state.payment.id);
        PaymentKey const key{state.payment.merchant_id, state.payment.id};
        if (has_open_work(state, step)) {
            open_.insert_or_assign(key, std::move(state));
        } else {
            open_.erase(key);
        }
    }
    std::erase_if(open_, [&step](auto const& entry) { return !has_open_work(entry.second, step); });
}

}  // namespace sycee
