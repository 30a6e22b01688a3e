#include <sycee/app/loss_service.hpp>
#include <sycee/crypto/hash.hpp>
#include <sycee/payment/loss.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>
#include <sycee/runtime/random.hpp>

#include "reason.hpp"

#include <boost/system/system_error.hpp>

#include <algorithm>
#include <utility>

namespace sycee {
namespace {

constexpr char const* kNotOpen = "is closed already, or never was";
constexpr char const* kAnswered = "is answered already, or never was";
constexpr char const* kAnotherOperator = "needs another operator than the one who asked for it";

Amount missing_of(BalanceDifference const& difference) {
    Amount const booked = difference.booked.amount;
    return booked - std::min(booked, difference.on_chain);
}

}  // namespace

Result<Amount> missing_amount(OpenDifference const& found, Amount booked, Amount on_chain) {
    Amount const was_missing = missing_of(found.difference);
    if (was_missing.is_zero()) {
        return refuse("difference", "is no loss: more lies there than the books say");
    }
    if (booked <= on_chain) {
        return refuse("difference", "is gone: the books say " + to_string(booked) +
                                        " base units by now, the chain " + to_string(on_chain));
    }
    if (booked - on_chain != was_missing) {
        return refuse("difference", "has changed: " + to_string(was_missing) +
                                        " base units were missing when it was found, " +
                                        to_string(booked - on_chain) +
                                        " are by now; it will be found anew");
    }
    return was_missing;
}

Task<std::vector<OpenDifference>> LossService::list(std::size_t limit) {
    co_return co_await losses_.list_open(limit);
}

Task<std::vector<LossRequest>> LossService::requests() {
    co_return co_await losses_.requests();
}

Task<Result<void>> LossService::accept(DifferenceId id, std::string reason) {
    if (auto const checked = check_reason(reason); !checked) {
        co_return std::unexpected(checked.error());
    }
    bool const was_open = co_await losses_.close(id, std::move(reason), clock_.now());
    if (!was_open) co_return refuse("difference", kNotOpen);
    co_return Result<void>{};
}

bool LossService::needs_second_operator(OpenDifference const& difference) const {
    if (!settings_.second_operator_above) return false;
    auto const* token = network_.token(difference.chain_id, difference.difference.booked.token);
    // A token that is no longer configured has no known value.
    if (token == nullptr) return true;
    return value_of(missing_of(difference.difference), token->decimals) >
           *settings_.second_operator_above;
}

Task<Result<BookedLoss>> LossService::book(DifferenceId id, std::string reason,
                                           std::string decided_by, std::string approved_by) {
    co_return co_await book(id, std::move(reason), std::move(decided_by), std::move(approved_by),
                            std::nullopt);
}

Task<Result<BookedLoss>> LossService::book_or_request(DifferenceId id, std::string reason,
                                                      std::string decided_by) {
    auto const difference = co_await losses_.find_open(id);
    if (!difference) co_return refuse("difference", kNotOpen);
    if (!needs_second_operator(*difference)) {
        co_return co_await book(id, std::move(reason), std::move(decided_by), "", std::nullopt);
    }
    if (auto const checked = check_reason(reason); !checked) {
        co_return std::unexpected(checked.error());
    }
    auto const waiting = co_await losses_.requests();
    bool const waits_already =
        std::any_of(waiting.begin(), waiting.end(),
                    [id](LossRequest const& request) { return request.difference_id == id; });
    if (waits_already) co_return refuse("difference", "waits for a second operator already");
    auto const missing = co_await confirm(*difference);
    if (!missing) co_return std::unexpected(missing.error());
    Timestamp const now = clock_.now();
    co_await losses_.create_request({.id = new_id<RequestTag>(now),
                                     .merchant_id = difference->difference.booked.payment.first,
                                     .difference_id = id,
                                     .reason = std::move(reason),
                                     .requested_by = std::move(decided_by),
                                     .created_at = now});
    co_return BookedLoss{.difference = *difference, .amount = *missing};
}

Task<std::optional<LossRequest>> LossService::find_request(RequestId id) {
    auto const waiting = co_await losses_.requests();
    auto const found = std::ranges::find(waiting, id, &LossRequest::id);
    if (found == waiting.end()) co_return std::nullopt;
    co_return *found;
}

Task<Result<BookedLoss>> LossService::approve(RequestId id, std::string approved_by) {
    auto const request = co_await find_request(id);
    if (!request) co_return refuse("request", kAnswered);
    if (request->requested_by == approved_by) co_return refuse("request", kAnotherOperator);
    co_return co_await book(request->difference_id, request->reason, request->requested_by,
                            std::move(approved_by), id);
}

Task<Result<void>> LossService::reject(RequestId id, std::string rejected_by) {
    auto const request = co_await find_request(id);
    if (request && request->requested_by == rejected_by) {
        co_return refuse("request", kAnotherOperator);
    }
    bool const was_there = co_await losses_.withdraw_request(id, clock_.now());
    if (!was_there) co_return refuse("request", kAnswered);
    co_return Result<void>{};
}

Task<Result<BookedLoss>> LossService::book(DifferenceId id, std::string reason,
                                           std::string decided_by, std::string approved_by,
                                           std::optional<RequestId> request) {
    if (auto const checked = check_reason(reason); !checked) {
        co_return std::unexpected(checked.error());
    }
    if (approved_by == decided_by) co_return refuse("operator", kAnotherOperator);
    auto const difference = co_await losses_.find_open(id);
    if (!difference) co_return refuse("difference", kNotOpen);
    if (approved_by.empty() && needs_second_operator(*difference)) {
        co_return refuse("operator",
                         "is one, but this loss is above what one may decide (desk."
                         "second_operator_above): it needs a second one");
    }
    auto const missing = co_await confirm(*difference);
    if (!missing) co_return std::unexpected(missing.error());

    ChainId const chain_id = difference->chain_id;
    BookedBalance const& booked = difference->difference.booked;
    std::vector<PaymentKey> const keys{booked.payment};
    auto views = co_await ledger_.load_views(chain_id, keys, {});
    if (views.empty()) co_return refuse("difference", "is of a payment that does not exist");
    ChainsProgress chains;
    chains[chain_id] = co_await ledger_.load_progress(chain_id);
    Timestamp const now = clock_.now();
    LossDecision const decision{.difference_id = id,
                                .payment_id = booked.payment.second,
                                .token = booked.token,
                                .amount = *missing,
                                .block_number = difference->block_number,
                                .block_hash = difference->block_hash,
                                .decided_by = std::move(decided_by),
                                .approved_by = std::move(approved_by),
                                .reason_hash = sha256(as_bytes(std::string_view(reason)))};
    auto step = book_loss(std::move(views.front()), chain_id, decision, chains, now);
    if (!step) co_return std::unexpected(step.error());
    BookedLoss const done{
        .difference = *difference, .amount = *missing, .sequence = step->head.sequence};
    co_await losses_.commit({.head = {booked.payment.first, step->first_head, step->head},
                             .chain_id = chain_id,
                             .entries = std::move(step->entries),
                             .reason = std::move(reason),
                             .request = request,
                             .now = now});
    co_return done;
}

Task<Result<Amount>> LossService::confirm(OpenDifference const& difference) {
    auto const booked = co_await losses_.booked_now(difference);
    if (!booked) co_return refuse("difference", "is of a chain that was never followed");
    Amount const amount = booked->balances.empty() ? Amount{} : booked->balances.front().amount;
    auto const on_chain = co_await word_of_quorum(difference, booked->head.hash);
    if (!on_chain) {
        co_return refuse("difference",
                         "can't be confirmed: no quorum of the nodes says the same "
                         "of its address in block " +
                             std::to_string(booked->head.number));
    }
    co_return missing_amount(difference, amount, *on_chain);
}

Task<std::optional<Amount>> LossService::word_of_quorum(OpenDifference const& difference,
                                                        BlockHash at) {
    auto const* chain = network_.chain(difference.chain_id);
    auto const nodes = nodes_.find(difference.chain_id);
    if (chain == nullptr || nodes == nodes_.end()) co_return std::nullopt;
    BookedBalance const& booked = difference.difference.booked;
    std::vector<TokenHolder> const holders{{booked.token, booked.address}};
    std::map<Amount, std::size_t> votes;
    for (BalancePort* const node : nodes->second) {
        try {
            auto const amounts = co_await node->token_balances(holders, at);
            if (++votes[amounts.at(0)] >= chain->quorum) co_return amounts.at(0);
        } catch (boost::system::system_error const&) {
            throw;  // cancelled
        } catch (std::runtime_error const& error) {
            log_warning("reconciliation", "a node could not be asked for its word",
                        {{"chain", chain->id}, {"why", node->name() + ": " + error.what()}});
        }
    }
    co_return std::nullopt;
}

}  // namespace sycee
