// The books of a world, derived again from its chains as they really are.
#include <sycee/app/rebuild.hpp>
#include <sycee/store/pg_desk.hpp>
#include <sycee/store/pg_fees.hpp>
#include <sycee/store/pg_ledger.hpp>
#include <sycee/store/pg_losses.hpp>
#include <sycee/store/pg_payment_changes.hpp>
#include <sycee/store/pg_rebuild.hpp>
#include <sycee/store/pg_refunds.hpp>
#include <sycee/store/verify.hpp>

#include "sim_chain.hpp"
#include "test_database.hpp"

#include <algorithm>
#include <stdexcept>

namespace sycee::simulation {
namespace {

// A node that knows the whole chain and never lies.
class TrueHistory final : public HistoryPort {
  public:
    explicit TrueHistory(SimChain const& chain) : chain_(chain) {}

    std::string name() const override { return "the truth"; }
    Task<std::optional<BlockHeader>> header(BlockNumber number) override {
        SimBlock const* block = chain_.at(number);
        // Before the first block that there is, the chain is as old as can be.
        if (block == nullptr) co_return BlockHeader{.number = number};
        co_return block->header;
    }
    Task<LogRange> transfer_logs(std::vector<Address> contracts, BlockNumber first,
                                 BlockNumber last) override {
        LogRange range{std::min(last, first + 9), {}};
        for (BlockNumber number = first; number <= range.last; ++number) {
            SimBlock const* block = chain_.at(number);
            if (block == nullptr) continue;
            std::copy_if(block->logs.begin(), block->logs.end(), std::back_inserter(range.logs),
                         [&contracts](Log const& log) {
                             return !log.topics.empty() && log.topics[0] == transfer_topic() &&
                                    std::find(contracts.begin(), contracts.end(), log.contract) !=
                                        contracts.end();
                         });
        }
        co_return range;
    }

  private:
    SimChain const& chain_;
};

}  // namespace

RebuildReport TestDatabase::rebuild(Network const& network,
                                    std::vector<std::unique_ptr<SimChain>> const& chains) {
    std::string const name = name_ + "_rebuilt";
    pqxx::connection server(server_);
    pqxx::nontransaction(server).exec("CREATE DATABASE " + name);
    RebuildReport report;
    {
        std::string const options = " options='-c synchronous_commit=off'";
        Database from(server_ + " dbname=" + name_ + options, 1);
        Database into(server_ + " dbname=" + name + options, 1);
        SystemClock clock;
        std::vector<std::unique_ptr<TrueHistory>> nodes;
        std::vector<std::unique_ptr<ChainHistory>> histories;
        std::map<ChainId, ChainHistory*> by_chain;
        for (auto const& chain : chains) {
            nodes.push_back(std::make_unique<TrueHistory>(*chain));
            histories.push_back(std::make_unique<ChainHistory>(
                chain->id(), std::vector<HistoryPort*>{nodes.back().get()}, 1, clock));
            by_chain.emplace(chain->id(), histories.back().get());
        }
        PgRebuildSource source(from);
        run(source.begin());
        PgRebuildTarget target(into);
        auto const prepared = run(target.prepare(source));
        if (!prepared) throw std::runtime_error(to_string(prepared.error()));
        PgLedger ledger(into);
        PgDesk desk(into);
        PgRefunds refunds(into);
        PgLosses losses(into);
        PgFees fees(into);
        PgPaymentChanges changes(into);
        Rebuild rebuild(network, std::move(by_chain),
                        {source, target, ledger, desk, refunds, losses, fees, changes, clock});
        report = run(rebuild.run());
        if (auto const wrong = run(verify_books(into)).first_wrong) {
            report.differences.push_back("the new books are wrong: " + *wrong);
            ++report.difference_count;
        }
    }
    pqxx::nontransaction(server).exec("DROP DATABASE " + name);
    return report;
}

}  // namespace sycee::simulation
