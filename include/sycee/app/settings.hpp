#pragma once

#include <sycee/base/id.hpp>
#include <sycee/evm/address.hpp>
#include <sycee/payment/finality.hpp>
#include <sycee/payment/payment.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace sycee {

struct TokenSettings {
    std::string symbol;  // for people; the contract is what counts
    Address contract;
    unsigned decimals = 0;  // checked against the contract at start
    Tolerance tolerance;    // of new payments
};

// One node of a chain.
struct EndpointSettings {
    std::string http_url;
    std::string ws_url;  // empty: heads by polling alone
};

struct ChainSettings {
    ChainId id = 0;
    std::string name;
    std::vector<EndpointSettings> endpoints;  // the preferred one first
    std::size_t quorum = 1;                   // of the endpoints must say the same before clearing
    FinalityRule finality;                    // without a version: the books give it one
    std::chrono::milliseconds block_time{12'000};
    bool watch_mempool = false;  // shows transfers on checkout pages before a block has them
    std::vector<TokenSettings> tokens;

    // The first one whose mempool can be watched.
    EndpointSettings const* mempool_endpoint() const {
        for (auto const& candidate : endpoints) {
            if (!candidate.ws_url.empty()) return &candidate;
        }
        return nullptr;
    }
    TokenSettings const* token(Address const& contract) const {
        for (auto const& candidate : tokens) {
            if (candidate.contract == contract) return &candidate;
        }
        return nullptr;
    }
};

// The configured chains, as the use cases and the pages need them.
struct Network {
    std::vector<ChainSettings> chains;
    std::string public_url;  // without a slash at the end; links are built from it alone

    std::vector<TokenUnit> token_units() const {
        std::vector<TokenUnit> units;
        for (auto const& candidate : chains) {
            for (auto const& token : candidate.tokens)
                units.push_back({candidate.id, token.contract, token.decimals});
        }
        return units;
    }

    ChainSettings const* chain(ChainId id) const {
        for (auto const& candidate : chains) {
            if (candidate.id == id) return &candidate;
        }
        return nullptr;
    }
    TokenSettings const* token(ChainId chain_id, Address const& contract) const {
        auto const* settings = chain(chain_id);
        return settings == nullptr ? nullptr : settings->token(contract);
    }
};

}  // namespace sycee
