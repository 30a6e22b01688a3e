#include <sycee/app/loss_service.hpp>
#include <sycee/app/reconciliation.hpp>
#include <sycee/app/token_text.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/store/pg_access.hpp>
#include <sycee/store/pg_ledger.hpp>
#include <sycee/store/pg_losses.hpp>
#include <sycee/store/pg_reports.hpp>
#include <sycee/store/pg_test_chain.hpp>

#include "chain_access.hpp"
#include "commands.hpp"
#include "operators.hpp"

#include <nlohmann/json.hpp>

#include <iostream>
#include <memory>
#include <optional>
#include <string>

namespace sycee {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kRefused = 2;
constexpr int kAttempts = 5;
constexpr std::size_t kMostListed = 1'000;
constexpr std::size_t kLongestReason = 500;

struct Compared {
    std::optional<BookedBalances> booked;  // nothing: the chain was never followed
    std::vector<BalanceDifference> differences;
    std::string fault;  // why nothing could be compared
};

// At the block that was processed last, by its hash. A node keeps the states of few blocks, and a
// reorg may take that one away: then once more, at the block that is processed by then.
Task<Compared> compare(PgReports& reports, ChainNode& node, ChainId chain_id, Clock& clock) {
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

void print_text(ChainId chain_id, BalanceDifference const& difference, Network const& network) {
    BookedBalance const& booked = difference.booked;
    std::cout << "  " << to_string(booked.payment.second) << " at " << to_string(booked.address)
              << ": the books say " << token_amount(network, chain_id, booked.token, booked.amount)
              << ", the chain says "
              << token_amount(network, chain_id, booked.token, difference.on_chain) << "\n";
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
    for (BalanceDifference const& difference : compared.differences)
        print_text(chain.id, difference, network);
}

}  // namespace

Task<int> list_differences(Config config, bool json) {
    Database database(config.database_url, 1);
    auto const open = co_await PgLosses(database).list_open(kMostListed);
    Json rows = Json::array();
    for (OpenDifference const& found : open) {
        Json row{{"id", to_string(found.id)},
                 {"found_at", to_rfc3339(found.found_at)},
                 {"chain_id", found.chain_id},
                 {"block_number", found.block_number}};
        row.update(json_of(found.difference));
        rows.push_back(std::move(row));
        if (json) continue;
        std::cout << to_string(found.id) << "  " << to_rfc3339(found.found_at) << "  chain "
                  << found.chain_id << ", block " << found.block_number << "\n";
        print_text(found.chain_id, found.difference, config.network);
    }
    if (json) {
        std::cout << rows.dump(2) << "\n";
    } else if (open.empty()) {
        std::cout << "No difference is open.\n";
    }
    co_return kDone;
}

Task<int> close_difference(Config config, std::string id, std::string reason) {
    std::string problem;
    auto const difference = parse_id<DifferenceTag>(id);
    if (!difference) {
        problem = "difference: \"" + id + "\" is not the id of a difference (dif_…)";
    } else if (reason.empty() || reason.size() > kLongestReason) {
        problem = "reason: must have from 1 to " + std::to_string(kLongestReason) + " bytes";
    } else {
        Database database(config.database_url, 1);
        bool const closed =
            co_await PgLosses(database).close(*difference, reason, SystemClock().now());
        if (!closed) problem = "difference: " + id + " is not open";
    }
    if (!problem.empty()) {
        std::cerr << "sycee: " << problem << "\n";
        co_return kRefused;
    }
    std::cout << id << " is closed: its address is free again.\n";
    co_return kDone;
}

Task<int> book_difference_loss(Executor executor, Config config, LossInput input) {
    auto const refused = [](Error const& error) {
        std::cerr << "sycee: " << to_string(error) << "\n";
        return kRefused;
    };
    auto const id = parse_id<DifferenceTag>(input.difference);
    if (!id) {
        co_return refused(
            {"difference", "\"" + input.difference + "\" is not the id of a difference (dif_…)"});
    }
    Database database(config.database_url, 1);
    PgAccess operators(database);
    auto first =
        co_await authenticate(operators, input.operator_name, input.operator_password_file);
    if (!first) co_return refused(first.error());
    std::string second;
    if (!input.second_operator_name.empty()) {
        auto approved = co_await authenticate(operators, input.second_operator_name,
                                              input.second_password_file);
        if (!approved) co_return refused(approved.error());
        second = std::move(*approved);
    }
    PgLosses losses(database);
    PgLedger ledger(database);
    SystemClock clock;
    PgTestChain test_chain(database);
    std::vector<std::unique_ptr<ChainNode>> nodes;
    LossService::Nodes of_chains;
    for (ChainSettings const& chain : config.network.chains) {
        for (EndpointSettings const& endpoint : chain.endpoints) {
            nodes.push_back(make_node(executor, chain, endpoint, clock, test_chain));
            of_chains[chain.id].push_back(nodes.back().get());
        }
    }
    LossService service(losses, ledger, config.network, std::move(of_chains), clock, config.desk);
    auto const booked =
        co_await service.book(*id, input.reason, std::move(*first), std::move(second));
    if (!booked) co_return refused(booked.error());
    OpenDifference const& difference = booked->difference;
    BookedBalance const& of = difference.difference.booked;
    if (input.json) {
        Json const json{{"difference", input.difference},
                        {"merchant", to_string(of.payment.first)},
                        {"payment", to_string(of.payment.second)},
                        {"chain_id", difference.chain_id},
                        {"contract", to_string(of.token)},
                        {"amount_base_units", to_string(booked->amount)},
                        {"sequence", booked->sequence}};
        std::cout << json.dump(2) << "\n";
    } else {
        std::cout << token_amount(config.network, difference.chain_id, of.token, booked->amount)
                  << " of " << to_string(of.payment.second) << " at " << to_string(of.address)
                  << " are booked as lost: record " << booked->sequence << " of "
                  << to_string(of.payment.first) << " on chain " << difference.chain_id << ".\n"
                  << input.difference << " is closed: its address is free again.\n";
    }
    co_return kDone;
}

Task<int> reconcile(Executor executor, Config config, bool json) {
    Database database(config.database_url, 1);
    PgReports reports(database);
    SystemClock clock;
    PgTestChain test_chain(database);
    bool all_agree = true;
    Json chains = Json::array();
    for (ChainSettings const& chain : config.network.chains) {
        auto const node = make_node(executor, chain, chain.endpoints.front(), clock, test_chain);
        Compared const compared = co_await compare(reports, *node, chain.id, clock);
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
