#include <sycee/app/reconciliation.hpp>
#include <sycee/base/assert.hpp>

namespace sycee {

bool agrees(BookedBalance const& booked, Amount on_chain) {
    return booked.amount == on_chain || booked.accepted == on_chain;
}

std::vector<BalanceDifference> compare_balances(std::vector<BookedBalance> const& booked,
                                                std::vector<Amount> const& on_chain) {
    ensure(booked.size() == on_chain.size(), "reconciliation: not one balance for each address");
    std::vector<BalanceDifference> differences;
    for (std::size_t i = 0; i < booked.size(); ++i) {
        if (!agrees(booked[i], on_chain[i])) differences.push_back({booked[i], on_chain[i]});
    }
    return differences;
}

std::vector<TokenHolder> holders_of(std::vector<BookedBalance> const& balances) {
    std::vector<TokenHolder> holders;
    for (BookedBalance const& booked : balances)
        holders.push_back({booked.token, booked.address});
    return holders;
}

}  // namespace sycee
