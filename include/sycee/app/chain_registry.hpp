#pragma once

#include <sycee/app/settings.hpp>
#include <sycee/payment/state.hpp>

namespace sycee {

// How far each configured chain has been processed, by this process or another one. Kept by the
// followers; read by whoever needs the status of a payment, or may offer a chain.
class ChainRegistry {
  public:
    explicit ChainRegistry(Network const& network) {
        for (auto const& chain : network.chains)
            chains_[chain.id] = std::nullopt;
    }

    void set(ChainId chain_id, ChainProgress progress) { chains_[chain_id] = std::move(progress); }
    // The chain is stopped, or its follower gone: nothing expires by it, and nobody is sent there.
    void lose(ChainId chain_id) { chains_[chain_id] = std::nullopt; }
    bool followed(ChainId chain_id) const {
        auto const found = chains_.find(chain_id);
        return found != chains_.end() && found->second.has_value();
    }
    ChainsProgress const& all() const { return chains_; }
    PaymentStatus status(PaymentState const& state) const {
        return status_of(state, chain_time_of(state.payment, chains_));
    }

  private:
    ChainsProgress chains_;
};

}  // namespace sycee
