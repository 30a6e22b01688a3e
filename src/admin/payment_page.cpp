#include <sycee/app/amount_text.hpp>
#include <sycee/payment/quote.hpp>

#include "pages.hpp"
#include "words.hpp"

namespace sycee::admin {
namespace {

// By what the price was made into tokens.
std::string quote_text(Payment const& payment) {
    PriceQuote const& quote = *payment.quote;
    std::string text = to_string(quote.rate) + " " + payment.currency + " for one token";
    if (quote.spread_basis_points != 0)
        text += ", spread " + std::to_string(quote.spread_basis_points) + " basis points";
    for (SourceRate const& source : quote.sources) {
        text +=
            "; " + source.source + ": " + to_string(source.rate) + " at " + to_rfc3339(source.at);
    }
    return text;
}

Html facts_section(PaymentDetail const& detail) {
    Payment const& payment = detail.state.payment;
    Html facts = fact("Merchant", detail.merchant);
    facts += fact("Reference", payment.reference.empty() ? "–" : payment.reference);
    if (!payment.description.empty()) facts += fact("Description", payment.description);
    if (payment.open_amount) {
        facts +=
            fact("Open amount",
                 "at least " +
                     to_decimal(payment.price, currency_decimals(payment.currency).value_or(0)) +
                     " " + payment.currency);
    }
    if (payment.quote) facts += fact("Rate", quote_text(payment));
    facts += fact("Deposit address", address(payment.deposit_address));
    facts += fact("Derivation index", payment.derivation_index);
    facts += fact("Created (UTC)", moment(payment.created_at));
    facts += fact("Expires (UTC)", moment(payment.expires_at));
    // Text, never a link: it is the shop's, and nobody follows it from here.
    if (!payment.success_url.empty()) facts += fact("Success URL", payment.success_url);
    for (auto const& [key, value] : payment.metadata)
        facts += fact("metadata/" + key, value);
    return html(R"(<section class="card"><h2>Payment</h2><dl class="facts">{}</dl></section>)",
                {facts});
}

Html options_section(Payment const& payment, Network const& network) {
    Html rows;
    for (auto const& option : payment.options) {
        rows += html("<tr>{}{}{}</tr>",
                     {cell("Network", chain_name(network, option.chain_id)),
                      number_cell("Amount", token_amount(network, option.chain_id, option.token,
                                                         option.amount)),
                      cell("Contract", address(option.token))});
    }
    return html(R"(<section class="card"><h2>Options</h2><table class="list"><thead><tr>)"
                R"(<th>Network</th><th class="number">{}</th><th>Contract</th></tr></thead>)"
                R"(<tbody>{}</tbody></table></section>)",
                {payment.open_amount ? "At least" : "Amount", rows});
}

Html transfer_row(Transfer const& transfer, std::string_view direction, std::string const& stage,
                  Network const& network) {
    bool const in = direction == "in";
    auto const& key = transfer.key;
    return html(
        "<tr>{}{}{}{}{}{}</tr>",
        {cell("Direction", direction), cell("Stage", stage),
         number_cell("Amount", token_amount(network, key.chain_id, key.token, transfer.amount)),
         cell("Block",
              html("<span>{}<br>{}</span>", {transfer.block_number, moment(transfer.block_time)})),
         cell("Transaction", code(to_hex0x(key.transaction_hash))),
         cell(in ? "From" : "To", address(in ? transfer.sender : transfer.recipient))});
}

Html transfers_section(PaymentState const& state, Network const& network) {
    Html rows;
    for (auto const& credit : state.credits) {
        std::string stage(to_string(credit.stage));
        if (credit.unapplied_reason) stage += ": " + in_words(to_string(*credit.unapplied_reason));
        rows += transfer_row(credit.transfer, "in", stage, network);
    }
    for (auto const& outflow : state.outflows) {
        rows += transfer_row(outflow.transfer, "out", "withdrawal", network);
    }
    if (state.credits.empty() && state.outflows.empty()) {
        return html(
            R"(<section class="card"><h2>Transfers</h2><p class="none">None yet.</p></section>)");
    }
    return html(
        R"(<section class="card"><h2>Transfers</h2><table class="list"><thead><tr>)"
        R"(<th>Direction</th><th>Stage</th><th class="number">Amount</th><th>Block</th>)"
        R"(<th>Transaction</th><th>From / to</th></tr></thead><tbody>{}</tbody></table></section>)",
        {rows});
}

// What of the payment's money is on the exceptions desk, or was.
Html desk_section(PaymentState const& state, Network const& network, std::string const& root) {
    Html rows;
    auto const add = [&](TransferKey const& key, std::uint64_t sequence, std::string_view reason,
                         Amount amount, Amount resolved) {
        DeskKey const desk_key{state.payment.merchant_id, key.chain_id, sequence};
        rows += html(
            "<tr>{}{}{}{}</tr>",
            {cell("Exception", exception_link(root, desk_key)), cell("Reason", in_words(reason)),
             number_cell("Amount", token_amount(network, key.chain_id, key.token, amount)),
             number_cell("Left",
                         token_amount(network, key.chain_id, key.token, amount - resolved))});
    };
    for (Credit const& credit : state.credits) {
        if (credit.stage == CreditStage::authorized || credit.excess.is_zero()) continue;
        add(credit.transfer.key, credit.stage_sequence,
            credit.unapplied_reason ? to_string(*credit.unapplied_reason) : "overpaid",
            credit.excess, credit.resolved);
    }
    for (Outflow const& outflow : state.outflows) {
        if (outflow.unexplained.is_zero()) continue;
        add(outflow.transfer.key, outflow.sequence, "unexplained", outflow.unexplained,
            outflow.resolved);
    }
    if (rows.text.empty()) return {};
    return html(R"(<section class="card"><h2>On the exceptions desk</h2><table class="list">)"
                R"(<thead><tr><th>Exception</th><th>Reason</th><th class="number">Amount</th>)"
                R"(<th class="number">Left</th></tr></thead><tbody>{}</tbody></table></section>)",
                {rows});
}

}  // namespace

Html payment_body(PaymentDetail const& detail, Network const& network, std::string const& root) {
    Payment const& payment = detail.state.payment;
    return html(
        R"(<div class="title"><h1>{}</h1>{}</div><p class="under">{}</p>{})"
        "\n{}{}{}{}{}{}{}",
        {amount_text(detail.state), status_badge(detail.status), code(to_string(payment.id)),
         notice_box(detail.notice), facts_section(detail),
         desk_section(detail.state, network, root), refunds_section(detail, network, root),
         options_section(payment, network), timeline_section(detail.timeline, network, root),
         transfers_section(detail.state, network), deliveries_section(detail.timeline)});
}

}  // namespace sycee::admin
