#include "answers.hpp"

#include <iterator>
#include <sstream>
#include <string_view>

namespace sycee::simulation {
namespace {

constexpr std::size_t kMostLinesShown = 4;

std::string shown(bool value) {
    return value ? "yes" : "no";
}
std::string shown(std::string const& value) {
    return value;
}
std::string shown(std::string_view value) {
    return std::string(value);
}
std::string shown(std::integral auto value) {
    return std::to_string(value);
}
std::string shown(Amount value) {
    return to_string(value);
}
std::string shown(Timestamp value) {
    return std::to_string(to_unix_milliseconds(value));
}
std::string shown(Address const& value) {
    return to_hex(value.bytes);
}
std::string shown(Bytes32 const& value) {
    return to_hex(value);
}
template <class Tag>
std::string shown(Id<Tag> const& value) {
    return to_string(value);
}

// "payment id=… price=…"
class Line {
  public:
    explicit Line(std::string_view what) : text_(what) {}

    template <class Value>
    Line& field(std::string_view name, Value const& value) {
        text_.append(" ").append(name).append("=").append(shown(value));
        return *this;
    }
    std::string const& text() const { return text_; }

  private:
    std::string text_;
};

Line& add(Line& line, TransferKey const& key) {
    return line.field("chain", key.chain_id)
        .field("transaction", key.transaction_hash)
        .field("token", key.token)
        .field("ordinal", key.ordinal);
}

Line& add(Line& line, Transfer const& transfer) {
    return add(line, transfer.key)
        .field("log_index", transfer.log_index)
        .field("sender", transfer.sender)
        .field("recipient", transfer.recipient)
        .field("amount", transfer.amount)
        .field("block", transfer.block_number)
        .field("block_hash", transfer.block_hash)
        .field("block_time", transfer.block_time);
}

std::string text_of_credit(Credit const& credit) {
    Line line("  credit");
    add(line, credit.transfer)
        .field("authorization", credit.authorization_sequence)
        .field("authorization_hash", credit.authorization_hash)
        .field("first_seen", credit.first_seen_time)
        .field("stage", to_string(credit.stage))
        .field("stage_sequence", credit.stage_sequence)
        .field("stage_hash", credit.stage_hash)
        .field("settlement", credit.settlement_sequence)
        .field("settlement_hash", credit.settlement_hash)
        .field("gross", credit.gross)
        .field("fee", credit.fee)
        .field("excess", credit.excess)
        .field("shortfall", credit.shortfall)
        .field("resolved", credit.resolved);
    if (credit.unapplied_reason) line.field("reason", to_string(*credit.unapplied_reason));
    return line.text();
}

std::string text_of_outflow(Outflow const& outflow) {
    Line line("  outflow");
    return add(line, outflow.transfer)
        .field("sequence", outflow.sequence)
        .field("hash", outflow.hash)
        .field("unexplained", outflow.unexplained)
        .field("resolved", outflow.resolved)
        .text();
}

std::vector<std::string> lines_of(std::string const& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);)
        lines.push_back(std::move(line));
    return lines;
}

// The lines of `of` that `other` has not; both sorted.
std::string only_in(std::vector<std::string> const& of, std::vector<std::string> const& other,
                    std::string_view whose) {
    std::vector<std::string> only;
    std::set_difference(of.begin(), of.end(), other.begin(), other.end(), std::back_inserter(only));
    std::string text;
    for (std::size_t i = 0; i < only.size() && i < kMostLinesShown; ++i)
        text += "\n  " + std::string(whose) + ": " + only[i];
    if (only.size() > kMostLinesShown)
        text += "\n  … and " + std::to_string(only.size() - kMostLinesShown) + " more";
    return text;
}

}  // namespace

std::string text_of(std::monostate) {
    return "done";
}

std::string text_of(std::size_t count) {
    return std::to_string(count);
}

std::string text_of(Lease const& lease) {
    return Line("lease").field("token", lease.token).field("left", lease.time_left.count()).text();
}

std::string text_of(FinalityRule const& rule) {
    Line line("rule");
    line.field("version", rule.version).field("bands", to_string(rule.bands));
    if (rule.most_not_final) line.field("cap", *rule.most_not_final);
    return line.text();
}

std::string text_of(FollowedChain const& chain) {
    std::string text = Line("chain").field("final", chain.finalized).text();
    for (ProcessedBlock const& block : chain.blocks) {
        text += "\n" + Line("block")
                           .field("number", block.header.number)
                           .field("hash", block.header.hash)
                           .field("parent", block.header.parent_hash)
                           .field("time", block.header.time)
                           .field("digest", block.logs_digest)
                           .text();
    }
    return text;
}

std::string text_of(ChainProgress const& progress) {
    return Line("progress")
        .field("head_time", progress.head_time)
        .field("agreed", progress.agreed)
        .field("final", progress.finalized)
        .field("rule", text_of(progress.rule))
        .text();
}

std::string text_of(MerchantView const& view) {
    std::string text = Line("merchant")
                           .field("id", view.merchant_id)
                           .field("sequence", view.head.sequence)
                           .field("hash", view.head.hash)
                           .field("batch", view.last_batch_number)
                           .field("fees", to_text(view.fees))
                           .field("fee_version", view.fees.version)
                           .text();
    for (auto const& [chain_id, sequence] : view.other_journals) {
        text += "\n" + Line("elsewhere").field("chain", chain_id).field("at", sequence).text();
    }
    auto cleared = view.cleared_not_final;
    std::sort(cleared.begin(), cleared.end());
    for (auto const& [token, amount] : cleared) {
        text +=
            "\n" + Line("cleared, not final").field("token", token).field("amount", amount).text();
    }
    return text + "\n" + text_of(Unordered<PaymentState>{view.payments});
}

std::string text_of(NewAddress const& added) {
    return Line("address")
        .field("merchant", added.merchant_id)
        .field("index", added.derivation_index)
        .field("address", added.address)
        .field("expires", added.expires_at)
        .text();
}

std::string text_of(WatchedAddress const& watched) {
    return Line("watched")
        .field("address", watched.address)
        .field("merchant", watched.payment.first)
        .field("payment", watched.payment.second)
        .text();
}

std::string text_of(Payment const& payment) {
    Line line("payment");
    line.field("merchant", payment.merchant_id)
        .field("id", payment.id)
        .field("index", payment.derivation_index)
        .field("address", payment.deposit_address)
        .field("currency", payment.currency)
        .field("price", payment.price)
        .field("open", payment.open_amount)
        .field("reference", payment.reference)
        .field("description", payment.description)
        .field("success_url", payment.success_url)
        .field("created", payment.created_at)
        .field("expires", payment.expires_at);
    for (auto const& [key, value] : payment.metadata)
        line.field("metadata." + key, value);
    for (PaymentOption const& option : payment.options) {
        line.field("chain", option.chain_id)
            .field("token", option.token)
            .field("amount", option.amount)
            .field("tolerance", option.tolerance);
    }
    return line.text();
}

std::string text_of(PaymentState const& state) {
    std::string text = text_of(state.payment);
    for (Credit const& credit : state.credits)
        text += "\n" + text_of_credit(credit);
    for (Outflow const& outflow : state.outflows)
        text += "\n" + text_of_outflow(outflow);
    for (DeskCredit const& credit : state.desk_credits)
        text += "\n" + Line("  desk credit").field("sequence", credit.sequence).text();
    for (auto const& [key, first_time] : state.reversed_transfers) {
        Line line("  reversed");
        text += "\n" + add(line, key).field("first_time", first_time).text();
    }
    if (state.canceled) {
        text += "\n" + Line("  canceled")
                           .field("chain", state.canceled->chain_id)
                           .field("sequence", state.canceled->sequence)
                           .field("ends", state.canceled->ends_at)
                           .field("booked", state.canceled->booked_at)
                           .text();
    }
    Line line("  was cleared");
    line.field("before", state.was_cleared).field("version", state.version);
    return text + "\n" + line.text();
}

std::string text_of(PendingDelivery const& delivery) {
    OutboxEvent const& event = delivery.told.event;
    Line line("delivery");
    if (delivery.told.moved) add(line, delivery.told.moved->key);
    return line.field("event", event.id)
               .field("merchant", event.merchant_id)
               .field("payment", event.payment_id)
               .field("type", event.type)
               .field("sequence", event.sequence)
               .field("created", event.created_at)
               .field("url", delivery.url)
               .field("endpoint", delivery.endpoint_id)
               .field("attempts", delivery.attempts)
               .field("failures", delivery.failures)
               .field("status", to_string(event.status))
               .field("record", event.record_sequence)
               .field("hash", delivery.told.record_hash)
               .text() +
           "\n" + text_of(delivery.told.state);
}

std::string difference_of(std::string const& model, std::string const& postgres) {
    if (model == postgres) return {};
    auto ours = lines_of(model);
    auto theirs = lines_of(postgres);
    std::sort(ours.begin(), ours.end());
    std::sort(theirs.begin(), theirs.end());
    if (ours == theirs) {
        return "the same in another order\n  model: " + model + "\n  PostgreSQL: " + postgres;
    }
    return only_in(ours, theirs, "model") + only_in(theirs, ours, "PostgreSQL");
}

}  // namespace sycee::simulation
