#include <sycee/app/payment_service.hpp>
#include <sycee/app/rebuild.hpp>
#include <sycee/base/assert.hpp>
#include <sycee/evm/transfer_order.hpp>
#include <sycee/payment/history.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>

#include "rebuild_booking.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace sycee {
namespace {

constexpr std::size_t kPage = 500;            // payments
constexpr BlockNumber kBlocksAtOnce = 2'000;  // whose logs are asked for
constexpr BlockNumber kBlocksBetweenWords = 50 * kBlocksAtOnce;
constexpr std::size_t kMostDifferences = 1'000;    // that are kept, all are counted
constexpr std::size_t kMostInvoices = 10'000'000;  // paid and not booked yet: all of them

enum class LeftOut : std::uint8_t { pending, frozen, reversed, contradictory };

std::string chain_text(ChainId id) {
    return "chain " + std::to_string(id);
}

// Which transfer the money on the desk came from that a record of that number put there.
std::optional<std::pair<TransferKey, bool>> source_of_exception(
    std::vector<JournalEntry> const& entries, ChainId chain_id, std::uint64_t sequence) {
    auto const at = [&](std::uint64_t wanted) -> JournalEntry const* {
        auto const found = std::find_if(entries.begin(), entries.end(), [&](auto const& entry) {
            return entry.chain_id == chain_id && entry.sequence == wanted;
        });
        return found == entries.end() ? nullptr : &*found;
    };
    JournalEntry const* exception = at(sequence);
    if (exception == nullptr) return std::nullopt;
    if (auto const* out = std::get_if<Withdrawal>(&exception->record))
        return std::pair(out->transfer.key, false);
    std::uint64_t authorization = 0;
    if (auto const* unapplied = std::get_if<Unapplied>(&exception->record))
        authorization = unapplied->authorization_sequence;
    if (auto const* clearing = std::get_if<Clearing>(&exception->record))
        authorization = clearing->authorization_sequence;
    JournalEntry const* below = at(authorization);
    if (below == nullptr) return std::nullopt;
    auto const* record = std::get_if<Authorization>(&below->record);
    if (record == nullptr) return std::nullopt;
    return std::pair(record->transfer.key, true);
}

// What the payment's own records moved; a settlement by itself, without its batch.
Postings moved_by(PaymentId payment_id, std::vector<JournalEntry> const& entries) {
    std::map<std::pair<ChainId, std::uint64_t>, Address> tokens;  // of clearings
    Postings postings;
    for (JournalEntry const& entry : entries) {
        auto const* resolution = std::get_if<Resolution>(&entry.record);
        if (resolution != nullptr && resolution->payment_id != payment_id) continue;
        if (auto const* clearing = std::get_if<Clearing>(&entry.record))
            tokens[{entry.chain_id, clearing->authorization_sequence}] = clearing->token;
        auto const* settlement = std::get_if<Settlement>(&entry.record);
        auto const moved =
            settlement == nullptr
                ? postings_of(entry.record)
                : settlement_postings(
                      tokens[{entry.chain_id, settlement->authorization_sequence}].bytes,
                      settlement->net);
        postings.insert(postings.end(), moved.begin(), moved.end());
    }
    return postings;
}

}  // namespace

class Rebuild::Run {
  public:
    Run(Network const& network, std::map<ChainId, ChainHistory*> histories, RebuildPorts ports)
        : network_(network),
          histories_(std::move(histories)),
          ports_(ports),
          booking_(network, ports, [this](std::string what) { differs(std::move(what)); }) {}

    Task<RebuildReport> run() {
        bool const is_same_chain = co_await begin_chains();
        // On another branch every transfer would differ.
        if (!is_same_chain) co_return std::move(report_);
        for (BookedMerchant& booked : co_await ports_.source.merchants()) {
            MerchantId const id = booked.id;
            auto receiving = receiving_key(booked.key);
            merchants_.emplace(id, MerchantInputs{std::move(booked), receiving, {}});
        }
        co_await take_payments();
        leave_out_with_others();
        leave_out_decisions();
        for (auto const& [id, chain] : chains_)
            co_await read_chain(chain);
        co_await check_refunds();
        co_await book_everything();
        co_await pay_fees();
        report_.decisions = booking_.decisions();
        co_await compare_everything();
        co_return std::move(report_);
    }

  private:
    void differs(std::string what) {
        ++report_.difference_count;
        if (report_.differences.size() < kMostDifferences)
            report_.differences.push_back(std::move(what));
    }

    // The new books begin where the old ones have got to: nothing is followed here.
    Task<bool> begin_chains() {
        bool same = true;
        for (BookedChain const& chain : co_await ports_.source.chains()) {
            auto const history = histories_.find(chain.id);
            if (history == histories_.end()) {
                throw std::runtime_error("the books have followed " + chain_text(chain.id) +
                                         ", which is not configured: it can't be read");
            }
            BlockHeader const& ours = chain.finalized.header;
            BlockHeader const theirs = co_await history->second->header(ours.number);
            if (theirs.hash != ours.hash) {
                same = false;
                differs(chain_text(chain.id) + ", block " + std::to_string(ours.number) +
                        ", which the books call final: the books say " + to_hex0x(ours.hash) +
                        "; the nodes, " + to_hex0x(theirs.hash));
            }
            co_await booking_.begin(chain);
            finalized_.emplace(chain.id, ours.number);
            chains_.emplace(chain.id, chain);
        }
        co_return same;
    }

    Task<void> read_chain(BookedChain const& chain) {
        RebuildReport::Chain read{.id = chain.id};
        BlockNumber const last = chain.finalized.header.number;
        if (!watched_.empty()) {
            ChainHistory& history = *histories_.at(chain.id);
            BlockNumber first = co_await history.first_block_since(first_payment_ - kClocks, last);
            read.first = first;
            read.last = last;
            while (first <= last) {
                BlockNumber const to = std::min(last, first + kBlocksAtOnce - 1);
                auto logs = co_await history.transfer_logs(tokens_of(chain.id), first, to);
                read.transfers += co_await take_logs(history, std::move(logs));
                first = to + 1;
                if ((first - read.first) % kBlocksBetweenWords == 0) {
                    log_info("rebuild", "reads a chain",
                             {{"chain", chain.id}, {"block", to}, {"of", last}});
                }
            }
            log_info("rebuild", "has read a chain",
                     {{"chain", chain.id}, {"blocks", last - read.first + 1}});
        }
        report_.chains.push_back(read);
    }

    // Those that are configured, and those that the books know from earlier.
    std::vector<Address> tokens_of(ChainId chain_id) {
        std::set<Address>& tokens = tokens_[chain_id];
        if (auto const* settings = network_.chain(chain_id)) {
            for (auto const& token : settings->tokens)
                tokens.insert(token.contract);
        }
        return {tokens.begin(), tokens.end()};
    }

    // Block by block, so that each transfer has its rank in its transaction.
    Task<std::uint64_t> take_logs(ChainHistory& history, std::vector<Log> logs) {
        auto const tokens = tokens_of(history.id());
        std::uint64_t taken = 0;
        for (auto first = logs.begin(); first != logs.end();) {
            auto const last = std::find_if(first, logs.end(), [&](Log const& log) {
                return log.block_number != first->block_number;
            });
            BlockHeader header{.number = first->block_number, .hash = first->block_hash};
            std::span<Log const> const of_block(first, last);
            auto found = match(decode_transfers(history.id(), header, tokens, of_block).transfers);
            if (!found.empty()) {
                header = co_await history.header(header.number);
                if (header.hash != first->block_hash) {
                    throw Unavailable(chain_text(history.id()) +
                                      ": a log is of another block than the one of its number, " +
                                      std::to_string(header.number));
                }
                for (auto& [key, matched] : found) {
                    matched.transfer.block_time = header.time;
                    on_chain_[key].push_back(matched);
                    ++taken;
                }
            }
            first = last;
        }
        co_return taken;
    }

    std::vector<std::pair<PaymentKey, MatchedTransfer>> match(
        std::vector<Transfer> const& transfers) const {
        std::vector<std::pair<PaymentKey, MatchedTransfer>> found;
        for (Transfer const& transfer : transfers) {
            if (auto const to = watched_.find(transfer.recipient); to != watched_.end())
                found.emplace_back(to->second, MatchedTransfer{to->second.second, transfer, true});
            if (auto const from = watched_.find(transfer.sender); from != watched_.end())
                found.emplace_back(from->second,
                                   MatchedTransfer{from->second.second, transfer, false});
        }
        return found;
    }

    Task<void> take_payments() {
        auto const frozen = co_await ports_.source.frozen();
        std::optional<PaymentKey> after;
        for (;;) {
            auto const page = co_await ports_.source.payments(after, kPage);
            std::vector<Payment> payments;
            for (BookedPayment const& booked : page)
                payments.push_back(take(booked, frozen));
            co_await ports_.target.add_payments(std::move(payments));
            if (page.size() < kPage) co_return;
            after = key_of(page.back().payment);
        }
    }

    // The payment as the new books have it: at the address that is the merchant's key's own.
    Payment take(BookedPayment const& booked, std::set<PaymentKey> const& frozen) {
        Payment payment = booked.payment;
        PaymentKey const key = key_of(payment);
        MerchantInputs& merchant = merchants_.at(payment.merchant_id);
        auto const derived = merchant.receiving ? derive_deposit_address(*merchant.receiving,
                                                                         payment.derivation_index)
                                                : std::nullopt;
        if (derived != payment.deposit_address) {
            differs(to_string(payment.id) + ", deposit address of index " +
                    std::to_string(payment.derivation_index) + ": the books say " +
                    to_string(payment.deposit_address) + "; the merchant's key, " +
                    (derived ? to_string(*derived) : "none"));
            if (derived) payment.deposit_address = *derived;
        }
        first_payment_ =
            watched_.empty() ? payment.created_at : std::min(first_payment_, payment.created_at);
        watched_.emplace(payment.deposit_address, key);
        for (JournalEntry const& entry : booked.entries) {
            if (auto const* record = std::get_if<Authorization>(&entry.record))
                tokens_[entry.chain_id].insert(record->transfer.key.token);
            if (auto const* record = std::get_if<Withdrawal>(&entry.record))
                tokens_[entry.chain_id].insert(record->transfer.key.token);
        }
        take_decisions(merchant, booked);
        if (frozen.contains(key)) left_out_.emplace(key, LeftOut::frozen);
        if (booked.entries.empty()) return payment;
        auto const history = history_of(booked);
        if (!history) {
            left_out_.emplace(key, LeftOut::contradictory);
        } else if (is_pending(history->booked)) {
            left_out_.emplace(key, LeftOut::pending);
        } else if (rests_on_a_reorg(*history)) {
            left_out_.emplace(key, LeftOut::reversed);
        }
        return payment;
    }

    // Decisions of persons are inputs: who decided what, and why. Other records of theirs are taken
    // here as well, and replayed in RebuildBooking::decide().
    void take_decisions(MerchantInputs& merchant, BookedPayment const& booked) {
        auto const positions = positions_of(booked.entries);
        for (JournalEntry const& entry : booked.entries) {
            bool const is_of_payment = std::holds_alternative<Refund>(entry.record) ||
                                       std::holds_alternative<RefundPayment>(entry.record) ||
                                       std::holds_alternative<RefundCancellation>(entry.record) ||
                                       std::holds_alternative<TokenLoss>(entry.record);
            if (is_of_payment) {
                merchant.decisions.push_back(
                    {positions.at({entry.chain_id, entry.sequence}), entry, {}, true});
            }
            auto const* resolution = std::get_if<Resolution>(&entry.record);
            if (resolution == nullptr) continue;
            PaymentKey const target{entry.merchant_id, resolution->target_payment_id};
            if (pays(resolution->kind)) paid_by_desk_.insert(target);
            if (resolution->payment_id != booked.payment.id) continue;
            auto const from =
                source_of_exception(booked.entries, entry.chain_id, resolution->exception_sequence);
            if (!from) {
                differs(to_string(entry.merchant_id) + ", " + chain_text(entry.chain_id) +
                        ", resolution " + std::to_string(entry.sequence) +
                        ": what it decides about is not in the books");
                continue;
            }
            merchant.decisions.push_back(
                {positions.at({entry.chain_id, entry.sequence}), entry, from->first, from->second});
            if (pays(resolution->kind) && target.second != booked.payment.id)
                paid_from_.emplace_back(key_of(booked.payment), target);
        }
    }

    bool is_pending(PaymentState const& state) const {
        auto const is_above = [this](Transfer const& transfer) {
            auto const final_to = finalized_.find(transfer.key.chain_id);
            return final_to == finalized_.end() || transfer.block_number > final_to->second;
        };
        return std::any_of(state.credits.begin(), state.credits.end(),
                           [&](Credit const& credit) { return is_above(credit.transfer); }) ||
               std::any_of(state.outflows.begin(), state.outflows.end(),
                           [&](Outflow const& outflow) { return is_above(outflow.transfer); });
    }

    // A payment that gave money to another one, or got it, is left out with it.
    void leave_out_with_others() {
        for (bool more = true; more;) {
            more = false;
            for (auto const& [from, to] : paid_from_) {
                for (auto const& [left, other] : {std::pair(from, to), std::pair(to, from)}) {
                    auto const why = left_out_.find(left);
                    if (why != left_out_.end() && left_out_.emplace(other, why->second).second)
                        more = true;
                }
            }
        }
    }

    void leave_out_decisions() {
        auto const is_left_out = [this](PersonsDecision const& decision) {
            MerchantId const merchant_id = decision.entry.merchant_id;
            auto const* resolution = std::get_if<Resolution>(&decision.entry.record);
            return left_out_.contains({merchant_id, payment_of(decision.entry.record)}) ||
                   (resolution != nullptr &&
                    left_out_.contains({merchant_id, resolution->target_payment_id}));
        };
        for (auto& [id, merchant] : merchants_)
            std::erase_if(merchant.decisions, is_left_out);
    }

    // That a promise was kept is not believed: the chain must have the transfer, from whatever
    // wallet it came.
    Task<void> check_refunds() {
        for (auto& [id, merchant] : merchants_) {
            for (auto decision = merchant.decisions.begin();
                 decision != merchant.decisions.end();) {
                auto const* paid = std::get_if<RefundPayment>(&decision->entry.record);
                bool const is_there = paid == nullptr || co_await is_on_chain(paid->transfer);
                if (is_there) {
                    ++decision;
                    continue;
                }
                differs(to_string(paid->payment_id) + ", refund paid on " +
                        chain_text(paid->transfer.key.chain_id) + " by transaction " +
                        to_hex0x(paid->transfer.key.transaction_hash) + ": the books say " +
                        to_string(paid->transfer.amount) + " to " +
                        to_string(paid->transfer.recipient) + "; the chain, nothing like it");
                decision = merchant.decisions.erase(decision);
            }
        }
    }

    Task<bool> is_on_chain(Transfer transfer) {
        ChainId const chain_id = transfer.key.chain_id;
        auto const history = histories_.find(chain_id);
        if (history == histories_.end()) co_return false;
        BlockHeader const header = co_await history->second->header(transfer.block_number);
        std::vector<Address> const token{transfer.key.token};
        auto const logs =
            co_await history->second->transfer_logs(token, header.number, header.number);
        auto const decoded = decode_transfers(chain_id, header, token, logs);
        co_return std::find(decoded.transfers.begin(), decoded.transfers.end(), transfer) !=
            decoded.transfers.end();
    }

    std::optional<PaymentHistory> history_of(BookedPayment const& booked) {
        JournalPositions whole;
        for (JournalEntry const& entry : booked.entries)
            whole[entry.chain_id] = std::max(whole[entry.chain_id], entry.sequence);
        try {
            PaymentHistory history{.booked = state_at(booked.payment, booked.entries, whole),
                                   .entries = booked.entries,
                                   .on_chain = {}};
            auto const found = on_chain_.find(key_of(booked.payment));
            if (found != on_chain_.end()) history.on_chain = found->second;
            std::sort(history.on_chain.begin(), history.on_chain.end(),
                      [](MatchedTransfer const& a, MatchedTransfer const& b) {
                          if (is_earlier(a.transfer, b.transfer)) return true;
                          if (is_earlier(b.transfer, a.transfer)) return false;
                          return a.incoming && !b.incoming;
                      });
            return history;
        } catch (InvariantViolation const& violation) {
            contradiction_ = violation.what();
            return std::nullopt;
        }
    }

    Task<void> book_everything() {
        std::optional<PaymentKey> after;
        std::optional<MerchantId> merchant;
        std::vector<PaymentHistory> ordered;
        for (;;) {
            auto const page = co_await ports_.source.payments(after, kPage);
            for (auto first = page.begin(); first != page.end();) {
                MerchantId const id = first->payment.merchant_id;
                if (merchant && *merchant != id) {
                    co_await book_ordered(merchants_.at(*merchant), std::move(ordered));
                    ordered.clear();
                }
                merchant = id;
                auto const last = std::find_if(first, page.end(), [&id](auto const& booked) {
                    return booked.payment.merchant_id != id;
                });
                std::vector<PaymentHistory> free;
                for (auto booked = first; booked != last; ++booked) {
                    co_await cancel(*booked);
                    auto history = to_be_booked(*booked);
                    if (!history) continue;
                    if (needs_order(*history, paid_by_desk_.contains(key_of(booked->payment)))) {
                        ordered.push_back(std::move(*history));
                    } else {
                        free.push_back(std::move(*history));
                    }
                }
                co_await booking_.book_free(merchants_.at(id), std::move(free));
                first = last;
            }
            if (page.size() < kPage) break;
            after = key_of(page.back().payment);
        }
        if (merchant) co_await book_ordered(merchants_.at(*merchant), std::move(ordered));
    }

    // Given up by a person: when it ended is an input. What its chains have of it is booked after
    // that, and is late or not by the times of its blocks.
    Task<void> cancel(BookedPayment const& booked) {
        if (left_out_.contains(key_of(booked.payment))) co_return;
        for (JournalEntry const& entry : booked.entries) {
            if (!std::holds_alternative<Cancellation>(entry.record)) continue;
            co_await load_reasons(entry.merchant_id);
            auto const reason = reasons_.find({entry.chain_id, entry.sequence});
            co_await booking_.cancel(entry, reason == reasons_.end() ? "" : reason->second);
        }
    }

    // Read once for all of a merchant's cancellations.
    Task<void> load_reasons(MerchantId merchant_id) {
        if (reasons_of_ == merchant_id) co_return;
        reasons_ = co_await ports_.source.reasons(merchant_id);
        reasons_of_ = merchant_id;
    }

    Task<void> book_ordered(MerchantInputs const& merchant, std::vector<PaymentHistory> ordered) {
        if (ordered.empty() && merchant.decisions.empty()) co_return;
        report_.ordered += ordered.size();
        DecisionInputs inputs;
        if (!merchant.decisions.empty()) {
            inputs.reasons = co_await ports_.source.reasons(merchant.booked.id);
            inputs.lost = co_await ports_.source.lost(merchant.booked.id);
        }
        co_await booking_.book_ordered(merchant, std::move(ordered), std::move(inputs));
    }

    // Of a journal, and of no payment of it: after all payments, since an invoice is a payment of
    // another merchant. In whatever order, no more is paid than was due in the end.
    Task<void> pay_fees() {
        auto const booked = co_await ports_.source.fee_payments();
        if (booked.empty()) co_return;
        std::set<MerchantId> incomplete;  // that have a payment whose fees are in neither books
        for (auto const& [key, why] : left_out_)
            incomplete.insert(key.first);
        auto const invoices = co_await ports_.fees.unbooked(kMostInvoices);
        for (JournalEntry const& entry : booked) {
            auto const& payment = std::get<FeePayment>(entry.record);
            bool is_left_out =
                left_out_.contains({payment.invoice_merchant_id, payment.invoice_payment_id});
            if (!is_left_out && incomplete.contains(entry.merchant_id))
                is_left_out = !co_await booking_.owes(entry);
            if (is_left_out) {
                ++report_.fee_payments_left_out;
                fees_left_out_.push_back(entry);
                continue;
            }
            auto const why = co_await booking_.pay_fees(entry, invoices);
            if (!why) {
                ++report_.fee_payments;
                continue;
            }
            differs(to_string(entry.merchant_id) + ", " + chain_text(entry.chain_id) +
                    ", fee_payment " + std::to_string(entry.sequence) + " of " +
                    to_string(payment.amount) + " by the invoice " +
                    to_string(payment.invoice_payment_id) + ": is refused when rebuilt: " + *why);
        }
    }

    std::optional<PaymentHistory> to_be_booked(BookedPayment const& booked) {
        PaymentKey const key = key_of(booked.payment);
        if (left_out_.contains(key)) return std::nullopt;
        if (!on_chain_.contains(key) && !paid_by_desk_.contains(key)) return std::nullopt;
        return history_of(booked);
    }

    Task<void> compare_everything() {
        auto booked = co_await ports_.source.balances();
        std::optional<PaymentKey> after;
        for (;;) {
            auto const page = co_await ports_.source.payments(after, kPage);
            co_await compare_page(page, booked);
            if (page.size() < kPage) break;
            after = key_of(page.back().payment);
        }
        for (JournalEntry const& entry : fees_left_out_) {
            for (Posting const& posting : postings_of(entry.record))
                take_out(booked, entry.merchant_id, entry.chain_id, posting);
        }
        for (std::string& line : compare_balances(booked, co_await ports_.target.balances()))
            differs(std::move(line));
    }

    Task<void> compare_page(std::vector<BookedPayment> const& page, AccountBalances& balances) {
        std::vector<PaymentKey> keys;
        for (BookedPayment const& booked : page) {
            PaymentKey const key = key_of(booked.payment);
            if (left_out_.contains(key)) {
                compare_left_out(booked, left_out_.at(key), balances);
            } else if (!booked.entries.empty() || on_chain_.contains(key)) {
                keys.push_back(key);
            }
        }
        std::map<PaymentKey, PaymentState> rebuilt;
        for (PaymentState& state : co_await ports_.target.states(keys)) {
            PaymentKey const key = key_of(state.payment);
            rebuilt.emplace(key, std::move(state));
        }
        for (BookedPayment const& booked : page) {
            auto const state = rebuilt.find(key_of(booked.payment));
            if (state == rebuilt.end()) continue;
            ++report_.payments;
            auto const history = history_of(booked);
            for (std::string& line : compare_payment(history->booked, state->second))
                differs(std::move(line));
        }
    }

    void compare_left_out(BookedPayment const& booked, LeftOut why, AccountBalances& balances) {
        if (why == LeftOut::pending) ++report_.pending;
        if (why == LeftOut::frozen) ++report_.frozen;
        if (why == LeftOut::reversed) ++report_.reversed;
        std::map<ChainId, std::vector<JournalEntry>> by_chain;
        for (JournalEntry const& entry : booked.entries)
            by_chain[entry.chain_id].push_back(entry);
        for (auto const& [chain_id, entries] : by_chain) {
            for (Posting const& posting : moved_by(booked.payment.id, entries))
                take_out(balances, booked.payment.merchant_id, chain_id, posting);
        }
        auto const history = history_of(booked);
        if (!history) {
            differs(to_string(booked.payment.id) +
                    ": its records contradict each other: " + contradiction_);
            return;
        }
        for (std::string& line : compare_transfers(history->booked, history->on_chain, finalized_))
            differs(std::move(line));
    }

    Network const& network_;
    std::map<ChainId, ChainHistory*> histories_;
    RebuildPorts ports_;
    RebuildBooking booking_;
    RebuildReport report_;
    std::map<ChainId, BookedChain> chains_;
    std::map<ChainId, BlockNumber> finalized_;
    std::map<ChainId, std::set<Address>> tokens_;
    std::map<MerchantId, MerchantInputs> merchants_;
    std::map<Address, PaymentKey> watched_;
    Timestamp first_payment_{};
    std::map<PaymentKey, std::vector<MatchedTransfer>> on_chain_;
    std::map<PaymentKey, LeftOut> left_out_;
    std::set<PaymentKey> paid_by_desk_;
    std::vector<std::pair<PaymentKey, PaymentKey>> paid_from_;  // by a decision: from, to
    std::vector<JournalEntry> fees_left_out_;
    std::string contradiction_;
    std::optional<MerchantId> reasons_of_;
    ResolutionReasons reasons_;
};

Rebuild::Rebuild(Network const& network, std::map<ChainId, ChainHistory*> histories,
                 RebuildPorts ports)
    : run_(std::make_unique<Run>(network, std::move(histories), ports)) {}

Rebuild::~Rebuild() = default;

Task<RebuildReport> Rebuild::run() {
    return run_->run();
}

}  // namespace sycee
