#include "pages.hpp"
#include "words.hpp"

#include <algorithm>

namespace sycee::admin {
namespace {

// Blocks behind the clock before the dashboard calls it late.
constexpr int kLateBlocks = 10;

std::chrono::seconds lag_of(ChainStatus const& status, Timestamp now) {
    return std::max(std::chrono::seconds{0},
                    std::chrono::floor<std::chrono::seconds>(now - status.head.time));
}

Html verdict(ChainStatus const& status, ChainSettings const* settings, Timestamp now) {
    if (!status.stopped_reason.empty()) return html(R"(<span class="badge bad">! stopped</span>)");
    std::chrono::milliseconds const late =
        (settings == nullptr ? std::chrono::seconds{12} : settings->block_time) * kLateBlocks;
    if (lag_of(status, now) > std::max<std::chrono::milliseconds>(late, std::chrono::seconds{30})) {
        return html(R"(<span class="badge caution">! behind</span>)");
    }
    return html(R"(<span class="badge good">✓ following</span>)");
}

Html reorg_text(ChainStatus const& status) {
    if (!status.last_reorg_at) return html("none seen");
    return html("{}, {} {} deep", {moment(*status.last_reorg_at), status.last_reorg_depth,
                                   status.last_reorg_depth == 1 ? "block" : "blocks"});
}

Html comparison_text(std::optional<ReconciliationStatus> const& reconciliation,
                     std::string const& root) {
    if (!reconciliation) return html("not yet");
    Html text =
        html("{} {} at block {}, {}",
             {reconciliation->compared, reconciliation->compared == 1 ? "balance" : "balances",
              reconciliation->block_number, moment(reconciliation->compared_at)});
    if (reconciliation->round_ended_at)
        text += html("; all of them once by {}", {moment(*reconciliation->round_ended_at)});
    if (!reconciliation->fault.empty())
        text += html(R"( <span class="badge caution">! {}</span>)", {reconciliation->fault});
    if (reconciliation->open_differences != 0) {
        text += html(R"( <a href="{}/differences"><span class="badge bad">! {} differ</span></a>)",
                     {root, reconciliation->open_differences});
    }
    return text;
}

// "below 100: 1 block; below 10000: 12 blocks; above: when final"
std::string rule_text(FinalityRule const& rule) {
    std::string text;
    for (FinalityBand const& band : rule.bands) {
        if (!text.empty()) text += "; ";
        if (band.below) {
            text += "below " + to_short_decimal(*band.below, kValueDecimals) + ": ";
        } else if (rule.bands.size() > 1) {
            text += "above: ";
        }
        std::string const blocks = band.confirmations == 1 ? " block" : " blocks";
        text +=
            band.confirmations == 0 ? "when final" : std::to_string(band.confirmations) + blocks;
    }
    return text;
}

std::string quorum_text(ChainSettings const& settings) {
    std::size_t const nodes = settings.endpoints.size();
    return std::to_string(settings.quorum) + " of " + std::to_string(nodes) +
           (nodes == 1 ? " node" : " nodes");
}

// What the followers know of the chain, here or in another process.
Html progress_facts(std::optional<ChainProgress> const& progress, BlockNumber head) {
    if (!progress) return fact("Agreed", "– (not followed at the moment)");
    BlockNumber const behind = head - std::min(head, progress->agreed);
    Html facts = fact("Agreed", html("{}, {} behind the head", {progress->agreed, behind}));
    FinalityRule const& rule = progress->rule;
    facts += fact("Clears after", html("{} (rule version {})", {rule_text(rule), rule.version}));
    if (rule.most_not_final) {
        facts += fact("Cleared and not final, at most",
                      to_short_decimal(*rule.most_not_final, kValueDecimals));
    }
    return facts;
}

Html chain_section(ChainStatus const& status, ChainsProgress const& progress,
                   Network const& network, Timestamp now, std::string const& root) {
    auto const* settings = network.chain(status.chain_id);
    Html facts = fact("Head", html("{} {}", {status.head.number, short_hash(status.head.hash)}));
    facts += fact("Head's time (UTC)", moment(status.head.time));
    facts += fact("Lag", html("{} s", {lag_of(status, now).count()}));
    if (auto const known = progress.find(status.chain_id); known != progress.end()) {
        facts += progress_facts(known->second, status.head.number);
    }
    facts += fact("Finalized", status.finalized);
    if (settings != nullptr) facts += fact("Nodes that must agree", quorum_text(*settings));
    facts += fact("Last reorg", reorg_text(status));
    facts += fact("Processed (UTC)", moment(status.processed_at));
    facts += fact("Compared with the chain", comparison_text(status.reconciliation, root));
    Html const alarm = status.stopped_reason.empty()
                           ? Html{}
                           : html(R"(<p class="problem">Stopped: {}</p>)", {status.stopped_reason});
    return html(
        R"(<section class="card"><div class="title"><h2>{}</h2>{}</div>{}<dl class="facts">{}</dl>)"
        "</section>\n",
        {chain_name(network, status.chain_id), verdict(status, settings, now), alarm, facts});
}

}  // namespace

Html chains_body(std::vector<ChainStatus> const& chains, ChainsProgress const& progress,
                 Network const& network, Timestamp now, std::string const& root) {
    Html sections;
    for (auto const& status : chains)
        sections += chain_section(status, progress, network, now, root);
    for (auto const& chain : network.chains) {
        if (std::ranges::find(chains, chain.id, &ChainStatus::chain_id) != chains.end()) continue;
        sections += html(R"(<section class="card"><div class="title"><h2>{}</h2>)"
                         R"(<span class="badge caution">! not followed yet</span></div></section>)",
                         {chain_name(network, chain.id)});
    }
    return html("<h1>Chains</h1>{}", {sections});
}

}  // namespace sycee::admin
