#include <sycee/app/rebuild_comparison.hpp>

#include <algorithm>

namespace sycee {
namespace {

constexpr char const* kNothing = "nothing";

std::string name_of(TransferKey const& key, bool incoming) {
    return "chain " + std::to_string(key.chain_id) + ", transaction " +
           to_hex0x(key.transaction_hash) + ", token " + to_string(key.token) + ", ordinal " +
           std::to_string(key.ordinal) + (incoming ? ", in" : ", out");
}

std::string both(std::string const& what, std::string const& booked, std::string const& rebuilt) {
    return what + ": the books say " + booked + "; rebuilt, " + rebuilt;
}

std::string desk_text(Credit const& credit) {
    if (credit.excess.is_zero()) return "";
    std::string const reason =
        credit.unapplied_reason ? std::string(to_string(*credit.unapplied_reason)) : "overpaid";
    std::string text = ", on the desk " + to_string(credit.excess) + " (" + reason + ")";
    if (!credit.resolved.is_zero()) text += " of which decided " + to_string(credit.resolved);
    return text;
}

std::string place_of(Credit const& credit) {
    std::string text =
        to_string(credit.transfer.amount) + ", " + std::string(to_string(credit.stage));
    if (credit.stage == CreditStage::cleared || credit.stage == CreditStage::settled) {
        text += ", gross " + to_string(credit.gross) + ", fee " + to_string(credit.fee) + ", net " +
                to_string(credit.gross - credit.fee);
    }
    return text + desk_text(credit);
}

std::string place_of(Outflow const& outflow) {
    std::string text = to_string(outflow.transfer.amount);
    if (!outflow.unexplained.is_zero()) text += ", unexplained " + to_string(outflow.unexplained);
    if (!outflow.resolved.is_zero()) text += " of which decided " + to_string(outflow.resolved);
    return text;
}

using Places = std::map<std::pair<TransferKey, bool>, std::string>;

Places places_of(PaymentState const& state) {
    Places places;
    for (Credit const& credit : state.credits)
        places.emplace(std::pair(credit.transfer.key, true), place_of(credit));
    for (Outflow const& outflow : state.outflows)
        places.emplace(std::pair(outflow.transfer.key, false), place_of(outflow));
    return places;
}

template <class Key, class Name>
std::vector<std::string> compare(std::map<Key, std::string> const& booked,
                                 std::map<Key, std::string> const& rebuilt, Name name) {
    std::vector<std::string> lines;
    for (auto const& [key, text] : booked) {
        auto const other = rebuilt.find(key);
        std::string const theirs = other == rebuilt.end() ? kNothing : other->second;
        if (theirs != text) lines.push_back(both(name(key), text, theirs));
    }
    for (auto const& [key, text] : rebuilt) {
        if (!booked.contains(key)) lines.push_back(both(name(key), kNothing, text));
    }
    return lines;
}

// In no order: of several decisions at once only what they come to is compared.
std::map<std::pair<ChainId, Address>, std::string> joined(
    std::map<std::pair<ChainId, Address>, std::vector<std::string>> parts) {
    std::map<std::pair<ChainId, Address>, std::string> texts;
    for (auto& [key, all] : parts) {
        std::sort(all.begin(), all.end());
        std::string& text = texts[key];
        for (std::string const& part : all)
            text += (text.empty() ? "" : " and ") + part;
    }
    return texts;
}

std::map<std::pair<ChainId, Address>, std::string> desk_credits_of(PaymentState const& state) {
    std::map<std::pair<ChainId, Address>, std::vector<std::string>> parts;
    for (DeskCredit const& credit : state.desk_credits) {
        parts[{credit.chain_id, credit.token}].push_back(
            to_string(credit.amount) + ", fee " + to_string(credit.fee) +
            (credit.accepts ? ", accepted" : ", credited"));
    }
    return joined(std::move(parts));
}

std::map<std::pair<ChainId, Address>, std::string> promises_of(PaymentState const& state) {
    std::map<std::pair<ChainId, Address>, std::vector<std::string>> parts;
    for (Promise const& promise : state.promises) {
        parts[{promise.chain_id, promise.token}].push_back(
            to_string(promise.amount) + " to " +
            (promise.recipient == Address{} ? "a payer" : to_string(promise.recipient)) + ", " +
            std::string(to_string(promise.stage)));
    }
    return joined(std::move(parts));
}

std::map<std::pair<ChainId, Address>, std::string> losses_of(PaymentState const& state) {
    std::map<std::pair<ChainId, Address>, std::vector<std::string>> parts;
    for (LostTokens const& lost : state.losses)
        parts[{lost.chain_id, lost.token}].push_back(to_string(lost.amount));
    return joined(std::move(parts));
}

std::string end_text(PaymentState const& state) {
    return state.canceled ? "ends at " + to_rfc3339(state.canceled->ends_at) : kNothing;
}

std::string to_text(BalanceSheet::Balance const& balance) {
    return (balance.negative ? "-" : "") + to_string(balance.magnitude);
}

// `amount` more, or less, on a scale with zero in the middle.
BalanceSheet::Balance moved(BalanceSheet::Balance const& balance, Amount amount, bool up) {
    if (up != balance.negative) return {balance.magnitude + amount, balance.negative};
    if (amount <= balance.magnitude) {
        Amount const left = balance.magnitude - amount;
        return {left, balance.negative && !left.is_zero()};
    }
    return {amount - balance.magnitude, !balance.negative};
}

}  // namespace

std::vector<std::string> compare_payment(PaymentState const& booked, PaymentState const& rebuilt) {
    std::string const of = to_string(booked.payment.id) + ", ";
    auto lines = compare(places_of(booked), places_of(rebuilt),
                         [&of](auto const& key) { return of + name_of(key.first, key.second); });
    auto const desk =
        compare(desk_credits_of(booked), desk_credits_of(rebuilt), [&of](auto const& key) {
            return of + "given by the desk on chain " + std::to_string(key.first) + ", token " +
                   to_string(key.second);
        });
    lines.insert(lines.end(), desk.begin(), desk.end());
    auto const promises =
        compare(promises_of(booked), promises_of(rebuilt), [&of](auto const& key) {
            return of + "promised to payers on chain " + std::to_string(key.first) + ", token " +
                   to_string(key.second);
        });
    lines.insert(lines.end(), promises.begin(), promises.end());
    auto const losses = compare(losses_of(booked), losses_of(rebuilt), [&of](auto const& key) {
        return of + "lost at its address on chain " + std::to_string(key.first) + ", token " +
               to_string(key.second);
    });
    lines.insert(lines.end(), losses.begin(), losses.end());
    if (end_text(booked) != end_text(rebuilt))
        lines.push_back(both(of + "cancellation", end_text(booked), end_text(rebuilt)));
    return lines;
}

std::vector<std::string> compare_transfers(PaymentState const& booked,
                                           std::vector<MatchedTransfer> const& rebuilt,
                                           std::map<ChainId, BlockNumber> const& finalized) {
    auto const is_final = [&finalized](Transfer const& transfer) {
        auto const chain = finalized.find(transfer.key.chain_id);
        return chain != finalized.end() && transfer.block_number <= chain->second;
    };
    Places ours;
    for (Credit const& credit : booked.credits) {
        if (is_final(credit.transfer))
            ours.emplace(std::pair(credit.transfer.key, true), to_string(credit.transfer.amount));
    }
    for (Outflow const& outflow : booked.outflows) {
        if (is_final(outflow.transfer))
            ours.emplace(std::pair(outflow.transfer.key, false),
                         to_string(outflow.transfer.amount));
    }
    Places theirs;
    for (MatchedTransfer const& matched : rebuilt)
        theirs.emplace(std::pair(matched.transfer.key, matched.incoming),
                       to_string(matched.transfer.amount));
    std::string const of = to_string(booked.payment.id) + ", ";
    return compare(ours, theirs,
                   [&of](auto const& key) { return of + name_of(key.first, key.second); });
}

std::vector<std::string> compare_balances(AccountBalances const& booked,
                                          AccountBalances const& rebuilt) {
    auto const texts = [](AccountBalances const& balances) {
        std::map<AccountKey, std::string> all;
        for (auto const& [key, balance] : balances) {
            // A row of zero and none say the same.
            if (!balance.magnitude.is_zero()) all.emplace(key, to_text(balance));
        }
        return all;
    };
    return compare(texts(booked), texts(rebuilt), [](AccountKey const& key) {
        auto const& [merchant_id, chain_id, token, account] = key;
        return to_string(merchant_id) + ", chain " + std::to_string(chain_id) + ", token " +
               to_string(Address{token}) + ", account " + std::string(to_string(account));
    });
}

void take_out(AccountBalances& balances, MerchantId const& merchant_id, ChainId chain_id,
              Posting const& posting) {
    for (Account const account : {posting.debit, posting.credit}) {
        bool const raised = is_debit_account(account) == (account == posting.debit);
        auto& balance = balances[{merchant_id, chain_id, posting.token, account}];
        balance = moved(balance, posting.amount, !raised);
    }
}

}  // namespace sycee
