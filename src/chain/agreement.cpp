#include <sycee/base/assert.hpp>
#include <sycee/chain/agreement.hpp>

#include <algorithm>
#include <functional>
#include <iterator>

namespace sycee {

Agreement::Agreement(std::size_t endpoints, std::size_t quorum)
    : votes_(endpoints), quorum_(quorum) {
    ensure(quorum >= 1 && quorum <= endpoints, "chain: a quorum must be from 1 to the endpoints");
}

void Agreement::vote(std::size_t endpoint, ProcessedBlock const& block) {
    votes_.at(endpoint)[block.header.number] = block;
}

bool Agreement::extends(std::size_t endpoint, ProcessedBlock const& block) const {
    auto const& votes = votes_.at(endpoint);
    auto const below = votes.find(block.header.number - 1);
    return below == votes.end() || below->second.header.hash == block.header.parent_hash;
}

void Agreement::withdraw(std::size_t endpoint, BlockNumber above) {
    auto& votes = votes_.at(endpoint);
    votes.erase(votes.upper_bound(above), votes.end());
}

void Agreement::forget_below(BlockNumber number) {
    for (auto& votes : votes_)
        votes.erase(votes.begin(), votes.lower_bound(number));
}

std::optional<BlockHeader> Agreement::last_vote(std::size_t endpoint, BlockNumber up_to) const {
    auto const& votes = votes_.at(endpoint);
    auto const above = votes.upper_bound(up_to);
    if (above == votes.begin()) return std::nullopt;
    return std::prev(above)->second.header;
}

bool Agreement::agrees(std::size_t endpoint, ProcessedBlock const& block) const {
    auto const& votes = votes_.at(endpoint);
    auto const vote = votes.find(block.header.number);
    return vote != votes.end() && vote->second.header.hash == block.header.hash &&
           vote->second.logs_digest == block.logs_digest;
}

BlockNumber Agreement::agreed_to(HeaderChain const& ours) const {
    BlockNumber agreed = ours.finalized();
    for (; agreed < ours.head().number; ++agreed) {
        ProcessedBlock const& next = *ours.at(agreed + 1);
        std::size_t votes = 0;
        for (std::size_t endpoint = 0; endpoint < endpoints(); ++endpoint)
            votes += agrees(endpoint, next) ? 1 : 0;
        if (votes < quorum_) break;
    }
    return agreed;
}

std::optional<ProcessedBlock> Agreement::outvoted(HeaderChain const& ours) const {
    for (BlockNumber number = ours.finalized() + 1; number <= ours.head().number; ++number) {
        for (auto const& votes : votes_) {
            auto const vote = votes.find(number);
            if (vote == votes.end() || vote->second == *ours.at(number)) continue;
            std::size_t count = 0;
            for (std::size_t endpoint = 0; endpoint < endpoints(); ++endpoint)
                count += agrees(endpoint, vote->second) ? 1 : 0;
            if (count >= quorum_) return vote->second;
        }
    }
    return std::nullopt;
}

bool Agreement::is_disputed(ProcessedBlock const& block) const {
    return std::any_of(votes_.begin(), votes_.end(), [&block](auto const& votes) {
        auto const vote = votes.find(block.header.number);
        return vote != votes.end() && vote->second.header.hash == block.header.hash &&
               vote->second.logs_digest != block.logs_digest;
    });
}

std::size_t Agreement::disagreeing(HeaderChain const& ours) const {
    return static_cast<std::size_t>(
        std::count_if(votes_.begin(), votes_.end(), [&ours](auto const& votes) {
            return std::any_of(votes.begin(), votes.end(), [&ours](auto const& vote) {
                ProcessedBlock const* block = ours.at(vote.first);
                return block != nullptr && *block != vote.second;
            });
        }));
}

BlockNumber agreed_finalized(HeaderChain const& ours, std::vector<BlockHeader> const& reported,
                             std::size_t quorum) {
    std::vector<BlockNumber> numbers;
    for (BlockHeader const& header : reported) {
        ProcessedBlock const* block = ours.at(header.number);
        if (block != nullptr && block->header.hash == header.hash) numbers.push_back(header.number);
    }
    if (quorum == 0 || numbers.size() < quorum) return ours.finalized();
    std::sort(numbers.begin(), numbers.end(), std::greater<>{});
    return std::max(numbers[quorum - 1], ours.finalized());
}

}  // namespace sycee
