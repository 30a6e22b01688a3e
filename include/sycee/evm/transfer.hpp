#pragma once

#include <sycee/base/amount.hpp>
#include <sycee/base/result.hpp>
#include <sycee/evm/address.hpp>
#include <sycee/evm/block.hpp>

#include <compare>
#include <cstdint>
#include <span>
#include <vector>

namespace sycee {

// keccak256("Transfer(address,address,uint256)"): topic 0 of an ERC-20 transfer.
Bytes32 const& transfer_topic();

// A log as a node gives it, undecoded.
struct Log {
    Address contract;
    std::vector<Bytes32> topics;
    std::vector<std::uint8_t> data;
    BlockNumber block_number = 0;
    BlockHash block_hash{};
    TransactionHash transaction_hash{};
    std::uint32_t log_index = 0;  // in the block
    bool removed = false;
};

// What makes a transfer the same transfer after a reorg has mined its transaction again: the log
// index moves then, the ordinal does not. Ordinal: rank among this token's Transfer logs in the
// transaction, from 0.
struct TransferKey {
    ChainId chain_id = 0;
    TransactionHash transaction_hash{};
    Address token;
    std::uint32_t ordinal = 0;

    auto operator<=>(TransferKey const&) const = default;
};

// One ERC-20 Transfer in a canonical block.
struct Transfer {
    TransferKey key;
    std::uint32_t log_index = 0;
    Address sender;  // not "payer": an exchange's wallet, a router, or 0x0 for a mint
    Address recipient;
    Amount amount;  // above zero
    BlockNumber block_number = 0;
    BlockHash block_hash{};
    Timestamp block_time{};

    bool operator==(Transfer const&) const = default;
};

// The Transfer logs of one block, decoded, in log order, with their ordinals.
struct DecodedTransfers {
    std::vector<Transfer> transfers;
    std::uint32_t malformed =
        0;  // topics or data not of an ERC-20 Transfer, or an amount of 2^128 and above
    std::uint32_t zero_value = 0;  // anybody may send these in anybody's name: never booked
};

// Picks the Transfer logs of the listed token contracts out of all logs of `block` and decodes
// them. A malformed log is counted and skipped; it keeps its ordinal.
DecodedTransfers decode_transfers(ChainId chain_id, BlockHeader const& block,
                                  std::span<Address const> tokens, std::span<Log const> logs);

}  // namespace sycee
