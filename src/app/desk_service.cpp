#include <sycee/app/desk_service.hpp>
#include <sycee/app/payment_events.hpp>
#include <sycee/crypto/hash.hpp>
#include <sycee/runtime/random.hpp>

#include "reason.hpp"

#include <algorithm>

namespace sycee {
namespace {

constexpr char const* kAnotherOperator = "needs another operator than the one who made it";

std::optional<ExceptionItem> item_of(MerchantView const& view, PaymentId payment_id,
                                     ChainId chain_id, std::uint64_t sequence) {
    auto const of = std::ranges::find(view.payments, payment_id,
                                      [](PaymentState const& state) { return state.payment.id; });
    if (of == view.payments.end()) return std::nullopt;
    return find_exception(*of, chain_id, sequence);
}

}  // namespace

Task<DeskPage> DeskService::list(DeskFilter filter, std::optional<DeskKey> after,
                                 std::size_t limit) {
    co_return co_await desk_.list(filter, after, limit);
}

Task<std::optional<DeskException>> DeskService::find(DeskKey key) {
    co_return co_await desk_.find(key);
}

Task<std::vector<ResolutionRequest>> DeskService::requests() {
    co_return co_await desk_.requests();
}

bool DeskService::needs_second_operator(ExceptionItem const& exception, Amount amount) const {
    if (!settings_.second_operator_above) return false;
    auto const& key = exception.transfer.key;
    auto const* token = network_.token(key.chain_id, key.token);
    // A token that is no longer configured has no known value.
    if (token == nullptr) return true;
    return value_of(exception.resolved + amount, token->decimals) >
           *settings_.second_operator_above;
}

Task<Result<Resolved>> DeskService::resolve(ResolveInput input, std::string decided_by,
                                            std::optional<IdempotencyClaim> claim) {
    if (auto const checked = check_reason(input.reason); !checked) {
        co_return std::unexpected(checked.error());
    }
    auto const exception = co_await desk_.find(input.exception);
    if (!exception) co_return refuse("exception", "is not on the desk");
    if (!input.amount) input.amount = exception->amount - exception->resolved;
    auto planned = co_await plan(input, decided_by, "", std::nullopt);
    if (!planned) co_return std::unexpected(planned.error());
    if (!planned->needs_second_operator) {
        DeskCommit& commit = planned->commit;
        if (claim) claim->subject = subject_of(commit.chain_id, commit.entries.front().sequence);
        commit.claim = std::move(claim);
        co_return Resolved{co_await write(std::move(commit)), std::nullopt};
    }
    if (input.names_recipient)
        co_return refuse("recipient", "waits for a second operator too: give it after approval");
    auto const waiting = co_await desk_.requests();
    bool const waits_already =
        std::any_of(waiting.begin(), waiting.end(), [&input](ResolutionRequest const& request) {
            return request.exception == input.exception;
        });
    if (waits_already) co_return refuse("exception", "waits for a second operator already");
    Timestamp const now = clock_.now();
    ResolutionRequest request{.id = new_id<RequestTag>(now),
                              .exception = input.exception,
                              .kind = input.kind,
                              .target_payment_id = input.target.value_or(PaymentId{}),
                              .amount = *input.amount,
                              .reason = input.reason,
                              .requested_by = std::move(decided_by),
                              .created_at = now};
    RequestId const id = request.id;
    if (claim) claim->subject = subject_of(id);
    co_await desk_.create_request(std::move(request), std::move(claim));
    co_return Resolved{0, id};
}

Task<Result<void>> DeskService::approve(RequestId id, std::string approved_by) {
    auto const request = co_await desk_.find_request(id);
    if (!request) co_return refuse("request", "is answered already, or never was");
    if (request->requested_by == approved_by) {
        co_return refuse("request", kAnotherOperator);
    }
    ResolveInput input{.exception = request->exception,
                       .kind = request->kind,
                       .target = std::nullopt,
                       .amount = request->amount,
                       .reason = request->reason};
    if (!request->target_payment_id.uuid.is_nil()) input.target = request->target_payment_id;
    auto planned =
        co_await plan(std::move(input), request->requested_by, std::move(approved_by), id);
    if (!planned) co_return std::unexpected(planned.error());
    co_await write(std::move(planned->commit));
    co_return Result<void>{};
}

Task<Result<void>> DeskService::reject(RequestId id, std::string rejected_by) {
    auto const request = co_await desk_.find_request(id);
    if (request && request->requested_by == rejected_by) {
        co_return refuse("request", kAnotherOperator);
    }
    bool const was_there = co_await desk_.withdraw_request(id);
    if (!was_there) co_return refuse("request", "is answered already, or never was");
    co_return Result<void>{};
}

Task<std::uint64_t> DeskService::write(DeskCommit commit) {
    std::uint64_t const sequence = commit.entries.front().sequence;
    co_await desk_.commit(std::move(commit));
    outbox_.notify();
    co_return sequence;
}

// One view says whether one operator is enough and becomes the commit, which is refused where it is
// no longer as it was: two at once can't both go below the limit.
Task<Result<DeskService::Plan>> DeskService::plan(ResolveInput input, std::string decided_by,
                                                  std::string approved_by,
                                                  std::optional<RequestId> request) {
    auto const exception = co_await desk_.find(input.exception);
    if (!exception) co_return refuse("exception", "is not on the desk");
    auto const [merchant_id, chain_id, sequence] = input.exception;
    std::vector<PaymentKey> keys{{merchant_id, exception->payment_id}};
    if (input.target && *input.target != exception->payment_id) {
        keys.emplace_back(merchant_id, *input.target);
    }
    auto views = co_await ledger_.load_views(chain_id, std::move(keys), {});
    if (views.empty()) co_return refuse("exception", "is not on the desk");
    MerchantView& view = views.front();

    Timestamp const now = clock_.now();
    DeskCommit commit{.chain_id = chain_id, .reason = input.reason, .request = request, .now = now};
    for (PaymentState const& state : view.payments) {
        // No chain has the id zero: whatever any chain has done to it counts.
        commit.foreign.emplace_back(PaymentKey{merchant_id, state.payment.id},
                                    foreign_fingerprint(state, 0));
    }
    Decision const decision{.exception_sequence = sequence,
                            .payment_id = exception->payment_id,
                            .kind = input.kind,
                            .target = input.target,
                            .amount = input.amount.value_or(Amount{}),
                            .decided_by = std::move(decided_by),
                            .approved_by = std::move(approved_by),
                            .reason_hash = sha256(as_bytes(input.reason))};
    auto const item = item_of(view, exception->payment_id, chain_id, sequence);
    bool const needs_another = item && needs_second_operator(*item, decision.amount);
    auto step = resolve_exception(std::move(view), chain_id, decision, chains_.all(), now);
    if (!step) co_return std::unexpected(step.error());
    commit.head = {merchant_id, step->first_head, step->head};
    commit.entries = std::move(step->entries);
    add_events(commit.events, merchant_id, step->events, chain_id, now);
    give_ids(commit.events, now);
    co_return Plan{std::move(commit), needs_another};
}

}  // namespace sycee
