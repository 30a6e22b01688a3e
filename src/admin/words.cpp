#include "words.hpp"

namespace sycee::admin {
namespace {

TokenSettings const* find_token(Network const& network, ChainId chain_id, Address const& token) {
    auto const* chain = network.chain(chain_id);
    return chain == nullptr ? nullptr : chain->token(token);
}

// An argument is escaped already where it had to be.
Html piece(HtmlArgument const& argument) {
    return Html{argument.text};
}

}  // namespace

std::string chain_name(Network const& network, ChainId chain_id) {
    auto const* chain = network.chain(chain_id);
    std::string const number = std::to_string(chain_id);
    return chain == nullptr ? "chain " + number : chain->name + " (" + number + ")";
}

std::string token_name(Network const& network, ChainId chain_id, Address const& token) {
    auto const* settings = find_token(network, chain_id, token);
    return settings == nullptr ? "base units of " + to_string(token) : settings->symbol;
}

std::string token_decimal(Network const& network, ChainId chain_id, Address const& token,
                          Amount amount) {
    auto const* settings = find_token(network, chain_id, token);
    return to_decimal(amount, settings == nullptr ? 0 : settings->decimals);
}

std::string token_amount(Network const& network, ChainId chain_id, Address const& token,
                         Amount amount) {
    return token_decimal(network, chain_id, token, amount) + " " +
           token_name(network, chain_id, token);
}

std::string price_text(Payment const& payment) {
    return to_decimal(payment.price, currency_decimals(payment.currency).value_or(0)) + " " +
           payment.currency;
}

Html moment(Timestamp time) {
    std::string const exact = to_rfc3339(time);
    return html(R"(<time datetime="{}" title="{}">{} <span class="hour">{}</span></time>)",
                {exact, exact, exact.substr(0, 10), exact.substr(11, 8)});
}

Html moment_or_dash(std::optional<Timestamp> time) {
    return time ? moment(*time) : html("–");
}

Html short_hash(Bytes32 const& hash) {
    std::string const text = to_hex0x(hash);
    return html(R"(<code title="{}">{}…</code>)", {text, text.substr(0, 12)});
}

Html address(Address const& value) {
    return html(R"(<code class="long">{}</code>)", {to_string(value)});
}

Html status_badge(PaymentStatus status) {
    std::string const name(to_string(status));
    std::string words = name;
    if (auto const line = words.find('_'); line != std::string::npos) words[line] = ' ';
    return html(R"(<span class="badge {}">{}</span>)", {name, words});
}

Html free_text(std::string_view text) {
    return html(R"(<span class="free">{}</span>)", {text});
}

Html cell(std::string_view label, HtmlArgument const& content) {
    return html(R"(<td data-label="{}">{}</td>)", {label, piece(content)});
}

Html number_cell(std::string_view label, HtmlArgument const& content) {
    return html(R"(<td class="number" data-label="{}">{}</td>)", {label, piece(content)});
}

Html fact(std::string_view name, HtmlArgument const& content) {
    return html("<div><dt>{}</dt><dd>{}</dd></div>", {name, piece(content)});
}

}  // namespace sycee::admin
