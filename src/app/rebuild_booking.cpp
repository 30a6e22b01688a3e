#include "rebuild_booking.hpp"

#include <sycee/base/assert.hpp>
#include <sycee/payment/cancel.hpp>
#include <sycee/payment/desk.hpp>
#include <sycee/payment/loss.hpp>
#include <sycee/payment/refund.hpp>
#include <sycee/runtime/errors.hpp>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace sycee {
namespace {

using namespace std::chrono_literals;

constexpr int kMostRounds = 4;  // over the chains of one payment
constexpr auto kLeaseTime = 24h;

std::string text_of(PersonsDecision const& decision) {
    return to_string(decision.entry.merchant_id) + ", " + "chain " +
           std::to_string(decision.entry.chain_id) + ", " +
           std::string(to_string(kind_of(decision.entry.record))) + " " +
           std::to_string(decision.entry.sequence);
}

std::optional<Timestamp> last_in_time(PaymentHistory const& history) {
    std::optional<Timestamp> last;
    for (MatchedTransfer const& matched : history.on_chain) {
        if (matched.incoming && matched.transfer.block_time <= ends_at(history.booked)) {
            last =
                std::max(last.value_or(matched.transfer.block_time), matched.transfer.block_time);
        }
    }
    return last;
}

FeeSchedule fees_at(MerchantInputs const& merchant, Timestamp time) {
    auto const& all = merchant.booked.fees;
    FeeSchedule fees = all.empty() ? FeeSchedule{} : all.front().schedule;
    for (FeesSince const& since : all) {
        if (since.created_at <= time) fees = since.schedule;
    }
    return fees;
}

FeeSchedule fees_at_end(MerchantInputs const& merchant, PaymentHistory const& history) {
    auto const named = fee_versions_of(history);
    for (FeesSince const& since : merchant.booked.fees) {
        if (!named.empty() && since.schedule.version == named.back().version) return since.schedule;
    }
    return fees_at(merchant, last_in_time(history).value_or(Timestamp{}));
}

std::optional<std::uint64_t> exception_in(MerchantView const& view, PaymentId payment_id,
                                          PersonsDecision const& decision) {
    for (PaymentState const& state : view.payments) {
        if (state.payment.id != payment_id) continue;
        for (Credit const& credit : state.credits) {
            if (decision.incoming && credit.transfer.key == decision.transfer &&
                credit.stage != CreditStage::authorized)
                return credit.stage_sequence;
        }
        for (Outflow const& outflow : state.outflows) {
            if (!decision.incoming && outflow.transfer.key == decision.transfer)
                return outflow.sequence;
        }
    }
    return std::nullopt;
}

// Whether what was booked as lost is what was found.
bool is_what_was_found(OpenDifference const& found, JournalEntry const& entry) {
    auto const& loss = std::get<TokenLoss>(entry.record);
    BookedBalance const& booked = found.difference.booked;
    return booked.payment == PaymentKey{entry.merchant_id, loss.payment_id} &&
           found.chain_id == entry.chain_id && booked.token == loss.token &&
           found.block_number == loss.block_number && found.block_hash == loss.block_hash &&
           found.difference.on_chain + loss.amount == booked.amount;
}

// What an invoice asks for, in the token in which fees are owed; its payer may take another one.
Amount worth_of(Payment const& invoice, Network const& network, ChainId chain_id,
                Address const& token) {
    auto const* settings = network.token(chain_id, token);
    auto const decimals = currency_decimals(invoice.currency);
    if (settings != nullptr && decimals)
        return pegged_amount(invoice.price, *decimals, settings->decimals);
    auto const* option = invoice.option_for(chain_id, token);
    return option == nullptr ? Amount{} : option->amount;
}

}  // namespace

PaymentId payment_of(Record const& decision) {
    if (auto const* resolution = std::get_if<Resolution>(&decision)) return resolution->payment_id;
    if (auto const* refund = std::get_if<Refund>(&decision)) return refund->payment_id;
    if (auto const* paid = std::get_if<RefundPayment>(&decision)) return paid->payment_id;
    if (auto const* loss = std::get_if<TokenLoss>(&decision)) return loss->payment_id;
    if (auto const* canceled = std::get_if<Cancellation>(&decision)) return canceled->payment_id;
    return std::get<RefundCancellation>(decision).payment_id;
}

// A payment that is booked in the order of the source's books, and how far it is.
struct RebuildBooking::OrderedPayment {
    PaymentHistory history;
    std::set<std::pair<TransferKey, bool>> booked;

    bool is_booked(MatchedTransfer const& matched) const {
        return booked.contains({matched.transfer.key, matched.incoming});
    }
    // With everything before it that has to be booked first: what left an address is held against
    // what had come to it by then, and no more.
    std::vector<MatchedTransfer> take(TransferKey const& key) {
        std::vector<MatchedTransfer> earlier;  // on that chain, not booked yet
        std::vector<MatchedTransfer> taken;
        for (MatchedTransfer const& matched : history.on_chain) {
            if (matched.transfer.key.chain_id != key.chain_id || is_booked(matched)) continue;
            if (matched.incoming && matched.transfer.key == key) {
                taken.push_back(matched);
                break;
            }
            earlier.push_back(matched);
            if (!matched.incoming) {
                std::move(earlier.begin(), earlier.end(), std::back_inserter(taken));
                earlier.clear();
            }
        }
        bool const is_there =
            !taken.empty() && taken.back().incoming && taken.back().transfer.key == key;
        if (!is_there) return {};
        note(taken);
        return taken;
    }
    std::vector<MatchedTransfer> take_rest(ChainId chain_id) {
        std::vector<MatchedTransfer> taken;
        for (MatchedTransfer const& matched : history.on_chain) {
            if (matched.transfer.key.chain_id == chain_id && !is_booked(matched))
                taken.push_back(matched);
        }
        note(taken);
        return taken;
    }
    std::set<ChainId> chains() const {
        std::set<ChainId> chains;
        for (MatchedTransfer const& matched : history.on_chain)
            chains.insert(matched.transfer.key.chain_id);
        return chains;
    }

  private:
    void note(std::vector<MatchedTransfer> const& taken) {
        for (MatchedTransfer const& matched : taken)
            booked.emplace(matched.transfer.key, matched.incoming);
    }
};

// What one step books: payments of one merchant, each with what is known of it.
struct RebuildBooking::Booking {
    ChainId chain_id = 0;
    std::vector<PaymentHistory const*> payments;
    std::vector<MatchedTransfer> transfers;
    FeeSchedule fees;
    bool frozen = false;  // nothing clears or settles
    bool expired = true;  // chain time is what it is; else a payment's is not over yet
};

RebuildBooking::RebuildBooking(Network const& network, RebuildPorts ports,
                               std::function<void(std::string)> differs)
    : network_(network), ports_(ports), differs_(std::move(differs)) {
    for (auto const& chain : network_.chains)
        progress_[chain.id] = std::nullopt;
}

Task<void> RebuildBooking::begin(BookedChain const& chain) {
    auto const lease = co_await ports_.ledger.acquire_lease(chain.id, "rebuild", kLeaseTime);
    if (!lease) throw Unavailable("somebody else writes to the new books");
    co_await ports_.ledger.begin_chain(chain.id, *lease, chain.finalized, ports_.clock.now());
    BlockNumber const final_to = chain.finalized.header.number;
    progress_[chain.id] = ChainProgress{chain.head_time, final_to, final_to, chain.rule};
    leases_.emplace(chain.id, *lease);
    chains_.emplace(chain.id, chain);
}

Task<void> RebuildBooking::book_free(MerchantInputs const& merchant,
                                     std::vector<PaymentHistory> payments) {
    // Of before there were versions, by the basis points.
    using Version = std::pair<std::uint64_t, std::uint32_t>;
    std::map<Version, std::pair<FeeSchedule, std::vector<PaymentHistory const*>>> by_fees;
    for (PaymentHistory const& history : payments) {
        FeeSchedule const fees = fees_of(merchant, history);
        auto& group = by_fees[{fees.version, fees.basis_points}];
        group.first = fees;
        group.second.push_back(&history);
    }
    for (auto const& [version, group] : by_fees) {
        for (auto const& [chain_id, chain] : chains_) {
            Booking booking{
                .chain_id = chain_id, .payments = {}, .transfers = {}, .fees = group.first};
            for (PaymentHistory const* history : group.second) {
                auto const before = booking.transfers.size();
                std::copy_if(history->on_chain.begin(), history->on_chain.end(),
                             std::back_inserter(booking.transfers),
                             [id = chain_id](MatchedTransfer const& matched) {
                                 return matched.transfer.key.chain_id == id;
                             });
                if (booking.transfers.size() > before) booking.payments.push_back(history);
            }
            if (!booking.payments.empty()) co_await book(std::move(booking));
        }
    }
}

// The one that the books name, where they name one: versions are an input. Else the one that
// was in force at the last transfer in time.
FeeSchedule RebuildBooking::fees_of(MerchantInputs const& merchant, PaymentHistory const& history) {
    auto const named = fee_versions_of(history);
    PaymentId const id = history.booked.payment.id;
    if (!named.empty()) return fees_named(merchant, named.front(), to_string(id));
    return fees_at(merchant, last_in_time(history).value_or(Timestamp{}));
}

FeeSchedule RebuildBooking::fees_named(MerchantInputs const& merchant, FeeVersion const& named,
                                       std::string const& where) {
    // Booked before there were versions.
    if (named.version == 0) return {.basis_points = named.basis_points};
    auto const& all = merchant.booked.fees;
    auto const found = std::find_if(all.begin(), all.end(), [&](FeesSince const& since) {
        return since.schedule.version == named.version;
    });
    if (found == all.end()) {
        differs_(where + ": the books name version " + std::to_string(named.version) +
                 " of the fees, and there is none");
        return fees_at(merchant, named.transferred_at);
    }
    // Whoever clears a transfer does it after its block, and by the newest version.
    auto const next = std::next(found);
    if (next != all.end() && next->created_at + kClocks < named.transferred_at) {
        differs_(where + ": the books name version " + std::to_string(named.version) +
                 " of the fees, which was not in force any more at " +
                 to_rfc3339(named.transferred_at));
    }
    return found->schedule;
}

// One step of a chain for one merchant. True where it wrote anything.
Task<bool> RebuildBooking::book(Booking booking) {
    std::vector<PaymentKey> keys;
    std::map<PaymentId, PaymentHistory const*> histories;
    for (PaymentHistory const* history : booking.payments) {
        keys.push_back(key_of(history->booked.payment));
        histories.emplace(history->booked.payment.id, history);
    }
    auto views = co_await ports_.ledger.load_views(booking.chain_id, keys, {});
    ensure(views.size() == 1, "rebuild: a payment is not in the new books");
    MerchantView& view = views.front();
    MerchantId const merchant_id = view.merchant_id;
    view.fees = booking.fees;
    ChainStep step{.chain_id = booking.chain_id,
                   .rolled_back_to = {},
                   .head = chains_.at(booking.chain_id).finalized.header.number,
                   .tokens = network_.token_units(),
                   .chains = progress_};
    for (PaymentState& state : view.payments) {
        // When a block first had a transfer that was mined again, only the books still know.
        state.reversed_transfers = histories.at(state.payment.id)->booked.reversed_transfers;
        note_first_seen(state);
        if (booking.frozen) view.frozen.insert(state.payment.id);
        if (booking.expired) continue;
        for (auto& [id, progress] : step.chains) {
            if (progress) progress->head_time = std::min(progress->head_time, ends_at(state));
        }
    }
    auto result = advance_merchant(std::move(view), booking.transfers, step, next_moment());
    if (result.entries.empty()) co_return false;
    ChainCommit commit{.chain_id = booking.chain_id,
                       .lease_token = leases_.at(booking.chain_id).token,
                       .expected_head = chains_.at(booking.chain_id).finalized.header,
                       .rolled_back_to = {},
                       .agreed = step.head,
                       .finalized = step.head,
                       .oldest_open = step.head + 1,
                       .entries = std::move(result.entries),
                       .heads = {{merchant_id, result.first_head, result.head}},
                       .repair = {},
                       .now = ports_.clock.now()};
    co_await ports_.ledger.commit(std::move(commit));
    co_return true;
}

// Each step later than the one before: over several journals the order is that of these times.
Timestamp RebuildBooking::next_moment() {
    last_moment_ = std::max(ports_.clock.now(), last_moment_ + 1ms);
    return last_moment_;
}

Task<void> RebuildBooking::book_ordered(MerchantInputs const& merchant,
                                        std::vector<PaymentHistory> histories,
                                        DecisionInputs inputs) {
    std::vector<OrderedPayment> payments;
    for (PaymentHistory& history : histories)
        payments.push_back({std::move(history), {}});
    struct Next {
        BookedPosition position;
        OrderedPayment* payment = nullptr;
        OrderedStep step;
        PersonsDecision const* decision = nullptr;
    };
    std::vector<Next> all;
    for (OrderedPayment& payment : payments) {
        for (OrderedStep const& step : steps_of(payment.history))
            all.push_back({step.position, &payment, step, nullptr});
    }
    for (PersonsDecision const& decision : merchant.decisions) {
        all.push_back({decision.position, nullptr, {}, &decision});
    }
    std::sort(all.begin(), all.end(),
              [](Next const& a, Next const& b) { return a.position < b.position; });
    std::vector<PersonsDecision const*> refused;
    for (Next const& next : all) {
        if (next.decision == nullptr) {
            co_await take(merchant, *next.payment, next.step);
            continue;
        }
        auto const why = co_await decide(merchant, *next.decision, inputs);
        if (why) refused.push_back(next.decision);
    }
    for (OrderedPayment& payment : payments)
        co_await finish(merchant, payment);
    // What they rest on may have come last.
    for (PersonsDecision const* decision : refused) {
        auto const why = co_await decide(merchant, *decision, inputs);
        if (why) differs_(text_of(*decision) + ": is refused when rebuilt: " + *why);
    }
    if (refused.empty()) co_return;
    for (OrderedPayment& payment : payments)
        co_await finish(merchant, payment);
}

Task<void> RebuildBooking::take(MerchantInputs const& merchant, OrderedPayment& payment,
                                OrderedStep const& step) {
    Booking booking{.chain_id = step.chain_id,
                    .payments = {&payment.history},
                    .transfers = {},
                    .fees = {},
                    .frozen = step.kind != OrderedStep::Kind::clear,
                    .expired = step.expired};
    if (step.transfer) {
        booking.transfers = payment.take(*step.transfer);
        if (booking.transfers.empty()) co_return;  // not on the chain, or booked already
    }
    std::string const id = to_string(payment.history.booked.payment.id);
    if (step.fees) booking.fees = fees_named(merchant, *step.fees, id);
    co_await book(std::move(booking));
}

// Whatever the books did not say anything about, by the rules and the chain time of now.
Task<void> RebuildBooking::finish(MerchantInputs const& merchant, OrderedPayment& payment) {
    FeeSchedule const fees = fees_at_end(merchant, payment.history);
    for (int round = 0; round < kMostRounds; ++round) {
        bool moved = false;
        for (ChainId const chain_id : payment.chains()) {
            if (!chains_.contains(chain_id)) continue;
            bool const wrote = co_await book({.chain_id = chain_id,
                                              .payments = {&payment.history},
                                              .transfers = payment.take_rest(chain_id),
                                              .fees = fees});
            moved = moved || wrote;
        }
        if (!moved) co_return;
    }
}

// Nothing where it was booked, else why not.
Task<std::optional<std::string>> RebuildBooking::decide(MerchantInputs const& merchant,
                                                        PersonsDecision const& decision,
                                                        DecisionInputs const& inputs) {
    auto const text = inputs.reasons.find({decision.entry.chain_id, decision.entry.sequence});
    std::string reason = text == inputs.reasons.end() ? "" : text->second;
    if (std::holds_alternative<TokenLoss>(decision.entry.record))
        co_return co_await lose(decision, inputs.lost, std::move(reason));
    if (std::holds_alternative<Resolution>(decision.entry.record))
        co_return co_await resolve(merchant, decision, std::move(reason));
    co_return co_await promise(decision, std::move(reason));
}

Task<std::optional<std::string>> RebuildBooking::resolve(MerchantInputs const& merchant,
                                                         PersonsDecision const& decision,
                                                         std::string reason) {
    auto const& resolution = std::get<Resolution>(decision.entry.record);
    MerchantId const merchant_id = decision.entry.merchant_id;
    ChainId const chain_id = decision.entry.chain_id;
    std::vector<PaymentKey> keys{{merchant_id, resolution.payment_id}};
    if (resolution.target_payment_id != resolution.payment_id)
        keys.emplace_back(merchant_id, resolution.target_payment_id);
    auto views = co_await ports_.ledger.load_views(chain_id, keys, {});
    if (views.empty()) co_return "its payment is not in the new books";
    MerchantView& view = views.front();
    auto const exception = exception_in(view, resolution.payment_id, decision);
    if (!exception) co_return "nothing of that transfer is on the desk";
    if (pays(resolution.kind)) {
        view.fees = fees_named(merchant, {resolution.fee_version, resolution.fee_basis_points, {}},
                               text_of(decision));
    }
    bool const credits = resolution.kind == ResolutionKind::credit;
    Decision const again{
        .exception_sequence = *exception,
        .payment_id = resolution.payment_id,
        .kind = resolution.kind,
        .target = credits ? std::optional(resolution.target_payment_id) : std::nullopt,
        .amount = resolution.amount,
        .decided_by = resolution.decided_by,
        .approved_by = resolution.approved_by,
        .reason_hash = resolution.reason_hash};
    auto step = resolve_exception(std::move(view), chain_id, again, progress_, next_moment());
    if (!step) co_return to_string(step.error());
    std::uint64_t const sequence = step->head.sequence;
    DeskCommit commit{.head = {merchant_id, step->first_head, step->head},
                      .chain_id = chain_id,
                      .entries = std::move(step->entries),
                      .reason = std::move(reason),
                      .request = {},
                      .now = ports_.clock.now()};
    co_await ports_.desk.commit(std::move(commit));
    ++decisions_;
    if (resolution.kind == ResolutionKind::refund)
        promises_[{merchant_id, chain_id, decision.entry.sequence}] = sequence;
    co_return std::nullopt;
}

// Settled money that is promised to a payer, and how a promise ends.
Task<std::optional<std::string>> RebuildBooking::promise(PersonsDecision const& decision,
                                                         std::string reason) {
    JournalEntry const& entry = decision.entry;
    std::vector<PaymentKey> const keys{{entry.merchant_id, payment_of(entry.record)}};
    auto views = co_await ports_.ledger.load_views(entry.chain_id, keys, {});
    if (views.empty()) co_return "its payment is not in the new books";
    auto step = refund_step(std::move(views.front()), entry);
    if (!step) co_return to_string(step.error());
    if (std::holds_alternative<Refund>(entry.record))
        promises_[{entry.merchant_id, entry.chain_id, entry.sequence}] = step->head.sequence;
    RefundCommit commit{.head = {entry.merchant_id, step->first_head, step->head},
                        .chain_id = entry.chain_id,
                        .entries = std::move(step->entries),
                        .events = {},
                        .reason = std::move(reason),
                        .request = {},
                        .foreign = {},
                        .now = ports_.clock.now()};
    co_await ports_.refunds.commit(std::move(commit));
    ++decisions_;
    co_return std::nullopt;
}

// What was compared then can't be asked for any more: that it was missing is an input. That as much
// lies there by the new books is not.
Task<std::optional<std::string>> RebuildBooking::lose(PersonsDecision const& decision,
                                                      std::vector<OpenDifference> const& lost,
                                                      std::string reason) {
    JournalEntry const& entry = decision.entry;
    auto const& loss = std::get<TokenLoss>(entry.record);
    auto const found = std::find_if(
        lost.begin(), lost.end(),
        [&loss](OpenDifference const& difference) { return difference.id == loss.difference_id; });
    if (found == lost.end()) co_return "its difference is not in the books";
    if (!is_what_was_found(*found, entry)) co_return "its difference says otherwise";
    std::vector<PaymentKey> const keys{{entry.merchant_id, loss.payment_id}};
    auto views = co_await ports_.ledger.load_views(entry.chain_id, keys, {});
    if (views.empty()) co_return "its payment is not in the new books";
    MerchantView& view = views.front();
    // The difference is added only with what closes it: one that stays open holds up its payment.
    view.frozen.insert(loss.payment_id);
    LossDecision const again{.difference_id = loss.difference_id,
                             .payment_id = loss.payment_id,
                             .token = loss.token,
                             .amount = loss.amount,
                             .block_number = loss.block_number,
                             .block_hash = loss.block_hash,
                             .decided_by = loss.decided_by,
                             .approved_by = loss.approved_by,
                             .reason_hash = loss.reason_hash};
    auto step = book_loss(std::move(view), entry.chain_id, again, progress_, next_moment());
    if (!step) co_return to_string(step.error());
    co_await ports_.target.add_difference(*found);
    LossCommit commit{.head = {entry.merchant_id, step->first_head, step->head},
                      .chain_id = entry.chain_id,
                      .entries = std::move(step->entries),
                      .reason = std::move(reason),
                      .request = {},
                      .now = ports_.clock.now()};
    co_await ports_.losses.commit(std::move(commit));
    ++decisions_;
    co_return std::nullopt;
}

Task<void> RebuildBooking::cancel(JournalEntry const& entry, std::string reason) {
    auto const& canceled = std::get<Cancellation>(entry.record);
    std::vector<PaymentKey> const keys{{entry.merchant_id, canceled.payment_id}};
    auto views = co_await ports_.ledger.load_views(entry.chain_id, keys, {});
    ensure(views.size() == 1, "rebuild: a payment is not in the new books");
    CancelPayment const again{.payment_id = canceled.payment_id,
                              .ends_at = canceled.ends_at,
                              .decided_by = canceled.decided_by,
                              .approved_by = canceled.approved_by,
                              .reason_hash = canceled.reason_hash};
    // As far as the chains were then, at least.
    ChainsProgress then = progress_;
    for (auto& [chain_id, chain] : then) {
        if (!chain) chain.emplace();
        chain->head_time = canceled.ends_at + 1s;
    }
    auto step =
        cancel_payment(std::move(views.front()), entry.chain_id, again, then, next_moment());
    if (!step) {
        differs_(to_string(canceled.payment_id) +
                 ": its cancellation is refused when rebuilt: " + to_string(step.error()));
        co_return;
    }
    CancelCommit commit{.head = {entry.merchant_id, step->first_head, step->head},
                        .chain_id = entry.chain_id,
                        .entries = std::move(step->entries),
                        .events = {},
                        .reason = std::move(reason),
                        .foreign = {},
                        .now = ports_.clock.now()};
    co_await ports_.changes.commit(std::move(commit));
    ++decisions_;
}

Task<bool> RebuildBooking::owes(JournalEntry const& entry) {
    auto const& payment = std::get<FeePayment>(entry.record);
    auto const owed = co_await ports_.fees.owed(entry.merchant_id);
    co_return std::any_of(owed.begin(), owed.end(), [&](FeesOwed const& one) {
        return one.chain_id == entry.chain_id && one.token == payment.token &&
               one.owed >= payment.amount;
    });
}

// The conditions of FeeService::book_paid(), for one that the old books have.
Task<std::optional<std::string>> RebuildBooking::pay_fees(
    JournalEntry const& entry, std::vector<UnbookedInvoice> const& invoices) {
    auto const& payment = std::get<FeePayment>(entry.record);
    PaymentKey const key{payment.invoice_merchant_id, payment.invoice_payment_id};
    auto const unbooked =
        std::find_if(invoices.begin(), invoices.end(), [&](UnbookedInvoice const& one) {
            return one.invoice.merchant_id == entry.merchant_id && one.invoice.payment == key &&
                   one.invoice.chain_id == entry.chain_id && one.invoice.token == payment.token;
        });
    if (unbooked == invoices.end()) co_return "there is no such invoice of which anything settled";
    if (unbooked->invoice.amount != payment.amount)
        co_return "its invoice is over " + to_string(unbooked->invoice.amount);
    auto const states = co_await ports_.target.states({key});
    if (states.empty() || status_of(states.front(), std::nullopt) != PaymentStatus::settled)
        co_return "its invoice is not settled";
    Amount const worth = worth_of(states.front().payment, network_, entry.chain_id, payment.token);
    if (worth < payment.amount)
        co_return "its invoice was to be paid by no more than " + to_string(worth);
    bool const is_owed = co_await owes(entry);
    if (!is_owed) co_return "less than that is owed";
    auto const views = co_await ports_.ledger.load_views(entry.chain_id, {}, {entry.merchant_id});
    ensure(views.size() == 1, "rebuild: a merchant is not in the new books");
    JournalWriter journal(entry.merchant_id, entry.chain_id, views.front().head, next_moment());
    journal.append(FeePayment{.invoice_merchant_id = payment.invoice_merchant_id,
                              .invoice_payment_id = payment.invoice_payment_id,
                              .token = payment.token,
                              .amount = payment.amount,
                              .settlement_hash = unbooked->evidence});
    FeeCommit commit{.head = {entry.merchant_id, journal.first_head(), journal.head()},
                     .chain_id = entry.chain_id,
                     .entries = std::move(journal).take_entries()};
    co_await ports_.fees.commit(std::move(commit));
    co_return std::nullopt;
}

Result<MerchantStep> RebuildBooking::refund_step(MerchantView view, JournalEntry const& entry) {
    ChainId const chain_id = entry.chain_id;
    if (auto const* refund = std::get_if<Refund>(&entry.record)) {
        RefundDecision const again{.payment_id = refund->payment_id,
                                   .token = refund->token,
                                   .recipient = refund->recipient,
                                   .amount = refund->amount,
                                   .decided_by = refund->decided_by,
                                   .approved_by = refund->approved_by,
                                   .reason_hash = refund->reason_hash};
        return promise_refund(std::move(view), chain_id, again, progress_, next_moment());
    }
    if (auto const* paid = std::get_if<RefundPayment>(&entry.record)) {
        PromiseKept const kept{.payment_id = paid->payment_id,
                               .promise_sequence = promised(entry, paid->promise_sequence),
                               .recipient = paid->transfer.recipient,
                               // The new books promise later than it was sent; the old ones saw
                               // that it was not older than theirs.
                               .promised_at = paid->transfer.block_time,
                               .transfer = paid->transfer};
        return keep_promise(std::move(view), chain_id, kept, progress_, next_moment());
    }
    auto const& cancellation = std::get<RefundCancellation>(entry.record);
    CancelDecision const again{.payment_id = cancellation.payment_id,
                               .promise_sequence = promised(entry, cancellation.promise_sequence),
                               .decided_by = cancellation.decided_by,
                               .reason_hash = cancellation.reason_hash};
    return cancel_promise(std::move(view), chain_id, again, progress_, next_moment());
}

std::uint64_t RebuildBooking::promised(JournalEntry const& entry, std::uint64_t sequence) const {
    auto const found = promises_.find({entry.merchant_id, entry.chain_id, sequence});
    return found == promises_.end() ? 0 : found->second;
}

}  // namespace sycee
