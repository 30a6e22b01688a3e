#pragma once

#include <sycee/base/result.hpp>
#include <sycee/evm/transfer.hpp>

#include "decode.hpp"

#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>
#include <vector>

// Answers to a batch whose results are long lists, read in one pass and without a tree in between:
// the logs of busy blocks are megabytes each. Each member that we need must be there, once, and of
// its type; others are skipped whatever they hold.
namespace sycee {

struct Receipt {
    TransactionHash transaction_hash{};
    std::uint32_t transaction_index = 0;
    BlockHash block_hash{};
    BlockNumber block_number = 0;
    std::optional<bool> succeeded;  // nothing before the fork of Byzantium
    std::vector<Log> logs;
};

template <class T>
using RpcResult = std::expected<T, RpcError>;

// These throw as decode_batch() does, and keep the order of the calls.
std::vector<RpcResult<std::vector<Log>>> decode_logs(std::string_view body, std::uint64_t first_id,
                                                     std::size_t calls);
// Nothing for null: the node does not have the block.
using ReceiptList = std::optional<std::vector<Receipt>>;
std::vector<RpcResult<ReceiptList>> decode_receipts(std::string_view body, std::uint64_t first_id,
                                                    std::size_t calls);
std::vector<RpcResult<std::optional<Receipt>>> decode_receipt(std::string_view body,
                                                              std::uint64_t first_id,
                                                              std::size_t calls);

// The logs out of the receipts of a block. Refused where these are not one for each of the block's
// transactions, in order, or where a log is not of its receipt, or in one of a failed transaction.
Result<std::vector<Log>> logs_of(BlockOutline const& block, std::vector<Receipt> receipts);
// The same for one receipt alone.
Result<void> check_receipt(Receipt const& receipt);

}  // namespace sycee
