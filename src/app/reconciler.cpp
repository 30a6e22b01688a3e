#include <sycee/app/reconciler.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>

#include <boost/system/system_error.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace sycee {

Task<void> Reconciler::run() {
    for (;;) {
        co_await clock_.sleep_for(settings_.every);
        try {
            co_await check();
        } catch (boost::system::system_error const&) {
            throw;  // cancelled
        } catch (Unavailable const& unavailable) {
            log_warning("reconciliation", "the books could not be compared with the chain",
                        {{"chain", chain_.id}, {"why", unavailable.what()}});
        } catch (std::exception const& error) {
            log_critical("reconciliation", "the books could not be compared with the chain",
                         {{"chain", chain_.id}, {"why", error.what()}});
        }
    }
}

Task<bool> Reconciler::check() {
    std::string const label = std::to_string(chain_.id);
    // Another process may have had the last turns: what is open is shown by all of them.
    metrics_.set("sycee_reconciliation_differences",
                 static_cast<double>(co_await books_.open_differences(chain_.id)),
                 {{"chain", label}});
    // A little less, so that the one process that runs is not early for its own next turn.
    bool const due =
        co_await books_.claim(chain_.id, clock_.now(), settings_.every - settings_.every / 10);
    if (!due) co_return false;
    auto asked = co_await books_.next(chain_.id, settings_.payments);
    if (!asked) co_return false;
    CheckedBalances checked{.head = asked->booked.head,
                            .compared = 0,
                            .moved_to = asked->moved_to,
                            .round_at = asked->round_at,
                            .differences = {},
                            .agreeing = {},
                            .fault = "",
                            .left_out = asked->left_out,
                            .at = clock_.now()};
    // Token by token: one contract that answers nothing must not hide the others.
    std::map<Address, std::vector<BookedBalance>> by_token;
    for (BookedBalance& booked : asked->booked.balances)
        by_token[booked.token].push_back(std::move(booked));
    for (auto& [token, booked] : by_token)
        co_await compare(std::move(booked), checked);
    ++first_;
    if (!checked.fault.empty()) {
        log_warning("reconciliation", "some balances could not be compared",
                    {{"chain", chain_.id}, {"why", checked.fault}});
    }
    if (!checked.left_out.empty()) {
        log_warning("reconciliation", "some balances were left out",
                    {{"chain", chain_.id}, {"why", checked.left_out}});
    }
    metrics_.count("sycee_reconciliation_compared_total", {{"chain", label}},
                   static_cast<double>(checked.compared));
    metrics_.set("sycee_reconciliation_block", static_cast<double>(checked.head.number),
                 {{"chain", label}});
    auto const found = checked.differences;
    if (co_await books_.record(chain_.id, std::move(checked)) == 0) co_return true;
    for (BalanceDifference const& difference : found) {
        log_critical("reconciliation", "the chain says otherwise than the books: frozen",
                     {{"chain", chain_.id},
                      {"payment", to_string(difference.booked.payment.second)},
                      {"address", to_string(difference.booked.address)},
                      {"token", to_string(difference.booked.token)},
                      {"booked", to_string(difference.booked.amount)},
                      {"on_chain", to_string(difference.on_chain)}});
    }
    metrics_.set("sycee_reconciliation_differences",
                 static_cast<double>(co_await books_.open_differences(chain_.id)),
                 {{"chain", label}});
    co_return true;
}

Task<std::optional<std::vector<Amount>>> Reconciler::ask(std::size_t node,
                                                         std::vector<BookedBalance> const& booked,
                                                         BlockHash at, std::string& fault) {
    try {
        co_return co_await nodes_[node]->token_balances(holders_of(booked), at);
    } catch (boost::system::system_error const&) {
        throw;  // cancelled
    } catch (std::runtime_error const& error) {
        fault = nodes_[node]->name() + ": " + error.what();
    }
    co_return std::nullopt;
}

// By the first node that answers. What it says of an address that differs, or did, is one word of
// several.
Task<void> Reconciler::compare(std::vector<BookedBalance> booked, CheckedBalances& checked) {
    std::string fault = "no node is configured";
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        std::size_t const node = (first_ + i) % nodes_.size();
        auto const on_chain = co_await ask(node, booked, checked.head.hash, fault);
        if (!on_chain) continue;
        checked.compared += booked.size();
        std::vector<BookedBalance> suspects;
        std::vector<Amount> first_word;
        for (std::size_t j = 0; j < booked.size(); ++j) {
            if (agrees(booked[j], (*on_chain)[j]) && !booked[j].is_open) continue;
            suspects.push_back(booked[j]);
            first_word.push_back((*on_chain)[j]);
        }
        co_return co_await confirm(std::move(suspects), std::move(first_word), node, checked);
    }
    checked.fault = fault;
}

// Asks one node after the other until a quorum says the same of each suspect.
Task<void> Reconciler::confirm(std::vector<BookedBalance> suspects, std::vector<Amount> first_word,
                               std::size_t asked, CheckedBalances& checked) {
    std::vector<std::map<Amount, std::size_t>> votes(suspects.size());
    for (std::size_t j = 0; j < suspects.size(); ++j)
        votes[j][first_word[j]] = 1;
    for (std::size_t i = 0; !suspects.empty() && i < nodes_.size(); ++i) {
        for (std::size_t j = suspects.size(); j-- > 0;) {
            auto const word =
                std::find_if(votes[j].begin(), votes[j].end(),
                             [this](auto const& vote) { return vote.second >= chain_.quorum; });
            if (word == votes[j].end()) continue;
            if (agrees(suspects[j], word->first)) {
                checked.agreeing.push_back({suspects[j].token, suspects[j].address});
            } else {
                checked.differences.push_back({suspects[j], word->first});
            }
            suspects.erase(suspects.begin() + static_cast<std::ptrdiff_t>(j));
            votes.erase(votes.begin() + static_cast<std::ptrdiff_t>(j));
        }
        std::size_t const node = (asked + 1 + i) % nodes_.size();
        if (suspects.empty() || node == asked) continue;
        std::string fault;
        auto const on_chain = co_await ask(node, suspects, checked.head.hash, fault);
        if (!on_chain) {
            log_warning("reconciliation", "a node could not be asked for its word",
                        {{"chain", chain_.id}, {"why", fault}});
            continue;
        }
        for (std::size_t j = 0; j < suspects.size(); ++j)
            ++votes[j][(*on_chain)[j]];
    }
    if (suspects.empty()) co_return;
    checked.moved_to = 0;  // those that moved are asked for again
    checked.fault = "no quorum says the same of " + std::to_string(suspects.size()) +
                    " balance(s), of " + to_string(suspects.front().address) + " first";
}

}  // namespace sycee
