#pragma once

#include <sycee/app/rate_ports.hpp>
#include <sycee/app/rate_settings.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace sycee {

// A Chainlink feed, believed where a quorum of the chain's nodes say the same of it. It must be of
// the pair and the decimals that the configuration says.
class FeedSource final : public RateSourcePort {
  public:
    FeedSource(RateSourceSettings settings, std::vector<FeedPort*> nodes, std::size_t quorum)
        : settings_(std::move(settings)), nodes_(std::move(nodes)), quorum_(quorum) {}

    Task<SourceValue> read() override;

  private:
    RateSourceSettings settings_;
    std::vector<FeedPort*> nodes_;
    std::size_t quorum_;
};

}  // namespace sycee
