#include <sycee/app/rebuild.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/store/pg_desk.hpp>
#include <sycee/store/pg_fees.hpp>
#include <sycee/store/pg_ledger.hpp>
#include <sycee/store/pg_losses.hpp>
#include <sycee/store/pg_payment_changes.hpp>
#include <sycee/store/pg_rebuild.hpp>
#include <sycee/store/pg_refunds.hpp>
#include <sycee/store/pg_test_chain.hpp>

#include "chain_access.hpp"
#include "commands.hpp"

#include <iostream>
#include <map>
#include <memory>
#include <vector>

namespace sycee {
namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kRefused = 2;

int refused(Error const& error) {
    std::cerr << "sycee: " << to_string(error) << "\n";
    return kRefused;
}

// A chain as its nodes remember it.
struct Remembered {
    Remembered(Executor const& executor, ChainSettings const& settings, Clock& clock,
               Metrics& metrics, TestChainPort& test_chain)
        : access(executor, settings, clock, metrics, test_chain),
          history(settings.id, nodes_of(access), settings.quorum, clock) {}

    static std::vector<HistoryPort*> nodes_of(ChainAccess const& access) {
        std::vector<HistoryPort*> nodes;
        for (auto const& node : access.nodes)
            nodes.push_back(node.get());
        return nodes;
    }

    ChainAccess access;
    ChainHistory history;
};

void print(RebuildReport const& report) {
    for (auto const& chain : report.chains) {
        std::cout << "Chain " << chain.id << ": " << chain.transfers
                  << " transfer(s) at deposit addresses";
        if (chain.last > 0) std::cout << " in the blocks " << chain.first << " to " << chain.last;
        std::cout << ".\n";
    }
    if (report.ordered > 0) {
        std::cout << report.ordered
                  << " payment(s) took their transfers in the order of the books, which the chains "
                     "don't decide.\n";
    }
    auto const left_out = [](std::uint64_t count, char const* why) {
        if (count > 0) {
            std::cout << "Of " << count << " payment(s) only the transfers were compared: " << why
                      << ".\n";
        }
    };
    left_out(report.pending, "they have one that is not final");
    left_out(report.frozen, "their address differs from the chain");
    left_out(report.reversed, "a part was cleared before a reorg took another one away");
    if (report.fee_payments > 0) {
        std::cout << report.fee_payments
                  << " payment(s) of fees follow from invoices that are settled.\n";
    }
    if (report.fee_payments_left_out > 0) {
        std::cout
            << report.fee_payments_left_out
            << " payment(s) of fees are left out on both sides: they rest on payments of which "
               "only the transfers were compared.\n";
    }
    for (std::string const& difference : report.differences)
        std::cout << "DIFFERS: " << difference << "\n";
    if (report.difference_count > report.differences.size())
        std::cout << "… and " << report.difference_count - report.differences.size() << " more\n";
    std::cout << report.payments << " payment(s) and " << report.decisions
              << " decision(s) derived again: ";
    if (report.agrees()) {
        std::cout << "the books agree.\n";
    } else {
        std::cout << report.difference_count << " DIFFERENCE(S).\n";
    }
}

}  // namespace

Task<int> rebuild(Executor executor, Config config, std::string into) {
    if (auto const checked = check_database_url(into); !checked)
        co_return refused({"into", checked.error().message});
    Database books(config.database_url, 1);
    Database fresh(into, 1);
    PgRebuildSource source(books);
    co_await source.begin();
    PgRebuildTarget target(fresh);
    auto const prepared = co_await target.prepare(source);
    if (!prepared) co_return refused(prepared.error());

    SystemClock clock;
    Metrics metrics;
    PgTestChain test_chain(books);
    std::vector<std::unique_ptr<Remembered>> chains;
    std::map<ChainId, ChainHistory*> histories;
    for (ChainSettings const& settings : config.network.chains) {
        auto& chain = chains.emplace_back(
            std::make_unique<Remembered>(executor, settings, clock, metrics, test_chain));
        co_await chain->access.check_all();
        histories.emplace(settings.id, &chain->history);
    }
    PgLedger ledger(fresh);
    PgDesk desk(fresh);
    PgRefunds refunds(fresh);
    PgLosses losses(fresh);
    PgFees fees(fresh);
    PgPaymentChanges changes(fresh);
    Rebuild rebuild(config.network, std::move(histories),
                    {source, target, ledger, desk, refunds, losses, fees, changes, clock});
    auto const report = co_await rebuild.run();
    print(report);
    co_return report.agrees() ? kDone : kFailed;
}

}  // namespace sycee
