#include "pay_panel.hpp"

#include "copy.hpp"
#include "qr.hpp"

namespace sycee::checkout {
namespace {

constexpr std::size_t kShownHead = 8;  // 0x and six digits
constexpr std::size_t kShownTail = 6;

Html option_links(CheckoutView const& view, bool uri_code) {
    if (view.options.size() < 2) return {};
    Html links;
    for (std::size_t i = 0; i < view.options.size(); ++i) {
        auto const& option = view.options[i];
        bool const chosen = i == view.chosen;
        links += html(R"(<li><a href="{}"{}><b>{}</b> <span>{}</span></a></li>)",
                      {choice_query(i, uri_code), chosen ? html(R"( aria-current="true")") : Html{},
                       option.token, option.network});
    }
    return html(R"(<nav class="options" aria-label="Token and network"><ul>{}</ul></nav>)",
                {links});
}

Html code_choice(CheckoutView const& view, bool uri_code) {
    Html const current = html(R"( aria-current="true")");
    return html(R"(<ul class="tabs" aria-label="What the code holds">)"
                R"(<li><a href="{}"{}>Address</a></li><li><a href="{}"{}>{}</a></li></ul>)",
                {choice_query(view.chosen, false), uri_code ? Html{} : current,
                 choice_query(view.chosen, true), uri_code ? current : Html{},
                 view.open_amount ? "Payment link" : "Address + amount"});
}

Html code_figure(CheckoutView const& view, bool uri_code) {
    auto const& option = view.option();
    std::string const amount = option.due + " " + option.token;
    std::string const title = uri_code ? "QR code: payment link for " +
                                             (view.open_amount ? option.token : amount) + " on " +
                                             option.network + " to " + view.address
                                       : "QR code: address " + view.address;
    std::string_view const least = view.open_amount ? "at least " : "";
    Html const enter = html("enter {}<b>{}</b>", {least, amount});
    Html hint = html("Scan with your wallet, then {}.", {enter});
    if (uri_code && view.open_amount) {
        hint = html(
            "For wallets that read payment links (EIP-681). Check the network, and {} before you "
            "send.",
            {enter});
    } else if (uri_code) {
        hint = html(
            "For wallets that read payment links (EIP-681). Check amount and network before you "
            "send.");
    }
    return html(
        R"(<figure class="code">{}<figcaption>{}</figcaption>{}</figure>)",
        {qr_svg(uri_code ? option.uri : view.address, title), hint, code_choice(view, uri_code)});
}

// Shown by the script alone: without one there is nothing that could copy.
Html copy_button(std::string const& value, std::string_view what) {
    return html(R"(<button type="button" class="copy" data-copy="{}" aria-label="Copy {}" hidden>)"
                R"(<span>Copy</span></button>)",
                {value, what});
}

// Those who fake addresses match its ends only: they stand out, and all of it can be read.
Html emphasised(std::string const& address) {
    std::string_view const text = address;
    return html(
        "<b>{}</b>{}<b>{}</b>",
        {text.substr(0, kShownHead), text.substr(kShownHead, text.size() - kShownHead - kShownTail),
         text.substr(text.size() - kShownTail)});
}

Html amount_field(CheckoutView const& view) {
    auto const& option = view.option();
    if (view.open_amount) {
        return html(
            R"(<div class="field"><dt>Amount, in one transfer</dt><dd><span class="value number">)"
            R"(at least <span id="least-amount">{}</span> {}</span></dd></div>)",
            {option.due, option.token});
    }
    return html(R"(<div class="field"><dt>Exact amount</dt>)"
                R"(<dd><span class="value number"><span id="exact-amount">{}</span> )"
                R"({}</span>{}</dd></div>)",
                {option.due, option.token, copy_button(option.due, "amount")});
}

Html fields(CheckoutView const& view, bool uri_code) {
    auto const& option = view.option();
    Html rows = amount_field(view);
    rows += html(R"(<div class="field"><dt>Address</dt>)"
                 R"(<dd><code class="value address" id="deposit-address">{}</code>{}</dd></div>)",
                 {emphasised(view.address), copy_button(view.address, "address")});
    rows += html(R"(<div class="field pair"><dt>Network</dt>)"
                 R"(<dd><span class="value">{} <small>chain {}</small></span></dd></div>)",
                 {option.network, option.chain_id});
    rows += html(R"(<div class="field"><dt>{} token contract</dt>)"
                 R"(<dd><code class="value contract">{}</code></dd></div>)",
                 {option.token, option.contract});
    if (uri_code) {
        rows +=
            html(R"(<div class="field"><dt>Payment link</dt><dd><a class="value link" href="{}">)"
                 R"(Open in a wallet on this device</a>{}</dd></div>)",
                 {option.uri, copy_button(option.uri, "payment link")});
    }
    return html(R"(<dl class="fields">{}</dl>)", {rows});
}

}  // namespace

Html pay_panel(CheckoutView const& view, PageContext const& context) {
    return html(R"({}<p class="warning"><svg viewBox="0 0 20 20" width="20" height="20" )"
                R"(aria-hidden="true"><path d="M10 2.5 18.5 17h-17z" fill="none" )"
                R"(stroke="currentColor" stroke-width="1.6" stroke-linejoin="round"/>)"
                R"(<path d="M10 8v4.4M10 14v1.2" stroke="currentColor" stroke-width="1.8"/></svg>)"
                R"(<span>{}</span></p><div class="how">{}{}</div>)",
                {option_links(view, context.uri_code), network_warning(view.option()),
                 code_figure(view, context.uri_code), fields(view, context.uri_code)});
}

}  // namespace sycee::checkout
