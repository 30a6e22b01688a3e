#include <sycee/app/reconciler.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace sycee {

Task<void> Reconciler::run() {
    for (;;) {
        co_await clock_.sleep_for(settings_.every);
        try {
            co_await check();
        } catch (Unavailable const& unavailable) {
            log_warning("reconciliation", "the books could not be compared with the chain",
                        {{"chain", chain_.id}, {"why", unavailable.what()}});
        }
    }
}

Task<bool> Reconciler::check() {
    // A little less, so that the one process that runs is not early for its own next turn.
    bool const due =
        co_await books_.claim(chain_.id, clock_.now(), settings_.every - settings_.every / 10);
    std::string const label = std::to_string(chain_.id);
    if (!due) co_return false;
    auto asked = co_await books_.next(chain_.id, settings_.payments);
    if (!asked) co_return false;
    CheckedBalances checked{.head = asked->booked.head,
                            .compared = 0,
                            .round_at = asked->round_at,
                            .differences = {},
                            .agreeing = {},
                            .fault = "",
                            .at = clock_.now()};
    // Token by token: one contract that answers nothing must not hide the others.
    std::map<Address, std::vector<BookedBalance>> by_token;
    for (BookedBalance& booked : asked->booked.balances)
        by_token[booked.token].push_back(std::move(booked));
    for (auto& [token, booked] : by_token) {
        auto found = co_await compare(std::move(booked), checked.head.hash, checked);
        std::move(found.begin(), found.end(), std::back_inserter(checked.differences));
    }
    if (!checked.fault.empty()) {
        log_warning("reconciliation", "some balances could not be compared",
                    {{"chain", chain_.id}, {"why", checked.fault}});
    }
    metrics_.count("sycee_reconciliation_compared_total", {{"chain", label}},
                   static_cast<double>(checked.compared));
    metrics_.set("sycee_reconciliation_block", static_cast<double>(checked.head.number),
                 {{"chain", label}});
    for (BalanceDifference const& difference : checked.differences) {
        log_critical("reconciliation", "the chain says otherwise than the books: frozen",
                     {{"chain", chain_.id},
                      {"payment", to_string(difference.booked.payment.second)},
                      {"address", to_string(difference.booked.address)},
                      {"token", to_string(difference.booked.token)},
                      {"booked", to_string(difference.booked.amount)},
                      {"on_chain", to_string(difference.on_chain)}});
    }
    co_await books_.record(chain_.id, std::move(checked));
    metrics_.set("sycee_reconciliation_differences",
                 static_cast<double>(co_await books_.open_differences(chain_.id)),
                 {{"chain", label}});
    co_return true;
}

Task<std::vector<BalanceDifference>> Reconciler::compare(std::vector<BookedBalance> booked,
                                                         BlockHash at, CheckedBalances& checked) {
    std::string fault = "no node is configured";
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        std::optional<std::vector<Amount>> on_chain;
        try {
            on_chain = co_await nodes_[i]->token_balances(holders_of(booked), at);
        } catch (boost::system::system_error const&) {
            throw;  // cancelled
        } catch (std::runtime_error const& error) {
            fault = error.what();
        }
        if (!on_chain) continue;
        checked.compared += booked.size();
        for (std::size_t j = 0; j < booked.size(); ++j) {
            if (booked[j].amount == (*on_chain)[j])
                checked.agreeing.push_back({booked[j].token, booked[j].address});
        }
        co_return co_await confirm(compare_balances(booked, *on_chain), at, i);
    }
    checked.fault = fault;
    co_return std::vector<BalanceDifference>{};
}

// Those of which enough nodes say the same.
Task<std::vector<BalanceDifference>> Reconciler::confirm(std::vector<BalanceDifference> found,
                                                         BlockHash at, std::size_t asked) {
    std::size_t said = 1;
    for (std::size_t i = 0; i < nodes_.size() && said < chain_.quorum && !found.empty(); ++i) {
        if (i == asked) continue;
        std::vector<BookedBalance> booked;
        for (BalanceDifference const& difference : found)
            booked.push_back(difference.booked);
        std::optional<std::vector<Amount>> on_chain;
        try {
            on_chain = co_await nodes_[i]->token_balances(holders_of(booked), at);
        } catch (boost::system::system_error const&) {
            throw;  // cancelled
        } catch (std::runtime_error const& error) {
            log_warning("reconciliation", "a node could not be asked for a second word",
                        {{"chain", chain_.id}, {"node", nodes_[i]->name()}, {"why", error.what()}});
        }
        if (!on_chain) continue;
        ++said;
        std::vector<BalanceDifference> both;
        for (std::size_t j = 0; j < found.size(); ++j) {
            if (found[j].on_chain == (*on_chain)[j]) {
                both.push_back(found[j]);
                continue;
            }
            log_warning("reconciliation", "two nodes give different balances of an address",
                        {{"chain", chain_.id},
                         {"address", to_string(found[j].booked.address)},
                         {"node", nodes_[i]->name()}});
        }
        found = std::move(both);
    }
    if (said < chain_.quorum) found.clear();
    co_return found;
}

}  // namespace sycee
