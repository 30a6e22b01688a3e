#pragma once

#include <sycee/app/chain_node.hpp>
#include <sycee/app/endpoint_set.hpp>
#include <sycee/app/test_chain.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/metrics.hpp>

#include <memory>
#include <vector>

namespace sycee {

// `test_chain`: where its blocks come from, for the settings of the test chain.
std::unique_ptr<ChainNode> make_node(Executor const& executor, ChainSettings const& settings,
                                     EndpointSettings const& endpoint, Clock& clock,
                                     TestChainPort& test_chain);

// One configured chain with the nodes that it is read through.
struct ChainAccess {
    ChainAccess(Executor const& executor, ChainSettings const& settings, Clock& clock,
                Metrics& metrics, TestChainPort& test_chain);

    // For a command that ends: checks each node once. Throws Unavailable where none answers, and as
    // EndpointSet::check() does.
    Task<void> check_all();

    std::vector<std::unique_ptr<ChainNode>> nodes;
    EndpointSet endpoints;
};

}  // namespace sycee
