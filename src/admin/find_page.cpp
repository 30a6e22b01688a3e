#include <sycee/app/finding_text.hpp>

#include "pages.hpp"
#include "words.hpp"

namespace sycee::admin {
namespace {

Html lookup_form(FindPage const& page, std::string const& root) {
    Html const problem = page.problem.empty()
                             ? Html{}
                             : html(R"(<p class="problem" role="status">{}</p>)", {page.problem});
    return html(R"(<section class="card"><p>What did a transaction do to our addresses? Every )"
                R"(configured network is asked.</p>{}<form class="lookup" method="get" )"
                R"(action="{}/find"><label>Transaction<input name="transaction" value="{}" )"
                R"(placeholder="0x… or an explorer's link" maxlength="2000" autocomplete="off" )"
                R"(autocapitalize="none" spellcheck="false" required></label>)"
                R"(<button>Find</button></form></section>)",
                {problem, root, page.entered});
}

Html transfer_item(FoundTransfer const& found, FoundOnChain const& chain, FindPage const& page,
                   Network const& network, std::string const& root) {
    Html facts = fact("Amount", found_amount(found, chain.chain_id, network));
    facts += fact("Payment", payment_link(root, found.payment.second));
    facts += fact("Merchant", free_text(merchant_name(page.merchants, found.payment.first)));
    if (found.exception) facts += fact("Exception", exception_link(root, *found.exception));
    facts += fact("To", address(found.deposit_address));
    if (found.kind != FoundAs::native_coin) {
        facts += fact("Token's contract", address(found.contract));
        facts += fact("From", address(found.sender));
        facts += fact("Log", html("{} of the block", {found.log_index}));
    }
    return html(R"(<li><p>{}.</p><dl class="facts small">{}</dl></li>)",
                {sentence(advice(found)), facts});
}

Html chain_section(FoundOnChain const& chain, FindPage const& page, Network const& network,
                   std::string const& root) {
    Html transfers;
    for (FoundTransfer const& found : chain.transfers)
        transfers += transfer_item(found, chain, page, network, root);
    Html body;
    if (!chain.transfers.empty()) {
        body = html(R"(<ul class="requests">{}</ul>)", {transfers});
    } else if (chain.block) {
        body = html(R"(<p class="none">Nothing of it went to a deposit address.</p>)");
    }
    if (chain.has_more) body += html(R"(<p class="none">There are more of them.</p>)");
    return html(R"(<section class="card"><h2>{}</h2><p>{}.</p>{}</section>)",
                {chain_name(network, chain.chain_id), sentence(chain_text(chain)), body});
}

}  // namespace

Html find_body(FindPage const& page, Network const& network, std::string const& root) {
    Html chains;
    for (FoundOnChain const& chain : page.chains)
        chains += chain_section(chain, page, network, root);
    Html const under =
        page.hash.empty() ? Html{} : html(R"(<p class="under">{}</p>)", {code(page.hash)});
    return html(R"(<div class="title"><h1>Find a transaction</h1></div>{}{}{})",
                {under, lookup_form(page, root), chains});
}

}  // namespace sycee::admin
