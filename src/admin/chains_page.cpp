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
    auto const late =
        (settings == nullptr ? std::chrono::seconds{12} : settings->block_time) * kLateBlocks;
    if (lag_of(status, now) > std::max<std::chrono::seconds>(late, std::chrono::seconds{30})) {
        return html(R"(<span class="badge caution">! behind</span>)");
    }
    return html(R"(<span class="badge good">✓ following</span>)");
}

Html reorg_text(ChainStatus const& status) {
    if (!status.last_reorg_at) return html("none seen");
    return html("{}, {} {} deep", {moment(*status.last_reorg_at), status.last_reorg_depth,
                                   status.last_reorg_depth == 1 ? "block" : "blocks"});
}

Html chain_section(ChainStatus const& status, Network const& network, Timestamp now) {
    Html facts = fact("Head", html("{} {}", {status.head.number, short_hash(status.head.hash)}));
    facts += fact("Head's time (UTC)", moment(status.head.time));
    facts += fact("Lag", html("{} s", {lag_of(status, now).count()}));
    facts += fact("Finalized", status.finalized);
    facts += fact("Last reorg", reorg_text(status));
    facts += fact("Processed (UTC)", moment(status.processed_at));
    Html const alarm = status.stopped_reason.empty()
                           ? Html{}
                           : html(R"(<p class="problem">Stopped: {}</p>)", {status.stopped_reason});
    return html(
        R"(<section class="card"><div class="title"><h2>{}</h2>{}</div>{}<dl class="facts">{}</dl>)"
        "</section>\n",
        {chain_name(network, status.chain_id), verdict(status, network.chain(status.chain_id), now),
         alarm, facts});
}

}  // namespace

Html chains_body(std::vector<ChainStatus> const& chains, Network const& network, Timestamp now) {
    Html sections;
    for (auto const& status : chains)
        sections += chain_section(status, network, now);
    for (auto const& chain : network.chains) {
        if (std::ranges::find(chains, chain.id, &ChainStatus::chain_id) != chains.end()) continue;
        sections += html(R"(<section class="card"><div class="title"><h2>{}</h2>)"
                         R"(<span class="badge caution">! not followed yet</span></div></section>)",
                         {chain_name(network, chain.id)});
    }
    return html("<h1>Chains</h1>{}", {sections});
}

}  // namespace sycee::admin
