#include <sycee/app/payment_service.hpp>
#include <sycee/app/rebuild.hpp>
#include <sycee/base/assert.hpp>
#include <sycee/evm/transfer_order.hpp>
#include <sycee/payment/desk.hpp>
#include <sycee/payment/history.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace sycee {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kPage = 500;               // payments
constexpr BlockNumber kBlocksAtOnce = 2'000;     // whose logs are asked for
constexpr std::size_t kMostDifferences = 1'000;  // that are kept, all are counted
constexpr int kMostRounds = 4;                   // over the chains of one payment
constexpr auto kLeaseTime = 24h;
// So far may the time of a chain be from the clock of whoever put something in.
constexpr auto kClocks = 1h;

enum class LeftOut : std::uint8_t { pending, frozen, reversed, contradictory };

// A decision of a person, with the transfer that it is about: numbers are others in the new books.
struct PersonsDecision {
    BookedPosition position;
    JournalEntry entry;  // a Resolution
    TransferKey transfer;
    bool incoming = true;
};

struct MerchantInputs {
    BookedMerchant booked;
    std::optional<ExtendedPublicKey> receiving;
    std::vector<PersonsDecision> decisions;
};

PaymentKey key_of(Payment const& payment) {
    return {payment.merchant_id, payment.id};
}

std::string chain_text(ChainId id) {
    return "chain " + std::to_string(id);
}

// A payment that is booked in the order of the source's books, and how far it is.
struct OrderedPayment {
    PaymentHistory history;
    std::set<std::pair<TransferKey, bool>> booked;

    PaymentKey key() const { return key_of(history.booked.payment); }
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

// How one step is booked.
struct Manner {
    FeeSchedule fees;
    bool frozen = false;  // nothing clears or settles
    bool expired = true;  // chain time is what it is; else a payment's is not over yet
};

// What one step books: payments of one merchant, each with what is known of it.
struct Booking {
    ChainId chain_id = 0;
    std::vector<PaymentHistory const*> payments;
    std::vector<MatchedTransfer> transfers;
    Manner manner;
};

std::optional<Timestamp> last_in_time(PaymentHistory const& history) {
    std::optional<Timestamp> last;
    for (MatchedTransfer const& matched : history.on_chain) {
        if (matched.incoming && matched.transfer.block_time <= history.booked.payment.expires_at) {
            last =
                std::max(last.value_or(matched.transfer.block_time), matched.transfer.block_time);
        }
    }
    return last;
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
        : network_(network), histories_(std::move(histories)), ports_(ports) {}

    Task<RebuildReport> run() {
        bool const is_same_chain = co_await begin_chains();
        // On another branch every transfer would differ.
        if (!is_same_chain) co_return std::move(report_);
        for (BookedMerchant& booked : co_await ports_.source.merchants()) {
            MerchantId const id = booked.id;
            auto receiving = receiving_key(booked.key);
            merchants_.emplace(id, MerchantInputs{std::move(booked), std::move(receiving), {}});
        }
        co_await take_payments();
        leave_out_with_others();
        for (auto const& [id, chain] : chains_)
            co_await read_chain(chain);
        co_await book_everything();
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
        for (auto const& chain : network_.chains)
            progress_[chain.id] = std::nullopt;
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
            auto const lease =
                co_await ports_.ledger.acquire_lease(chain.id, "rebuild", kLeaseTime);
            if (!lease) throw Unavailable("somebody else writes to the new books");
            co_await ports_.ledger.begin_chain(chain.id, *lease, chain.finalized,
                                               ports_.clock.now());
            leases_.emplace(chain.id, *lease);
            finalized_.emplace(chain.id, ours.number);
            progress_[chain.id] =
                ChainProgress{chain.head_time, ours.number, ours.number, chain.rule};
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
                    on_chain_[key].push_back(std::move(matched));
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
    // here as well, and replayed in decide().
    void take_decisions(MerchantInputs& merchant, BookedPayment const& booked) {
        auto const positions = positions_of(booked.entries);
        for (JournalEntry const& entry : booked.entries) {
            auto const* resolution = std::get_if<Resolution>(&entry.record);
            if (resolution == nullptr) continue;
            PaymentKey const target{entry.merchant_id, resolution->target_payment_id};
            if (pays(resolution->kind)) paid_by_desk_.insert(target);
            if (resolution->payment_id != booked.payment.id) continue;
            auto const from =
                source_of_exception(booked.entries, entry.chain_id, resolution->exception_sequence);
            if (!from) {
                differs(decision_text(entry) + ": what it decides about is not in the books");
                continue;
            }
            merchant.decisions.push_back(
                {positions.at({entry.chain_id, entry.sequence}), entry, from->first, from->second});
            if (pays(resolution->kind) && target.second != booked.payment.id)
                paid_from_.emplace_back(key_of(booked.payment), target);
        }
    }

    static std::string decision_text(JournalEntry const& entry) {
        return to_string(entry.merchant_id) + ", " + chain_text(entry.chain_id) + ", resolution " +
               std::to_string(entry.sequence);
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
        std::vector<OrderedPayment> ordered;
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
                    auto history = to_be_booked(*booked);
                    if (!history) continue;
                    if (needs_order(*history, paid_by_desk_.contains(key_of(booked->payment)))) {
                        ordered.push_back({std::move(*history), {}});
                    } else {
                        free.push_back(std::move(*history));
                    }
                }
                co_await book_free(merchants_.at(id), std::move(free));
                first = last;
            }
            if (page.size() < kPage) break;
            after = key_of(page.back().payment);
        }
        if (merchant) co_await book_ordered(merchants_.at(*merchant), std::move(ordered));
    }

    std::optional<PaymentHistory> to_be_booked(BookedPayment const& booked) {
        PaymentKey const key = key_of(booked.payment);
        if (left_out_.contains(key)) return std::nullopt;
        if (!on_chain_.contains(key) && !paid_by_desk_.contains(key)) return std::nullopt;
        return history_of(booked);
    }

    // All of them in one step of each chain: the chains alone say what becomes of them.
    Task<void> book_free(MerchantInputs const& merchant, std::vector<PaymentHistory> payments) {
        std::map<std::uint64_t, std::pair<FeeSchedule, std::vector<PaymentHistory const*>>> by_fees;
        for (PaymentHistory const& history : payments) {
            FeeSchedule const fees = fees_of(merchant, history);
            auto& group = by_fees[fees.version];
            group.first = fees;
            group.second.push_back(&history);
        }
        for (auto const& [version, group] : by_fees) {
            for (auto const& [chain_id, chain] : chains_) {
                Booking booking{.chain_id = chain_id,
                                .payments = {},
                                .transfers = {},
                                .manner = {.fees = group.first}};
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
    FeeSchedule fees_of(MerchantInputs const& merchant, PaymentHistory const& history) {
        auto const named = fee_versions_of(history);
        PaymentId const id = history.booked.payment.id;
        if (!named.empty()) return fees_named(merchant, named.front(), to_string(id));
        return fees_at(merchant, last_in_time(history).value_or(Timestamp{}));
    }

    static FeeSchedule fees_at(MerchantInputs const& merchant, Timestamp time) {
        auto const& all = merchant.booked.fees;
        FeeSchedule fees = all.empty() ? FeeSchedule{} : all.front().schedule;
        for (FeesSince const& since : all) {
            if (since.created_at <= time) fees = since.schedule;
        }
        return fees;
    }

    FeeSchedule fees_named(MerchantInputs const& merchant, FeeVersion const& named,
                           std::string const& where) {
        // Booked before there were versions.
        if (named.version == 0) return {.basis_points = named.basis_points};
        auto const& all = merchant.booked.fees;
        auto const found = std::find_if(all.begin(), all.end(), [&](FeesSince const& since) {
            return since.schedule.version == named.version;
        });
        if (found == all.end()) {
            differs(where + ": the books name version " + std::to_string(named.version) +
                    " of the fees, and there is none");
            return fees_at(merchant, named.transferred_at);
        }
        // Whoever clears a transfer does it after its block, and by the newest version.
        auto const next = std::next(found);
        if (next != all.end() && next->created_at + kClocks < named.transferred_at) {
            differs(where + ": the books name version " + std::to_string(named.version) +
                    " of the fees, which was not in force any more at " +
                    to_rfc3339(named.transferred_at));
        }
        return found->schedule;
    }

    // One step of a chain for one merchant. True where it wrote anything.
    Task<bool> book(Booking booking) {
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
        view.fees = booking.manner.fees;
        ChainStep step{.chain_id = booking.chain_id,
                       .rolled_back_to = {},
                       .head = finalized_.at(booking.chain_id),
                       .tokens = network_.token_units(),
                       .chains = progress_};
        for (PaymentState& state : view.payments) {
            // When a block first had a transfer that was mined again, only the books still know.
            state.reversed_transfers = histories.at(state.payment.id)->booked.reversed_transfers;
            note_first_seen(state);
            if (booking.manner.frozen) view.frozen.insert(state.payment.id);
            if (booking.manner.expired) continue;
            for (auto& [id, progress] : step.chains) {
                if (progress)
                    progress->head_time = std::min(progress->head_time, state.payment.expires_at);
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
    Timestamp next_moment() {
        last_moment_ = std::max(ports_.clock.now(), last_moment_ + 1ms);
        return last_moment_;
    }

    // What the chains alone don't decide: in the order in which the books took it, together with
    // what persons decided. What the rules don't allow in that order is not done.
    Task<void> book_ordered(MerchantInputs const& merchant, std::vector<OrderedPayment> payments) {
        report_.ordered += payments.size();
        struct Next {
            BookedPosition position;
            OrderedPayment* payment = nullptr;
            OrderedStep step;
            PersonsDecision const* decision = nullptr;
        };
        std::vector<Next> all;
        for (OrderedPayment& payment : payments) {
            for (OrderedStep& step : steps_of(payment.history))
                all.push_back({step.position, &payment, std::move(step), nullptr});
        }
        for (PersonsDecision const& decision : merchant.decisions) {
            if (!is_left_out(decision)) all.push_back({decision.position, nullptr, {}, &decision});
        }
        std::sort(all.begin(), all.end(),
                  [](Next const& a, Next const& b) { return a.position < b.position; });
        auto const reasons = merchant.decisions.empty()
                                 ? ResolutionReasons{}
                                 : co_await ports_.source.reasons(merchant.booked.id);
        std::vector<PersonsDecision const*> refused;
        for (Next const& next : all) {
            if (next.decision == nullptr) {
                co_await take(merchant, *next.payment, next.step);
                continue;
            }
            auto const why = co_await decide(merchant, *next.decision, reasons);
            if (why) refused.push_back(next.decision);
        }
        for (OrderedPayment& payment : payments)
            co_await finish(merchant, payment);
        // What they rest on may have come last.
        for (PersonsDecision const* decision : refused) {
            auto const why = co_await decide(merchant, *decision, reasons);
            if (why) differs(decision_text(decision->entry) + ": is refused when rebuilt: " + *why);
        }
        if (refused.empty()) co_return;
        for (OrderedPayment& payment : payments)
            co_await finish(merchant, payment);
    }

    bool is_left_out(PersonsDecision const& decision) const {
        auto const& resolution = std::get<Resolution>(decision.entry.record);
        MerchantId const merchant_id = decision.entry.merchant_id;
        return left_out_.contains({merchant_id, resolution.payment_id}) ||
               left_out_.contains({merchant_id, resolution.target_payment_id});
    }

    Task<void> take(MerchantInputs const& merchant, OrderedPayment& payment,
                    OrderedStep const& step) {
        Booking booking{
            .chain_id = step.chain_id,
            .payments = {&payment.history},
            .transfers = {},
            .manner = {.frozen = step.kind != OrderedStep::Kind::clear, .expired = step.expired}};
        if (step.transfer) {
            booking.transfers = payment.take(*step.transfer);
            if (booking.transfers.empty()) co_return;  // not on the chain, or booked already
        }
        std::string const id = to_string(payment.history.booked.payment.id);
        if (step.fees) booking.manner.fees = fees_named(merchant, *step.fees, id);
        co_await book(std::move(booking));
    }

    // Whatever the books did not say anything about, by the rules and the chain time of now.
    Task<void> finish(MerchantInputs const& merchant, OrderedPayment& payment) {
        FeeSchedule const fees = fees_at_end(merchant, payment.history);
        for (int round = 0; round < kMostRounds; ++round) {
            bool moved = false;
            for (ChainId const chain_id : payment.chains()) {
                if (!chains_.contains(chain_id)) continue;
                bool const wrote = co_await book({.chain_id = chain_id,
                                                  .payments = {&payment.history},
                                                  .transfers = payment.take_rest(chain_id),
                                                  .manner = {.fees = fees}});
                moved = moved || wrote;
            }
            if (!moved) co_return;
        }
    }

    FeeSchedule fees_at_end(MerchantInputs const& merchant, PaymentHistory const& history) {
        auto const named = fee_versions_of(history);
        for (FeesSince const& since : merchant.booked.fees) {
            if (!named.empty() && since.schedule.version == named.back().version)
                return since.schedule;
        }
        return fees_at(merchant, last_in_time(history).value_or(Timestamp{}));
    }

    // Nothing where it was booked, else why not.
    Task<std::optional<std::string>> decide(MerchantInputs const& merchant,
                                            PersonsDecision const& decision,
                                            ResolutionReasons const& reasons) {
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
            view.fees =
                fees_named(merchant, {resolution.fee_version, resolution.fee_basis_points, {}},
                           decision_text(decision.entry));
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
        auto const reason = reasons.find({chain_id, decision.entry.sequence});
        DeskCommit commit{.head = {merchant_id, step->first_head, step->head},
                          .chain_id = chain_id,
                          .entries = std::move(step->entries),
                          .reason = reason == reasons.end() ? "" : reason->second,
                          .request = {},
                          .now = ports_.clock.now()};
        co_await ports_.desk.commit(std::move(commit));
        ++report_.decisions;
        co_return std::nullopt;
    }

    static std::optional<std::uint64_t> exception_in(MerchantView const& view, PaymentId payment_id,
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

    Task<void> compare_everything() {
        auto booked = co_await ports_.source.balances();
        std::optional<PaymentKey> after;
        for (;;) {
            auto const page = co_await ports_.source.payments(after, kPage);
            co_await compare_page(page, booked);
            if (page.size() < kPage) break;
            after = key_of(page.back().payment);
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
        std::map<ChainId, Postings> moved;
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
    RebuildReport report_;
    std::map<ChainId, BookedChain> chains_;
    std::map<ChainId, BlockNumber> finalized_;
    std::map<ChainId, Lease> leases_;
    ChainsProgress progress_;
    std::map<ChainId, std::set<Address>> tokens_;
    std::map<MerchantId, MerchantInputs> merchants_;
    std::map<Address, PaymentKey> watched_;
    Timestamp first_payment_{};
    std::map<PaymentKey, std::vector<MatchedTransfer>> on_chain_;
    std::map<PaymentKey, LeftOut> left_out_;
    std::set<PaymentKey> paid_by_desk_;
    std::vector<std::pair<PaymentKey, PaymentKey>> paid_from_;  // by a decision: from, to
    std::string contradiction_;
    Timestamp last_moment_{};
};

Rebuild::Rebuild(Network const& network, std::map<ChainId, ChainHistory*> histories,
                 RebuildPorts ports)
    : run_(std::make_unique<Run>(network, std::move(histories), ports)) {}

Rebuild::~Rebuild() = default;

Task<RebuildReport> Rebuild::run() {
    return run_->run();
}

}  // namespace sycee
