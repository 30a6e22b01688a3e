#include <sycee/app/feed_source.hpp>
#include <sycee/runtime/errors.hpp>

#include <algorithm>
#include <optional>
#include <string>

namespace sycee {
namespace {

std::string where(RateSourceSettings const& settings) {
    return "the feed " + to_string(settings.feed) + " on chain " +
           std::to_string(settings.chain_id);
}

void check(FeedAnswer const& answer, RateSourceSettings const& settings) {
    if (answer.description != to_string(settings.pair)) {
        throw RateMisconfigured(where(settings) + " is of \"" + answer.description +
                                "\"; the configuration says \"" + to_string(settings.pair) + "\"");
    }
    if (answer.decimals != settings.decimals) {
        throw RateMisconfigured(where(settings) + " has " + std::to_string(answer.decimals) +
                                " decimals; the configuration says " +
                                std::to_string(settings.decimals));
    }
}

}  // namespace

Task<SourceValue> FeedSource::read() {
    std::vector<FeedAnswer> answers;
    std::string fault = "no node";
    std::optional<std::string> misconfigured;
    for (FeedPort* node : nodes_) {
        try {
            answers.push_back(co_await node->read_feed(settings_.feed));
        } catch (Unavailable const& unavailable) {
            fault = unavailable.what();
            continue;
        } catch (RateMisconfigured const& wrong) {
            misconfigured = wrong.what();
            continue;
        }
        FeedAnswer const& newest = answers.back();
        if (static_cast<std::size_t>(std::ranges::count(answers, newest)) < quorum_) continue;
        check(newest, settings_);
        co_return SourceValue{newest.round.answer, newest.decimals, newest.round.updated_at};
    }
    // One node that is wrong about it is no reason to stop, where others answer.
    if (answers.empty() && misconfigured) throw RateMisconfigured(*misconfigured);
    if (answers.empty()) throw Unavailable(fault);
    throw Unavailable(where(settings_) + ": fewer than " + std::to_string(quorum_) +
                      " nodes say the same");
}

}  // namespace sycee
