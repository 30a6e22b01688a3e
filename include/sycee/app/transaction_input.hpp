#pragma once

#include <sycee/base/result.hpp>
#include <sycee/evm/block.hpp>

#include <string_view>

namespace sycee {

// The hash of a transaction out of what a person pastes: the hash, with or without 0x, or a block
// explorer's link with one hash in it. Pure. `field` of a refusal: "transaction".
Result<TransactionHash> read_transaction_hash(std::string_view text);

}  // namespace sycee
