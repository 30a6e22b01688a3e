#include "chain_commands.hpp"

#include <sycee/app/chain_repair.hpp>
#include <sycee/app/exception_json.hpp>
#include <sycee/app/finding_text.hpp>
#include <sycee/app/transaction_input.hpp>
#include <sycee/app/transfer_finder.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>
#include <sycee/store/pg_access.hpp>
#include <sycee/store/pg_ledger.hpp>
#include <sycee/store/pg_payments.hpp>
#include <sycee/store/pg_test_chain.hpp>

#include "chain_access.hpp"
#include "commands.hpp"
#include "operators.hpp"

#include <nlohmann/json.hpp>

#include <iostream>
#include <map>

namespace sycee {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kRefused = 2;

int refused(Error const& error) {
    std::cerr << "sycee: " << to_string(error) << "\n";
    return kRefused;
}

Json json_of(FoundOnChain const& found, Network const& network) {
    Json json{{"chain_id", found.chain_id}};
    json["block_number"] = found.block ? Json(found.block->number) : Json(nullptr);
    json["succeeded"] = found.succeeded;
    if (!found.fault.empty()) json["fault"] = found.fault;
    json["transfers"] = Json::array();
    for (FoundTransfer const& transfer : found.transfers) {
        json["transfers"].push_back(
            {{"kind", to_string(transfer.kind)},
             {"contract", to_string(transfer.contract)},
             {"deposit_address", to_string(transfer.deposit_address)},
             {"merchant", to_string(transfer.payment.first)},
             {"payment", to_string(transfer.payment.second)},
             {"amount_base_units", to_string(transfer.amount)},
             {"amount", found_amount(transfer, found.chain_id, network)},
             {"stage", transfer.stage ? Json(to_string(*transfer.stage)) : Json(nullptr)},
             {"exception",
              transfer.exception ? Json(exception_id(*transfer.exception)) : Json(nullptr)},
             {"advice", advice(transfer)}});
    }
    return json;
}

void print_text(FoundOnChain const& found, Network const& network) {
    std::cout << "Chain " << found.chain_id << " (" << network.chain(found.chain_id)->name
              << "): " << chain_text(found) << "\n";
    if (!found.block) return;
    if (found.transfers.empty()) std::cout << "  nothing of it went to a deposit address\n";
    for (FoundTransfer const& transfer : found.transfers) {
        std::cout << "  " << found_amount(transfer, found.chain_id, network) << "\n    to "
                  << to_string(transfer.deposit_address) << " of "
                  << to_string(transfer.payment.second) << "\n    " << advice(transfer) << "\n";
    }
    if (found.has_more) std::cout << "  and more of them\n";
}

void print_plan(RepairPlan const& plan, ChainRegistry const& registry) {
    std::cout << "The chain still has block " << plan.ancestor << "; ours end at " << plan.head
              << ", of which " << plan.finalized << " was called final.\nA repair undoes "
              << plan.reversals << " record(s), " << plan.settlements
              << " of them settlement(s), of these payments:\n";
    for (PaymentState const& state : plan.payments) {
        std::cout << "  " << to_string(state.payment.id) << "  "
                  << to_string(registry.status(state)) << "\n";
    }
    std::cout << "The chain is then followed anew from block " << plan.ancestor << ".\n";
}

// A chain whose nodes are away is told of where its answer would stand.
Task<void> check_if_there(ChainAccess& access) {
    std::string fault;
    try {
        co_await access.check_all();
    } catch (Unavailable const& unavailable) {
        fault = unavailable.what();
    }
    if (!fault.empty()) log_warning("main", "a chain can't be asked", {{"why", fault}});
}

}  // namespace

Task<int> find_transaction(Executor executor, Config config, std::string transaction, bool json) {
    auto const hash = read_transaction_hash(transaction);
    if (!hash) co_return refused(hash.error());
    Database database(config.database_url, 2);
    PgLedger ledger(database);
    PgPayments payments(database);
    SystemClock clock;
    Metrics metrics;
    ChainRegistry registry(config.network);
    PgTestChain test_chain(database);
    std::vector<std::unique_ptr<ChainAccess>> access;
    std::map<ChainId, ChainPort*> chains;
    for (ChainSettings const& settings : config.network.chains) {
        access.push_back(
            std::make_unique<ChainAccess>(executor, settings, clock, metrics, test_chain));
        chains[settings.id] = &access.back()->endpoints;
        co_await check_if_there(*access.back());
        if (auto progress = co_await ledger.load_progress(settings.id))
            registry.set(settings.id, std::move(*progress));
    }
    TransferFinder finder(executor, config.network, std::move(chains), ledger, payments, registry);
    auto const found = co_await finder.find(*hash);
    Json list = Json::array();
    bool somewhere = false;
    for (FoundOnChain const& on_chain : found) {
        somewhere = somewhere || on_chain.block.has_value();
        if (json) {
            list.push_back(json_of(on_chain, config.network));
        } else {
            print_text(on_chain, config.network);
        }
    }
    if (json) std::cout << list.dump(2) << "\n";
    co_return somewhere ? kDone : kFailed;
}

Task<int> repair_chain(Executor executor, Config config, RepairInput input) {
    ChainSettings const* const settings = config.network.chain(input.chain_id);
    if (settings == nullptr) {
        co_return refused({"chain", std::to_string(input.chain_id) + " is not configured"});
    }
    Database database(config.database_url, 2);
    PgLedger ledger(database);
    PgAccess operators(database);
    SystemClock clock;
    Metrics metrics;
    PgTestChain test_chain(database);
    ChainAccess access(executor, *settings, clock, metrics, test_chain);
    co_await access.check_all();
    ChainRepair repair(*settings, config.network, access.endpoints, ledger, ledger, clock);
    auto plan = co_await repair.plan();
    if (!plan) co_return refused(plan.error());
    ChainRegistry registry(config.network);
    for (auto const& chain : config.network.chains) {
        if (auto progress = co_await ledger.load_progress(chain.id))
            registry.set(chain.id, std::move(*progress));
    }
    print_plan(*plan, registry);
    if (!input.carry_out) {
        std::cout
            << "Nothing was changed. Order it with --carry-out, a reason and two operators.\n";
        co_return kDone;
    }
    auto first =
        co_await authenticate(operators, input.operator_name, input.operator_password_file);
    if (!first) co_return refused(first.error());
    auto second =
        co_await authenticate(operators, input.second_operator_name, input.second_password_file);
    if (!second) co_return refused(second.error());
    auto const done = co_await repair.carry_out(std::move(*plan), std::move(*first),
                                                std::move(*second), input.reason);
    if (!done) co_return refused(done.error());
    std::cout << "Repaired. Start the service again: it follows the chain from there.\n";
    co_return kDone;
}

}  // namespace sycee
