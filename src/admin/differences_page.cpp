#include <sycee/app/token_text.hpp>

#include "difference_pages.hpp"
#include "words.hpp"

#include <algorithm>

namespace sycee::admin {
namespace {

Html hidden(std::string_view name, std::string_view value) {
    return html(R"(<input type="hidden" name="{}" value="{}">)", {name, value});
}

Html facts_of(OpenDifference const& difference, DifferencesPage const& page, Network const& network,
              std::string const& root) {
    BookedBalance const& booked = difference.difference.booked;
    auto const amount = [&](Amount value) {
        return token_amount(network, difference.chain_id, booked.token, value);
    };
    Html facts = fact("The books say", amount(booked.amount));
    facts += fact("The chain says", amount(difference.difference.on_chain));
    facts += fact("Address", address(booked.address));
    facts += fact("Network", chain_name(network, difference.chain_id));
    facts += fact("Merchant", free_text(merchant_name(page.merchants, booked.payment.first)));
    facts += fact("Payment", payment_link(root, booked.payment.second));
    facts +=
        fact("Block", html("{} {}", {difference.block_number, short_hash(difference.block_hash)}));
    facts += fact("Found", html("{}, {} ago", {moment(difference.found_at),
                                               age_text(page.now - difference.found_at)}));
    return html(R"(<dl class="facts">{}</dl>)", {facts});
}

Html decision_form(std::string const& where, DifferencesPage const& page, std::string_view title,
                   std::string_view effect, std::string_view button) {
    return html(
        R"(<form class="decision" method="post" action="{}"><h3>{}</h3><p>{}</p>{}
<label>Reason<textarea name="reason" rows="2" maxlength="500" required></textarea></label>
<button>{}</button></form>)",
        {where, title, effect, hidden("token", page.form_token), button});
}

Html answer_form(std::string const& where, DifferencesPage const& page, LossRequest const& request,
                 std::string_view button) {
    return html(R"(<form method="post" action="{}">{}{}<button>{}</button></form>)",
                {where, hidden("token", page.form_token), hidden("request", to_string(request.id)),
                 button});
}

Html request_item(std::string const& where, DifferencesPage const& page,
                  LossRequest const& request) {
    Html facts = fact("Decision", "book as lost");
    facts += fact("Reason", free_text(request.reason));
    facts += fact("Asked by", code(request.requested_by));
    facts += fact("Asked (UTC)", moment(request.created_at));
    Html const answer =
        request.requested_by == page.operator_id
            ? html(R"(<p class="none">You asked for this. Another operator has to answer.</p>)")
            : html(R"(<div class="answers">{}{}</div>)",
                   {answer_form(where + "/approve", page, request, "Approve and book"),
                    answer_form(where + "/reject", page, request, "Reject")});
    return html(R"(<ul class="requests"><li><dl class="facts small">{}</dl>{}</li></ul>)",
                {facts, answer});
}

Html difference_section(OpenDifference const& difference, DifferencesPage const& page,
                        Network const& network, std::string const& root) {
    std::string const where = page.page + "/" + to_string(difference.id);
    Html decisions;
    auto const waiting =
        std::ranges::find(page.requests, difference.id, &LossRequest::difference_id);
    if (waiting != page.requests.end()) {
        decisions += request_item(where, page, *waiting);
    }
    Html forms;
    bool const is_missing = difference.difference.on_chain < difference.difference.booked.amount;
    if (is_missing && waiting == page.requests.end()) {
        forms += decision_form(
            where + "/book-loss", page, "Book what is missing as lost",
            "The issuer destroyed it. The nodes are asked once more; books and chain then agree "
            "again. Nobody's claim falls by it.",
            "Book as lost");
    }
    forms += decision_form(
        where + "/accept", page, "Accept the difference",
        "The books stay as they are. From now on the address is right with as much missing.",
        "Accept");
    decisions += html(R"(<div class="decisions">{}</div>)", {forms});
    return html(
        R"(<section class="card"><h2>{}</h2>{}{}</section>)",
        {code(to_string(difference.id)), facts_of(difference, page, network, root), decisions});
}

}  // namespace

Html differences_body(DifferencesPage const& page, Network const& network,
                      std::string const& root) {
    Html sections;
    for (OpenDifference const& difference : page.differences)
        sections += difference_section(difference, page, network, root);
    if (page.differences.empty()) {
        sections = html(
            R"(<section class="card empty"><p>No difference is open: each address that was compared )"
            R"(holds what the books say.</p></section>)");
    }
    return html(
        R"(<div class="title"><h1>Differences</h1></div><p class="under">Addresses that hold )"
        R"(another balance on the chain than the books say. Nothing of them is cleared, )"
        R"(settled or decided upon until they are closed.</p>{}{})",
        {notice_box(page.notice), sections});
}

}  // namespace sycee::admin
