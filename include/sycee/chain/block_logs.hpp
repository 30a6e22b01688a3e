#pragma once

#include <sycee/base/result.hpp>
#include <sycee/evm/block.hpp>
#include <sycee/evm/bloom.hpp>
#include <sycee/evm/transfer.hpp>

#include <vector>

namespace sycee {

// A block as a node gives it: its header, the header's bloom, and all of its logs, of whatever
// contract. All of them, because only the whole list can be seen to have no hole.
struct BlockWithLogs {
    BlockHeader header;
    LogsBloom bloom{};
    std::vector<Log> logs;
};

// What is kept of a block that has been read: two readings of the same block, by another node or
// another method, must give the same digest. SHA-256 over all logs in order.
struct ProcessedBlock {
    BlockHeader header;
    Bytes32 logs_digest{};

    bool operator==(ProcessedBlock const&) const = default;
};

// Proves that the logs are those of the whole block: each is of this block and not marked removed,
// their indices run from 0 without a gap, and they explain every bit of the header's bloom. Refused
// with the reason otherwise; a node that hides, invents or mixes up logs is then asked again, or
// another one is. What passes can still be wrong in two ways: logs that are invented as a whole (no
// bit of the header speaks against them), and last logs left out whose bits earlier ones explain.
// A second node and the second reading at finality are for those.
Result<ProcessedBlock> check_complete(BlockWithLogs const& block);

}  // namespace sycee
