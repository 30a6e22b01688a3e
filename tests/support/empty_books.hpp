#pragma once

#include <sycee/app/ports.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sycee {

// Books with nothing in them, which take nothing: for fakes that have a part of them.
class EmptyBooks : public LedgerPort {
  public:
    Task<std::optional<Lease>> acquire_lease(ChainId, std::string,
                                             std::chrono::milliseconds) override {
        co_return std::nullopt;
    }
    Task<void> release_lease(ChainId, Lease) override { co_return; }
    Task<FinalityRule> use_rule(ChainId, FinalityRule rule, Timestamp) override { co_return rule; }
    Task<std::optional<FollowedChain>> load_chain(ChainId) override { co_return std::nullopt; }
    Task<std::optional<ChainProgress>> load_progress(ChainId) override { co_return std::nullopt; }
    Task<void> begin_chain(ChainId, Lease, ProcessedBlock, Timestamp) override { co_return; }
    Task<std::vector<PaymentState>> load_open(ChainId) override {
        co_return std::vector<PaymentState>{};
    }
    Task<std::vector<MerchantView>> load_views(ChainId, std::vector<PaymentKey>,
                                               std::vector<MerchantId>) override {
        co_return std::vector<MerchantView>{};
    }
    Task<std::vector<NewAddress>> load_new_addresses(
        std::vector<std::pair<MerchantId, std::uint64_t>>) override {
        co_return std::vector<NewAddress>{};
    }
    Task<std::vector<WatchedAddress>> find_addresses(std::vector<Address>) override {
        co_return std::vector<WatchedAddress>{};
    }
    Task<void> commit(ChainCommit) override { co_return; }
    Task<void> record_stop(ChainId, Lease, std::string) override { co_return; }
};

}  // namespace sycee
