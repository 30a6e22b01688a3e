#include <sycee/app/endpoint_set.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace sycee {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kFirstPause = 1s;
constexpr std::chrono::milliseconds kLongestPause = 60s;
constexpr unsigned kMostDoublings = 6;
constexpr BlockNumber kTolerableLag = 3;    // blocks behind the best node before another is read
constexpr BlockNumber kMostWitnessed = 32;  // blocks that a witness reads at a time
constexpr std::chrono::milliseconds kAgreementPoll = 100ms;
constexpr std::chrono::milliseconds kSlowestPoll = 5s;
constexpr std::size_t kReadAgain = 16;  // blocks at a time

std::string where(ChainSettings const& settings) {
    return "chain " + std::to_string(settings.id);
}

}  // namespace

EndpointSet::EndpointSet(ChainSettings const& settings, std::vector<EndpointPort*> endpoints,
                         Clock& clock, Metrics& metrics)
    : settings_(settings),
      clock_(clock),
      metrics_(metrics),
      agreement_(endpoints.size(), settings.quorum) {
    for (EndpointPort* port : endpoints)
        endpoints_.push_back({.port = port});
}

bool EndpointSet::is_usable(Endpoint const& endpoint) const {
    return endpoint.checked && endpoint.paused_until <= clock_.now();
}

// The reader first while it keeps up, then the others as they are configured; those that lag or are
// paused come last, since a node that is said to be bad is still better than none.
std::vector<std::size_t> EndpointSet::by_preference() const {
    BlockNumber best = 0;
    for (Endpoint const& endpoint : endpoints_) {
        if (is_usable(endpoint) && endpoint.tips) best = std::max(best, endpoint.tips->head.number);
    }
    auto const rank = [&](std::size_t index) {
        Endpoint const& endpoint = endpoints_[index];
        bool const lags = endpoint.tips && endpoint.tips->head.number + kTolerableLag < best;
        return (is_usable(endpoint) ? 0 : 4) + (lags ? 2 : 0) + (index == reader_ ? 0 : 1);
    };
    std::vector<std::size_t> order;
    for (std::size_t index = 0; index < endpoints_.size(); ++index) {
        if (endpoints_[index].checked) order.push_back(index);
    }
    std::sort(order.begin(), order.end(), [&rank](std::size_t a, std::size_t b) {
        return std::pair(rank(a), a) < std::pair(rank(b), b);
    });
    return order;
}

void EndpointSet::note_success(Endpoint& endpoint) {
    endpoint.failures = 0;
    endpoint.paused_until = {};
}

void EndpointSet::note_failure(Endpoint& endpoint, std::string const& why,
                               std::optional<std::chrono::milliseconds> pause) {
    auto const doubled = kFirstPause * (1U << std::min(endpoint.failures, kMostDoublings));
    endpoint.paused_until =
        clock_.now() + std::min(std::max(pause.value_or(0ms), doubled), kLongestPause);
    ++endpoint.failures;
    log_warning("chain", "a node failed",
                {{"chain", settings_.id},
                 {"node", endpoint.port->name()},
                 {"failures", endpoint.failures},
                 {"why", why}});
    metrics_.count("sycee_node_faults_total",
                   {{"chain", std::to_string(settings_.id)}, {"node", endpoint.port->name()}});
}

template <class Answer>
Task<Answer> EndpointSet::ask(std::vector<std::size_t> order,
                              std::function<Task<Answer>(std::size_t)> question, Blame blame) {
    std::string last = where(settings_) + ": no node has been reached and checked yet";
    for (std::size_t const index : order) {
        Endpoint& endpoint = endpoints_[index];
        std::optional<std::chrono::milliseconds> pause;
        try {
            auto answer = co_await question(index);
            note_success(endpoint);
            co_return answer;
        } catch (RateLimited const& limited) {
            last = limited.what();
            pause = limited.retry_after();
        } catch (Unavailable const& unavailable) {
            last = unavailable.what();
        }
        if (blame == Blame::node || pause) note_failure(endpoint, last, pause);
    }
    throw Unavailable(last);
}

Task<ChainTips> EndpointSet::ask_for_tips(std::size_t index) {
    Timestamp const asked = clock_.now();
    auto const tips = co_await endpoints_[index].port->tips();
    metrics_.set(
        "sycee_node_answer_milliseconds", static_cast<double>((clock_.now() - asked).count()),
        {{"chain", std::to_string(settings_.id)}, {"node", endpoints_[index].port->name()}});
    endpoints_[index].tips = tips;
    co_return tips;
}

// NOLINTBEGIN(cppcoreguidelines-avoid-capturing-lambda-coroutines): ask() keeps each closure in its
// frame for as long as the coroutine that it makes runs.
Task<ChainTips> EndpointSet::tips() {
    auto const question = [this](std::size_t index) -> Task<ChainTips> {
        auto answer = co_await ask_for_tips(index);
        reader_ = index;
        co_return answer;
    };
    co_return co_await ask<ChainTips>(by_preference(), question);
}

// As high as a quorum calls final, and what a quorum has there.
Task<BlockHeader> EndpointSet::first_block() {
    if (agreement_.quorum() == 1) co_return co_await ChainPort::first_block();
    auto named = named_final();
    if (named.size() < agreement_.quorum()) throw Unavailable(where(settings_) + ": no quorum yet");
    std::sort(named.begin(), named.end(),
              [](BlockHeader const& a, BlockHeader const& b) { return a.number > b.number; });
    BlockNumber const number = named[agreement_.quorum() - 1].number;
    std::vector<std::pair<BlockHeader, std::size_t>> said;
    for (std::size_t const index : by_preference()) {
        std::string fault;
        try {
            auto const header = co_await endpoints_[index].port->header(number);
            if (header) said.emplace_back(*header, index);
        } catch (Unavailable const& unavailable) {
            fault = unavailable.what();
        }
        if (!fault.empty()) note_failure(endpoints_[index], fault);
    }
    for (auto const& [header, index] : said) {
        auto const same = std::count_if(said.begin(), said.end(), [&](auto const& other) {
            return other.first.hash == header.hash;
        });
        if (static_cast<std::size_t>(same) < agreement_.quorum()) continue;
        reader_ = index;
        co_return header;
    }
    throw Unavailable(where(settings_) + ": no quorum names the same final block yet");
}

std::vector<BlockHeader> EndpointSet::named_final() const {
    std::vector<BlockHeader> named;
    for (Endpoint const& endpoint : endpoints_) {
        if (endpoint.tips) named.push_back(endpoint.tips->finalized);
    }
    return named;
}

BlockNumber EndpointSet::final_to(HeaderChain const& ours, ChainTips const& tips) {
    if (agreement_.quorum() == 1) return ChainPort::final_to(ours, tips);
    return agreed_finalized(ours, named_final(), agreement_.quorum());
}

Task<std::optional<BlockHeader>> EndpointSet::header(BlockNumber number) {
    auto const question = [this, number](std::size_t index) -> Task<std::optional<BlockHeader>> {
        co_return co_await endpoints_[index].port->header(number);
    };
    co_return co_await ask<std::optional<BlockHeader>>(by_preference(), question);
}

Task<std::optional<ReceiptLogs>> EndpointSet::receipt(TransactionHash hash) {
    auto const question = [this, hash](std::size_t index) -> Task<std::optional<ReceiptLogs>> {
        co_return co_await endpoints_[index].port->receipt(hash);
    };
    co_return co_await ask<std::optional<ReceiptLogs>>(by_preference(), question, Blame::nobody);
}

Task<std::optional<NativeTransfer>> EndpointSet::native_transfer(TransactionHash hash) {
    auto const question = [this, hash](std::size_t index) -> Task<std::optional<NativeTransfer>> {
        co_return co_await endpoints_[index].port->native_transfer(hash);
    };
    co_return co_await ask<std::optional<NativeTransfer>>(by_preference(), question, Blame::nobody);
}

Task<std::vector<CompleteBlock>> EndpointSet::blocks(BlockNumber first, BlockNumber last) {
    auto const question = [this, first,
                           last](std::size_t index) -> Task<std::vector<CompleteBlock>> {
        std::vector<CompleteBlock> complete;
        for (BlockWithLogs& read : co_await endpoints_[index].port->blocks(first, last)) {
            auto const block = check_complete(read);
            if (!block && complete.empty()) throw Unavailable(to_string(block.error()));
            if (!block) break;
            complete.push_back({*block, std::move(read.logs)});
        }
        for (CompleteBlock const& read : complete)
            agreement_.vote(index, read.block);
        co_return complete;
    };
    co_return co_await ask<std::vector<CompleteBlock>>(by_preference(), question);
}

Task<std::vector<Bytes32>> EndpointSet::digests_again(std::vector<ProcessedBlock> blocks) {
    // Another node than the one that was read from, where there is one in good health.
    auto order = by_preference();
    auto const other = std::find_if(order.begin(), order.end(), [this](std::size_t index) {
        return index != reader_ && is_usable(endpoints_[index]);
    });
    if (other != order.end()) std::rotate(order.begin(), other, std::next(other));
    auto const question = [this, &blocks](std::size_t index) -> Task<std::vector<Bytes32>> {
        std::vector<Bytes32> digests;
        while (digests.size() < blocks.size()) {
            std::vector<BlockHash> hashes;
            for (std::size_t i = digests.size(); i < blocks.size() && hashes.size() < kReadAgain;
                 ++i)
                hashes.push_back(blocks[i].header.hash);
            auto const read = co_await endpoints_[index].port->blocks_again(std::move(hashes));
            if (read.empty()) throw Unavailable("the node reads no block again");
            for (auto const& block : read) {
                auto const complete = block ? check_complete(*block)
                                            : refuse("logs", "the node does not have the block");
                if (!complete && digests.empty()) throw Unavailable(to_string(complete.error()));
                if (!complete) co_return digests;
                digests.push_back(complete->logs_digest);
            }
        }
        co_return digests;
    };
    co_return co_await ask<std::vector<Bytes32>>(std::move(order), question);
}

// NOLINTEND(cppcoreguidelines-avoid-capturing-lambda-coroutines)

BlockNumber EndpointSet::agreed_to(HeaderChain const& ours) {
    window_.clear();
    for (BlockNumber number = ours.finalized() + 1; number <= ours.head().number; ++number)
        window_.push_back(*ours.at(number));
    agreement_.forget_below(ours.finalized());
    agreement_changed_ = false;
    if (agreement_.quorum() == 1) return ours.head().number;
    metrics_.set("sycee_chain_nodes_disagreeing", static_cast<double>(agreement_.disagreeing(ours)),
                 {{"chain", std::to_string(settings_.id)}});
    BlockNumber const agreed = agreement_.agreed_to(ours);
    all_agreed_ = agreed == ours.head().number;
    return agreed;
}

// Whatever a quorum contradicts, another node is read from: on another branch the next step finds
// the way there; with other logs of the same block, ours is to be read again.
std::optional<BlockNumber> EndpointSet::misread(HeaderChain const& ours) {
    if (agreement_.quorum() == 1) return std::nullopt;
    auto const theirs = agreement_.outvoted(ours);
    if (!theirs) return std::nullopt;
    for (std::size_t index = 0; index < endpoints_.size() && !agreement_.agrees(reader_, *theirs);
         ++index) {
        if (is_usable(endpoints_[index]) && agreement_.agrees(index, *theirs)) reader_ = index;
    }
    BlockNumber const number = theirs->header.number;
    if (theirs->header.hash != ours.at(number)->header.hash) return std::nullopt;
    return number;
}

Task<bool> EndpointSet::is_contradicted(BlockHeader final_block) {
    std::size_t others = 0;
    std::vector<std::size_t> const asked = by_preference();
    for (std::size_t const index : asked) {
        EndpointPort& port = *endpoints_[index].port;
        std::string fault;
        try {
            auto const header = co_await port.header(final_block.number);
            if (header && header->hash != final_block.hash) {
                fault = "has another block in the place of final block " +
                        std::to_string(final_block.number);
                // A node that stands still on a branch that was given up calls nothing final there.
                ChainTips const tips = co_await port.tips();
                if (tips.finalized.number >= final_block.number) ++others;
            }
        } catch (Unavailable const& unavailable) {
            fault = unavailable.what();
        }
        if (!fault.empty()) note_failure(endpoints_[index], fault);
    }
    co_return others >= agreement_.quorum() && others * 2 > endpoints_.size();
}

Task<void> EndpointSet::wait_for_head(std::chrono::milliseconds limit) {
    if (agreement_changed_ || endpoints_.empty()) co_return;
    bool const all_agreed = agreement_.quorum() == 1 || all_agreed_;
    co_await endpoints_[reader_].port->wait_for_head(all_agreed ? limit
                                                                : std::min(limit, kAgreementPoll));
}

Task<void> EndpointSet::watch(std::size_t index) {
    Endpoint& endpoint = endpoints_[index];
    Backoff backoff(kFirstPause, kLongestPause);
    for (;;) {
        std::string fault;
        std::optional<std::chrono::milliseconds> pause;
        try {
            if (!endpoint.checked) co_await check(index);
            co_await bear_witness(index);
            note_success(endpoint);
            backoff.reset();
        } catch (RateLimited const& limited) {
            fault = limited.what();
            pause = limited.retry_after();
        } catch (Unavailable const& unavailable) {
            fault = unavailable.what();
        }
        if (!fault.empty()) note_failure(endpoint, fault, pause);
        report_quorum();
        auto const pace =
            std::clamp<std::chrono::milliseconds>(settings_.block_time, 200ms, kSlowestPoll);
        if (fault.empty() && index == reader_) {
            co_await clock_.sleep_for(pace);
        } else if (fault.empty()) {
            co_await endpoint.port->wait_for_head(pace);
        } else {
            co_await clock_.sleep_for(std::max(backoff.next(), pause.value_or(0ms)));
        }
    }
}

Task<void> EndpointSet::check(std::size_t index) {
    EndpointPort& port = *endpoints_[index].port;
    ChainId const id = co_await port.chain_id();
    if (id != settings_.id) {
        throw std::runtime_error("the node " + port.name() + " of " + where(settings_) +
                                 " answers for chain " + std::to_string(id));
    }
    for (TokenSettings const& token : settings_.tokens) {
        std::string const name =
            "token " + token.symbol + " " + to_string(token.contract) + " on " + where(settings_);
        unsigned const decimals = co_await port.token_decimals(token.contract);
        if (decimals != token.decimals) {
            throw std::runtime_error(name + " has " + std::to_string(decimals) +
                                     " decimals; the configuration says " +
                                     std::to_string(token.decimals));
        }
        // Issuers rename their tokens, and need not name them at all: a reason to look, not to
        // stop.
        std::string symbol;
        try {
            symbol = co_await port.token_symbol(token.contract);
        } catch (Unavailable const&) {
            throw;
        } catch (std::runtime_error const& error) {
            symbol = error.what();
        }
        if (symbol != token.symbol) {
            log_warning("chain", "a token calls itself otherwise than the configuration",
                        {{"token", name}, {"symbol", symbol}});
        }
    }
    co_await ask_for_tips(index);
    endpoints_[index].checked = true;
    log_info("chain", "a node was checked", {{"chain", settings_.id}, {"node", port.name()}});
}

// Reads, by this node, those of our blocks that it has not spoken for, and those that the nodes
// read differently: whoever was wrong may know better by now.
Task<void> EndpointSet::bear_witness(std::size_t index) {
    // The follower asks the reader for its tips, and waits for the next ones by what it heard.
    if (index != reader_) co_await ask_for_tips(index);
    if (!endpoints_[index].tips) co_return;
    ChainTips const tips = *endpoints_[index].tips;
    metrics_.set(
        "sycee_node_head_block", static_cast<double>(tips.head.number),
        {{"chain", std::to_string(settings_.id)}, {"node", endpoints_[index].port->name()}});
    if (agreement_.quorum() == 1) co_return;
    co_await check_votes(index, tips.head);
    auto const unheard = std::find_if(window_.begin(), window_.end(), [&](auto const& block) {
        return !agreement_.agrees(index, block) || agreement_.is_disputed(block);
    });
    if (unheard == window_.end() || unheard->header.number > tips.head.number) co_return;
    BlockNumber const first = unheard->header.number;
    BlockNumber const last =
        std::min({tips.head.number, window_.back().header.number, first + kMostWitnessed - 1});
    for (BlockWithLogs const& read : co_await endpoints_[index].port->blocks(first, last)) {
        auto const block = check_complete(read);
        if (!block) throw Unavailable(to_string(block.error()));
        // The node went to another branch: what it said of the one before does not hold any more.
        if (!agreement_.extends(index, *block)) agreement_.withdraw(index, 0);
        agreement_.vote(index, *block);
        agreement_changed_ = true;
    }
}

// What the node has said before holds as long as its branch does: a word of before a reorg must not
// make a quorum with those who follow the old branch still, or pretend to.
Task<void> EndpointSet::check_votes(std::size_t index, BlockHeader head) {
    agreement_.withdraw(index, head.number);
    auto const last = agreement_.last_vote(index, head.number);
    if (!last) co_return;
    bool holds = false;
    if (last->number == head.number) {
        holds = last->hash == head.hash;
    } else if (last->number + 1 == head.number) {
        holds = last->hash == head.parent_hash;
    } else {
        auto const now = co_await endpoints_[index].port->header(last->number);
        holds = now && now->hash == last->hash;
    }
    if (!holds) agreement_.withdraw(index, 0);
}

void EndpointSet::report_quorum() {
    auto const usable = static_cast<std::size_t>(std::count_if(
        endpoints_.begin(), endpoints_.end(),
        [](Endpoint const& endpoint) { return endpoint.checked && endpoint.failures == 0; }));
    bool const lost = usable < agreement_.quorum();
    metrics_.set("sycee_chain_quorum_lost", lost ? 1 : 0,
                 {{"chain", std::to_string(settings_.id)}});
    if (lost != quorum_lost_) {
        log(lost ? LogLevel::critical : LogLevel::info, "chain",
            lost ? "the quorum of nodes is lost: nothing is cleared or settled until it is back"
                 : "the quorum of nodes is there",
            {{"chain", settings_.id}, {"nodes", usable}, {"quorum", agreement_.quorum()}});
    }
    quorum_lost_ = lost;
}

}  // namespace sycee
