#pragma once

#include <sycee/base/id.hpp>
#include <sycee/evm/address.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace sycee {

struct TokenSettings {
    std::string symbol;  // for people; the contract is what counts
    Address contract;
    unsigned decimals = 0;  // checked against the contract at start
};

struct ChainSettings {
    ChainId id = 0;
    std::string name;
    std::string http_url;
    std::string ws_url;  // empty: heads by polling alone
    std::uint32_t confirmations = 1;
    std::chrono::seconds block_time{12};
    std::vector<TokenSettings> tokens;

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

    ChainSettings const* chain(ChainId id) const {
        for (auto const& candidate : chains) {
            if (candidate.id == id) return &candidate;
        }
        return nullptr;
    }
};

}  // namespace sycee
