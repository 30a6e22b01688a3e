#include "page.hpp"

#include <sycee/app/test_chain.hpp>

#include "copy.hpp"
#include "find_page.hpp"
#include "pay_panel.hpp"
#include "state_json.hpp"

namespace sycee::checkout {
namespace {

// Seconds after which a browser without JavaScript reads the page again.
constexpr int kWaitingRefresh = 5;
constexpr int kPaidRefresh = 30;

Html refresh(CheckoutView const& view) {
    if (view.final) return {};
    int const seconds = view.phase == Phase::paid ? kPaidRefresh : kWaitingRefresh;
    return html(R"(<noscript><meta http-equiv="refresh" content="{}"></noscript>
)",
                {seconds});
}

Html row(std::string_view name, Html const& value) {
    return html("<div><dt>{}</dt><dd>{}</dd></div>", {name, value});
}

std::string_view due_label(CheckoutView const& view) {
    if (view.open_amount) return view.received.empty() ? "Any amount from" : "Still due, at least";
    return view.received.empty() ? "Amount due" : "Still due";
}

Html order_section(CheckoutView const& view) {
    auto const& option = view.option();
    Html rows;
    bool const received_is_all = !view.is_due() && view.open_amount && !view.received.empty();
    if (!view.received.empty() && !received_is_all)
        rows += row("Received", html("{}", {view.received}));
    if (!view.detected.empty()) rows += row("On its way", html("{}", {view.detected}));
    if (!view.reference.empty()) rows += row("Order", html("{}", {view.reference}));
    rows += row("Payment", html(R"(<code class="id">{}</code>)", {view.id}));
    Html amount;
    if (view.is_due()) {
        std::string_view const of = view.open_amount ? "of at least" : "of";
        amount = html(
            R"(<p class="label">{}</p><h1 class="amount number">{} <small>{}</small></h1>)"
            R"(<p class="price">{}on {}</p>)",
            {due_label(view), option.due, option.token,
             view.received.empty() ? html("{} ", {view.price}) : html("{} {}, ", {of, view.price}),
             option.network});
    } else if (received_is_all) {
        amount = html(R"(<p class="label">Received</p><h1 class="amount number">{}</h1>)",
                      {view.received});
    } else {
        auto const space = view.price.rfind(' ');
        amount =
            html(R"(<p class="label">{}</p><h1 class="amount number">{} <small>{}</small></h1>)",
                 {view.open_amount ? "Any amount from" : "Amount", view.price.substr(0, space),
                  view.price.substr(space + 1)});
    }
    Html const about = view.description.empty()
                           ? Html{}
                           : html(R"(<p class="description">{}</p>)", {view.description});
    return html(R"(<section class="order" data-swap="order" aria-label="Your order">)"
                R"({}{}<dl class="facts">{}</dl></section>)",
                {amount, about, rows});
}

// Drawn, so that no state is told by colour alone.
Html state_icon(Phase phase) {
    switch (phase) {
        case Phase::paid:
            return html(R"(<path d="M10 20.5 17 27.5 30.5 13" class="stroke"/>)");
        case Phase::expired:
        case Phase::reversed:
        case Phase::canceled:
            return html(
                R"(<path d="M20 10v13" class="stroke"/><path d="M20 28.5v1.5" class="stroke"/>)");
        case Phase::authorized:
            return html(R"(<path d="M9 20.5h4l4-7 6 13 4-6h4" class="stroke"/>)");
        case Phase::detected:
            return html(R"(<path d="M10 20h19M21.5 12.5 29 20l-7.5 7.5" class="stroke"/>)");
        case Phase::open:
        case Phase::partially_paid:
        case Phase::checking:
            break;
    }
    return html(R"(<path d="M20 11v9.5l6 4" class="stroke"/>)");
}

Html time_left(CheckoutView const& view) {
    if (!view.payable()) return {};
    return html(R"(<p class="time">Time left <span class="number" id="time-left" role="timer" )"
                R"(aria-live="off" data-seconds="{}">{}</span></p>)",
                {view.time_left.count(), clock_text(view.time_left)});
}

Html state_section(CheckoutView const& view) {
    StateText const text = state_text(view);
    return html(R"(<div class="state"><div class="mark" data-swap="mark" aria-hidden="true">)"
                R"(<svg viewBox="0 0 40 40" width="40" height="40"><circle cx="20" cy="20" )"
                R"(r="18"/>{}</svg></div>)"
                R"(<div class="words" role="status" aria-live="polite"><p class="title" )"
                R"(id="state-title">{}</p>)"
                R"(<p id="state-message">{}</p></div><div data-swap="time">{}</div></div>)",
                {state_icon(view.phase), text.title, text.message, time_left(view)});
}

// Where the money is on its way: the three stages of the books, in the payer's words.
Html progress(CheckoutView const& view) {
    bool const confirmed = view.phase == Phase::paid;
    bool const final = view.status == PaymentStatus::settled;
    auto const step = [](bool done, bool current, std::string_view name) {
        return html(R"(<li class="{}">{}<span class="visually-hidden">: {}</span></li>)",
                    {done      ? "done"
                     : current ? "current"
                               : "waiting",
                     name,
                     done      ? "done"
                     : current ? "in progress"
                               : "not yet"});
    };
    return html(R"(<ol class="steps">{}{}{}</ol>)",
                {step(true, false, "Received"), step(confirmed, !confirmed, "Confirmed"),
                 step(final, confirmed, "Final")});
}

Html way_back(CheckoutView const& view, std::string_view words, bool main_action) {
    if (view.success_url.empty()) return {};
    return html(
        R"(<p class="back"><a class="{}" href="{}" rel="noreferrer">{} <small>{}</small></a></p>)",
        {main_action ? "button" : "quiet", view.success_url, words, host_of(view.success_url)});
}

Html help_text(CheckoutView const& view) {
    if (view.phase == Phase::reversed) {
        return html(
            R"(<div class="help"><h2>What to do</h2><p>Look at the transfer in your wallet. If it )"
            R"(is there as sent, wait a few minutes. If it failed or is gone, ask the shop before )"
            R"(you send again, and name this payment:</p><p><code class="id">{}</code></p></div>)",
            {view.id});
    }
    return html(R"(<div class="help"><h2>Already paid?</h2><p>Nothing is lost. A transfer that )"
                R"(came late or )"
                R"(was too small is kept under this payment. Contact the shop and name it:</p>)"
                R"(<p><code class="id">{}</code></p><h2>Not paid yet?</h2>)"
                R"(<p>Go back to the shop and start the payment again. You will get a new )"
                R"(address.</p></div>)",
                {view.id});
}

Html address_text(CheckoutView const& view) {
    return html(
        R"(<div class="help"><p>Address of this payment: <code class="address">{}</code></p></div>)",
        {view.address});
}

// Nobody is asked to pay twice, and whoever has to is not kept from it: a transfer can fail.
Html pay_again(CheckoutView const& view, PageContext const& context) {
    if (view.time_is_up()) return address_text(view);
    return html(
        R"(<details class="again"><summary>How to pay</summary><p>Only if your wallet says )"
        R"(that the transfer failed.</p>{}</details>)",
        {pay_panel(view, context)});
}

Html panel(CheckoutView const& view, PageContext const& context) {
    switch (view.phase) {
        case Phase::open:
        case Phase::partially_paid:
            return pay_panel(view, context);
        case Phase::authorized:
            return progress(view);
        case Phase::paid:
            return html("{}{}", {progress(view), way_back(view, "Back to the shop", true)});
        case Phase::expired:
        case Phase::reversed:
        case Phase::canceled:
            return help_text(view);
        case Phase::checking:
            return address_text(view);
        case Phase::detected:
            return pay_again(view, context);
    }
    return {};
}

bool is_test(CheckoutView const& view) {
    return is_test_chain(view.option().chain_id);
}

// Whoever takes it for real must not send anything.
Html test_note(CheckoutView const& view) {
    if (!is_test(view)) return {};
    return html(
        R"(<p class="warning test" id="test-mode" role="note"><b>Test payment.</b> No money is paid )"
        R"(here, and none must be sent: the network exists in this gateway alone.</p>)",
        {});
}

}  // namespace

Html document(WebFiles const& files, std::string_view title, Html const& head, Html const& body) {
    return html(R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>{}</title>
<link rel="icon" href="{}" type="image/svg+xml">
<link rel="stylesheet" href="{}">
<link rel="stylesheet" href="{}">
{}</head>
<body>
<header class="top">{}</header>
{}
</body>
</html>
)",
                {title, files.url("icon.svg"), files.url("palette.css"), files.url("checkout.css"),
                 head, files.inline_svg("wordmark.svg"), body});
}

std::string choice_query(std::size_t option, bool uri_code) {
    return "?option=" + std::to_string(option) + (uri_code ? "&qr=uri" : "");
}

std::string checkout_page(CheckoutView const& view, PageContext const& context) {
    std::string const query = choice_query(view.chosen, context.uri_code);
    Html const head = html(R"({}<script src="{}" defer></script>
)",
                           {refresh(view), context.files.url("checkout.js")});
    Html const body = html(
        R"(<main id="checkout" data-phase="{}" data-state="{}" data-page="{}" data-events="{}" )"
        R"(data-poll="{}">
{}{}
<section class="panel" aria-label="Payment">
{}
<div class="ways" data-swap="ways">{}</div>
<div data-swap="missed">{}</div>
</section>
<p class="visually-hidden" role="status" aria-live="polite" id="said"></p>
</main>)",
        {to_string(view.phase), state_json(view), context.path + query,
         context.path + "/events" + query, context.path + "/state" + query, test_note(view),
         order_section(view), state_section(view), panel(view, context),
         find_section(view, context.path)});
    std::string const title = (is_test(view) ? "Test: " : std::string()) +
                              (view.phase == Phase::paid ? "Paid: "
                               : view.open_amount        ? "Pay any amount from "
                                                         : "Pay ") +
                              view.price;
    return document(context.files, title, head, body).text;
}

std::string not_found_page(WebFiles const& files) {
    Html const body = html(
        R"(<main id="checkout" class="missing"><section class="panel"><div class="help">)"
        R"(<h1>There is no such payment</h1><p>The link may be incomplete. Open it again from the )"
        R"(shop, or from the message that it came in.</p><p>Please do not send anything to )"
        R"(an address )"
        R"(that you can't see on a payment's own page.</p></div></section></main>)");
    return document(files, "Payment not found", {}, body).text;
}

}  // namespace sycee::checkout
