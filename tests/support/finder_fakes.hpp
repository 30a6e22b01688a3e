#pragma once

#include <sycee/app/transfer_finder.hpp>
#include <sycee/runtime/errors.hpp>

#include "empty_books.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sycee {

// A chain that is asked for transactions, and for nothing else.
class FakeChain final : public ChainPort {
  public:
    struct Transaction {
        ReceiptLogs receipt;
        NativeTransfer native;
    };

    Task<std::optional<ReceiptLogs>> receipt(TransactionHash hash) override {
        ++questions;
        if (!fault.empty()) throw Unavailable(fault);
        auto const found = transactions.find(hash);
        if (found == transactions.end()) co_return std::nullopt;
        co_return found->second.receipt;
    }
    Task<std::optional<NativeTransfer>> native_transfer(TransactionHash hash) override {
        co_return transactions.at(hash).native;
    }

    Task<ChainTips> tips() override { co_return ChainTips{}; }
    Task<std::optional<BlockHeader>> header(BlockNumber) override { co_return std::nullopt; }
    Task<std::vector<CompleteBlock>> blocks(BlockNumber, BlockNumber) override {
        co_return std::vector<CompleteBlock>{};
    }
    Task<std::vector<Bytes32>> digests_again(std::vector<ProcessedBlock>) override {
        co_return std::vector<Bytes32>{};
    }
    BlockNumber agreed_to(HeaderChain const&) override { return 0; }
    Task<void> wait_for_head(std::chrono::milliseconds) override { co_return; }

    std::map<TransactionHash, Transaction> transactions;
    std::string fault;
    int questions = 0;
};

// Books that know deposit addresses, and how far each chain has been processed.
class FinderBooks final : public EmptyBooks {
  public:
    Task<std::vector<WatchedAddress>> find_addresses(std::vector<Address> asked) override {
        std::vector<WatchedAddress> found;
        for (WatchedAddress const& entry : addresses) {
            if (std::ranges::find(asked, entry.address) != asked.end()) found.push_back(entry);
        }
        co_return found;
    }
    Task<std::optional<FollowedChain>> load_chain(ChainId chain_id) override {
        auto const found = processed.find(chain_id);
        if (found == processed.end()) co_return std::nullopt;
        co_return found->second;
    }

    std::vector<WatchedAddress> addresses;
    std::map<ChainId, FollowedChain> processed;
};

inline BlockHeader found_block(BlockNumber number, Timestamp time, std::uint8_t branch = 0) {
    BlockHeader header{.number = number, .time = time};
    header.hash.fill(branch);
    header.hash[0] = static_cast<std::uint8_t>(number);
    return header;
}

// The log of a transfer; without an amount, one that no token writes.
inline Log transfer_log(ReceiptLogs const& receipt, TransactionHash const& hash,
                        Address const& token, Address const& recipient,
                        std::optional<Amount> amount) {
    Log log{.contract = token,
            .topics = {transfer_topic(), Bytes32{}, Bytes32{}},
            .block_number = receipt.header.number,
            .block_hash = receipt.header.hash,
            .transaction_hash = hash,
            .log_index = static_cast<std::uint32_t>(receipt.logs.size())};
    std::ranges::copy(recipient.bytes, log.topics[2].begin() + 12);
    if (!amount) return log;
    log.data.assign(32, 0);
    Uint128 rest = amount->base_units();
    for (std::size_t i = log.data.size(); rest != 0; rest >>= 8U)
        log.data[--i] = static_cast<std::uint8_t>(rest & 0xffU);
    return log;
}

}  // namespace sycee
