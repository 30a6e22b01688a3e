#pragma once

#include <sycee/app/endpoint_set.hpp>
#include <sycee/node/evm_node.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/metrics.hpp>

#include <memory>
#include <vector>

namespace sycee {

// One configured chain with the nodes that it is read through.
struct ChainAccess {
    ChainAccess(Executor const& executor, ChainSettings const& settings, Clock& clock,
                Metrics& metrics);

    // For a command that ends: checks each node once. Throws Unavailable where none answers, and as
    // EndpointSet::check() does.
    Task<void> check_all();

    std::vector<std::unique_ptr<EvmNode>> nodes;
    EndpointSet endpoints;
};

}  // namespace sycee
