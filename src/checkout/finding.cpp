#include "finding.hpp"

#include <sycee/app/finding_text.hpp>

#include "view.hpp"

#include <algorithm>

namespace sycee::checkout {
namespace {

using Tone = Finding::Tone;

constexpr std::size_t kMostShown = 20;

constexpr char const* kKept =
    " It is kept safe under this payment, and the shop decides what becomes of it.";
constexpr char const* kSentBack =
    " It can't be credited here. The shop holds the key of this address and can send it back.";

std::string name_of(Network const& network, ChainId chain_id) {
    auto const* chain = network.chain(chain_id);
    return chain == nullptr ? "chain " + std::to_string(chain_id) : chain->name;
}

// "Ethereum", "Ethereum and Base", "Ethereum, Base and Polygon"
std::string list_of(std::vector<std::string> const& names) {
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
        text += names[i];
    }
    return text;
}

// What one transfer to the payment's address means for the payment.
class TransferWords {
  public:
    TransferWords(FoundTransfer const& found, FoundOnChain const& chain, PaymentState const& state,
                  PaymentStatus status, Network const& network)
        : found_(found),
          chain_(chain),
          payment_(state.payment),
          ends_at_(ends_at(state)),
          status_(status),
          network_(network),
          name_(name_of(network, chain.chain_id)) {}

    Finding finding() const {
        Finding finding = words();
        finding.facts.insert(finding.facts.begin(), {"Network", name_});
        finding.facts.emplace_back("Block", std::to_string(chain_.block->number));
        return finding;
    }

  private:
    Finding words() const {
        switch (found_.kind) {
            case FoundAs::booked:
            case FoundAs::not_read_yet:
                return listed();
            case FoundAs::unlisted_token:
                return unlisted();
            case FoundAs::native_coin:
                return native_coin();
            case FoundAs::malformed:
                return {.tone = Tone::bad,
                        .title = "Nothing arrived",
                        .message =
                            "The transaction names this payment's address, and moved nothing "
                            "to it that could be counted."};
            case FoundAs::not_booked:
                break;
        }
        return {.tone = Tone::bad,
                .title = "It arrived, and is missing here",
                .message = arrived() +
                           ", and this payment does not show it. That should not be: "
                           "please contact the shop.",
                .ask_shop = true};
    }

    Finding listed() const {
        bool const counts =
            found_.stage == CreditStage::cleared || found_.stage == CreditStage::settled;
        if (counts) return counted();
        if (found_.exception && found_.resolved == found_.excess) return decided();
        if (payment_.option_for(chain_.chain_id, found_.contract) == nullptr) return not_offered();
        if (is_late()) {
            return kept("It came too late",
                        arrived() + ", after the time for this payment was up.");
        }
        if (is_over()) {
            return kept("This payment was paid already",
                        arrived() + ", and the payment had been paid without it.");
        }
        if (found_.stage == CreditStage::unapplied) {
            return kept("Less than was due came in time",
                        arrived() + ", and the time was up before the rest came.");
        }
        if (found_.kind == FoundAs::not_read_yet) {
            return {.tone = Tone::waiting,
                    .title = "It is in a block",
                    .message = arrived() +
                               ", in a block that is about to be read here. The "
                               "payment's page shows it in a moment."};
        }
        return {.tone = Tone::waiting,
                .title = "It arrived and is being confirmed",
                .message = arrived() +
                           ". It counts as soon as the network has confirmed it, and "
                           "the payment's page shows that. There is nothing more for "
                           "you to do."};
    }

    Finding counted() const {
        Finding finding{.tone = Tone::good,
                        .title = "It arrived and counts",
                        .message = arrived() + " and counts for this payment."};
        if (found_.excess > found_.resolved) {
            finding.message += " " + amount_text(found_.excess - found_.resolved) +
                               " of it are more than was due: ask the shop about the difference.";
            finding.ask_shop = true;
        }
        return finding;
    }

    Finding decided() const {
        return {.tone = Tone::good,
                .title = "The shop has decided about it",
                .message = arrived() +
                           ", and the shop has decided what becomes of it. Where it "
                           "was taken for this payment, the payment's page says so.",
                .ask_shop = true};
    }

    Finding not_offered() const {
        bool const chain_offered = std::ranges::any_of(
            payment_.options,
            [this](PaymentOption const& option) { return option.chain_id == chain_.chain_id; });
        if (chain_offered) {
            return kept("It is another token",
                        arrived() + ", a token that this payment has no price in.");
        }
        return kept("It came over another network",
                    arrived() + ", a network that this payment is not to be paid on.");
    }

    Finding unlisted() const {
        return {.tone = Tone::bad,
                .title = "A token that this shop does not accept",
                .message =
                    "A token arrived at this payment's address that is none of those that "
                    "this shop accepts. Anybody can make a token and give it any name; "
                    "what counts is its contract." +
                    std::string(kSentBack),
                .facts = {{"Token's contract", to_string(found_.contract)}},
                .ask_shop = true};
    }

    Finding native_coin() const {
        return {.tone = Tone::bad,
                .title = "It is the network's own coin",
                .message = found_amount(found_, chain_.chain_id, network_) +
                           ", in which fees are paid on " + name_ +
                           ", arrived at this payment's address. Only tokens pay here." + kSentBack,
                .ask_shop = true};
    }

    static Finding kept(std::string title, std::string const& message) {
        return {.tone = Tone::bad,
                .title = std::move(title),
                .message = message + kKept,
                .ask_shop = true};
    }

    bool is_late() const {
        bool const came_late = found_.first_seen_time > ends_at_;
        return found_.reason ? *found_.reason == UnappliedReason::late : came_late;
    }

    bool is_over() const {
        bool const paid = status_ == PaymentStatus::cleared || status_ == PaymentStatus::settled;
        return found_.reason ? *found_.reason == UnappliedReason::already_paid : paid;
    }

    std::string amount_text(Amount amount) const {
        return people_amount(network_, chain_.chain_id, found_.contract, amount);
    }

    std::string arrived() const { return amount_text(found_.amount) + " arrived on " + name_; }

    FoundTransfer const& found_;
    FoundOnChain const& chain_;
    Payment const& payment_;
    Timestamp ends_at_;
    PaymentStatus status_;
    Network const& network_;
    std::string name_;
};

// Of a transaction that has nothing to do with the payment, as far as can be seen.
Finding nothing_found(std::vector<FoundOnChain> const& found, PaymentState const& state,
                      Network const& network) {
    std::vector<std::string> silent;
    std::vector<std::string> asked;
    for (FoundOnChain const& chain : found) {
        std::string const name = name_of(network, chain.chain_id);
        if (chain.block && !chain.succeeded) {
            return {
                .tone = Tone::bad,
                .title = "This transaction failed",
                .message = name + " has it in block " + std::to_string(chain.block->number) +
                           " as failed. It moved nothing: what you meant to send is still where "
                           "it was, less the network's fee."};
        }
        if (chain.block) {
            return {
                .tone = Tone::bad,
                .title = "It did not go to this payment",
                .message = "This transaction did not send anything to this payment's address, " +
                           to_string(state.payment.deposit_address) +
                           ". Compare it with the one that your wallet sent to."};
        }
        (chain.fault.empty() ? asked : silent).push_back(name);
    }
    if (!silent.empty()) {
        std::string message = list_of(silent) + " could not be asked just now.";
        if (!asked.empty()) message += " The transaction is not on " + list_of(asked) + ".";
        return {.tone = Tone::waiting, .title = "Please try again in a minute", .message = message};
    }
    return {
        .tone = Tone::waiting,
        .title = "No network has this transaction yet",
        .message = "We asked " + list_of(asked) +
                   ". If you have just sent it, it may not be in a block yet: wait a minute and "
                   "look again. If you sent it over another network, contact the shop and name "
                   "that network.",
        .ask_shop = true};
}

}  // namespace

std::vector<Finding> findings_of(std::vector<FoundOnChain> const& found, PaymentState const& state,
                                 PaymentStatus status, Network const& network) {
    std::vector<Finding> findings;
    std::vector<Finding> empty;
    for (FoundOnChain const& chain : found) {
        for (FoundTransfer const& transfer : chain.transfers) {
            auto& into = transfer.kind == FoundAs::malformed ? empty : findings;
            if (into.size() == kMostShown) continue;
            into.push_back(TransferWords(transfer, chain, state, status, network).finding());
        }
    }
    // Logs of nothing beside a transfer only confuse: anybody can have them written.
    if (findings.empty() && !empty.empty()) findings.push_back(empty.front());
    if (findings.empty()) findings.push_back(nothing_found(found, state, network));
    return findings;
}

}  // namespace sycee::checkout
