#include "chain_access.hpp"

#include <sycee/runtime/errors.hpp>

namespace sycee {
namespace {

std::vector<std::unique_ptr<EvmNode>> make_nodes(Executor const& executor,
                                                 ChainSettings const& settings, Clock& clock) {
    std::vector<std::unique_ptr<EvmNode>> nodes;
    for (EndpointSettings const& endpoint : settings.endpoints) {
        nodes.push_back(
            std::make_unique<EvmNode>(executor, settings, endpoint, clock, NodeLimits{}));
    }
    return nodes;
}

std::vector<EndpointPort*> ports_of(std::vector<std::unique_ptr<EvmNode>> const& nodes) {
    std::vector<EndpointPort*> ports;
    for (auto const& node : nodes)
        ports.push_back(node.get());
    return ports;
}

}  // namespace

ChainAccess::ChainAccess(Executor const& executor, ChainSettings const& settings, Clock& clock,
                         Metrics& metrics)
    : nodes(make_nodes(executor, settings, clock)),
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
