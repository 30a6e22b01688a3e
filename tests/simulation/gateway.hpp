#pragma once

#include <sycee/app/chain_follower.hpp>
#include <sycee/app/endpoint_set.hpp>
#include <sycee/app/payment_changes.hpp>
#include <sycee/app/payment_service.hpp>
#include <sycee/app/webhook_dispatcher.hpp>

#include "scheduler.hpp"
#include "sim_node.hpp"
#include "store_calls.hpp"

#include <boost/asio/cancellation_signal.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sycee::simulation {

// How the way to the store misbehaves.
struct StoreFaults {
    unsigned lost_before_permille = 0;  // a transaction that fails before anything is written
    unsigned lost_after_permille = 0;   // one whose answer is lost: it was written
    std::chrono::milliseconds slowest{20};
};

// The shops' servers.
class ShopServers {
  public:
    ShopServers(Scheduler& scheduler, Rng rng) : scheduler_(scheduler), rng_(rng) {}

    unsigned refuses_permille = 0;
    unsigned silent_permille = 0;       // the event never arrives
    unsigned lost_answer_permille = 0;  // it arrived, and nobody says so

    Task<WebhookAnswer> receive(ProcessId process, PendingDelivery delivery);
    std::map<EventId, unsigned> const& received() const { return received_; }
    std::function<void(std::string const&)> reached;

  private:
    Scheduler& scheduler_;
    Rng rng_;
    std::map<EventId, unsigned> received_;
};

enum class CommitPhase : std::uint8_t { sent, written };

// Everything around the processes.
struct Surroundings {
    Scheduler& scheduler;
    StoreCalls& store;
    StoreFaults& store_faults;
    Rng& rng;
    Network const& network;                                     // as the followers have it
    std::vector<std::vector<std::unique_ptr<SimNode>>>& nodes;  // by chain
    ShopServers& shops;
    std::function<void(std::string const&)> reached;
    // A process's task has ended by an error that it should have handled.
    std::function<void(std::string const&)> broken;
    ProcessId& committing;                           // whose commit is being applied
    std::map<ProcessId, CommitPhase>& commit_phase;  // of the commits under way
};

// Which endpoints have given which reading of a block to a process: a bit for each.
using ServedBlocks = std::map<std::pair<BlockHash, Bytes32>, unsigned>;

// One life of the program: the real loops over simulated ports.
class Gateway {
  public:
    // `offered`: the network as its shops are offered it.
    Gateway(ProcessId id, std::string const& name, Surroundings& around, Network const& offered,
            std::chrono::milliseconds clock_offset);
    Gateway(Gateway const&) = delete;
    Gateway& operator=(Gateway const&) = delete;
    ~Gateway();

    void start();
    void start_deliveries();
    // SIGTERM: each task is asked to end at its next wait.
    void cancel();
    Task<Result<PaymentState>> create(MerchantId merchant_id, CreatePayment input) {
        return service_.create(merchant_id, std::move(input));
    }
    Task<Result<PaymentState>> cancel(PaymentKey key) {
        return changes_.cancel(key, "", "key_of_the_shop");
    }
    ProcessId id() const { return id_; }
    SimClock& clock() { return clock_; }
    ServedBlocks const& served(std::size_t chain) const { return served_[chain]; }
    bool leads(std::size_t chain) const { return followers_[chain]->leads(); }

  private:
    class LedgerClient;
    class PaymentClient;
    class ChangeClient;
    class OutboxClient;
    class WebhookClient;

    void spawn(std::string name, Task<void> task);

    ProcessId id_;
    bool cancelled_ = false;
    Surroundings& around_;
    Network offered_;
    SimClock clock_;
    Metrics metrics_;
    std::unique_ptr<LedgerClient> ledger_;
    std::unique_ptr<PaymentClient> payments_;
    std::unique_ptr<ChangeClient> change_client_;
    std::unique_ptr<OutboxClient> outbox_;
    std::unique_ptr<WebhookClient> webhooks_;
    ChainRegistry registry_;
    AddressIndex addresses_;
    PaymentFeed feed_;
    Notifier outbox_wake_;
    PaymentService service_;
    PaymentChanges changes_;
    WebhookDispatcher dispatcher_;
    std::vector<ServedBlocks> served_;
    std::vector<std::vector<std::unique_ptr<SimEndpoint>>> endpoints_;
    std::vector<std::unique_ptr<EndpointSet>> sets_;
    std::vector<std::unique_ptr<ChainFollower>> followers_;
    std::vector<std::shared_ptr<boost::asio::cancellation_signal>> signals_;
};

}  // namespace sycee::simulation
