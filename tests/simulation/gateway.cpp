#include "gateway.hpp"

#include <sycee/base/assert.hpp>

#include <boost/system/system_error.hpp>

#include <exception>
#include <type_traits>
#include <utility>

namespace sycee::simulation {
namespace {

using namespace std::chrono_literals;

// One transaction over the wire: it may be lost on its way there, or the answer on its way back.
class StoreWire {
  public:
    StoreWire(Surroundings& around, ProcessId process) : around_(around), process_(process) {}

  protected:
    template <class Work>
    Task<std::invoke_result_t<Work&>> transact(Work work, bool commits = false) {
        using Value = std::invoke_result_t<Work&>;
        if (commits) around_.commit_phase[process_] = CommitPhase::sent;
        co_await around_.scheduler.sleep(process_, delay());
        around_.commit_phase.erase(process_);
        if (around_.rng.chance(around_.store_faults.lost_before_permille)) {
            if (commits) around_.reached("a commit is lost before it is written");
            throw Unavailable("the store can't be reached");
        }
        std::exception_ptr failure;
        if constexpr (std::is_void_v<Value>) {
            try {
                work();
            } catch (...) {
                failure = std::current_exception();
            }
            if (commits && !failure) around_.commit_phase[process_] = CommitPhase::written;
            co_await answer(failure, commits);
            around_.commit_phase.erase(process_);
        } else {
            std::optional<Value> value;
            try {
                value.emplace(work());
            } catch (...) {
                failure = std::current_exception();
            }
            co_await answer(failure, false);
            co_return std::move(*value);
        }
    }

    Surroundings& around_;
    ProcessId process_;

  private:
    std::chrono::milliseconds delay() {
        return around_.rng.time(0, around_.store_faults.slowest.count());
    }
    Task<void> answer(std::exception_ptr failure, bool commits) {
        co_await around_.scheduler.sleep(process_, delay());
        if (failure) std::rethrow_exception(failure);
        if (around_.rng.chance(around_.store_faults.lost_after_permille)) {
            if (commits) around_.reached("the answer to a commit is lost");
            around_.commit_phase.erase(process_);
            throw Unavailable("the connection to the store broke: the outcome is unknown");
        }
    }
};

}  // namespace

Task<WebhookAnswer> ShopServers::receive(ProcessId process, PendingDelivery delivery) {
    co_await scheduler_.sleep(process, rng_.time(10, 400));
    if (rng_.chance(refuses_permille)) co_return WebhookAnswer{500, "server error"};
    if (rng_.chance(silent_permille)) {
        co_await scheduler_.sleep(process, 10s);
        co_return WebhookAnswer{0, "timeout"};
    }
    if (++received_[delivery.told.event.id] > 1) reached("an event is delivered twice");
    if (rng_.chance(lost_answer_permille)) {
        co_await scheduler_.sleep(process, 10s);
        co_return WebhookAnswer{0, "timeout"};
    }
    co_return WebhookAnswer{200, ""};
}

class Gateway::LedgerClient final : public LedgerPort, private StoreWire {
  public:
    using StoreWire::StoreWire;

    Task<std::optional<Lease>> acquire_lease(ChainId chain_id, std::string holder,
                                             std::chrono::milliseconds time) override {
        auto work = [&] { return around_.store.acquire_lease(chain_id, holder, time); };
        co_return co_await transact(work);
    }
    Task<void> release_lease(ChainId chain_id, Lease lease) override {
        auto work = [&] { around_.store.release_lease(chain_id, lease); };
        co_await transact(work);
    }
    Task<FinalityRule> use_rule(ChainId chain_id, FinalityRule rule, Timestamp now) override {
        auto work = [&] { return around_.store.use_rule(chain_id, rule, now); };
        co_return co_await transact(work);
    }
    Task<std::optional<FollowedChain>> load_chain(ChainId chain_id) override {
        auto work = [&] { return around_.store.load_chain(chain_id); };
        co_return co_await transact(work);
    }
    Task<std::optional<ChainProgress>> load_progress(ChainId chain_id) override {
        auto work = [&] { return around_.store.load_progress(chain_id); };
        co_return co_await transact(work);
    }
    Task<void> begin_chain(ChainId chain_id, Lease lease, ProcessedBlock block,
                           Timestamp now) override {
        auto work = [&] { around_.store.begin_chain(chain_id, lease, block, now); };
        co_await transact(work);
    }
    Task<std::vector<PaymentState>> load_open(ChainId chain_id) override {
        auto work = [&] { return around_.store.load_open(chain_id); };
        co_return co_await transact(work);
    }
    Task<std::vector<MerchantView>> load_views(ChainId chain_id, std::vector<PaymentKey> payments,
                                               std::vector<MerchantId> merchants) override {
        auto work = [&] { return around_.store.load_views(chain_id, payments, merchants); };
        co_return co_await transact(work);
    }
    Task<std::vector<NewAddress>> load_new_addresses(
        std::vector<std::pair<MerchantId, std::uint64_t>> known) override {
        auto work = [&] { return around_.store.load_new_addresses(known); };
        co_return co_await transact(work);
    }
    Task<std::vector<WatchedAddress>> find_addresses(std::vector<Address> addresses) override {
        auto work = [&] { return around_.store.find_addresses(addresses); };
        co_return co_await transact(work);
    }
    Task<void> commit(ChainCommit commit) override {
        auto work = [&] {
            around_.committing = process_;
            around_.store.commit(commit);
        };
        co_await transact(work, true);
    }
    Task<void> record_stop(ChainId chain_id, Lease lease, std::string reason) override {
        auto work = [&] { around_.store.record_stop(chain_id, lease, reason); };
        co_await transact(work);
    }
};

class Gateway::PaymentClient final : public PaymentPort, private StoreWire {
  public:
    using StoreWire::StoreWire;

    Task<Payment> create(NewPayment payment, DeriveAddress derive) override {
        auto work = [&] { return around_.store.create(payment, derive); };
        co_return co_await transact(work);
    }
    Task<std::optional<PaymentState>> find(MerchantId merchant_id, PaymentId id) override {
        auto work = [&] { return around_.store.find({merchant_id, id}); };
        co_return co_await transact(work);
    }
    Task<std::optional<PaymentState>> find_public(PaymentId) override { co_return std::nullopt; }
    Task<PaymentPage> list(std::optional<MerchantId>, std::optional<PaymentId>,
                           std::size_t) override {
        co_return PaymentPage{};
    }
};

class Gateway::ChangeClient final : public PaymentChangePort, private StoreWire {
  public:
    using StoreWire::StoreWire;

    Task<void> commit(CancelCommit commit) override {
        auto work = [&] { around_.store.cancel(commit); };
        co_await transact(work, true);
    }
    Task<std::optional<PaymentState>> update(
        PaymentKey, std::function<std::optional<PaymentWords>(PaymentState const&)>, Timestamp,
        std::optional<IdempotencyClaim>) override {
        co_return std::nullopt;
    }
};

class Gateway::OutboxClient final : public OutboxPort, private StoreWire {
  public:
    using StoreWire::StoreWire;

    Task<std::size_t> fan_out(Timestamp now, std::size_t limit) override {
        auto work = [&] { return around_.store.fan_out(now, limit); };
        co_return co_await transact(work);
    }
    Task<std::vector<PendingDelivery>> due(std::vector<WebhookEndpointId> beside, Timestamp now,
                                           std::size_t limit) override {
        auto work = [&] { return around_.store.due(beside, now, limit); };
        co_return co_await transact(work);
    }
    Task<void> record(std::vector<DeliveryAttempt> attempts) override {
        auto work = [&] { around_.store.record(attempts); };
        co_await transact(work);
    }
};

class Gateway::WebhookClient final : public WebhookPort {
  public:
    WebhookClient(ShopServers& shops, ProcessId process) : shops_(shops), process_(process) {}

    Task<WebhookAnswer> send(PendingDelivery const& delivery, std::string, Timestamp,
                             std::unique_ptr<Kept>&) override {
        return shops_.receive(process_, delivery);
    }

  private:
    ShopServers& shops_;
    ProcessId process_;
};

Gateway::Gateway(ProcessId id, std::string const& name, Surroundings& around,
                 Network const& offered, std::chrono::milliseconds clock_offset)
    : id_(id),
      around_(around),
      offered_(offered),
      clock_(around.scheduler, id, clock_offset),
      ledger_(std::make_unique<LedgerClient>(around, id)),
      payments_(std::make_unique<PaymentClient>(around, id)),
      change_client_(std::make_unique<ChangeClient>(around, id)),
      outbox_(std::make_unique<OutboxClient>(around, id)),
      webhooks_(std::make_unique<WebhookClient>(around.shops, id)),
      registry_(around.network),
      feed_(around.scheduler.executor()),
      outbox_wake_(around.scheduler.executor(), clock_),
      service_(*payments_, offered_, registry_, clock_),
      changes_(*change_client_, *ledger_, around.network, registry_, outbox_wake_, feed_, clock_),
      dispatcher_(*outbox_, *webhooks_, offered_, outbox_wake_, clock_, metrics_),
      served_(around.network.chains.size()) {
    for (std::size_t chain = 0; chain < around.network.chains.size(); ++chain) {
        ChainSettings const& settings = around.network.chains[chain];
        std::vector<EndpointPort*> ports;
        auto& endpoints = endpoints_.emplace_back();
        for (std::size_t index = 0; index < around.nodes[chain].size(); ++index) {
            auto served = [this, chain, index](BlockHash const& hash, Bytes32 const& digest) {
                served_[chain][{hash, digest}] |= 1U << index;
            };
            endpoints.push_back(std::make_unique<SimEndpoint>(
                *around.nodes[chain][index], around.scheduler, id, clock_, std::move(served)));
            ports.push_back(endpoints.back().get());
        }
        sets_.push_back(std::make_unique<EndpointSet>(settings, ports, clock_, metrics_));
        ChainFollowerPorts const follower_ports{*sets_.back(), *ledger_,     addresses_, registry_,
                                                feed_,         outbox_wake_, clock_,     metrics_};
        followers_.push_back(
            std::make_unique<ChainFollower>(settings, around.network, name, follower_ports));
    }
}

Gateway::~Gateway() = default;

void Gateway::spawn(std::string name, Task<void> task) {
    auto on_end = [this, name](std::exception_ptr error) {
        if (cancelled_) return;
        if (!error) return around_.broken(name + " ended by itself");
        try {
            std::rethrow_exception(error);
        } catch (std::exception const& failure) {
            around_.broken(name + " ended: " + failure.what());
        }
    };
    auto const signal = std::make_shared<boost::asio::cancellation_signal>();
    signals_.push_back(signal);
    around_.scheduler.spawn(std::move(task), *signal, std::move(on_end));
}

void Gateway::cancel() {
    cancelled_ = true;
    for (auto const& signal : signals_)
        signal->emit(boost::asio::cancellation_type::terminal);
}

void Gateway::start() {
    start_deliveries();
    for (std::size_t chain = 0; chain < sets_.size(); ++chain) {
        for (std::size_t index = 0; index < sets_[chain]->size(); ++index)
            spawn("watch", sets_[chain]->watch(index));
        spawn("follower", followers_[chain]->run());
    }
}

void Gateway::start_deliveries() {
    spawn("dispatcher", dispatcher_.run());
}

}  // namespace sycee::simulation
