#pragma once

#include <sycee/evm/transfer.hpp>

namespace sycee {

// The order of transfers over all chains by what the chains say, and nothing that was known when:
// block time, chain, place on the chain.
bool is_earlier(Transfer const& a, Transfer const& b);

}  // namespace sycee
