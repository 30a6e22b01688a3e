#include <sycee/app/reconciliation.hpp>
#include <sycee/app/token_text.hpp>
#include <sycee/node/evm_node.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/store/pg_reports.hpp>

#include "commands.hpp"

#include <nlohmann/json.hpp>

#include <iostream>
#include <optional>
#include <string>

namespace sycee {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kAttempts = 5;

struct Compared {
    std::optional<BookedBalances> booked;  // nothing: the chain was never followed
    std::vector<BalanceDifference> differences;
    std::string fault;  // why nothing could be compared
};

std::vector<TokenHolder> holders_of(std::vector<BookedBalance> const& balances) {
    std::vector<TokenHolder> holders;
    for (BookedBalance const& booked : balances)
        holders.push_back({booked.token, booked.address});
    return holders;
}

// At the block that was processed last, by its hash. A node keeps the states of few blocks, and a
// reorg may take that one away: then once more, at the block that is processed by then.
Task<Compared> compare(PgReports& reports, EvmNode& node, ChainId chain_id, Clock& clock) {
    Compared compared;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        if (attempt > 0) co_await clock.sleep_for(1s);
        compared.booked = co_await reports.booked_balances(chain_id);
        if (!compared.booked) co_return compared;
        compared.fault.clear();
        try {
            auto const on_chain = co_await node.token_balances(
                holders_of(compared.booked->balances), compared.booked->head.hash);
            compared.differences = compare_balances(compared.booked->balances, on_chain);
            co_return compared;
        } catch (std::runtime_error const& error) {  // also a contract that is no token any more
            compared.fault = error.what();
        }
    }
    co_return compared;
}

Json json_of(BalanceDifference const& difference) {
    BookedBalance const& booked = difference.booked;
    return {{"merchant", to_string(booked.payment.first)},
            {"payment", to_string(booked.payment.second)},
            {"address", to_string(booked.address)},
            {"contract", to_string(booked.token)},
            {"booked_base_units", to_string(booked.amount)},
            {"on_chain_base_units", to_string(difference.on_chain)}};
}

Json json_of(ChainSettings const& chain, Compared const& compared) {
    Json json{{"chain_id", chain.id}};
    json["block_number"] = compared.booked ? Json(compared.booked->head.number) : Json(nullptr);
    json["compared"] =
        compared.booked && compared.fault.empty() ? compared.booked->balances.size() : 0;
    json["fault"] = compared.fault.empty() ? Json(nullptr) : Json(compared.fault);
    json["differences"] = Json::array();
    for (BalanceDifference const& difference : compared.differences)
        json["differences"].push_back(json_of(difference));
    return json;
}

void print_text(ChainSettings const& chain, Compared const& compared, Network const& network) {
    std::cout << chain.name << " (" << chain.id << "): ";
    if (!compared.booked) {
        std::cout << "was never followed.\n";
        return;
    }
    if (!compared.fault.empty()) {
        std::cout << "NOT COMPARED: " << compared.fault << "\n";
        return;
    }
    std::cout << compared.booked->balances.size() << " balance(s) compared at block "
              << compared.booked->head.number;
    if (compared.differences.empty()) {
        std::cout << ": the books agree with the chain.\n";
        return;
    }
    std::cout << ", " << compared.differences.size() << " DIFFER:\n";
    for (BalanceDifference const& difference : compared.differences) {
        BookedBalance const& booked = difference.booked;
        std::cout << "  " << to_string(booked.payment.second) << " at " << to_string(booked.address)
                  << ": the books say "
                  << token_amount(network, chain.id, booked.token, booked.amount)
                  << ", the chain says "
                  << token_amount(network, chain.id, booked.token, difference.on_chain) << "\n";
    }
}

}  // namespace

Task<int> reconcile(Executor executor, Config config, bool json) {
    Database database(config.database_url, 1);
    PgReports reports(database);
    SystemClock clock;
    bool all_agree = true;
    Json chains = Json::array();
    for (ChainSettings const& chain : config.network.chains) {
        EvmNode node(executor, chain, chain.endpoints.front(), clock, NodeLimits{});
        Compared const compared = co_await compare(reports, node, chain.id, clock);
        all_agree = all_agree && compared.fault.empty() && compared.differences.empty();
        if (json) {
            chains.push_back(json_of(chain, compared));
        } else {
            print_text(chain, compared, config.network);
        }
    }
    if (json) std::cout << chains.dump(2) << "\n";
    co_return all_agree ? kDone : kFailed;
}

}  // namespace sycee
