#include "block_reader.hpp"

#include "list_reader.hpp"

#include <charconv>
#include <iterator>
#include <utility>

namespace sycee {
namespace {

constexpr char const* kBlockByHash = "eth_getBlockByHash";
constexpr char const* kLogs = "eth_getLogs";
constexpr char const* kBlockReceipts = "eth_getBlockReceipts";
constexpr char const* kReceipt = "eth_getTransactionReceipt";
// A node may be upgraded, and a provider's switch is not always honest.
constexpr std::chrono::hours kWithoutReceipts{1};

RpcCall block_by_hash_call(BlockHash const& hash) {
    return {kBlockByHash, Json::array({to_hex0x(hash), false})};
}

// By hash, so that an answer is of exactly this block whatever the node's branch does meanwhile. Of
// every contract, because only the whole list can be seen to have no hole.
RpcCall logs_call(BlockHash const& hash) {
    Json filter = Json::object();
    filter["blockHash"] = to_hex0x(hash);
    Json params = Json::array();
    params.push_back(std::move(filter));
    return {kLogs, std::move(params)};
}

// Of the node's branch, by number: for blocks that are final.
RpcCall transfer_logs_call(std::vector<Address> const& contracts, BlockNumber first,
                           BlockNumber last) {
    Json addresses = Json::array();
    for (Address const& contract : contracts)
        addresses.push_back(to_hex0x(contract.bytes));
    Json filter = Json::object();
    filter["fromBlock"] = to_quantity(first);
    filter["toBlock"] = to_quantity(last);
    filter["address"] = std::move(addresses);
    filter["topics"] = Json::array({to_hex0x(transfer_topic())});
    return {kLogs, Json::array({std::move(filter)})};
}

// What was asked for, and in the order of the chain.
void check_range(std::vector<Log> const& logs, BlockNumber first, BlockNumber last) {
    for (std::size_t i = 0; i < logs.size(); ++i) {
        Log const& log = logs[i];
        bool const in_range = log.block_number >= first && log.block_number <= last;
        bool const in_order = i == 0 || std::pair(logs[i - 1].block_number, logs[i - 1].log_index) <
                                            std::pair(log.block_number, log.log_index);
        if (log.removed || !in_range || !in_order) {
            throw Unavailable(std::string(kLogs) + ": a log of block " +
                              std::to_string(log.block_number) + " is not where it should be");
        }
    }
}

RpcCall receipts_call(BlockHash const& hash) {
    Json params = Json::array();
    params.push_back(to_hex0x(hash));
    return {kBlockReceipts, std::move(params)};
}

// A block without transactions has no logs. Its bloom alone does not say so: on some chains all
// blooms are zero.
bool may_have_logs(BlockOutline const& block) {
    return !block.transactions.empty() || block.bloom != LogsBloom{};
}

std::optional<BlockOutline> outline_of(RpcAnswer const& answer, char const* method) {
    auto const& result = result_of(answer, method);
    return decode_answer(method, [&] { return decode_outline(result); });
}

// An error behind answers that are good only ends the list: asked again, it comes first.
template <class T>
bool ends_list(RpcResult<T> const& answer, std::size_t before) {
    return !answer && (before > 0 || answer.error().fault == RpcFault::unknown_block);
}

template <class T>
bool is_unknown_block(RpcResult<T> const& answer) {
    return !answer && answer.error().fault == RpcFault::unknown_block;
}

}  // namespace

std::string to_quantity(std::uint64_t value) {
    char digits[16];
    auto const written = std::to_chars(std::begin(digits), std::end(digits), value, 16);
    return "0x" + std::string(std::begin(digits), written.ptr);
}

RpcCall block_call(std::string which) {
    return {kBlockByNumber, Json::array({std::move(which), false})};
}

std::optional<BlockHeader> header_of(RpcAnswer const& answer) {
    auto const& result = result_of(answer, kBlockByNumber);
    return decode_answer(kBlockByNumber, [&] { return decode_header(result); });
}

std::optional<BlockHeader> header_at(RpcAnswer const& answer, BlockNumber number) {
    auto const header = header_of(answer);
    if (header && header->number != number) {
        throw Unavailable(std::string(kBlockByNumber) + ": asked for block " +
                          std::to_string(number) + ", got " + std::to_string(header->number));
    }
    return header;
}

Task<std::vector<BlockWithLogs>> BlockReader::blocks(BlockNumber first, BlockNumber last) {
    if (last < first) co_return std::vector<BlockWithLogs>{};
    for (;;) {
        std::size_t const count = batch_.of(last - first + 1);
        try {
            auto read_blocks = co_await read(first, count);
            if (read_blocks.size() == count) batch_.note_success(count);
            co_return read_blocks;
        } catch (RateLimited const&) {
            batch_.shrink(count);
            throw;
        } catch (NodeFault const& fault) {
            if (fault.fault() != RpcFault::too_much || !batch_.shrink(count)) throw;
        }
    }
}

// The node's branch from `first` on, as far as it goes.
Task<std::vector<BlockOutline>> BlockReader::read_branch(BlockNumber first, std::size_t count) {
    std::vector<RpcCall> calls;
    for (std::size_t i = 0; i < count; ++i)
        calls.push_back(block_call(to_quantity(first + i)));
    auto const answers = co_await rpc_.batch(std::move(calls));
    std::vector<BlockOutline> branch;
    for (auto const& answer : answers) {
        if (ends_list(answer, branch.size())) break;
        auto const header = header_at(answer, first + branch.size());
        if (!header) break;
        // It went to another branch while it answered.
        if (!branch.empty() && header->parent_hash != branch.back().header.hash) break;
        branch.push_back(*outline_of(answer, kBlockByNumber));
    }
    co_return branch;
}

Task<std::vector<BlockWithLogs>> BlockReader::read(BlockNumber first, std::size_t count) {
    auto const branch = co_await read_branch(first, count);
    std::vector<RpcCall> calls;
    for (BlockOutline const& block : branch) {
        if (may_have_logs(block)) calls.push_back(logs_call(block.header.hash));
    }
    auto answers = co_await rpc_.batch(std::move(calls), decode_logs);
    std::vector<BlockWithLogs> blocks;
    auto next = answers.begin();
    for (BlockOutline const& block : branch) {
        BlockWithLogs read_block{.header = block.header, .bloom = block.bloom, .logs = {}};
        if (may_have_logs(block)) {
            auto& answer = *next++;
            if (ends_list(answer, blocks.size())) break;
            if (!answer) throw_error(kLogs, answer.error());
            read_block.logs = std::move(*answer);
        }
        blocks.push_back(std::move(read_block));
    }
    co_return blocks;
}

bool BlockReader::has_receipts() const {
    return no_receipts_until_ <= clock_.now();
}

Task<BlockReader::Again> BlockReader::blocks_again(std::vector<BlockHash> hashes) {
    if (hashes.empty()) co_return Again{};
    for (;;) {
        bool const by_receipts = has_receipts();
        BatchSize& batch = by_receipts ? receipts_batch_ : batch_;
        std::size_t const count = batch.of(hashes.size());
        std::vector<BlockHash> some(hashes.begin(),
                                    hashes.begin() + static_cast<std::ptrdiff_t>(count));
        try {
            auto again = co_await read_again(std::move(some), by_receipts);
            if (again.size() == count) batch.note_success(count);
            co_return again;
        } catch (RateLimited const&) {
            batch.shrink(count);
            throw;
        } catch (NodeFault const& fault) {
            if (by_receipts && fault.fault() == RpcFault::no_such_method) {
                no_receipts_until_ = clock_.now() + kWithoutReceipts;
            } else if (fault.fault() != RpcFault::too_much || !batch.shrink(count)) {
                throw;
            }
        }
    }
}

Task<BlockReader::Again> BlockReader::read_again(std::vector<BlockHash> hashes, bool by_receipts) {
    std::vector<RpcCall> calls;
    for (BlockHash const& hash : hashes)
        calls.push_back(block_by_hash_call(hash));
    auto const answers = co_await rpc_.batch(std::move(calls));
    std::vector<std::optional<BlockOutline>> outlines;
    for (auto const& answer : answers) {
        if (is_unknown_block(answer)) {
            outlines.emplace_back();
            continue;
        }
        if (ends_list(answer, outlines.size())) break;
        auto outline = outline_of(answer, kBlockByHash);
        if (outline && outline->header.hash != hashes[outlines.size()])
            throw Unavailable(std::string(kBlockByHash) + ": the answer is another block");
        outlines.push_back(std::move(outline));
    }
    auto again = by_receipts ? add_receipts(std::move(outlines)) : add_logs(std::move(outlines));
    co_return co_await std::move(again);
}

Task<BlockReader::Again> BlockReader::add_receipts(
    std::vector<std::optional<BlockOutline>> outlines) {
    std::vector<RpcCall> calls;
    for (auto const& block : outlines) {
        if (block) calls.push_back(receipts_call(block->header.hash));
    }
    auto answers = co_await rpc_.batch(std::move(calls), decode_receipts);
    Again again;
    auto next = answers.begin();
    for (auto const& block : outlines) {
        if (!block) {
            again.emplace_back();
            continue;
        }
        auto& answer = *next++;
        if (is_unknown_block(answer) || (answer && !*answer)) {
            again.emplace_back();
            continue;
        }
        if (ends_list(answer, again.size())) break;
        if (!answer) throw_error(kBlockReceipts, answer.error());
        auto logs = logs_of(*block, std::move(**answer));
        if (!logs) throw Unavailable(std::string(kBlockReceipts) + ": " + to_string(logs.error()));
        again.push_back(BlockWithLogs{block->header, block->bloom, std::move(*logs)});
    }
    co_return again;
}

Task<BlockReader::Again> BlockReader::add_logs(std::vector<std::optional<BlockOutline>> outlines) {
    std::vector<RpcCall> calls;
    for (auto const& block : outlines) {
        if (block && may_have_logs(*block)) calls.push_back(logs_call(block->header.hash));
    }
    auto answers = co_await rpc_.batch(std::move(calls), decode_logs);
    Again again;
    auto next = answers.begin();
    for (auto const& block : outlines) {
        if (!block) {
            again.emplace_back();
            continue;
        }
        BlockWithLogs read_block{.header = block->header, .bloom = block->bloom, .logs = {}};
        if (may_have_logs(*block)) {
            auto& answer = *next++;
            if (is_unknown_block(answer)) {
                again.emplace_back();
                continue;
            }
            if (ends_list(answer, again.size())) break;
            if (!answer) throw_error(kLogs, answer.error());
            read_block.logs = std::move(*answer);
        }
        again.push_back(std::move(read_block));
    }
    co_return again;
}

Task<LogRange> BlockReader::transfer_logs(std::vector<Address> contracts, BlockNumber first,
                                          BlockNumber last) {
    for (;;) {
        BlockNumber const asked = std::min(last, first + most_blocks_ - 1);
        std::vector<RpcCall> calls;
        calls.push_back(transfer_logs_call(contracts, first, asked));
        try {
            auto answers = co_await rpc_.batch(std::move(calls), decode_logs);
            if (!answers.front()) throw_error(kLogs, answers.front().error());
            check_range(*answers.front(), first, asked);
            co_return LogRange{asked, std::move(*answers.front())};
        } catch (NodeFault const& fault) {
            if (fault.fault() != RpcFault::too_much || asked == first) throw;
            most_blocks_ = (asked - first + 1) / 2;
        }
    }
}

// Nodes that see parts of a block before it is sealed answer with receipts of blocks that are none
// yet: only the block that the branch has at that number counts.
Task<std::optional<ReceiptLogs>> BlockReader::receipt(TransactionHash hash) {
    std::vector<RpcCall> calls;
    Json params = Json::array();
    params.push_back(to_hex0x(hash));
    calls.push_back({kReceipt, std::move(params)});
    auto answers = co_await rpc_.batch(std::move(calls), decode_receipt);
    auto answer = result_of(answers.front(), kReceipt);
    if (!answer) co_return std::nullopt;
    if (answer->transaction_hash != hash)
        throw Unavailable(std::string(kReceipt) + ": the answer is of another transaction");
    if (auto const sound = check_receipt(*answer); !sound)
        throw Unavailable(std::string(kReceipt) + ": " + to_string(sound.error()));

    auto call = block_call(to_quantity(answer->block_number));
    auto const block = co_await rpc_.call(std::move(call));
    auto const header = header_at(block, answer->block_number);
    if (!header || header->hash != answer->block_hash) co_return std::nullopt;
    bool const succeeded = answer->succeeded.value_or(!answer->logs.empty());
    co_return ReceiptLogs{
        .header = *header, .succeeded = succeeded, .logs = std::move(answer->logs)};
}

}  // namespace sycee
