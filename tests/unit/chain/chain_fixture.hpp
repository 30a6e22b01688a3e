#pragma once

#include <sycee/chain/header_chain.hpp>

namespace sycee {

inline BlockHash block_hash(BlockNumber number, std::uint8_t branch) {
    BlockHash bytes{};
    bytes[0] = static_cast<std::uint8_t>(number);
    bytes[1] = branch;
    return bytes;
}

// A block of a branch that parts from branch 0 above `fork`.
inline BlockHeader header(BlockNumber number, std::uint8_t branch = 0, BlockNumber fork = 0) {
    auto const branch_of = [&](BlockNumber at) { return at > fork ? branch : std::uint8_t{0}; };
    return {number, block_hash(number, branch_of(number)),
            block_hash(number - 1, branch_of(number - 1)),
            timestamp_from_seconds(static_cast<std::int64_t>(number))};
}

// The same with the digest of its logs; another digest for another `reading`.
inline ProcessedBlock block(BlockNumber number, std::uint8_t branch = 0, BlockNumber fork = 0,
                            std::uint8_t reading = 0) {
    ProcessedBlock processed{header(number, branch, fork), {}};
    processed.logs_digest = processed.header.hash;
    processed.logs_digest[31] = reading;
    return processed;
}

inline HeaderChain chain_to(BlockNumber head, BlockNumber finalized = 1) {
    HeaderChain chain({block(1)}, 1);
    for (BlockNumber number = 2; number <= head; ++number)
        chain.append(block(number));
    chain.finalize(finalized);
    return chain;
}

}  // namespace sycee
