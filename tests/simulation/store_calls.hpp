#pragma once

#include <sycee/app/payment_changes.hpp>
#include <sycee/app/ports.hpp>
#include <sycee/app/settings.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sycee::simulation {

class SimChain;

// What the processes ask of the store, as ports.hpp describes it: each call is one transaction,
// instant and atomic. Waiting, and what is lost on the way, are up to the clients.
class StoreCalls {
  public:
    virtual ~StoreCalls() = default;

    virtual std::optional<Lease> acquire_lease(ChainId chain_id, std::string const& holder,
                                               std::chrono::milliseconds time) = 0;
    virtual void release_lease(ChainId chain_id, Lease lease) = 0;
    virtual FinalityRule use_rule(ChainId chain_id, FinalityRule rule, Timestamp now) = 0;
    virtual std::optional<FollowedChain> load_chain(ChainId chain_id) = 0;
    virtual std::optional<ChainProgress> load_progress(ChainId chain_id) = 0;
    virtual void begin_chain(ChainId chain_id, Lease lease, ProcessedBlock const& block,
                             Timestamp now) = 0;
    virtual std::vector<PaymentState> load_open(ChainId chain_id) = 0;
    virtual std::vector<MerchantView> load_views(ChainId chain_id,
                                                 std::vector<PaymentKey> const& payments,
                                                 std::vector<MerchantId> const& merchants) = 0;
    virtual std::vector<NewAddress> load_new_addresses(
        std::vector<std::pair<MerchantId, std::uint64_t>> const& known) = 0;
    virtual std::vector<WatchedAddress> find_addresses(std::vector<Address> const& addresses) = 0;
    virtual void commit(ChainCommit const& commit) = 0;
    virtual void record_stop(ChainId chain_id, Lease lease, std::string const& reason) = 0;

    virtual Payment create(NewPayment payment, DeriveAddress const& derive) = 0;
    virtual std::optional<PaymentState> find(PaymentKey const& key) = 0;
    virtual void cancel(CancelCommit const& commit) = 0;

    virtual std::size_t fan_out(Timestamp now, std::size_t limit) = 0;
    virtual std::vector<PendingDelivery> due(std::vector<WebhookEndpointId> const& beside,
                                             Timestamp now, std::size_t limit) = 0;
    virtual void record(std::vector<DeliveryAttempt> const& attempts) = 0;
};

class SimStore;

// The model of the store with another store beside it: each call goes to both, and what they answer
// is compared. The processes get the model's answer.
class ComparedStore : public StoreCalls {
  public:
    // All that both hold.
    virtual void compare_everything() = 0;
};

struct Comparison {
    SimStore& model;  // with its merchants
    Network const& network;
    std::vector<std::unique_ptr<SimChain>> const& chains;  // as they really are
    std::uint64_t seed = 0;
    std::function<Timestamp()> now;
    std::function<void(std::string const&)> reached;
    std::function<void(std::string const&)> differs;  // ends the world
};
using CompareStore = std::function<std::unique_ptr<ComparedStore>(Comparison)>;

}  // namespace sycee::simulation
