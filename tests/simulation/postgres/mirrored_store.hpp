#pragma once

#include <sycee/store/pg_access.hpp>
#include <sycee/store/pg_ledger.hpp>
#include <sycee/store/pg_outbox.hpp>
#include <sycee/store/pg_payment_changes.hpp>
#include <sycee/store/pg_payments.hpp>

#include "rng.hpp"
#include "sim_store.hpp"
#include "test_database.hpp"

namespace sycee::simulation {

// The real store beside the model. Each call runs on both at the same moment of virtual time, and
// must be refused alike or answer the same. Every so often a commit is spoiled first in one way or
// another, and must be refused by both without a trace.
//
// What follows each commit is one row of the two, so the stores are compared whole every few
// commits and at the end, where the books are verified as well.
class MirroredStore final : public ComparedStore {
  public:
    // Empties the database, and gives it the model's merchants.
    MirroredStore(TestDatabase& database, Comparison comparison);

    std::optional<Lease> acquire_lease(ChainId chain_id, std::string const& holder,
                                       std::chrono::milliseconds time) override;
    void release_lease(ChainId chain_id, Lease lease) override;
    FinalityRule use_rule(ChainId chain_id, FinalityRule rule, Timestamp now) override;
    std::optional<FollowedChain> load_chain(ChainId chain_id) override;
    std::optional<ChainProgress> load_progress(ChainId chain_id) override;
    void begin_chain(ChainId chain_id, Lease lease, ProcessedBlock const& block,
                     Timestamp now) override;
    std::vector<PaymentState> load_open(ChainId chain_id) override;
    std::vector<MerchantView> load_views(ChainId chain_id, std::vector<PaymentKey> const& payments,
                                         std::vector<MerchantId> const& merchants) override;
    std::vector<NewAddress> load_new_addresses(
        std::vector<std::pair<MerchantId, std::uint64_t>> const& known) override;
    std::vector<WatchedAddress> find_addresses(std::vector<Address> const& addresses) override;
    void commit(ChainCommit const& commit) override;
    void record_stop(ChainId chain_id, Lease lease, std::string const& reason) override;
    Payment create(NewPayment payment, DeriveAddress const& derive) override;
    std::optional<PaymentState> find(PaymentKey const& key) override;
    void cancel(CancelCommit const& commit) override;
    std::size_t fan_out(Timestamp now, std::size_t limit) override;
    std::vector<PendingDelivery> due(std::vector<WebhookEndpointId> const& beside, Timestamp now,
                                     std::size_t limit) override;
    void record(std::vector<DeliveryAttempt> const& attempts) override;
    void compare_everything() override;

  private:
    template <class Model, class Postgres>
    auto both(std::string const& call, Model model, Postgres postgres);
    void differ(std::string const& call, std::string const& how);
    void create_merchants();
    void try_spoiled(ChainCommit const& right);
    void try_older_lease(ChainId chain_id, std::uint64_t newest_token);
    void compare_rows(std::string const& after);
    void compare_pages();
    void verify();
    void rebuild();

    TestDatabase& database_;
    Comparison comparison_;
    SimStore& model_;
    Rng rng_;  // of its own: what it draws changes nothing in the world
    PgAccess access_;
    JustBooked just_booked_;
    PgLedger ledger_;
    PgPayments payments_;
    PgPaymentChanges changes_;
    PgOutbox outbox_;
    PgOutbox forgetful_outbox_;
    std::uint64_t commits_ = 0;
};

}  // namespace sycee::simulation
