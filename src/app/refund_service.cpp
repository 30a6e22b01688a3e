#include <sycee/app/payment_events.hpp>
#include <sycee/app/refund_service.hpp>
#include <sycee/base/assert.hpp>
#include <sycee/crypto/hash.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>
#include <sycee/runtime/random.hpp>

#include "reason.hpp"

#include <boost/system/system_error.hpp>

#include <algorithm>
#include <utility>

namespace sycee {
namespace {

constexpr std::size_t kMostReports = 20;  // of one refund that are looked for at a time
constexpr char const* kAnotherOperator = "needs another operator than the one who made it";

bool is_same_promise(RefundRequest const& request, CreateRefund const& input) {
    return request.merchant_id == input.payment.first &&
           request.payment_id == input.payment.second && request.chain_id == input.chain_id &&
           request.token == input.token;
}

}  // namespace

std::string_view to_string(RefundStatus status) {
    switch (status) {
        case RefundStatus::frozen:
            return "frozen";
        case RefundStatus::reported:
            return "reported";
        case RefundStatus::paid:
            return "paid";
        case RefundStatus::canceled:
            return "canceled";
    }
    return "";
}

Task<RefundPage> RefundService::list(RefundFilter filter, std::optional<RefundKey> after,
                                     std::size_t limit) {
    co_return co_await refunds_.list(filter, after, limit);
}

Task<std::optional<RefundDetail>> RefundService::find(RefundKey key) {
    co_return co_await refunds_.find(key);
}

Task<std::vector<RefundRequest>> RefundService::requests() {
    co_return co_await refunds_.requests();
}

std::string RefundService::claim_url(RefundDetail const& refund) const {
    bool const is_open = refund.recipient == Address{} && !refund.payment && !refund.cancellation;
    return is_open ? network_.public_url + "/refund/" + claims_.path_of(refund.key) : "";
}

Task<std::optional<RefundDetail>> RefundService::find_claimed(std::string path) {
    auto const key = claims_.read(path);
    if (!key) co_return std::nullopt;
    co_return co_await refunds_.find(*key);
}

// All that was promised of the payment counts: no splitting into small refunds avoids the limit.
bool RefundService::needs_second_operator(PaymentState const& state,
                                          CreateRefund const& input) const {
    if (!settings_.second_operator_above) return false;
    auto const* token = network_.token(input.chain_id, input.token);
    // A token that is no longer configured has no known value.
    if (token == nullptr) return true;
    Amount const promised = promised_amount(state, input.chain_id, input.token);
    return value_of(promised + input.amount, token->decimals) > *settings_.second_operator_above;
}

Task<Result<PromisedRefund>> RefundService::create(CreateRefund input, std::string decided_by,
                                                   std::optional<IdempotencyClaim> claim) {
    auto planned = co_await plan(input, decided_by, "", std::nullopt);
    if (!planned) co_return std::unexpected(planned.error());
    if (!planned->needs_second_operator) {
        RefundCommit& commit = planned->commit;
        if (claim) claim->subject = subject_of(commit.chain_id, commit.entries.front().sequence);
        commit.claim = std::move(claim);
        co_return PromisedRefund{co_await write(std::move(commit)), std::nullopt};
    }
    // What two decide about is where the money goes as well.
    if (!input.recipient)
        co_return refuse("recipient", "must be named where a second operator is needed");
    for (RefundRequest const& waiting : co_await refunds_.requests()) {
        if (is_same_promise(waiting, input))
            co_return refuse("payment", "waits for a second operator already");
    }
    Timestamp const now = clock_.now();
    RefundRequest request{.id = new_id<RequestTag>(now),
                          .merchant_id = input.payment.first,
                          .chain_id = input.chain_id,
                          .payment_id = input.payment.second,
                          .token = input.token,
                          .recipient = input.recipient.value_or(Address{}),
                          .amount = input.amount,
                          .reason = std::move(input.reason),
                          .requested_by = std::move(decided_by),
                          .created_at = now};
    PromisedRefund promised{.refund = {}, .request = request.id};
    if (claim) claim->subject = subject_of(request.id);
    co_await refunds_.create_request(std::move(request), std::move(claim));
    co_return promised;
}

Task<Result<PromisedRefund>> RefundService::create(RefundException input, std::string decided_by,
                                                   std::optional<IdempotencyClaim> claim) {
    auto const exception = co_await desk_.find(input.exception);
    if (!exception) co_return refuse("exception", "is not on the desk");
    if (input.recipient) {
        Address const token = exception->transfer.key.token;
        if (auto const checked = check_recipient({}, token, *input.recipient); !checked)
            co_return std::unexpected(checked.error());
        if (auto const checked = co_await check_not_ours(*input.recipient); !checked)
            co_return std::unexpected(checked.error());
    }
    auto const decided = co_await desk_.resolve({.exception = input.exception,
                                                 .kind = ResolutionKind::refund,
                                                 .target = std::nullopt,
                                                 .amount = input.amount,
                                                 .reason = input.reason,
                                                 .names_recipient = input.recipient.has_value()},
                                                decided_by, std::move(claim));
    if (!decided) co_return std::unexpected(decided.error());
    PromisedRefund promised{
        .refund = {input.exception.merchant_id, input.exception.chain_id, decided->sequence},
        .request = decided->request};
    if (promised.request) co_return promised;
    if (input.recipient) {
        auto const given = co_await give_recipient(promised.refund, *input.recipient, decided_by);
        if (!given) co_return std::unexpected(given.error());
    }
    co_return promised;
}

Task<Result<RefundKey>> RefundService::approve(RequestId id, std::string approved_by) {
    auto const request = co_await refunds_.find_request(id);
    if (!request) co_return refuse("request", "is answered already, or never was");
    if (request->requested_by == approved_by) co_return refuse("request", kAnotherOperator);
    CreateRefund input{.payment = {request->merchant_id, request->payment_id},
                       .chain_id = request->chain_id,
                       .token = request->token,
                       .amount = request->amount,
                       .recipient = std::nullopt,
                       .reason = request->reason};
    if (request->recipient != Address{}) input.recipient = request->recipient;
    auto planned =
        co_await plan(std::move(input), request->requested_by, std::move(approved_by), id);
    if (!planned) co_return std::unexpected(planned.error());
    co_return co_await write(std::move(planned->commit));
}

Task<Result<void>> RefundService::reject(RequestId id, std::string rejected_by) {
    auto const request = co_await refunds_.find_request(id);
    if (request && request->requested_by == rejected_by)
        co_return refuse("request", kAnotherOperator);
    bool const was_there = co_await refunds_.withdraw_request(id);
    if (!was_there) co_return refuse("request", "is answered already, or never was");
    co_return Result<void>{};
}

Task<RefundKey> RefundService::write(RefundCommit commit) {
    RefundKey const key{commit.head.merchant_id, commit.chain_id, commit.entries.front().sequence};
    co_await refunds_.commit(std::move(commit));
    outbox_.notify();
    co_return key;
}

// One view says whether one operator is enough and becomes the commit, which is refused where it is
// no longer as it was: two at once can't both go below the limit.
Task<Result<RefundService::Plan>> RefundService::plan(CreateRefund input, std::string decided_by,
                                                      std::string approved_by,
                                                      std::optional<RequestId> request) {
    if (auto const checked = check_reason(input.reason); !checked)
        co_return std::unexpected(checked.error());
    auto const [merchant_id, payment_id] = input.payment;
    auto view = co_await view_of(merchant_id, input.chain_id, payment_id);
    if (!view) co_return refuse("payment", "is not a payment of this merchant");
    if (input.recipient) {
        if (auto const checked = check_recipient({}, input.token, *input.recipient); !checked)
            co_return std::unexpected(checked.error());
        if (auto const checked = co_await check_not_ours(*input.recipient); !checked)
            co_return std::unexpected(checked.error());
    }
    std::vector<std::pair<PaymentKey, Bytes32>> foreign{
        {input.payment, foreign_fingerprint(view->payments.front(), 0)}};
    bool const needs_another = needs_second_operator(view->payments.front(), input);
    Timestamp const now = clock_.now();
    auto step = promise_refund(std::move(*view), input.chain_id,
                               {.payment_id = payment_id,
                                .token = input.token,
                                .recipient = input.recipient.value_or(Address{}),
                                .amount = input.amount,
                                .decided_by = std::move(decided_by),
                                .approved_by = std::move(approved_by),
                                .reason_hash = sha256(as_bytes(input.reason))},
                               chains_.all(), now);
    if (!step) co_return std::unexpected(step.error());
    auto commit = commit_of(merchant_id, input.chain_id, std::move(foreign), std::move(*step), now);
    commit.reason = std::move(input.reason);
    commit.request = request;
    co_return Plan{std::move(commit), needs_another};
}

Task<std::optional<MerchantView>> RefundService::view_of(MerchantId merchant_id, ChainId chain_id,
                                                         PaymentId payment_id) {
    auto views = co_await ledger_.load_views(chain_id, {{merchant_id, payment_id}}, {});
    if (views.empty() || views.front().payments.empty()) co_return std::nullopt;
    co_return std::move(views.front());
}

RefundCommit RefundService::commit_of(MerchantId merchant_id, ChainId chain_id,
                                      std::vector<std::pair<PaymentKey, Bytes32>> foreign,
                                      MerchantStep&& step, Timestamp now) const {
    RefundCommit commit{.head = {merchant_id, step.first_head, step.head},
                        .chain_id = chain_id,
                        .entries = std::move(step.entries),
                        .events = {},
                        .reason = "",
                        .request = std::nullopt,
                        .claim = std::nullopt,
                        .foreign = std::move(foreign),
                        .now = now};
    add_events(commit.events, merchant_id, step.events, chain_id, now);
    give_ids(commit.events, now);
    return commit;
}

// What would be sent there would be taken for a payment.
Task<Result<void>> RefundService::check_not_ours(Address recipient) {
    auto const ours = co_await ledger_.find_addresses({recipient});
    if (!ours.empty()) co_return refuse("recipient", "is a deposit address of this gateway");
    co_return Result<void>{};
}

Task<Result<void>> RefundService::give_recipient(RefundKey key, Address recipient,
                                                 std::string given_by) {
    auto const refund = co_await refunds_.find(key);
    if (!refund) co_return refuse("refund", "is not there");
    if (auto const checked = check_recipient({}, refund->token, recipient); !checked)
        co_return std::unexpected(checked.error());
    if (refund->recipient == recipient) co_return Result<void>{};
    if (refund->recipient != Address{}) co_return refuse("recipient", "was given already");
    if (refund->payment || refund->cancellation) co_return refuse("refund", "has ended");
    if (auto const checked = co_await check_not_ours(recipient); !checked)
        co_return std::unexpected(checked.error());
    bool const given =
        co_await refunds_.give_recipient(key, recipient, std::move(given_by), clock_.now());
    if (!given) co_return refuse("recipient", "was given already");
    co_return Result<void>{};
}

Task<Result<void>> RefundService::report(RefundKey key, TransactionHash transaction,
                                         std::string reported_by) {
    auto const refund = co_await refunds_.find(key);
    if (!refund) co_return refuse("refund", "is not there");
    if (refund->payment) {
        bool const same = refund->payment->transfer.key.transaction_hash == transaction;
        if (same) co_return Result<void>{};
        co_return refuse("refund", "is paid already");
    }
    if (refund->cancellation) co_return refuse("refund", "is canceled");
    if (refund->recipient == Address{}) {
        co_return refuse("recipient", "is missing: say first to whom the refund goes");
    }
    auto const open = co_await refunds_.open_reports(key);
    bool const is_known = std::ranges::find(open, transaction) != open.end();
    if (!is_known && open.size() >= kMostReports) {
        co_return refuse("transaction", "is one too many: " + std::to_string(kMostReports) +
                                            " of this refund are looked for already");
    }
    auto const finding = co_await examine(*refund, transaction);
    if (finding && !finding->problem.empty()) co_return refuse("transaction", finding->problem);
    co_await refunds_.report(key, {.transaction = transaction,
                                   .reported_by = std::move(reported_by),
                                   .reported_at = clock_.now(),
                                   .answered = false,
                                   .problem = ""});
    if (!finding || !finding->is_final) co_return Result<void>{};
    // It is on record: what can't be booked now is booked by the next look.
    try {
        co_await settle(*refund, finding->transfer);
    } catch (Unavailable const& unavailable) {
        log_warning("refunds", "a refund that was paid could not be booked yet",
                    {{"why", unavailable.what()}});
    }
    co_return Result<void>{};
}

// Money that is on its way must not be promised a second time: a transaction that nobody has yet
// may still be mined. Each that was reported counts, not the last one alone.
Task<Result<void>> RefundService::check_no_payment(RefundDetail refund) {
    for (TransactionHash const& transaction : co_await refunds_.open_reports(refund.key)) {
        auto const finding = co_await examine(refund, transaction);
        if (!finding || finding->problem.empty() || !finding->is_final) {
            co_return refuse("refund", "may be paid by " + to_hex0x(transaction) +
                                           ", which was reported: the chain has not said for good "
                                           "that it is not");
        }
        co_await refunds_.answer_report({refund.key, transaction}, finding->problem, clock_.now());
    }
    co_return Result<void>{};
}

Task<Result<void>> RefundService::cancel(RefundKey key, std::string reason,
                                         std::string decided_by) {
    if (auto const checked = check_reason(reason); !checked)
        co_return std::unexpected(checked.error());
    auto const refund = co_await refunds_.find(key);
    if (!refund) co_return refuse("refund", "is not there");
    if (refund->cancellation) co_return Result<void>{};
    if (auto const checked = co_await check_no_payment(*refund); !checked)
        co_return std::unexpected(checked.error());
    auto view = co_await view_of(key.merchant_id, key.chain_id, refund->payment_id);
    if (!view) co_return refuse("refund", "is not there");
    std::vector<std::pair<PaymentKey, Bytes32>> foreign{
        {{key.merchant_id, refund->payment_id}, foreign_fingerprint(view->payments.front(), 0)}};
    Timestamp const now = clock_.now();
    auto step = cancel_promise(std::move(*view), key.chain_id,
                               {.payment_id = refund->payment_id,
                                .promise_sequence = key.sequence,
                                .decided_by = std::move(decided_by),
                                .reason_hash = sha256(as_bytes(reason))},
                               chains_.all(), now);
    if (!step) co_return std::unexpected(step.error());
    auto commit =
        commit_of(key.merchant_id, key.chain_id, std::move(foreign), std::move(*step), now);
    commit.reason = std::move(reason);
    co_await refunds_.commit(std::move(commit));
    outbox_.notify();
    co_return Result<void>{};
}

// One node after the other, until a quorum of them says the same.
Task<std::optional<RefundService::Seen>> RefundService::look(ChainId chain_id, Address token,
                                                             TransactionHash transaction) {
    auto const* settings = network_.chain(chain_id);
    auto const nodes = nodes_.find(chain_id);
    if (settings == nullptr || nodes == nodes_.end()) co_return std::nullopt;
    std::vector<std::pair<Seen, std::size_t>> words;
    for (EndpointPort* node : nodes->second) {
        std::optional<ReceiptLogs> receipt;
        try {
            receipt = co_await node->receipt(transaction);
        } catch (Unavailable const& unavailable) {
            log_info("refunds", "a node could not be asked for a transaction",
                     {{"chain", chain_id}, {"node", node->name()}, {"why", unavailable.what()}});
        }
        if (!receipt) continue;
        Seen seen{.header = receipt->header, .succeeded = receipt->succeeded, .transfers = {}};
        std::vector<Address> const tokens{token};
        if (seen.succeeded) {
            seen.transfers =
                decode_transfers(chain_id, receipt->header, tokens, receipt->logs).transfers;
        }
        auto word = std::ranges::find(words, seen, &std::pair<Seen, std::size_t>::first);
        if (word == words.end()) word = words.insert(words.end(), {std::move(seen), 0});
        if (++word->second >= settings->quorum) co_return word->first;
    }
    co_return std::nullopt;
}

Task<std::optional<RefundService::Finding>> RefundService::examine(RefundDetail refund,
                                                                   TransactionHash transaction) {
    ChainId const chain_id = refund.key.chain_id;
    auto const seen = co_await look(chain_id, refund.token, transaction);
    if (!seen) co_return std::nullopt;
    Finding finding;
    auto const chain = chains_.all().find(chain_id);
    finding.is_final = chain != chains_.all().end() && chain->second &&
                       seen->header.number <= chain->second->finalized;
    if (!seen->succeeded) {
        finding.problem = "has failed";
        co_return finding;
    }
    if (is_before_promise(seen->header.time, refund.created_at)) {
        finding.problem = "is older than the refund: it paid something else";
        co_return finding;
    }
    Promise const promise{
        .chain_id = chain_id, .token = refund.token, .amount = refund.amount, .hash = {}};
    auto fitting = fitting_transfers(promise, refund.recipient, seen->transfers);
    if (fitting.empty()) {
        finding.problem = "does not send the refund's token to its recipient, or not enough of it";
        co_return finding;
    }
    auto const used = co_await refunds_.used_transfers(chain_id, transaction);
    std::erase_if(fitting, [&used](Transfer const& transfer) {
        return std::ranges::find(used, transfer.key) != used.end();
    });
    if (fitting.empty()) {
        finding.problem = "is the payment of another refund";
        co_return finding;
    }
    finding.transfer = fitting.front();
    co_return finding;
}

Task<bool> RefundService::settle(RefundDetail refund, Transfer transfer) {
    RefundKey const& key = refund.key;
    auto view = co_await view_of(key.merchant_id, key.chain_id, refund.payment_id);
    if (!view) co_return false;
    std::vector<std::pair<PaymentKey, Bytes32>> foreign{
        {{key.merchant_id, refund.payment_id}, foreign_fingerprint(view->payments.front(), 0)}};
    Timestamp const now = clock_.now();
    auto step = keep_promise(std::move(*view), key.chain_id,
                             {.payment_id = refund.payment_id,
                              .promise_sequence = key.sequence,
                              .recipient = refund.recipient,
                              .promised_at = refund.created_at,
                              .transfer = transfer},
                             chains_.all(), now);
    if (!step) co_return false;  // ended meanwhile
    co_await refunds_.commit(
        commit_of(key.merchant_id, key.chain_id, std::move(foreign), std::move(*step), now));
    outbox_.notify();
    log_info("refunds", "a refund was found paid",
             {{"payment", to_string(refund.payment_id)},
              {"chain", key.chain_id},
              {"transaction", to_hex0x(transfer.key.transaction_hash)}});
    co_return true;
}

Task<bool> RefundService::check_report(DueReport due) {
    auto const refund = co_await refunds_.find(due.refund);
    ensure(refund.has_value(), "refunds: a report of a promise that is not there");
    if (refund->payment || refund->cancellation) {
        co_await refunds_.answer_report(due, "", clock_.now());
        co_return false;
    }
    auto const finding = co_await examine(*refund, due.transaction);
    // What is not final yet may still come to say otherwise.
    if (!finding || !finding->is_final) co_return false;
    if (!finding->problem.empty()) {
        co_await refunds_.answer_report(due, finding->problem, clock_.now());
        co_return false;
    }
    co_return co_await settle(*refund, finding->transfer);
}

Task<std::size_t> RefundService::check(ChainId chain_id) {
    std::size_t kept = 0;
    auto const due = co_await refunds_.take_due(chain_id, settings_.reports, clock_.now());
    for (DueReport const& report : due) {
        try {
            if (co_await check_report(report)) ++kept;
        } catch (Unavailable const& unavailable) {
            log_warning("refunds", "a reported refund could not be looked into",
                        {{"chain", chain_id}, {"why", unavailable.what()}});
        } catch (InvariantViolation const& violation) {
            log_critical("refunds", "a reported refund could not be booked",
                         {{"chain", chain_id},
                          {"transaction", to_hex0x(report.transaction)},
                          {"why", violation.what()}});
        }
    }
    co_return kept;
}

Task<void> RefundService::run() {
    for (;;) {
        co_await clock_.sleep_for(settings_.every);
        for (ChainSettings const& chain : network_.chains) {
            try {
                co_await check(chain.id);
            } catch (boost::system::system_error const&) {
                throw;  // cancelled
            } catch (std::exception const& error) {
                log_warning("refunds", "reported refunds could not be looked for",
                            {{"chain", chain.id}, {"why", error.what()}});
            }
        }
    }
}

}  // namespace sycee
