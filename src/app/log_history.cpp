#include <sycee/app/log_history.hpp>
#include <sycee/app/ports.hpp>
#include <sycee/runtime/errors.hpp>

#include <algorithm>
#include <tuple>
#include <utility>

namespace sycee {
namespace {

constexpr int kMostPauses = 20;  // that one node may ask for before its answer is given up

bool is_same(Log const& a, Log const& b) {
    auto const tied = [](Log const& log) {
        return std::tie(log.contract, log.topics, log.data, log.block_number, log.block_hash,
                        log.transaction_hash, log.log_index);
    };
    return tied(a) == tied(b);
}

bool is_same(std::vector<Log> const& a, std::vector<Log> const& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](Log const& one, Log const& other) { return is_same(one, other); });
}

bool is_same(BlockHeader const& a, BlockHeader const& b) {
    return a == b;
}

// What the nodes have said, each answer once, with how many said it.
template <class Answer>
class Votes {
  public:
    // How many have said the same by now.
    std::size_t add(Answer answer) {
        for (auto& [said, count] : votes_) {
            if (is_same(said, answer)) {
                last_ = &said;
                return ++count;
            }
        }
        last_ = &votes_.emplace_back(std::move(answer), 1).first;
        return 1;
    }
    Answer take_last() { return std::move(*last_); }

  private:
    std::vector<std::pair<Answer, std::size_t>> votes_;
    Answer* last_ = nullptr;
};

}  // namespace

Task<BlockHeader> ChainHistory::header(BlockNumber number) {
    Votes<BlockHeader> votes;
    std::string fault = "no node has it";
    for (HistoryPort* node : nodes_) {
        try {
            auto const header = co_await node->header(number);
            if (header && votes.add(*header) >= quorum_) co_return votes.take_last();
        } catch (Unavailable const& unavailable) {
            fault = unavailable.what();
        }
    }
    throw Unavailable("chain " + std::to_string(id_) + ": no quorum of nodes names block " +
                      std::to_string(number) + ": " + fault);
}

Task<BlockNumber> ChainHistory::first_block_since(Timestamp time, BlockNumber last) {
    BlockNumber low = 0;
    BlockNumber high = last;
    while (low < high) {
        BlockNumber const middle = low + (high - low) / 2;
        BlockHeader const header = co_await this->header(middle);
        if (header.time < time) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    co_return low;
}

Task<std::vector<Log>> ChainHistory::ask(HistoryPort& node, std::vector<Address> contracts,
                                         BlockNumber first, BlockNumber last) {
    std::vector<Log> logs;
    int pauses = 0;
    while (first <= last) {
        std::optional<std::chrono::milliseconds> pause;
        try {
            LogRange range = co_await node.transfer_logs(contracts, first, last);
            std::move(range.logs.begin(), range.logs.end(), std::back_inserter(logs));
            first = range.last + 1;
        } catch (RateLimited const& limited) {
            if (++pauses > kMostPauses) throw;
            pause = limited.retry_after();
        }
        if (pause) co_await clock_.sleep_for(*pause);
    }
    co_return logs;
}

Task<std::vector<Log>> ChainHistory::transfer_logs(std::vector<Address> contracts,
                                                   BlockNumber first, BlockNumber last) {
    // No contract at all would be every contract to a node.
    if (contracts.empty()) co_return std::vector<Log>{};
    Votes<std::vector<Log>> votes;
    std::string fault = "they read different ones";
    for (HistoryPort* node : nodes_) {
        try {
            auto logs = co_await ask(*node, contracts, first, last);
            if (votes.add(std::move(logs)) >= quorum_) co_return votes.take_last();
        } catch (Unavailable const& unavailable) {
            fault = unavailable.what();
        }
    }
    throw Unavailable("chain " + std::to_string(id_) +
                      ": no quorum of nodes reads the same logs of the blocks " +
                      std::to_string(first) + " to " + std::to_string(last) + ": " + fault);
}

}  // namespace sycee
