#include <sycee/app/chain_repair.hpp>
#include <sycee/app/payment_events.hpp>
#include <sycee/runtime/errors.hpp>

#include <algorithm>
#include <iterator>

namespace sycee {
namespace {

using namespace std::chrono_literals;

constexpr auto kLeaseTime = 60s;
constexpr char const* kHolder = "chain repair";

bool undoes_settlement(JournalEntry const& entry) {
    auto const* reversal = std::get_if<Reversal>(&entry.record);
    return reversal != nullptr && reversal->reversed_kind == RecordKind::settlement;
}

}  // namespace

struct ChainRepair::Draft {
    RepairPlan plan;
    ChainCommit commit;
};

Task<Result<ChainRepair::Draft>> ChainRepair::draft() {
    auto const stored = co_await ledger_.load_chain(settings_.id);
    if (!stored) co_return refuse("chain", "has never been followed");
    auto const kept = co_await kept_.load_kept_blocks(settings_.id);
    Draft draft;
    draft.plan.head = stored->blocks.back().header.number;
    draft.plan.finalized = stored->finalized;

    auto shared = kept.rend();
    for (auto block = kept.rbegin(); block != kept.rend() && shared == kept.rend(); ++block) {
        auto const theirs = co_await chain_.header(block->header.number);
        if (theirs && theirs->hash == block->header.hash) shared = block;
    }
    if (shared == kept.rend()) {
        co_return refuse("chain", "has none of the " + std::to_string(kept.size()) +
                                      " blocks that are kept: is this the node of that chain?");
    }
    BlockHeader const ancestor = shared->header;
    if (ancestor.number >= stored->finalized) {
        co_return refuse("chain", "still has our finalized block " +
                                      std::to_string(stored->finalized) +
                                      ": there is nothing to repair, the service follows it");
    }
    draft.plan.ancestor = ancestor.number;

    Timestamp const now = clock_.now();
    FinalityRule configured = settings_.finality;
    auto const rule = co_await ledger_.use_rule(settings_.id, std::move(configured), now);
    ChainStep step{.chain_id = settings_.id,
                   .rolled_back_to = ancestor.number,
                   .head = ancestor.number,
                   .tokens = network_.token_units(),
                   .repairs = true};
    for (auto const& other : network_.chains)
        step.chains[other.id] = co_await ledger_.load_progress(other.id);
    step.chains[settings_.id] =
        ChainProgress{ancestor.time, ancestor.number, ancestor.number, rule};

    draft.commit = {.chain_id = settings_.id,
                    .expected_head = stored->blocks.back().header,
                    .rolled_back_to = ancestor.number,
                    .reorg_depth = draft.plan.head - ancestor.number,
                    .agreed = ancestor.number,
                    .finalized = ancestor.number,
                    .oldest_open = 0,
                    .now = now};
    auto keys = co_await kept_.payments_above(settings_.id, ancestor.number);
    std::vector<MerchantView> views;
    if (!keys.empty()) views = co_await ledger_.load_views(settings_.id, std::move(keys), {});
    for (MerchantView& view : views) {
        MerchantId const merchant_id = view.merchant_id;
        for (PaymentState const& state : view.payments) {
            draft.plan.payments.push_back(state);
            draft.commit.foreign.emplace_back(PaymentKey{merchant_id, state.payment.id},
                                              foreign_fingerprint(state, settings_.id));
        }
        MerchantStep result = advance_merchant(std::move(view), {}, step, now);
        if (result.head != result.first_head) {
            draft.commit.heads.push_back({merchant_id, result.first_head, result.head});
        }
        add_events(draft.commit.events, merchant_id, result.events, settings_.id, now);
        std::move(result.entries.begin(), result.entries.end(),
                  std::back_inserter(draft.commit.entries));
    }
    give_ids(draft.commit.events, now);
    draft.plan.reversals = draft.commit.entries.size();
    draft.plan.settlements = static_cast<std::size_t>(
        std::count_if(draft.commit.entries.begin(), draft.commit.entries.end(), undoes_settlement));
    co_return draft;
}

Task<Result<RepairPlan>> ChainRepair::plan() {
    auto draft = co_await this->draft();
    if (!draft) co_return std::unexpected(draft.error());
    co_return std::move(draft->plan);
}

Task<Result<void>> ChainRepair::carry_out(RepairPlan plan, std::string ordered_by,
                                          std::string approved_by, std::string reason) {
    if (ordered_by == approved_by) co_return refuse("operator", "two different ones are needed");
    if (reason.empty()) co_return refuse("reason", "is missing");
    auto const lease = co_await ledger_.acquire_lease(settings_.id, kHolder, kLeaseTime);
    if (!lease) {
        co_return refuse("chain", "is being followed by a process: it is not stopped");
    }
    std::string fault;
    Result<void> done;
    try {
        auto draft = co_await this->draft();
        if (!draft) {
            done = std::unexpected(draft.error());
        } else if (draft->plan.ancestor != plan.ancestor ||
                   draft->plan.reversals != plan.reversals) {
            done = refuse("chain", "has changed since the plan was made: read the new one");
        } else {
            draft->commit.lease_token = lease->token;
            draft->commit.repair = RepairNote{.from_head = plan.head,
                                              .from_finalized = plan.finalized,
                                              .ordered_by = std::move(ordered_by),
                                              .approved_by = std::move(approved_by),
                                              .reason = std::move(reason)};
            co_await ledger_.commit(std::move(draft->commit));
        }
    } catch (Unavailable const& unavailable) {
        fault = unavailable.what();
    }
    co_await ledger_.release_lease(settings_.id, *lease);
    if (!fault.empty()) throw Unavailable(fault);
    co_return done;
}

}  // namespace sycee
