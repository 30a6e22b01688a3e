#include "checker.hpp"

#include <sycee/app/payment_events.hpp>
#include <sycee/base/assert.hpp>

#include "told_events.hpp"

#include <algorithm>
#include <bit>

namespace sycee::simulation {
namespace {

__int128 signed_of(Amount amount) {
    return static_cast<__int128>(amount.base_units());
}

__int128 power(unsigned exponent) {
    __int128 result = 1;
    while (exponent-- > 0)
        result *= 10;
    return result;
}

std::string number(__int128 value) {
    if (value < 0) return "-" + number(-value);
    std::string text;
    do {
        text.insert(text.begin(), static_cast<char>('0' + static_cast<int>(value % 10)));
        value /= 10;
    } while (value != 0);
    return text;
}

std::string short_hash(ByteView hash) {
    return to_hex(hash.first(4));
}

bool is_applied(Credit const& credit) {
    return credit.stage == CreditStage::cleared || credit.stage == CreditStage::settled;
}

// All that the rows say of a payment, for whoever looks into a failure.
std::string describe(PaymentState const& state) {
    std::string text = to_string(state.payment.id) + ": price " + to_string(state.payment.price) +
                       ", expires " + to_rfc3339(state.payment.expires_at);
    for (PaymentOption const& option : state.payment.options) {
        text += "\n  option " + std::to_string(option.chain_id) + " " +
                short_hash(option.token.bytes) + " " + to_string(option.amount) + " tolerance " +
                to_string(option.tolerance);
    }
    for (Credit const& credit : state.credits) {
        Transfer const& transfer = credit.transfer;
        text +=
            "\n  credit " + std::to_string(transfer.key.chain_id) + " " +
            short_hash(transfer.key.token.bytes) + " " + short_hash(transfer.key.transaction_hash) +
            "/" + std::to_string(transfer.key.ordinal) + " " + to_string(transfer.amount) +
            " in block " + std::to_string(transfer.block_number) + " of " +
            to_rfc3339(transfer.block_time) + " first seen " + to_rfc3339(credit.first_seen_time) +
            " " + std::string(to_string(credit.stage)) + " gross " + to_string(credit.gross) +
            " excess " + to_string(credit.excess) + " shortfall " + to_string(credit.shortfall);
    }
    for (auto const& [key, time] : state.reversed_transfers)
        text += "\n  reversed " + short_hash(key.transaction_hash) + " of " + to_rfc3339(time);
    return text;
}

// A cancellation is an expiry at another moment.
Timestamp end_of(PaymentState const& state) {
    Timestamp end = state.payment.expires_at;
    if (state.canceled && state.canceled->ends_at < end) end = state.canceled->ends_at;
    return end;
}

bool is_paid_on_several(PaymentState const& state) {
    return std::any_of(state.credits.begin(), state.credits.end(), [&state](Credit const& credit) {
        return credit.transfer.key.chain_id != state.credits.front().transfer.key.chain_id;
    });
}

}  // namespace

Checker::Checker(SimStore const& store, Network const& network,
                 std::vector<std::unique_ptr<SimChain>> const& chains,
                 std::function<void(std::string const&)> reached)
    : store_(store), network_(network), chains_(chains), reached_(std::move(reached)) {}

void Checker::fail(std::string invariant, std::string detail) {
    if (!violation_) violation_ = Violation{std::move(invariant), std::move(detail)};
}

SimChain const& Checker::chain(ChainId id) const {
    return **std::find_if(chains_.begin(), chains_.end(),
                          [id](auto const& candidate) { return candidate->id() == id; });
}

std::size_t Checker::quorum(ChainId id) const {
    return network_.chain(id)->quorum;
}

unsigned Checker::decimals(ChainId id, Address const& token) const {
    return network_.chain(id)->token(token)->decimals;
}

// In millionths of a whole token, rounded up.
Checker::Sum Checker::value(ChainId id, Address const& token, Amount amount) const {
    unsigned const digits = decimals(id, token);
    if (digits <= 6) return signed_of(amount) * power(6 - digits);
    Sum const unit = power(digits - 6);
    return (signed_of(amount) + unit - 1) / unit;
}

Checker::Sum Checker::at_stake(PaymentState const& state) const {
    Sum price = 0;
    for (PaymentOption const& option : state.payment.options)
        price = std::max(price, value(option.chain_id, option.token, option.amount));
    Sum arrived = 0;
    for (Credit const& credit : state.credits) {
        auto const& key = credit.transfer.key;
        arrived += value(key.chain_id, key.token, credit.transfer.amount);
    }
    return std::max(price, arrived);
}

// By what the store holds of the transfer's chain.
bool Checker::met_rule(PaymentState const& state, Transfer const& transfer) const {
    auto const followed = followed_.find(transfer.key.chain_id);
    return followed != followed_.end() && met_rule(state, transfer, followed->second.agreed);
}

// As the step of another chain may have seen it, which looks at this one before it commits.
bool Checker::once_met_rule(PaymentState const& state, Transfer const& transfer) const {
    auto const followed = followed_.find(transfer.key.chain_id);
    if (followed == followed_.end()) return false;
    auto const since = std::prev(followed->second.once_agreed.upper_bound(transfer.block_number));
    return met_rule(state, transfer, since->second);
}

bool Checker::met_rule(PaymentState const& state, Transfer const& transfer,
                       BlockNumber agreed) const {
    ChainId const id = transfer.key.chain_id;
    if (transfer.block_number <= followed_.at(id).finalized) return true;
    Sum const stake = at_stake(state);
    for (FinalityBand const& band : store_.rule(id).bands) {
        if (band.below && stake >= signed_of(*band.below)) continue;
        return band.confirmations != 0 && transfer.block_number + band.confirmations <= agreed + 1;
    }
    return false;
}

bool Checker::is_really_in(Transfer const& transfer) const {
    SimBlock const* block = chain(transfer.key.chain_id).find(transfer.block_hash);
    return block != nullptr && std::find(block->transfers.begin(), block->transfers.end(),
                                         transfer) != block->transfers.end();
}

bool Checker::covers(Payment const& payment, std::vector<Paid> const& paid, bool tolerant) const {
    std::vector<std::pair<PaymentOption const*, Sum>> parts;
    for (Paid const& each : paid) {
        PaymentOption const* option = nullptr;
        for (PaymentOption const& candidate : payment.options) {
            if (candidate.chain_id == each.chain_id && candidate.token == each.token)
                option = &candidate;
        }
        if (option == nullptr) continue;
        auto const part = std::find_if(parts.begin(), parts.end(), [option](auto const& known) {
            return known.first == option;
        });
        if (part == parts.end()) {
            parts.emplace_back(option, signed_of(each.amount));
        } else {
            part->second += signed_of(each.amount);
        }
    }
    if (parts.empty()) return false;
    Sum const price = signed_of(payment.price);
    Sum worth = 0;
    for (auto const& [option, sum] : parts) {
        if (sum >= signed_of(option->amount)) return true;
        worth += static_cast<Sum>(
            multiply_divide_down(Amount(static_cast<Uint128>(sum)), payment.price, option->amount)
                .base_units());
    }
    if (worth >= price) return true;
    if (!tolerant) return false;
    bool const alone = std::any_of(parts.begin(), parts.end(), [](auto const& part) {
        return signed_of(part.first->amount) - part.second <= signed_of(part.first->tolerance);
    });
    if (alone || parts.size() == 1) return alone;
    return std::any_of(parts.begin(), parts.end(), [&](auto const& part) {
        Amount const missing = multiply_divide_up(Amount(static_cast<Uint128>(price - worth)),
                                                  part.first->amount, payment.price);
        return missing <= part.first->tolerance;
    });
}

std::vector<Checker::Paid> Checker::applied_of(PaymentState const& state) const {
    std::vector<Paid> paid;
    for (Credit const& credit : state.credits) {
        if (is_applied(credit)) {
            auto const& key = credit.transfer.key;
            paid.push_back({key.chain_id, key.token, credit.gross});
        }
    }
    return paid;
}

bool Checker::is_cleared(PaymentState const& state) const {
    return covers(state.payment, applied_of(state), true);
}

void Checker::begin(ChainId chain_id, ProcessedBlock const& block) {
    FollowedChainTruth& followed = followed_[chain_id];
    SimBlock const* real = chain(chain_id).at(block.header.number);
    if (real == nullptr || real->header.hash != block.header.hash ||
        block.header.number > chain(chain_id).finalized().header.number) {
        fail("begins at a final block",
             "chain " + std::to_string(chain_id) + " block " + std::to_string(block.header.number));
    }
    followed.blocks.emplace(block.header.number, block);
    followed.first = followed.finalized = block.header.number;
    followed.agreed = block.header.number;
    followed.once_agreed[0] = block.header.number;
    followed.latest_head_time = block.header.time;
}

void Checker::after_commit(ChainCommit const& commit, ServedBlocks const& served) {
    if (violation_) return;
    check_blocks(commit, served);
    if (violation_) return;
    std::set<MerchantId> merchants;
    std::set<PaymentKey> touched;
    for (JournalEntry const& entry : commit.entries) {
        check_journal(entry);
        check_entry(commit, entry);
        merchants.insert(entry.merchant_id);
        std::visit(
            [&](auto const& record) {
                if constexpr (requires { record.payment_id; })
                    touched.insert({entry.merchant_id, record.payment_id});
            },
            entry.record);
        if (violation_) return;
    }
    for (JournalEntry const& entry : commit.entries)
        book(entry, 1);
    check_transfers(commit);
    if (commit.rolled_back_to) check_live(commit.chain_id);
    for (PaymentKey const& key : touched)
        check_coverage(commit, key);
    touched_ = touched;
    check_balances(commit.chain_id, merchants);
    check_cap(commit);
    check_events(commit);
    check_open_index(commit.chain_id);
    for (PaymentKey const& key : touched)
        before_.insert_or_assign(key, store_.state_of(key));
}

// Every chain that it offers has processed a block after its end, and nothing had come.
void Checker::after_cancel(CancelCommit const& commit) {
    if (violation_) return;
    JournalEntry const& entry = commit.entries.front();
    check_journal(entry);
    auto const& canceled = std::get<Cancellation>(entry.record);
    PaymentKey const key{entry.merchant_id, canceled.payment_id};
    PaymentState const state = store_.state_of(key);
    reached_("a payment is canceled");
    if (!state.credits.empty()) fail("canceled before anything came", describe(state));
    if (canceled.ends_at >= state.payment.expires_at)
        fail("canceled before it is over", describe(state));
    for (PaymentOption const& option : state.payment.options) {
        auto const followed = followed_.find(option.chain_id);
        if (followed == followed_.end() || followed->second.latest_head_time <= canceled.ends_at)
            fail("canceled by every chain's time", describe(state));
    }
    bool const told = commit.events.size() == 1 && commit.events[0].type == "payment.canceled" &&
                      commit.events[0].status == PaymentStatus::canceled;
    if (!told) return fail("one event for each change", "a cancellation of " + describe(state));
    check_told(commit.events[0]);
    before_.insert_or_assign(key, state);
}

void Checker::check_blocks(ChainCommit const& commit, ServedBlocks const& served) {
    FollowedChainTruth& followed = followed_[commit.chain_id];
    SimChain const& truth = chain(commit.chain_id);
    std::string const where = "chain " + std::to_string(commit.chain_id) + " ";
    if (commit.rolled_back_to) {
        followed.latest_undone = std::max(followed.latest_undone, followed.latest_head_time);
        if (*commit.rolled_back_to < followed.finalized) {
            return fail("final blocks stay",
                        where + "rolled back to " + std::to_string(*commit.rolled_back_to));
        }
        followed.blocks.erase(followed.blocks.upper_bound(*commit.rolled_back_to),
                              followed.blocks.end());
        if (followed.misread.upper_bound(*commit.rolled_back_to) != followed.misread.end() &&
            std::any_of(commit.added.begin(), commit.added.end(), [&](ProcessedBlock const& block) {
                SimBlock const* real = truth.find(block.header.hash);
                auto const again = misread_hashes_.find(block.header.hash);
                return again != misread_hashes_.end() && real->digest == block.logs_digest;
            })) {
            reached_("a misread block is undone");
        }
        followed.misread.erase(followed.misread.upper_bound(*commit.rolled_back_to),
                               followed.misread.end());
        reached_("reorg followed");
    }
    for (ProcessedBlock const& block : commit.added) {
        BlockHeader const& head = followed.blocks.rbegin()->second.header;
        BlockNumber const number = block.header.number;
        if (number != head.number + 1 || block.header.parent_hash != head.hash) {
            return fail("parents link", where + "block " + std::to_string(number) +
                                            " is booked upon block " + std::to_string(head.number));
        }
        SimBlock const* real = truth.find(block.header.hash);
        if (real == nullptr || real->header != block.header) {
            return fail("blocks are real", where + "block " + std::to_string(number));
        }
        if (real->digest != block.logs_digest) {
            if (!hidden_well_.contains(block.header.hash)) {
                return fail("what shows is not booked",
                            where + "block " + std::to_string(number) + " is not complete");
            }
            followed.misread.insert(number);
            followed.was_misread = true;
            misread_hashes_.insert(block.header.hash);
            reached_("a block is misread");
        }
        followed.blocks.emplace(number, block);
    }
    BlockHeader const& head = followed.blocks.rbegin()->second.header;
    followed.latest_head_time = std::max(followed.latest_head_time, head.time);
    if (commit.finalized < followed.finalized) {
        return fail("final blocks stay",
                    where + "finalized went back to " + std::to_string(commit.finalized));
    }
    if (commit.agreed < commit.finalized || commit.agreed > head.number) {
        return fail("agreement within the chain",
                    where + "agreed to " + std::to_string(commit.agreed));
    }
    for (BlockNumber final_number = followed.finalized + 1; final_number <= commit.finalized;
         ++final_number) {
        ProcessedBlock const& block = followed.blocks.at(final_number);
        SimBlock const* real = truth.at(final_number);
        if (final_number > truth.finalized().header.number) {
            return fail(
                "final only what is final",
                where + "block " + std::to_string(final_number) + " is not final on the chain");
        }
        if (real->header.hash != block.header.hash) {
            return fail("final only what is final",
                        where + "block " + std::to_string(final_number) + " is of another branch");
        }
        if (real->digest != block.logs_digest) {
            return fail(
                "final blocks are read right",
                where + "block " + std::to_string(final_number) + " was misread and is final");
        }
    }
    if (quorum(commit.chain_id) > 1) {
        for (BlockNumber agreed = commit.finalized + 1; agreed <= commit.agreed; ++agreed) {
            ProcessedBlock const& block = followed.blocks.at(agreed);
            auto const votes = served.find({block.header.hash, block.logs_digest});
            auto const nodes =
                votes == served.end() ? 0U : static_cast<unsigned>(std::popcount(votes->second));
            if (nodes < quorum(commit.chain_id)) {
                return fail("agreed by a quorum", where + "block " + std::to_string(agreed) +
                                                      " was said by " + std::to_string(nodes));
            }
            if (followed.misread.contains(agreed)) {
                return fail("agreed blocks are read right",
                            where + "block " + std::to_string(agreed));
            }
        }
    }
    if (commit.agreed < head.number) reached_("a block waits for the quorum");
    if (commit.agreed == head.number && quorum(commit.chain_id) > 1 && followed.was_behind)
        reached_("the quorum is back");
    followed.was_behind = commit.agreed < head.number;
    followed.agreed = commit.agreed;
    if (commit.rolled_back_to) {
        auto& once = followed.once_agreed;
        once.erase(once.upper_bound(*commit.rolled_back_to), once.end());
        once[*commit.rolled_back_to + 1] = 0;
    }
    for (auto& [from, agreed] : followed.once_agreed)
        agreed = std::max(agreed, commit.agreed);
    followed.finalized = commit.finalized;
}

void Checker::check_journal(JournalEntry const& entry) {
    JournalHead& head = journals_[{entry.merchant_id, entry.chain_id}];
    if (entry.sequence != head.sequence + 1 || entry.previous_hash != head.hash ||
        entry.hash != hash_of(entry)) {
        return fail("hash chain", "entry " + std::to_string(entry.sequence) + " of chain " +
                                      std::to_string(entry.chain_id));
    }
    head = {entry.sequence, entry.hash};
}

void Checker::check_entry(ChainCommit const& commit, JournalEntry const& entry) {
    FollowedChainTruth const& followed = followed_[commit.chain_id];
    auto const transfer_of = [&](std::uint64_t sequence) -> Transfer const& {
        auto const& target = store_.entry({entry.merchant_id, entry.chain_id, sequence});
        return std::get<Authorization>(target.record).transfer;
    };
    if (auto const* authorization = std::get_if<Authorization>(&entry.record)) {
        Transfer const& transfer = authorization->transfer;
        auto const block = followed.blocks.find(transfer.block_number);
        if (block == followed.blocks.end() || block->second.header.hash != transfer.block_hash)
            return fail("authorized in a processed block",
                        short_hash(transfer.key.transaction_hash));
        if (!followed.misread.contains(transfer.block_number) && !is_really_in(transfer)) {
            return fail("authorized as it is", short_hash(transfer.key.transaction_hash));
        }
        auto const owner = store_.addresses().find(transfer.recipient);
        if (owner == store_.addresses().end() ||
            owner->second != PaymentKey{entry.merchant_id, authorization->payment_id}) {
            return fail("authorized to its payment", short_hash(transfer.key.transaction_hash));
        }
    } else if (auto const* withdrawal = std::get_if<Withdrawal>(&entry.record)) {
        Transfer const& transfer = withdrawal->transfer;
        auto const owner = store_.addresses().find(transfer.sender);
        if (owner == store_.addresses().end() ||
            owner->second != PaymentKey{entry.merchant_id, withdrawal->payment_id}) {
            return fail("withdrawn from its payment", short_hash(transfer.key.transaction_hash));
        }
        if (!followed.misread.contains(transfer.block_number) && !is_really_in(transfer)) {
            return fail("withdrawn as it is", short_hash(transfer.key.transaction_hash));
        }
        if (!withdrawal->unexplained.is_zero()) reached_("an unexplained receipt");
        reached_("a transfer out");
    } else if (auto const* clearing = std::get_if<Clearing>(&entry.record)) {
        check_clearing(commit, entry, *clearing);
    } else if (auto const* settlement = std::get_if<Settlement>(&entry.record)) {
        Transfer const& transfer = transfer_of(settlement->authorization_sequence);
        if (transfer.block_number > commit.finalized || !is_really_in(transfer) ||
            chain(commit.chain_id).at(transfer.block_number)->header.hash != transfer.block_hash) {
            return fail("settled only what is final", short_hash(transfer.key.transaction_hash));
        }
        RecordKey const key{entry.merchant_id, entry.chain_id, settlement->authorization_sequence};
        auto const cleared = store_.upon(store_.clearings(), key);
        if (!cleared || cleared->hash != settlement->clearing_hash ||
            std::get<Clearing>(cleared->record).net != settlement->net) {
            return fail("stage order", "a settlement without its clearing");
        }
    } else if (auto const* unapplied = std::get_if<Unapplied>(&entry.record)) {
        check_unapplied(commit, entry, *unapplied);
    } else if (auto const* reversal = std::get_if<Reversal>(&entry.record)) {
        check_reversal(commit, entry, *reversal);
    }
}

// What the schedule gives: each part brings the fee of the payment to what is due for all parts
// that are there.
void Checker::check_fee(JournalEntry const& entry, Clearing const& clearing,
                        PaymentState const& state) {
    FeeSchedule const& fees = store_.merchants().at(entry.merchant_id).merchant.fees;
    auto const percentage = [&fees](Sum gross) {
        Sum const product = gross * fees.basis_points;
        if (fees.rounding == FeeRounding::up) return (product + 9'999) / 10'000;
        if (fees.rounding == FeeRounding::half_up) return (product + 5'000) / 10'000;
        return product / 10'000;
    };
    Sum expected = percentage(signed_of(clearing.gross));
    auto const* option = state.payment.option_for(entry.chain_id, clearing.token);
    auto const in_token = [&](Amount of, Amount whole) {
        return signed_of(multiply_divide_down(of, option->amount, whole));
    };
    Sum due = 0;
    Sum charged = 0;
    for (Credit const& credit : state.credits) {
        auto const& key = credit.transfer.key;
        bool const later = key.chain_id == entry.chain_id && credit.stage_sequence > entry.sequence;
        if (!is_applied(credit) || later) continue;
        Amount const its_price = state.payment.option_for(key.chain_id, key.token)->amount;
        due +=
            in_token(Amount(static_cast<Uint128>(percentage(signed_of(credit.gross)))), its_price);
        if (key.chain_id != entry.chain_id || credit.stage_sequence != entry.sequence)
            charged += in_token(credit.fee, its_price);
    }
    bool const of_payment = !fees.fixed.is_zero() || !fees.minimum.is_zero() || fees.maximum;
    if (of_payment) {
        due += in_token(fees.fixed, state.payment.price);
        Sum const minimum = in_token(fees.minimum, state.payment.price);
        if (due < minimum) reached_("a fee is lifted to the minimum");
        due = std::max(due, minimum);
        if (fees.maximum) {
            Sum const maximum = in_token(*fees.maximum, state.payment.price);
            if (due > maximum) reached_("a fee is cut to the maximum");
            due = std::min(due, maximum);
        }
        expected = std::clamp<Sum>(due - charged, 0, signed_of(clearing.gross));
    }
    if (clearing.fee_version != fees.version || clearing.fee_basis_points != fees.basis_points ||
        signed_of(clearing.fee) != expected) {
        fail("fee", to_text(fees) + ", expected " + number(expected) + " " + describe(state));
    }
}

void Checker::check_clearing(ChainCommit const& commit, JournalEntry const& entry,
                             Clearing const& clearing) {
    RecordKey const key{entry.merchant_id, entry.chain_id, clearing.authorization_sequence};
    auto const& authorized = store_.entry(key);
    auto const& transfer = std::get<Authorization>(authorized.record).transfer;
    std::string const what = short_hash(transfer.key.transaction_hash);
    PaymentState const state = store_.state_of({entry.merchant_id, clearing.payment_id});
    if (authorized.hash != clearing.authorization_hash) {
        return fail("stage order", "a clearing of another authorization");
    }
    if (store_.reversals().contains(key)) return fail("stage order", what + " is reversed");
    if (store_.unapplied().contains(key)) return fail("claimed once", what + " is on the desk");
    if (!met_rule(state, transfer)) {
        return fail("cleared after the rule",
                    what + " in block " + std::to_string(transfer.block_number) + ", agreed " +
                        std::to_string(commit.agreed) + ", at stake " + number(at_stake(state)));
    }
    if (!is_really_in(transfer)) return fail("cleared only what is real", what);
    if (clearing.gross + clearing.excess != transfer.amount) {
        return fail("claimed once", what + ": gross and excess are not the amount");
    }
    check_fee(entry, clearing, state);
    auto const* option = state.payment.option_for(transfer.key.chain_id, transfer.key.token);
    if (option == nullptr) return fail("cleared only what is offered", what);
    if (clearing.shortfall > option->tolerance)
        return fail("within the tolerance", what + " " + describe(state));
    if (state.payment.open_amount && !clearing.excess.is_zero())
        return fail("an open amount is all that came", what + " " + describe(state));
    if (!clearing.shortfall.is_zero()) reached_("short within the tolerance");
    if (!clearing.excess.is_zero()) reached_("overpaid");
    for (Credit const& credit : state.credits) {
        if (credit.transfer.key == transfer.key && credit.first_seen_time > end_of(state)) {
            return fail("late by chain time", what + " was late and is cleared");
        }
    }
    if (transfer.block_number > commit.finalized) reached_("cleared before it is final");
}

void Checker::check_unapplied(ChainCommit const& commit, JournalEntry const& entry,
                              Unapplied const& unapplied) {
    RecordKey const key{entry.merchant_id, entry.chain_id, unapplied.authorization_sequence};
    auto const& transfer = std::get<Authorization>(store_.entry(key).record).transfer;
    std::string const what =
        short_hash(transfer.key.transaction_hash) + " " + std::string(to_string(unapplied.reason));
    PaymentState const state = store_.state_of({entry.merchant_id, unapplied.payment_id});
    Payment const& payment = state.payment;
    if (store_.reversals().contains(key)) return fail("stage order", what + " is reversed");
    if (store_.clearings().contains(key)) return fail("claimed once", what + " is cleared");
    if (unapplied.amount != transfer.amount) return fail("claimed once", what);
    if (!met_rule(state, transfer)) return fail("on the desk after the rule", what);
    if (!is_really_in(transfer)) return fail("on the desk only what is real", what);
    Timestamp first_seen = transfer.block_time;
    for (Credit const& credit : state.credits) {
        if (credit.transfer.key == transfer.key) first_seen = credit.first_seen_time;
    }
    bool const late = first_seen > end_of(state);
    bool const offers_chain = payment.offers(transfer.key.chain_id);
    bool const offered = payment.option_for(transfer.key.chain_id, transfer.key.token) != nullptr;
    reached_("on the desk: " + std::string(to_string(unapplied.reason)));
    switch (unapplied.reason) {
        case UnappliedReason::chain_not_offered:
            if (offers_chain) fail("reason of the desk", what);
            break;
        case UnappliedReason::token_not_offered:
            if (!offers_chain || offered) fail("reason of the desk", what);
            break;
        case UnappliedReason::late:
            if (late && first_seen < transfer.block_time) reached_("late, and mined again");
            if (!offered || !late) fail("late by chain time", what);
            if (late && transfer.block_time <= end_of(state)) fail("late by chain time", what);
            if (first_seen <= payment.expires_at) reached_("late by a cancellation");
            break;
        case UnappliedReason::already_paid:
            if (!offered || late || !is_cleared(state)) fail("reason of the desk", what);
            break;
        case UnappliedReason::underpaid: {
            if (!offered || late || is_cleared(state)) fail("reason of the desk", what);
            for (PaymentOption const& option : payment.options) {
                auto const followed = followed_.find(option.chain_id);
                if (followed == followed_.end() ||
                    followed->second.latest_head_time <= end_of(state)) {
                    fail("expires by every chain's time",
                         what + ", chain " + std::to_string(option.chain_id));
                }
            }
            break;
        }
    }
    if (transfer.block_number > commit.finalized) reached_("on the desk before it is final");
}

void Checker::check_reversal(ChainCommit const& commit, JournalEntry const& entry,
                             Reversal const& reversal) {
    RecordKey const key{entry.merchant_id, entry.chain_id, reversal.reversed_sequence};
    JournalEntry const& target = store_.entry(key);
    if (!commit.rolled_back_to) return fail("reversed only by a reorg", "no block was taken away");
    if (target.hash != reversal.reversed_hash || kind_of(target.record) != reversal.reversed_kind) {
        return fail("a reversal names what it reverses",
                    std::to_string(reversal.reversed_sequence));
    }
    std::uint64_t authorization = reversal.reversed_sequence;
    if (auto const* clearing = std::get_if<Clearing>(&target.record)) {
        authorization = clearing->authorization_sequence;
        reached_("reorg after cleared");
    } else if (auto const* unapplied = std::get_if<Unapplied>(&target.record)) {
        authorization = unapplied->authorization_sequence;
        reached_("reorg after the desk");
    } else if (kind_of(target.record) == RecordKind::settlement) {
        return fail("settled is irrevocable", std::to_string(reversal.reversed_sequence));
    }
    auto const& base = store_.entry({entry.merchant_id, entry.chain_id, authorization});
    auto const* withdrawal = std::get_if<Withdrawal>(&base.record);
    Transfer const& transfer = withdrawal != nullptr
                                   ? withdrawal->transfer
                                   : std::get<Authorization>(base.record).transfer;
    if (transfer.block_number <= *commit.rolled_back_to) {
        return fail("reversed only what is gone", short_hash(transfer.key.transaction_hash));
    }
    if (withdrawal != nullptr) {
        reached_("a transfer out is reversed");
        return;
    }
    if (reversal.reversed_kind != RecordKind::authorization) return;
    was_reversed_.insert({entry.merchant_id, reversal.payment_id});
    if (store_.settlements().contains(key)) {
        return fail("settled is irrevocable", std::to_string(reversal.reversed_sequence));
    }
    for (auto const* index : {&store_.clearings(), &store_.unapplied()}) {
        auto const above = store_.upon(*index, key);
        if (!above) continue;
        auto const undone =
            store_.upon(store_.reversals(), {entry.merchant_id, entry.chain_id, above->sequence});
        if (!undone || undone->sequence > entry.sequence) {
            return fail("newest first", "an authorization is reversed before what rests on it");
        }
    }
    for (Credit const& credit : store_.state_of({entry.merchant_id, reversal.payment_id}).credits) {
        if (credit.transfer.key != transfer.key) continue;
        reached_("mined again");
        if (credit.transfer.log_index != transfer.log_index)
            reached_("mined again at another index");
        if (credit.transfer.block_hash == transfer.block_hash) reached_("the same block once more");
    }
}

// What the processed blocks really hold is what is booked: nothing is missing, nothing is there
// twice.
void Checker::check_transfers(ChainCommit const& commit) {
    FollowedChainTruth const& followed = followed_[commit.chain_id];
    SimChain const& truth = chain(commit.chain_id);
    std::size_t expected = 0;
    std::size_t misread = 0;
    for (ProcessedBlock const& block : commit.added) {
        if (followed.misread.contains(block.header.number)) {
            ++misread;
            continue;
        }
        for (Transfer const& transfer : truth.find(block.header.hash)->transfers) {
            std::string const what = "chain " + std::to_string(commit.chain_id) + " block " +
                                     std::to_string(block.header.number) + " transaction " +
                                     short_hash(transfer.key.transaction_hash);
            auto const in = store_.addresses().find(transfer.recipient);
            auto const out = store_.addresses().find(transfer.sender);
            if (in != store_.addresses().end() && !transfer.amount.is_zero()) {
                ++expected;
                auto const live = store_.live_credits().find({in->second.first, transfer.key});
                if (live == store_.live_credits().end()) return fail("no transfer missed", what);
                auto const& record = std::get<Authorization>(
                    store_.entry({in->second.first, commit.chain_id, live->second}).record);
                if (record.transfer != transfer) return fail("one transfer, one credit", what);
            }
            if (out != store_.addresses().end() && !transfer.amount.is_zero()) {
                ++expected;
                auto const live = store_.live_withdrawals().find({out->second.first, transfer.key});
                if (live == store_.live_withdrawals().end()) {
                    return fail("no transfer out missed", what);
                }
                auto const& record = std::get<Withdrawal>(
                    store_.entry({out->second.first, commit.chain_id, live->second}).record);
                if (record.transfer != transfer) return fail("one transfer, one credit", what);
            }
            if (in != store_.addresses().end() && out != store_.addresses().end()) {
                reached_(transfer.sender == transfer.recipient ? "a transfer to itself"
                                                               : "from one deposit to another");
            }
        }
    }
    auto const booked =
        std::count_if(commit.entries.begin(), commit.entries.end(), [&](JournalEntry const& entry) {
            auto const* in = std::get_if<Authorization>(&entry.record);
            auto const* out = std::get_if<Withdrawal>(&entry.record);
            Transfer const* transfer = in != nullptr    ? &in->transfer
                                       : out != nullptr ? &out->transfer
                                                        : nullptr;
            return transfer != nullptr && !followed.misread.contains(transfer->block_number);
        });
    if (static_cast<std::size_t>(booked) != expected) {
        fail("one transfer, one credit",
             std::to_string(booked) + " booked, " + std::to_string(expected) + " on the chain");
    }
    if (misread != 0) reached_("booked with a misread block");
}

// Whatever is live is in a block that is still processed.
void Checker::check_live(ChainId chain_id) {
    FollowedChainTruth const& followed = followed_[chain_id];
    auto const check = [&](MerchantId merchant, std::uint64_t sequence) {
        auto const& record = store_.entry({merchant, chain_id, sequence}).record;
        auto const* out = std::get_if<Withdrawal>(&record);
        Transfer const& transfer =
            out != nullptr ? out->transfer : std::get<Authorization>(record).transfer;
        auto const block = followed.blocks.find(transfer.block_number);
        if (block == followed.blocks.end() || block->second.header.hash != transfer.block_hash) {
            fail("a reorg leaves no credit standing", short_hash(transfer.key.transaction_hash));
        }
    };
    for (auto const& [key, sequence] : store_.live_credits()) {
        if (key.second.chain_id == chain_id) check(key.first, sequence);
    }
    for (auto const& [key, sequence] : store_.live_withdrawals()) {
        if (key.second.chain_id == chain_id) check(key.first, sequence);
    }
}

// An open amount is of what reached its least first: without the last of it, it was not reached.
// The chains' clocks don't say which of two chains was read first: over several, without some part
// of it.
void Checker::check_first_to_pay(PaymentState const& state) {
    std::vector<Credit const*> applied;
    for (Credit const& credit : state.credits) {
        if (is_applied(credit)) applied.push_back(&credit);
    }
    std::ranges::sort(applied, {}, [](Credit const* credit) {
        return std::pair(credit->transfer.block_number, credit->transfer.log_index);
    });
    auto const is_needed = [&](Credit const* last) {
        std::vector<Paid> others;
        for (Credit const* credit : applied) {
            auto const& key = credit->transfer.key;
            if (credit != last) others.push_back({key.chain_id, key.token, credit->gross});
        }
        return !covers(state.payment, others, false);
    };
    bool const one_chain = std::ranges::all_of(applied, [&](Credit const* credit) {
        return credit->transfer.key.chain_id == applied.front()->transfer.key.chain_id;
    });
    if (one_chain ? !is_needed(applied.back()) : std::ranges::none_of(applied, is_needed))
        return fail("the first to reach it pay", describe(state));
    // Nor was one passed over that had come before it.
    auto const place = [](Transfer const& transfer) {
        return std::pair(transfer.block_number, transfer.log_index);
    };
    Transfer const& last = applied.back()->transfer;
    for (Credit const& credit : state.credits) {
        bool const counts = credit.stage == CreditStage::authorized ||
                            credit.unapplied_reason == UnappliedReason::already_paid;
        auto const& key = credit.transfer.key;
        if (one_chain && counts && key.chain_id == last.key.chain_id &&
            credit.first_seen_time <= end_of(state) && place(credit.transfer) < place(last) &&
            state.payment.option_for(key.chain_id, key.token) != nullptr) {
            fail("the first to reach it pay", describe(state));
        }
    }
}

// A payment that has anything applied is covered by what met the rule, and by no more than that.
void Checker::check_coverage(ChainCommit const& commit, PaymentKey const& key) {
    PaymentState const state = store_.state_of(key);
    Payment const& payment = state.payment;
    bool const cleared_now =
        std::any_of(commit.entries.begin(), commit.entries.end(), [&](JournalEntry const& entry) {
            auto const* clearing = std::get_if<Clearing>(&entry.record);
            return clearing != nullptr && entry.merchant_id == key.first &&
                   clearing->payment_id == key.second;
        });
    if (!cleared_now) return;
    std::vector<Paid> counted = applied_of(state);
    std::set<std::pair<ChainId, Address>> tokens;
    std::set<ChainId> chains;
    Sum gross = 0;
    Sum shortfall = 0;
    bool reversed_part = false;
    for (Credit const& credit : state.credits) {
        auto const& transfer = credit.transfer;
        if (is_applied(credit)) {
            tokens.insert({transfer.key.chain_id, transfer.key.token});
            chains.insert(transfer.key.chain_id);
            gross += signed_of(credit.gross);
            shortfall += signed_of(credit.shortfall);
            continue;
        }
        bool const met = transfer.key.chain_id == commit.chain_id ? met_rule(state, transfer)
                                                                  : once_met_rule(state, transfer);
        if (credit.stage == CreditStage::authorized && credit.first_seen_time <= end_of(state) &&
            met) {
            counted.push_back({transfer.key.chain_id, transfer.key.token, transfer.amount});
        }
    }
    if (!covers(payment, counted, true)) {
        return fail("cleared when covered", describe(state));
    }
    reversed_part = was_reversed_.contains(key);
    if (payment.open_amount) {
        reached_("an open amount is cleared");
        if (chains.size() > 1) reached_("an open amount is paid on two chains");
        if (!reversed_part) check_first_to_pay(state);
        return;
    }
    if (tokens.size() == 1 && is_cleared(state) && !reversed_part) {
        auto const* option = payment.option_for(tokens.begin()->first, tokens.begin()->second);
        // By the tolerance of one part, with another one on its way: that one goes to the desk.
        bool const more_came = counted.size() > applied_of(state).size();
        // What was missing when a part cleared, counting on another chain's, may be made good by
        // money that came before that one was cleared.
        bool const made_good = gross == signed_of(option->amount) && is_paid_on_several(state);
        if (gross + shortfall != signed_of(option->amount) && !more_came && !made_good) {
            return fail("exactly the price", describe(state));
        }
    }
    if (chains.size() > 1) reached_("paid on two chains");
    if (tokens.size() > 1 && chains.size() == 1) reached_("paid in two tokens");
    if (std::count_if(state.credits.begin(), state.credits.end(), is_applied) > 1) {
        reached_("paid in parts");
    }
}

// The effects of each record by the table in docs/ledger.md.
void Checker::book(JournalEntry const& entry, int direction) {
    auto const add = [&](Address const& token, Account account, Amount amount, int sign) {
        books_[{entry.merchant_id, entry.chain_id, token, account}] +=
            direction * sign * signed_of(amount);
    };
    if (auto const* authorization = std::get_if<Authorization>(&entry.record)) {
        Transfer const& transfer = authorization->transfer;
        add(transfer.key.token, Account::coins, transfer.amount, 1);
        add(transfer.key.token, Account::payer_pending, transfer.amount, 1);
    } else if (auto const* clearing = std::get_if<Clearing>(&entry.record)) {
        add(clearing->token, Account::payer_pending, clearing->gross + clearing->excess, -1);
        add(clearing->token, Account::merchant_cleared, clearing->net, 1);
        add(clearing->token, Account::operator_fee, clearing->fee, 1);
        add(clearing->token, Account::payer_unapplied, clearing->excess, 1);
    } else if (auto const* batch = std::get_if<SettlementBatch>(&entry.record)) {
        std::uint64_t& last_batch = last_batches_[{entry.merchant_id, entry.chain_id}];
        if (direction > 0 && batch->batch_number != ++last_batch) {
            return fail("batches are contiguous", std::to_string(batch->batch_number));
        }
        Sum net = 0;
        for (std::uint64_t at = batch->first_sequence; at <= batch->last_sequence; ++at) {
            auto const& record = store_.entry({entry.merchant_id, entry.chain_id, at}).record;
            auto const* settlement = std::get_if<Settlement>(&record);
            if (settlement == nullptr || settlement->batch_number != batch->batch_number) {
                return fail("batches are contiguous", std::to_string(batch->batch_number));
            }
            net += signed_of(settlement->net);
        }
        if (net != signed_of(batch->net)) {
            return fail("batches add up", std::to_string(batch->batch_number));
        }
        add(batch->token, Account::merchant_cleared, batch->net, -1);
        add(batch->token, Account::merchant_settled, batch->net, 1);
    } else if (auto const* unapplied = std::get_if<Unapplied>(&entry.record)) {
        add(unapplied->token, Account::payer_pending, unapplied->amount, -1);
        add(unapplied->token, Account::payer_unapplied, unapplied->amount, 1);
    } else if (auto const* withdrawal = std::get_if<Withdrawal>(&entry.record)) {
        Address const& token = withdrawal->transfer.key.token;
        add(token, Account::coins, withdrawal->unexplained, 1);
        add(token, Account::payer_unapplied, withdrawal->unexplained, 1);
        add(token, Account::coins, withdrawal->transfer.amount, -1);
        add(token, Account::drawn, withdrawal->transfer.amount, 1);
    } else if (auto const* reversal = std::get_if<Reversal>(&entry.record)) {
        book(store_.entry({entry.merchant_id, entry.chain_id, reversal->reversed_sequence}),
             -direction);
    }
}

// Logs in less logs out, over the processed blocks; what left beyond the balance came in unseen.
Checker::Sum Checker::coins_by_chain(MerchantId merchant, ChainId chain_id,
                                     Address const& token) const {
    FollowedChainTruth const& followed = followed_.at(chain_id);
    SimChain const& truth = chain(chain_id);
    std::map<Address, Sum> balances;
    for (auto const& [block_number, block] : followed.blocks) {
        if (block_number == followed.first) continue;
        for (Transfer const& transfer : truth.find(block.header.hash)->transfers) {
            if (transfer.key.token != token) continue;
            if (auto const in = store_.addresses().find(transfer.recipient);
                in != store_.addresses().end() && in->second.first == merchant) {
                balances[transfer.recipient] += signed_of(transfer.amount);
            }
            if (auto const out = store_.addresses().find(transfer.sender);
                out != store_.addresses().end() && out->second.first == merchant) {
                Sum& balance = balances[transfer.sender];
                balance = std::max<Sum>(0, balance - signed_of(transfer.amount));
            }
        }
    }
    Sum sum = 0;
    for (auto const& [address, balance] : balances)
        sum += balance;
    return sum;
}

void Checker::check_balances(ChainId chain_id, std::set<MerchantId> const& merchants) {
    FollowedChainTruth const& followed = followed_[chain_id];
    for (MerchantId const& merchant : merchants) {
        // What the rows say that each account should hold.
        std::map<std::pair<Address, Account>, Sum> rows;
        for (auto const& [key, sequence] : store_.live_credits()) {
            if (key.first != merchant || key.second.chain_id != chain_id) continue;
            RecordKey const at{merchant, chain_id, sequence};
            Address const& token = key.second.token;
            Amount const amount = std::get<Authorization>(store_.entry(at).record).transfer.amount;
            if (auto const cleared = store_.upon(store_.clearings(), at)) {
                auto const& clearing = std::get<Clearing>(cleared->record);
                bool const settled = store_.settlements().contains(at);
                rows[{token, settled ? Account::merchant_settled : Account::merchant_cleared}] +=
                    signed_of(clearing.net);
                rows[{token, Account::operator_fee}] += signed_of(clearing.fee);
                rows[{token, Account::payer_unapplied}] += signed_of(clearing.excess);
            } else if (store_.unapplied().contains(at)) {
                rows[{token, Account::payer_unapplied}] += signed_of(amount);
            } else {
                rows[{token, Account::payer_pending}] += signed_of(amount);
            }
        }
        for (auto const& [key, sequence] : store_.live_withdrawals()) {
            if (key.first != merchant || key.second.chain_id != chain_id) continue;
            auto const& out =
                std::get<Withdrawal>(store_.entry({merchant, chain_id, sequence}).record);
            rows[{key.second.token, Account::drawn}] += signed_of(out.transfer.amount);
            rows[{key.second.token, Account::payer_unapplied}] += signed_of(out.unexplained);
        }
        for (TokenSettings const& token : network_.chain(chain_id)->tokens) {
            auto const stored = [&](Account account) -> Sum {
                auto const row =
                    store_.balances().find({merchant, chain_id, token.contract.bytes, account});
                if (row == store_.balances().end()) return 0;
                Sum const magnitude = signed_of(row->second.magnitude);
                return row->second.negative ? -magnitude : magnitude;
            };
            Sum assets = 0;
            Sum claims = 0;
            for (std::size_t i = 0; i < kAccountCount; ++i) {
                auto const account = static_cast<Account>(i);
                Sum const balance = stored(account);
                (is_debit_account(account) ? assets : claims) += balance;
                std::string const what = std::string(to_string(account)) + " of chain " +
                                         std::to_string(chain_id) + ": " + number(balance);
                auto const own = books_.find({merchant, chain_id, token.contract, account});
                Sum const booked = own == books_.end() ? 0 : own->second;
                if (balance != booked) {
                    return fail("postings follow the table", what + ", not " + number(booked));
                }
                if (account == Account::coins) {
                    if (!followed.misread.empty()) continue;
                    Sum const truth = coins_by_chain(merchant, chain_id, token.contract);
                    if (balance != truth) {
                        return fail("chain agreement", what + ", on the chain " + number(truth));
                    }
                } else if (balance != rows[{token.contract, account}]) {
                    return fail("claimed once", what + ", by the records " +
                                                    number(rows[{token.contract, account}]));
                }
            }
            if (assets != claims) {
                return fail("conservation", number(assets) + " here, " + number(claims) + " owed");
            }
        }
    }
}

void Checker::check_cap(ChainCommit const& commit) {
    auto const& cap = store_.rule(commit.chain_id).most_not_final;
    if (!cap) return;
    for (PaymentKey const& key : touched_) {
        PaymentState const state = store_.state_of(key);
        std::vector<Paid> waiting;
        for (Credit const& credit : state.credits) {
            auto const& transfer = credit.transfer;
            if (credit.stage == CreditStage::authorized &&
                credit.first_seen_time <= end_of(state) && met_rule(state, transfer))
                waiting.push_back({transfer.key.chain_id, transfer.key.token, transfer.amount});
        }
        if (covers(state.payment, waiting, false) && !is_cleared(state))
            reached_("the cap holds a payment back");
    }
    std::map<MerchantId, Sum> not_final;
    for (auto const& [key, sequence] : store_.live_credits()) {
        if (key.second.chain_id != commit.chain_id) continue;
        RecordKey const at{key.first, commit.chain_id, sequence};
        auto const cleared = store_.upon(store_.clearings(), at);
        if (!cleared || store_.settlements().contains(at)) continue;
        auto const& clearing = std::get<Clearing>(cleared->record);
        auto const& transfer = std::get<Authorization>(store_.entry(at).record).transfer;
        if (transfer.block_number <= commit.finalized) continue;
        not_final[key.first] += value(commit.chain_id, clearing.token, clearing.net);
    }
    for (auto const& [merchant, sum] : not_final) {
        if (sum > signed_of(*cap)) {
            return fail("the cap holds", number(sum) + " is cleared and not final, the cap is " +
                                             number(signed_of(*cap)));
        }
    }
}

// One event for each change that shops are told of, in the same transaction.
void Checker::check_events(ChainCommit const& commit) {
    struct Changes {
        bool reversed = false;
        bool arrived = false;
        bool put_on_desk = false;
        bool cleared = false;
        bool settled = false;
        unsigned withdrawals = 0;
    };
    std::map<PaymentKey, Changes> changes;
    for (JournalEntry const& entry : commit.entries) {
        auto const of = [&](PaymentId id) -> Changes& { return changes[{entry.merchant_id, id}]; };
        if (auto const* authorization = std::get_if<Authorization>(&entry.record)) {
            of(authorization->payment_id).arrived = true;
        } else if (auto const* clearing = std::get_if<Clearing>(&entry.record)) {
            of(clearing->payment_id).cleared = true;
        } else if (auto const* settlement = std::get_if<Settlement>(&entry.record)) {
            of(settlement->payment_id).settled = true;
        } else if (auto const* unapplied = std::get_if<Unapplied>(&entry.record)) {
            of(unapplied->payment_id).put_on_desk = true;
        } else if (auto const* withdrawal = std::get_if<Withdrawal>(&entry.record)) {
            ++of(withdrawal->payment_id).withdrawals;
        } else if (auto const* reversal = std::get_if<Reversal>(&entry.record)) {
            if (reversal->reversed_kind == RecordKind::authorization)
                of(reversal->payment_id).reversed = true;
        }
    }
    for (auto const& [key, change] : changes) {
        std::map<std::string, unsigned> told;
        for (OutboxEvent const& event : commit.events) {
            if (event.merchant_id == key.first && event.payment_id == key.second)
                ++told[event.type];
        }
        PaymentState const state = store_.state_of(key);
        auto const known = before_.find(key);
        bool const cleared_before = known != before_.end() && is_cleared(known->second);
        bool const cleared_now = is_cleared(state);
        auto const settled = [](PaymentState const& of) {
            return std::all_of(of.credits.begin(), of.credits.end(), [](Credit const& credit) {
                return credit.stage != CreditStage::cleared;
            });
        };
        bool const settled_before = cleared_before && settled(known->second);
        bool const settled_now = cleared_now && settled(state);
        auto const expect = [&](std::string const& type, unsigned from, unsigned to) {
            if (told[type] < from || told[type] > to) {
                fail("one event for each change",
                     type + " " + std::to_string(told[type]) + " times: " + describe(state));
            }
        };
        unsigned const back = told["payment.moved"] + told["payment.reversed"];
        if (change.reversed && back == 0) {
            fail("one event for each change", "a reversal of " + to_string(key.second));
        }
        if (back > 1) fail("one event for each change", "moved and reversed " + describe(state));
        if (!change.reversed) {
            expect("payment.reversed", 0, 0);
            bool const becomes_cleared = cleared_now && !cleared_before;
            bool const again = becomes_cleared && state.was_cleared;
            if (!again) expect("payment.moved", 0, 0);
            if (becomes_cleared && told["payment.cleared"] + told["payment.moved"] != 1)
                fail("one event for each change", "clearing of " + to_string(key.second));
            if (!becomes_cleared) expect("payment.cleared", 0, 0);
        }
        // Of an open amount, what a reorg leaves may be final already.
        bool const settles =
            settled_now && (change.settled || (change.reversed && state.payment.open_amount));
        expect("payment.settled", settles && !settled_before ? 1 : 0, settles ? 1 : 0);
        expect("funds.moved", change.withdrawals, change.withdrawals);
        expect("payment.exception", change.put_on_desk ? 1 : 0, change.put_on_desk ? 1 : 0);
        expect("payment.authorized", 0, change.arrived ? 1 : 0);
        check_told_amount(commit, key);
        if (told["payment.moved"] != 0) reached_("told: payment.moved");
        if (told["payment.reversed"] != 0) reached_("told: payment.reversed");
    }
    for (OutboxEvent const& event : commit.events) {
        if (!changes.contains({event.merchant_id, event.payment_id})) {
            fail("one event for each change", event.type + " without a record");
        }
        check_told(event);
    }
}

// A shop that goes by payment.cleared, and takes back by payment.reversed, knows how much an open
// amount is.
void Checker::check_told_amount(ChainCommit const& commit, PaymentKey const& key) {
    PaymentState const state = store_.state_of(key);
    if (!state.payment.open_amount) return;
    auto& known = told_amounts_[key];
    for (OutboxEvent const& event : commit.events) {
        if (event.merchant_id != key.first || event.payment_id != key.second) continue;
        if (event.type != "payment.cleared" && event.type != "payment.reversed") continue;
        if (known && event.type == "payment.cleared")
            return fail("one amount at a time", describe(state));
        if (known && event.type == "payment.reversed" && !event.goods_may_be_released)
            return fail("what was told is taken back", describe(state));
        if (event.type == "payment.reversed") {
            if (known) reached_("an open amount is taken back");
            known.reset();
        } else {
            known = worth_of(tell(event, state.payment, store_.entries_of(key)).state);
        }
    }
    std::optional<Sum> const now =
        is_cleared(state) ? std::optional(worth_of(state)) : std::nullopt;
    if (known != now) fail("the amount that was told", describe(state));
}

// In minor units, each token rounded down.
Checker::Sum Checker::worth_of(PaymentState const& state) {
    std::map<PaymentOption const*, Amount> parts;
    for (Paid const& paid : applied_of(state))
        parts[state.payment.option_for(paid.chain_id, paid.token)] += paid.amount;
    Sum worth = 0;
    for (auto const& [option, sum] : parts)
        worth += signed_of(multiply_divide_down(sum, state.payment.price, option->amount));
    return worth;
}

// It is in the feed, with the next number, and tells how the payment stood.
void Checker::check_told(OutboxEvent const& event) {
    auto const stored = store_.events().find(event.id);
    std::uint64_t const expected = ++fed_[event.merchant_id];
    if (stored == store_.events().end()) {
        fail("no event lost", event.type);
    } else if (stored->second.event.sequence != expected) {
        fail("the feed has no gap", event.type + " is number " +
                                        std::to_string(stored->second.event.sequence) + ", and " +
                                        std::to_string(expected) + " is next");
    }
    if (auto const wrong = wrongly_told(event, store_); !wrong.empty())
        fail("told as it stood", event.type + " of " + to_string(event.payment_id) + ": " + wrong);
}

// What a process that loads the chain anew would be given is all that is left to do.
void Checker::check_open_index(ChainId chain_id) {
    StoredChain const& stored = store_.chains().at(chain_id);
    auto const check = [&](Transfer const& transfer, bool done) {
        bool const open = !done || transfer.block_number > stored.finalized;
        if (open && transfer.block_number < stored.oldest_open) {
            fail("nothing is open below the oldest open block",
                 short_hash(transfer.key.transaction_hash));
        }
    };
    for (auto const& [key, sequence] : store_.live_credits()) {
        if (key.second.chain_id != chain_id) continue;
        RecordKey const at{key.first, chain_id, sequence};
        check(std::get<Authorization>(store_.entry(at).record).transfer,
              store_.settlements().contains(at) || store_.unapplied().contains(at));
    }
    for (auto const& [key, sequence] : store_.live_withdrawals()) {
        if (key.second.chain_id != chain_id) continue;
        check(std::get<Withdrawal>(store_.entry({key.first, chain_id, sequence}).record).transfer,
              true);
    }
}

bool Checker::is_done(PaymentKey const& key, std::string* why_not) const {
    PaymentState const state = store_.state_of(key);
    for (Credit const& credit : state.credits) {
        if (credit.stage == CreditStage::authorized || credit.stage == CreditStage::cleared) {
            if (why_not != nullptr) {
                *why_not = describe(state) + "\n  transfer " +
                           short_hash(credit.transfer.key.transaction_hash) + " of chain " +
                           std::to_string(credit.transfer.key.chain_id) + " in block " +
                           std::to_string(credit.transfer.block_number) + " is only " +
                           std::string(to_string(credit.stage));
            }
            return false;
        }
    }
    return true;
}

void Checker::at_the_end() {
    for (auto const& [chain_id, followed] : followed_) {
        SimChain const& truth = chain(chain_id);
        if (!followed.misread.empty()) fail("nothing stays misread", std::to_string(chain_id));
        // Every base unit that really is on the canonical branch, and nothing else, is booked.
        std::size_t in = 0;
        std::size_t out = 0;
        for (auto const& [block_number, block] : followed.blocks) {
            SimBlock const* real = truth.at(block_number);
            if (real == nullptr || real->header.hash != block.header.hash) {
                return fail("the books follow the canonical branch", std::to_string(block_number));
            }
            if (block_number == followed.first) continue;
            for (Transfer const& transfer : real->transfers) {
                if (transfer.amount.is_zero()) continue;
                if (auto const owner = store_.addresses().find(transfer.recipient);
                    owner != store_.addresses().end()) {
                    ++in;
                    if (!store_.live_credits().contains({owner->second.first, transfer.key}))
                        return fail("no transfer missed",
                                    short_hash(transfer.key.transaction_hash));
                }
                if (auto const owner = store_.addresses().find(transfer.sender);
                    owner != store_.addresses().end()) {
                    ++out;
                    if (!store_.live_withdrawals().contains({owner->second.first, transfer.key}))
                        return fail("no transfer out missed",
                                    short_hash(transfer.key.transaction_hash) + " in block " +
                                        std::to_string(block_number) + " of chain " +
                                        std::to_string(chain_id));
                }
            }
        }
        auto const count = [id = chain_id](auto const& live) {
            return static_cast<std::size_t>(
                std::count_if(live.begin(), live.end(),
                              [id](auto const& row) { return row.first.second.chain_id == id; }));
        };
        if (count(store_.live_credits()) != in || count(store_.live_withdrawals()) != out) {
            return fail("one transfer, one credit", "chain " + std::to_string(chain_id));
        }
        std::set<MerchantId> merchants;
        for (auto const& [id, merchant] : store_.merchants())
            merchants.insert(id);
        check_live(chain_id);
        check_balances(chain_id, merchants);
    }
    for (auto const& [key, payment] : store_.payments()) {
        std::string why_not;
        if (!is_done(key, &why_not)) return fail("liveness", why_not);
        PaymentState const state = store_.state_of(key);
        bool const paid = is_cleared(state);
        if (paid) reached_("a payment is settled");
        if (!paid && !state.credits.empty()) reached_("a payment expires with money");
        // Every payment has come to an end, and what came for it lies somewhere.
        auto const status = status_of(state, Timestamp::max());
        bool const ended = status == PaymentStatus::settled || status == PaymentStatus::expired ||
                           status == PaymentStatus::canceled || was_reversed_.contains(key);
        if (!ended) return fail("liveness", describe(state));
        // What arrived in time decides, where no reorg meddled with the payment or came after it
        // had expired, and no node hid anything.
        bool const undisturbed =
            !was_reversed_.contains(key) &&
            std::none_of(payment.options.begin(), payment.options.end(),
                         [this, end = end_of(state)](PaymentOption const& option) {
                             auto const followed = followed_.find(option.chain_id);
                             return followed == followed_.end() ||
                                    followed->second.latest_undone > end ||
                                    followed->second.was_misread;
                         });
        if (!undisturbed) continue;
        std::vector<Paid> in_time;
        for (Credit const& credit : state.credits) {
            auto const& transfer = credit.transfer;
            if (transfer.block_time <= end_of(state))
                in_time.push_back({transfer.key.chain_id, transfer.key.token, transfer.amount});
        }
        if (covers(payment, in_time, false) && !paid) {
            return fail("paid in time is settled", describe(state));
        }
        if (!covers(payment, in_time, true) && paid) {
            return fail("settled is paid in time", describe(state));
        }
        if (paid && !covers(payment, in_time, false)) reached_("settled by the tolerance");
    }
}

}  // namespace sycee::simulation
