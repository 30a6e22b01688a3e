#include <sycee/app/chain_follower.hpp>
#include <sycee/app/payment_events.hpp>
#include <sycee/base/assert.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>

#include <algorithm>
#include <set>

namespace sycee {
namespace {

using namespace std::chrono_literals;

constexpr BlockNumber kMostBlocks = 64;     // of one step, and so of one transaction
constexpr BlockNumber kDeepestReorg = 512;  // walked back in one step before giving up
constexpr std::size_t kFewDue = 32;         // payments: done beside what has just arrived
constexpr auto kStoppedPoll = 60s;
constexpr auto kLeaseTime = 10s;
constexpr auto kStandBy = 2s;

std::string label(ChainId id) {
    return std::to_string(id);
}

}  // namespace

// What one step has read so far: `headers` is our chain as it will be after it.
struct ChainFollower::Batch {
    explicit Batch(HeaderChain const& ours) : headers(ours) {}

    BlockNumber finalized() const { return headers.finalized(); }

    HeaderChain headers;
    std::optional<BlockNumber> rolled_back_to;
    std::vector<ProcessedBlock> added;
    std::vector<Transfer> transfers;
    std::map<MerchantId, std::vector<MatchedTransfer>> matched;
    BlockNumber agreed = 0;
    std::uint32_t malformed = 0;
    bool more_is_final = false;  // than this step confirms
    bool branches_off = false;   // the first block read does not build on ours
};

ChainFollower::ChainFollower(ChainSettings const& settings, Network const& network,
                             std::string holder, ChainFollowerPorts ports)
    : settings_(settings), network_(network), holder_(std::move(holder)), ports_(ports) {
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
            try {
                if (!co_await is_current()) fault = "another process went on meanwhile: " + *broken;
            } catch (Unavailable const& unavailable) {
                fault = unavailable.what();
            }
        }
        if (broken && !fault) {
            co_await stop(*broken);
            for (;;)
                co_await ports_.clock.sleep_for(kStoppedPoll);
        }
        if (fault) {
            log_warning("chain", "step failed, will retry",
                        {{"chain", settings_.id}, {"why", *fault}});
            ports_.metrics.count("sycee_chain_faults_total", {{"chain", label(settings_.id)}});
            forget();
            co_await ports_.clock.sleep_for(backoff.next());
        } else if (!leads()) {
            co_await ports_.clock.sleep_for(kStandBy);
        } else if (!more) {
            co_await ports_.chain.wait_for_head(
                std::clamp<std::chrono::milliseconds>(settings_.block_time, 200ms, 5s));
        }
    }
}

// False where the books are not where we think: what looks broken may then be what another process
// has written since. The same head does not say that nobody has: it may have been undone and read
// anew.
Task<bool> ChainFollower::is_current() {
    if (!headers_ || !lease_) co_return true;
    auto const now = co_await ports_.ledger.acquire_lease(settings_.id, holder_, kLeaseTime);
    if (!now || now->token != lease_->token) co_return false;
    auto const stored = co_await ports_.ledger.load_chain(settings_.id);
    co_return stored && !stored->blocks.empty() &&
        stored->blocks.back().header.hash == headers_->head().hash;
}

// Wrong books are worse than stopped ones: nothing more is booked for this chain until somebody has
// looked and started the program again.
Task<void> ChainFollower::stop(std::string reason) {
    log_critical("chain", "stopped: " + reason, {{"chain", settings_.id}});
    ports_.metrics.set("sycee_chain_stopped", 1, {{"chain", label(settings_.id)}});
    ports_.registry.lose(settings_.id);
    try {
        co_await ports_.ledger.record_stop(settings_.id, lease_.value_or(Lease{}), reason);
    } catch (Unavailable const& unavailable) {
        log_error("chain", "the stop could not be recorded", {{"why", unavailable.what()}});
    }
}

Task<void> ChainFollower::hand_over() {
    if (!lease_) co_return;
    Lease const lease = *lease_;
    forget();
    try {
        co_await ports_.ledger.release_lease(settings_.id, lease);
    } catch (Unavailable const& unavailable) {
        log_warning("chain", "the lease could not be given back", {{"why", unavailable.what()}});
    }
}

// The outcome of a commit may be unknown, the lease may be lost: the books know.
void ChainFollower::forget() {
    headers_.reset();
    lease_.reset();
    defers_finality_ = false;
    defers_due_ = false;
}

// Takes the lease, or renews it at half of its time. Whether it still holds is checked by every
// write; this only keeps two processes from doing the same work.
Task<bool> ChainFollower::hold_lease() {
    Timestamp const now = ports_.clock.now();
    if (lease_ && now + kLeaseTime / 2 < lease_ends_) co_return true;
    auto const lease = co_await ports_.ledger.acquire_lease(settings_.id, holder_, kLeaseTime);
    if (!lease || !lease_ || lease->token != lease_->token) {
        forget();
        ports_.metrics.set("sycee_chain_leader", lease ? 1 : 0, {{"chain", label(settings_.id)}});
    }
    if (!lease) co_return false;
    if (!lease_) {
        log_info("chain", "has the lease", {{"chain", settings_.id}, {"token", lease->token}});
    }
    lease_ = lease;
    lease_ends_ = now + lease->time_left;
    co_return true;
}

// Another process follows the chain: what it has written is all that we need to know.
Task<void> ChainFollower::stand_by() {
    auto progress = co_await ports_.ledger.load_progress(settings_.id);
    if (progress) {
        ports_.registry.set(settings_.id, std::move(*progress));
    } else {
        ports_.registry.lose(settings_.id);
    }
}

Task<void> ChainFollower::load() {
    FinalityRule configured = settings_.finality;
    rule_ =
        co_await ports_.ledger.use_rule(settings_.id, std::move(configured), ports_.clock.now());
    auto stored = co_await ports_.ledger.load_chain(settings_.id);
    if (!stored) {
        // Every payment is created after this moment, so nothing older can be for us.
        BlockHeader const first = co_await ports_.chain.first_block();
        auto const block = co_await ports_.chain.blocks(first.number, first.number);
        if (block.empty() || block[0].block.header.hash != first.hash) {
            throw Unavailable("the node lost its finalized block");
        }
        co_await ports_.ledger.begin_chain(settings_.id, *lease_, block[0].block,
                                           ports_.clock.now());
        stored = FollowedChain{{block[0].block}, first.number};
        log_info("chain", "begins to follow", {{"chain", settings_.id}, {"block", first.number}});
    }
    auto states = co_await ports_.ledger.load_open(settings_.id);
    open_.clear();
    journals_.clear();
    for (auto& state : states) {
        PaymentKey const key{state.payment.merchant_id, state.payment.id};
        open_.emplace(key, Remembered{std::move(state)});
    }
    headers_.emplace(std::move(stored->blocks), stored->finalized);
    agreed_ = headers_->finalized();
    ports_.registry.set(settings_.id,
                        {headers_->head().time, agreed_, headers_->finalized(), rule_});
}

Task<bool> ChainFollower::step() {
    bool const leads = co_await hold_lease();
    if (!leads) {
        co_await stand_by();
        co_return false;
    }
    if (!headers_) co_await load();
    Batch batch(*headers_);
    undo_misread(batch);
    auto const tips = co_await ports_.chain.tips();
    auto const plan = plan_next(batch.headers, tips.head, kMostBlocks);
    ports_.metrics.set("sycee_chain_node_head_block", static_cast<double>(tips.head.number),
                       {{"chain", label(settings_.id)}});

    bool more = false;
    if (plan.action == FollowAction::find_ancestor) {
        co_await find_ancestor(plan.first, batch);
        more = co_await read_blocks(batch, tips.head);
    } else if (plan.action == FollowAction::extend) {
        more = co_await read_blocks(batch, tips.head);
        if (batch.branches_off) {
            // More than one block passed since we looked, and the new ones do not build on ours.
            co_await find_ancestor(headers_->head().number, batch);
            more = co_await read_blocks(batch, tips.head);
        }
    }
    batch.agreed = std::max(batch.finalized(), ports_.chain.agreed_to(batch.headers));
    BlockNumber const final_to = std::min(ports_.chain.final_to(batch.headers, tips), batch.agreed);
    // What has just arrived does not wait for the second reading of what is final: that is the next
    // step's, unless there is always something new, or much to catch up with.
    defers_finality_ =
        final_to > batch.finalized() && !batch.added.empty() && !more && !defers_finality_;
    batch.more_is_final = defers_finality_;
    if (!defers_finality_) co_await find_finalized(final_to, batch);
    co_await match(batch);

    bool const nothing = batch.added.empty() && !batch.rolled_back_to && !defers_due_ &&
                         batch.finalized() == headers_->finalized() && batch.agreed == agreed_;
    // A block that was misread is taken away again, to be read once more at once.
    bool const behind =
        more || batch.more_is_final || batch.headers.head().number < tips.head.number;
    if (!nothing) co_await commit(std::move(batch));
    co_return (behind && !nothing) || defers_due_;
}

// Blocks that the nodes read otherwise than we did are undone and read anew, as a reorg is.
void ChainFollower::undo_misread(Batch& batch) {
    auto const misread = ports_.chain.misread(batch.headers);
    if (!misread) return;
    log_critical("chain", "the nodes read a block otherwise: it is undone and read again",
                 {{"chain", settings_.id}, {"block", *misread}});
    batch.rolled_back_to = *misread - 1;
    batch.headers.roll_back_to(*misread - 1);
}

// Walks back by number to the last block that the node and we agree on.
Task<void> ChainFollower::find_ancestor(BlockNumber first, Batch& batch) {
    for (BlockNumber number = first;; --number) {
        if (number < headers_->finalized()) {
            BlockNumber const finalized = headers_->finalized();
            bool const contradicted =
                co_await ports_.chain.is_contradicted(headers_->at(finalized)->header);
            ensure(
                !contradicted,
                "chain agreement: the nodes' branch has no block in common with ours down to the "
                "finalized block " +
                    std::to_string(finalized));
            throw Unavailable("a node is on a branch below the finalized block, not final there");
        }
        ensure(first - number <= kDeepestReorg, "chain agreement: a reorg is deeper than " +
                                                    std::to_string(kDeepestReorg) + " blocks");
        auto const theirs = co_await ports_.chain.header(number);
        if (!theirs) throw Unavailable("the node lost block " + std::to_string(number));
        ProcessedBlock const* ours = batch.headers.at(number);
        if (ours != nullptr && ours->header.hash == theirs->hash) {
            batch.rolled_back_to = number;
            batch.headers.roll_back_to(number);
            co_return;
        }
    }
}

// Reads the blocks that follow; true where the node has more of them.
Task<bool> ChainFollower::read_blocks(Batch& batch, BlockHeader node_head) {
    BlockNumber const base = batch.headers.head().number;
    BlockNumber const last = std::min(node_head.number, base + kMostBlocks);
    if (last <= base) co_return false;
    auto const blocks = co_await ports_.chain.blocks(base + 1, last);
    for (CompleteBlock const& read : blocks) {
        BlockHeader const& header = read.block.header;
        BlockHeader const& head = batch.headers.head();
        if (header.number != head.number + 1 || header.parent_hash != head.hash) {
            batch.branches_off = batch.added.empty() && !batch.rolled_back_to;
            co_return true;  // or the branch changed while we read: the next step sees how
        }
        auto decoded = decode_transfers(settings_.id, header, tokens_, read.logs);
        batch.malformed += decoded.malformed;
        std::move(decoded.transfers.begin(), decoded.transfers.end(),
                  std::back_inserter(batch.transfers));
        batch.added.push_back(read.block);
        batch.headers.append(read.block);
    }
    co_return batch.headers.head().number < node_head.number;
}

// The addresses are brought up to date after the blocks were read: whoever paid in them learned the
// address from a payment that had been committed before.
Task<void> ChainFollower::match(Batch& batch) {
    if (batch.transfers.empty()) co_return;
    co_await ports_.addresses.refresh(ports_.ledger, ports_.clock.now());
    std::set<Address> candidates;
    for (Transfer const& transfer : batch.transfers) {
        for (Address const& party : {transfer.sender, transfer.recipient}) {
            if (ports_.addresses.may_contain(party)) candidates.insert(party);
        }
    }
    auto const watched = co_await find_watched(ports_.ledger, std::move(candidates));
    for (Transfer const& transfer : batch.transfers) {
        if (auto const payment = watched.find(transfer.recipient); payment != watched.end()) {
            auto const& [merchant_id, payment_id] = payment->second;
            batch.matched[merchant_id].push_back({payment_id, transfer, true});
        }
        if (auto const payment = watched.find(transfer.sender); payment != watched.end()) {
            auto const& [merchant_id, payment_id] = payment->second;
            batch.matched[merchant_id].push_back({payment_id, transfer, false});
        }
    }
}

// Final is what the nodes call final, is the block that we processed, is agreed by the quorum, and
// reads the same once more.
Task<void> ChainFollower::find_finalized(BlockNumber candidate, Batch& batch) {
    if (candidate <= batch.finalized()) co_return;
    batch.more_is_final = candidate > batch.finalized() + kMostBlocks;
    candidate = std::min(candidate, batch.finalized() + kMostBlocks);
    batch.headers.finalize(co_await confirm_final(candidate, batch));
}

// Reads the blocks up to `candidate` once more. Returns how far the logs are those that were
// booked.
Task<BlockNumber> ChainFollower::confirm_final(BlockNumber candidate, Batch& batch) {
    std::vector<ProcessedBlock> blocks;
    for (BlockNumber number = batch.finalized() + 1; number <= candidate; ++number)
        blocks.push_back(*batch.headers.at(number));
    auto const digests = co_await ports_.chain.digests_again(blocks);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        if (i < digests.size() && digests[i] == blocks[i].logs_digest) continue;
        BlockNumber const number = blocks[i].header.number;
        if (i < digests.size()) {
            log_critical("chain", "a block reads differently at finality: nothing settles above",
                         {{"chain", settings_.id}, {"block", number}});
            ports_.metrics.count("sycee_chain_rescan_differences_total",
                                 {{"chain", label(settings_.id)}});
            bool const misread = co_await was_misread(blocks[i], digests[i]);
            if (misread && !batch.rolled_back_to && number <= headers_->head().number) {
                // Undone and read anew, as a reorg is: the block is booked as it really is.
                batch.headers.roll_back_to(number - 1);
                batch.rolled_back_to = number - 1;
                batch.added.clear();
                batch.transfers.clear();
                batch.agreed = std::min(batch.agreed, number - 1);
            }
        }
        co_return number - 1;
    }
    co_return candidate;
}

// True where the block, read by the first method, now says what the second reading said: then it is
// what we booked that was wrong.
Task<bool> ChainFollower::was_misread(ProcessedBlock const& block, Bytes32 const& read_again) {
    BlockNumber const number = block.header.number;
    auto const now = co_await ports_.chain.blocks(number, number);
    co_return !now.empty() && now[0].block.header.hash == block.header.hash &&
        now[0].block.logs_digest == read_again;
}

ChainStep ChainFollower::step_of(Batch const& batch) const {
    ChainStep step{.chain_id = settings_.id,
                   .rolled_back_to = batch.rolled_back_to,
                   .head = batch.headers.head().number,
                   .tokens = network_.token_units(),
                   .chains = ports_.registry.all()};
    step.chains[settings_.id] =
        ChainProgress{batch.headers.head().time, batch.agreed, batch.finalized(), rule_};
    return step;
}

// Who has just paid does not wait for the work on those who paid before: where that is much, it is
// the next step's. What a reorg takes away is always this step's.
ChainFollower::Worklist ChainFollower::work_of(Batch const& batch, ChainStep const& step) {
    std::set<PaymentKey> touched;
    for (auto const& [merchant_id, transfers] : batch.matched) {
        for (auto const& matched : transfers)
            touched.insert({merchant_id, matched.payment_id});
    }
    std::vector<PaymentKey> due;
    std::vector<PaymentKey> waiting;
    for (auto const& [key, open] : open_) {
        if (touched.contains(key)) continue;
        auto const attention = attention_for(open.state, step);
        if (attention == Attention::due) due.push_back(key);
        if (attention == Attention::waits) waiting.push_back(key);
    }
    defers_due_ = !touched.empty() && due.size() > kFewDue && !batch.rolled_back_to && !defers_due_;
    if (!defers_due_) touched.insert(due.begin(), due.end());
    return {{touched.begin(), touched.end()}, std::move(waiting)};
}

Task<void> ChainFollower::commit(Batch batch) {
    Timestamp const now = ports_.clock.now();
    ChainStep step = step_of(batch);
    auto work = work_of(batch, step);
    std::vector<MerchantView> views;
    if (!work.touched.empty() || !work.waiting.empty()) {
        views = co_await look_at(std::move(work));
        co_await look_at_other_chains(views, step);
    }

    ChainCommit commit{
        .chain_id = settings_.id,
        .lease_token = lease_->token,
        .expected_head = headers_->head(),
        .rolled_back_to = batch.rolled_back_to,
        .reorg_depth = batch.rolled_back_to ? headers_->head().number - *batch.rolled_back_to : 0,
        .added = batch.added,
        .agreed = batch.agreed,
        .finalized = batch.finalized(),
        .now = now};
    std::vector<PaymentState> states;
    for (MerchantView& view : views) {
        MerchantId const merchant_id = view.merchant_id;
        if (may_be_paid_elsewhere()) {
            for (PaymentState const& state : view.payments) {
                commit.foreign.emplace_back(PaymentKey{merchant_id, state.payment.id},
                                            foreign_fingerprint(state, settings_.id));
            }
            commit.other_journals.emplace(merchant_id, view.other_journals);
        }
        for (PaymentState const& state : view.payments) {
            // A remembered state has the version that it was read with.
            bool const is_remembered = open_.contains({merchant_id, state.payment.id});
            if (state.version == 0 && !is_remembered) commit.first_booked.push_back(state.payment);
        }
        MerchantStep result =
            advance_merchant(std::move(view), batch.matched[merchant_id], step, now);
        if (result.head != result.first_head) {
            commit.heads.push_back({merchant_id, result.first_head, result.head});
        }
        std::move(result.entries.begin(), result.entries.end(), std::back_inserter(commit.entries));
        add_events(commit.events, merchant_id, result.events, settings_.id, now);
        std::move(result.payments.begin(), result.payments.end(), std::back_inserter(states));
    }
    give_ids(commit.events, now);
    commit.oldest_open = oldest_open(states, step);
    std::vector<HeadMove> const moved = commit.heads;
    bool const has_events = !commit.events.empty();
    auto const booked = commit.entries.size();
    co_await ports_.ledger.commit(std::move(commit));

    if (batch.rolled_back_to) {
        log_warning(
            "chain", "reorg",
            {{"chain", settings_.id}, {"depth", headers_->head().number - *batch.rolled_back_to}});
        ports_.metrics.count("sycee_chain_reorgs_total", {{"chain", label(settings_.id)}});
    }
    headers_ = batch.headers;
    agreed_ = batch.agreed;
    for (HeadMove const& move : moved)
        journals_.at(move.merchant_id).here = move.to;
    ports_.registry.set(settings_.id, step.progress());
    publish(batch, step, booked);
    remember(std::move(states), step);
    if (has_events) ports_.outbox.notify();
}

// The merchants of the touched payments, with what is remembered of the payments where it still
// holds, and what the books say where it does not. Of those that wait, only where it does not.
Task<std::vector<MerchantView>> ChainFollower::look_at(Worklist work) {
    auto& touched = work.touched;
    std::vector<PaymentKey> remembered;
    std::vector<PaymentKey> unknown;
    std::set<MerchantId> merchants;
    for (PaymentKey const& key : touched) {
        auto const open = open_.find(key);
        auto const journals = journals_.find(key.first);
        bool const known = open != open_.end() && journals != journals_.end() &&
                           open->second.reading == journals->second.reading;
        (known ? remembered : unknown).push_back(key);
        if (known) merchants.insert(key.first);
    }
    for (PaymentKey const& key : work.waiting)
        merchants.insert(key.first);
    auto views = co_await ports_.ledger.load_views(settings_.id, std::move(unknown),
                                                   {merchants.begin(), merchants.end()});
    auto outdated = add_remembered(views, remembered);
    for (PaymentKey const& key : woken(work.waiting, views)) {
        touched.push_back(key);
        outdated.push_back(key);
    }
    if (!outdated.empty()) {
        std::set<MerchantId> again;
        for (auto const& [merchant_id, payment_id] : outdated)
            again.insert(merchant_id);
        std::vector<PaymentKey> keys;
        std::copy_if(touched.begin(), touched.end(), std::back_inserter(keys),
                     [&again](PaymentKey const& key) { return again.contains(key.first); });
        std::erase_if(
            views, [&again](MerchantView const& view) { return again.contains(view.merchant_id); });
        auto read = co_await ports_.ledger.load_views(settings_.id, std::move(keys), {});
        std::move(read.begin(), read.end(), std::back_inserter(views));
    }
    std::erase_if(views, [](MerchantView const& view) { return view.payments.empty(); });
    for (MerchantView& view : views) {
        note_journals(view);
        std::sort(view.payments.begin(), view.payments.end(),
                  [](PaymentState const& a, PaymentState const& b) {
                      return a.payment.id < b.payment.id;
                  });
    }
    co_return views;
}

// Returns those that do not hold any more: another chain or the desk has moved a journal.
std::vector<PaymentKey> ChainFollower::add_remembered(std::vector<MerchantView>& views,
                                                      std::vector<PaymentKey> const& remembered) {
    std::map<MerchantId, MerchantView*> by_merchant;
    for (MerchantView& view : views)
        by_merchant.emplace(view.merchant_id, &view);
    std::vector<PaymentKey> outdated;
    for (PaymentKey const& key : remembered) {
        auto const view = by_merchant.find(key.first);
        if (view != by_merchant.end() && still_holds(*view->second)) {
            view->second->payments.push_back(open_.at(key).state);
        } else {
            outdated.push_back(key);
        }
    }
    return outdated;
}

// Those of the waiting payments to read again, since a journal has moved after the reading that
// they are remembered from: so many that they hold nobody up, and those of the oldest reading
// first.
std::vector<PaymentKey> ChainFollower::woken(std::vector<PaymentKey> const& waiting,
                                             std::vector<MerchantView> const& views) const {
    std::set<MerchantId> unmoved;
    for (MerchantView const& view : views) {
        if (still_holds(view)) unmoved.insert(view.merchant_id);
    }
    std::vector<std::pair<std::uint64_t, PaymentKey>> by_reading;
    for (PaymentKey const& key : waiting) {
        auto const reading = open_.at(key).reading;
        if (unmoved.contains(key.first) && reading == journals_.at(key.first).reading) continue;
        by_reading.emplace_back(reading, key);
    }
    std::sort(by_reading.begin(), by_reading.end());
    if (by_reading.size() > kFewDue) by_reading.resize(kFewDue);
    std::vector<PaymentKey> keys;
    for (auto const& [reading, key] : by_reading)
        keys.push_back(key);
    return keys;
}

// Whether no journal of the merchant has moved but by us since we last looked.
bool ChainFollower::still_holds(MerchantView const& view) const {
    auto const journals = journals_.find(view.merchant_id);
    return journals != journals_.end() && view.head == journals->second.here &&
           view.other_journals == journals->second.elsewhere;
}

void ChainFollower::note_journals(MerchantView const& view) {
    if (!still_holds(view))
        journals_[view.merchant_id] = {view.head, view.other_journals, ++readings_};
}

// How far the other chains are must not be older than what is known of their transfers: a transfer
// that a reorg has moved would seem to have the confirmations of its former block.
Task<void> ChainFollower::look_at_other_chains(std::vector<MerchantView> const& views,
                                               ChainStep& step) {
    std::set<ChainId> others;
    for (MerchantView const& view : views) {
        for (PaymentState const& state : view.payments) {
            for (Credit const& credit : state.credits)
                others.insert(credit.transfer.key.chain_id);
        }
    }
    others.erase(settings_.id);
    for (ChainId const other : others) {
        if (step.chains.contains(other)) {
            step.chains[other] = co_await ports_.ledger.load_progress(other);
        }
    }
}

// On any configured chain, offered or not: what arrives there raises what is at stake.
bool ChainFollower::may_be_paid_elsewhere() const {
    return network_.chains.size() > 1;
}

// The lowest block in which a payment still has something to do; where there is none, the one above
// the finalized block.
BlockNumber ChainFollower::oldest_open(std::vector<PaymentState> const& states,
                                       ChainStep const& step) const {
    BlockNumber oldest = step.progress().finalized + 1;
    auto const consider = [&](PaymentState const& state) {
        if (!has_open_work(state, step)) return;
        for (Credit const& credit : state.credits) {
            if (credit.transfer.key.chain_id == settings_.id)
                oldest = std::min(oldest, credit.transfer.block_number);
        }
        for (Outflow const& outflow : state.outflows) {
            if (outflow.transfer.key.chain_id == settings_.id)
                oldest = std::min(oldest, outflow.transfer.block_number);
        }
    };
    for (auto const& [key, open] : open_)
        consider(open.state);
    for (PaymentState const& state : states)
        consider(state);
    return oldest;
}

void ChainFollower::publish(Batch const& batch, ChainStep const& step, std::size_t booked) {
    auto const chain_label = label(settings_.id);
    ports_.metrics.set("sycee_chain_head_block", static_cast<double>(step.head),
                       {{"chain", chain_label}});
    ports_.metrics.set("sycee_chain_agreed_block", static_cast<double>(batch.agreed),
                       {{"chain", chain_label}});
    ports_.metrics.set("sycee_chain_finalized_block", static_cast<double>(batch.finalized()),
                       {{"chain", chain_label}});
    ports_.metrics.count("sycee_ledger_records_total", {{"chain", chain_label}},
                         static_cast<double>(booked));
    ports_.metrics.count("sycee_chain_malformed_logs_total", {{"chain", chain_label}},
                         batch.malformed);
}

void ChainFollower::remember(std::vector<PaymentState> states, ChainStep const& step) {
    for (PaymentState& state : states) {
        ports_.feed.publish(state.payment.id);
        PaymentKey const key{state.payment.merchant_id, state.payment.id};
        if (has_open_work(state, step)) {
            open_.insert_or_assign(key,
                                   Remembered{std::move(state), journals_.at(key.first).reading});
        } else {
            open_.erase(key);
        }
    }
    std::erase_if(open_,
                  [&step](auto const& entry) { return !has_open_work(entry.second.state, step); });
    std::erase_if(journals_, [this](auto const& entry) {
        auto const open = open_.lower_bound({entry.first, PaymentId{}});
        return open == open_.end() || open->first.first != entry.first;
    });
}

}  // namespace sycee
