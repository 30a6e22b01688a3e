#pragma once

#include <sycee/base/bytes.hpp>
#include <sycee/base/id.hpp>
#include <sycee/base/time.hpp>

namespace sycee {

using BlockHash = Bytes32;
using TransactionHash = Bytes32;

// What we need of a block header.
struct BlockHeader {
    BlockNumber number = 0;
    BlockHash hash{};
    BlockHash parent_hash{};
    Timestamp time{};  // whole seconds

    bool operator==(BlockHeader const&) const = default;
};

}  // namespace sycee
