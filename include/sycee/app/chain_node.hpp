#pragma once

#include <sycee/app/log_history.hpp>
#include <sycee/app/ports.hpp>
#include <sycee/app/rate_ports.hpp>
#include <sycee/app/reconciliation.hpp>

#include <string>

namespace sycee {

// One node of a chain, for all that a node is asked for.
class ChainNode : public EndpointPort, public BalancePort, public HistoryPort, public FeedPort {
  public:
    std::string name() const override = 0;
    Task<std::optional<BlockHeader>> header(BlockNumber number) override = 0;
    // Keeps a subscription to new heads, which wait_for_head() hears, where the node has one. The
    // node outlives it.
    virtual Task<void> run_subscription() = 0;
};

}  // namespace sycee
