#include <sycee/app/token_text.hpp>
#include <sycee/app/waiting.hpp>

namespace sycee {
namespace {

constexpr std::array<char const*, kWaitingAges> kNames{"under 10 min", "under 1 h   ",
                                                       "under 1 day ", "older       "};

}  // namespace

std::string waiting_text(std::vector<WaitingMoney> const& waiting, Network const& network) {
    std::string text;
    for (WaitingMoney const& one : waiting) {
        text += token_name(network, one.chain_id, one.token) + " on chain " +
                std::to_string(one.chain_id) + (one.cleared ? ", cleared" : ", authorized") +
                ", the oldest of " + to_rfc3339(one.oldest) + "\n";
        for (std::size_t age = 0; age < kWaitingAges; ++age) {
            WaitingSum const& sum = one.by_age[age];
            if (sum.count == 0) continue;
            text += std::string("  ") + kNames[age] + "  " +
                    token_decimal(network, one.chain_id, one.token, sum.amount) + " in " +
                    std::to_string(sum.count) + " transfer(s)\n";
        }
    }
    return text.empty() ? "Nothing waits.\n" : text;
}

}  // namespace sycee
