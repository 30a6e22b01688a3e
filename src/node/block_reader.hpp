#pragma once

#include <sycee/app/log_history.hpp>
#include <sycee/app/ports.hpp>
#include <sycee/runtime/clock.hpp>

#include "json_rpc.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sycee {

constexpr char const* kBlockByNumber = "eth_getBlockByNumber";

// `which`: a quantity or a tag. Without the transactions' bodies.
RpcCall block_call(std::string which);
std::string to_quantity(std::uint64_t value);
// The header in an answer to block_call(); nothing where the node does not have that block.
std::optional<BlockHeader> header_of(RpcAnswer const& answer);
// Throws Unavailable where it is of another number.
std::optional<BlockHeader> header_at(RpcAnswer const& answer, BlockNumber number);

// How many blocks to ask for at a time: half as many where that was too much, one more where it was
// not.
class BatchSize {
  public:
    std::size_t of(std::uint64_t wanted) const {
        return static_cast<std::size_t>(std::min<std::uint64_t>(wanted, size_));
    }
    // Only a full batch says anything about a larger one.
    void note_success(std::size_t asked) {
        if (asked == size_) size_ = std::min(size_ + 1, kMost);
    }
    // False where there is nothing smaller to ask for.
    bool shrink(std::size_t asked) {
        size_ = std::max<std::size_t>(1, asked / 2);
        return asked > 1;
    }

  private:
    static constexpr std::size_t kMost = 32;
    std::size_t size_ = 16;
};

// Blocks with all of their logs, and receipts, from one node.
class BlockReader {
  public:
    BlockReader(JsonRpc& rpc, Clock& clock) : rpc_(rpc), clock_(clock) {}

    // As EndpointPort promises.
    Task<std::vector<BlockWithLogs>> blocks(BlockNumber first, BlockNumber last);
    Task<std::vector<std::optional<BlockWithLogs>>> blocks_again(std::vector<BlockHash> hashes);
    Task<std::optional<ReceiptLogs>> receipt(TransactionHash hash);
    // As HistoryPort promises.
    Task<LogRange> transfer_logs(std::vector<Address> contracts, BlockNumber first,
                                 BlockNumber last);

  private:
    using Again = std::vector<std::optional<BlockWithLogs>>;

    Task<std::vector<BlockWithLogs>> read(BlockNumber first, std::size_t count);
    Task<std::vector<BlockOutline>> read_branch(BlockNumber first, std::size_t count);
    Task<Again> read_again(std::vector<BlockHash> hashes, bool by_receipts);
    Task<Again> add_receipts(std::vector<std::optional<BlockOutline>> outlines);
    Task<Again> add_logs(std::vector<std::optional<BlockOutline>> outlines);
    bool has_receipts() const;

    JsonRpc& rpc_;
    Clock& clock_;
    BatchSize batch_;
    BatchSize receipts_batch_;
    BlockNumber most_blocks_ = 2'000;  // whose logs are asked for at once
    Timestamp no_receipts_until_{};    // the node does not know the method
};

}  // namespace sycee
