#include "chain_access.hpp"

#include <sycee/node/evm_node.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/testchain/test_node.hpp>

namespace sycee {
namespace {

std::vector<std::unique_ptr<ChainNode>> make_nodes(Executor const& executor,
                                                   ChainSettings const& settings, Clock& clock,
                                                   TestChainPort& test_chain) {
    std::vector<std::unique_ptr<ChainNode>> nodes;
    for (EndpointSettings const& endpoint : settings.endpoints)
        nodes.push_back(make_node(executor, settings, endpoint, clock, test_chain));
    return nodes;
}

std::vector<EndpointPort*> ports_of(std::vector<std::unique_ptr<ChainNode>> const& nodes) {
    std::vector<EndpointPort*> ports;
    for (auto const& node : nodes)
        ports.push_back(node.get());
    return ports;
}

}  // namespace

std::unique_ptr<ChainNode> make_node(Executor const& executor, ChainSettings const& settings,
                                     EndpointSettings const& endpoint, Clock& clock,
                                     TestChainPort& test_chain) {
    if (is_test_chain(settings.id)) return std::make_unique<TestNode>(settings, test_chain, clock);
    return std::make_unique<EvmNode>(executor, settings, endpoint, clock, NodeLimits{});
}

ChainAccess::ChainAccess(Executor const& executor, ChainSettings const& settings, Clock& clock,
                         Metrics& metrics, TestChainPort& test_chain)
    : nodes(make_nodes(executor, settings, clock, test_chain)),
      endpoints(settings, ports_of(nodes), clock, metrics) {}

Task<void> ChainAccess::check_all() {
    std::string fault;
    std::size_t answered = 0;
    for (std::size_t index = 0; index < nodes.size(); ++index) {
        try {
            co_await endpoints.check(index);
            ++answered;
        } catch (Unavailable const& unavailable) {
            fault = unavailable.what();
        }
    }
    if (answered == 0) throw Unavailable(fault);
}

}  // namespace sycee
