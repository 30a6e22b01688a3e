#include "find_page.hpp"

#include <algorithm>

namespace sycee::checkout {
namespace {

Html what_to_enter() {
    return html(R"(<p>Enter the hash of the transaction, which your wallet or exchange shows with )"
                R"(the transfer ("transaction hash", "TxID").</p>)");
}

Html find_form(std::string const& path) {
    return html(R"(<form class="find" method="get" action="{}/find"><label>Transaction hash, or a )"
                R"(link to it<input name="transaction" placeholder="0x…" maxlength="2000" )"
                R"(autocomplete="off" autocapitalize="none" spellcheck="false" required></label>)"
                R"(<button>Look for it</button></form>)",
                {path});
}

std::string_view to_string(Finding::Tone tone) {
    switch (tone) {
        case Finding::Tone::good:
            return "good";
        case Finding::Tone::waiting:
            return "waiting";
        case Finding::Tone::bad:
            break;
    }
    return "bad";
}

Html fact(std::string_view name, Html const& value) {
    return html("<div><dt>{}</dt><dd>{}</dd></div>", {name, value});
}

Html code(std::string_view text) {
    return html(R"(<code class="id">{}</code>)", {text});
}

Html finding_item(Finding const& finding) {
    Html facts;
    for (auto const& [name, value] : finding.facts)
        facts += fact(name, html("{}", {value}));
    if (!facts.text.empty()) facts = html(R"(<dl class="facts">{}</dl>)", {facts});
    return html(R"(<div class="finding {}"><h2>{}</h2><p>{}</p>{}</div>)",
                {to_string(finding.tone), finding.title, finding.message, facts});
}

// What the shop needs in order to see the same.
Html names_for_shop(FindPage const& page) {
    Html facts;
    if (!page.reference.empty()) facts += fact("Order", html("{}", {page.reference}));
    facts += fact("Payment", code(page.payment_id));
    facts += fact("Transaction", code(page.transaction));
    return html(R"(<h2>When you contact the shop, name these</h2><dl class="facts">{}</dl>)",
                {facts});
}

Html answer(FindPage const& page) {
    if (!page.problem.empty()) {
        return html(R"(<div class="finding bad" role="status"><p>{}</p></div>)", {page.problem});
    }
    if (page.findings.empty()) return what_to_enter();
    Html all;
    for (Finding const& finding : page.findings)
        all += finding_item(finding);
    bool const ask_shop = std::ranges::any_of(page.findings, &Finding::ask_shop);
    bool const waiting = std::ranges::any_of(page.findings, [](Finding const& finding) {
        return finding.tone == Finding::Tone::waiting;
    });
    if (waiting) {
        all += html(R"(<p><a href="{}/find?transaction={}">Look again</a></p>)",
                    {page.path, page.transaction});
    }
    return html("{}{}", {all, ask_shop ? names_for_shop(page) : Html{}});
}

}  // namespace

Html find_section(CheckoutView const& view, std::string const& path) {
    bool const shows = view.phase == Phase::paid || view.phase == Phase::authorized ||
                       view.phase == Phase::detected;
    if (shows) return {};
    Html const own_page =
        view.final ? Html{}
                   : html(R"(<noscript><p>This page reads itself again every few seconds. <a )"
                          R"(href="{}/find">Enter it on a page of its own.</a></p></noscript>)",
                          {path});
    return html(R"(<details class="missed"><summary>Paid, but nothing shows here?</summary>)"
                R"({}{}{}</details>)",
                {what_to_enter(), own_page, find_form(path)});
}

std::string find_page(FindPage const& page, WebFiles const& files) {
    Html const body =
        html(R"(<main id="checkout" class="missing"><section class="panel"><div class="help">)"
             R"(<h1>Where is my transfer?</h1>{}<p class="back"><a class="button" href="{}">)"
             R"(Back to the payment</a></p><div class="another">{}</div></div></section></main>)",
             {answer(page), page.path, find_form(page.path)});
    return document(files, "Where is my transfer?", {}, body).text;
}

}  // namespace sycee::checkout
