#include <sycee/testchain/test_blocks.hpp>
#include <sycee/testchain/test_node.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace sycee {
namespace {

constexpr BlockNumber kMostBlocks = 64;
constexpr BlockNumber kMostBlocksOfHistory = 1'000;

// What the transfers up to a block leave at an address. Where money is simulated from, it never
// ends.
Amount balance_of(TokenHolder const& holder, std::vector<TestTransfer> const& transfers,
                  BlockNumber head, BlockNumber at) {
    Amount in;
    Amount out;
    for (auto const& transfer : transfers) {
        bool const counts = transfer.token == holder.token && transfer.block_number <= at &&
                            is_on_branch(transfer, head);
        if (!counts) continue;
        if (transfer.recipient == holder.holder) in += transfer.amount;
        if (transfer.sender == holder.holder) out += transfer.amount;
    }
    return in > out ? in - out : Amount();
}

}  // namespace

Task<ChainTips> TestNode::tips() {
    auto const state = co_await chain_.advance();
    BlockNumber const finalized = state.finalized();
    auto const around = co_await chain_.in_blocks(first_around(finalized), state.head);
    co_return ChainTips{.head = test_header(state, state.head, around),
                        .finalized = test_header(state, finalized, around)};
}

Task<std::optional<BlockHeader>> TestNode::header(BlockNumber number) {
    auto const state = co_await chain_.advance();
    if (number > state.head) co_return std::nullopt;
    auto const around = co_await chain_.in_blocks(first_around(number), number);
    co_return test_header(state, number, around);
}

Task<std::vector<BlockWithLogs>> TestNode::blocks_of(TestChainState state, BlockNumber first,
                                                     BlockNumber last) {
    last = std::min(last, state.head);
    std::vector<BlockWithLogs> blocks;
    if (first > last) co_return blocks;
    auto const around = co_await chain_.in_blocks(first_around(first), last);
    for (BlockNumber number = first; number <= last; ++number)
        blocks.push_back(test_block(state, number, around));
    co_return blocks;
}

Task<std::vector<BlockWithLogs>> TestNode::blocks(BlockNumber first, BlockNumber last) {
    auto const state = co_await chain_.advance();
    co_return co_await blocks_of(state, first, std::min(last, first + kMostBlocks - 1));
}

Task<std::vector<std::optional<BlockWithLogs>>> TestNode::blocks_again(
    std::vector<BlockHash> hashes) {
    auto const state = co_await chain_.advance();
    std::vector<std::optional<BlockWithLogs>> blocks;
    for (auto const& hash : hashes) {
        BlockNumber const number = number_in(hash);
        auto found = co_await blocks_of(state, number, number);
        blocks.emplace_back();
        if (!found.empty() && found[0].header.hash == hash) blocks.back() = std::move(found[0]);
    }
    co_return blocks;
}

Task<std::optional<ReceiptLogs>> TestNode::receipt(TransactionHash hash) {
    auto const state = co_await chain_.advance();
    auto const transfer = co_await chain_.find(hash);
    if (!transfer || !is_on_branch(*transfer, state.head)) co_return std::nullopt;
    auto const blocks = co_await blocks_of(state, transfer->block_number, transfer->block_number);
    ReceiptLogs receipt{.header = blocks.at(0).header, .succeeded = true, .logs = {}};
    for (auto const& log : blocks[0].logs) {
        if (log.transaction_hash == hash) receipt.logs.push_back(log);
    }
    co_return receipt;
}

Task<std::optional<NativeTransfer>> TestNode::native_transfer(TransactionHash hash) {
    auto const state = co_await chain_.advance();
    auto const transfer = co_await chain_.find(hash);
    if (!transfer || !is_on_branch(*transfer, state.head)) co_return std::nullopt;
    co_return NativeTransfer{.recipient = transfer->token, .value = {}};
}

Task<void> TestNode::wait_for_head(std::chrono::milliseconds limit) {
    // Half of a block's time: then a block is seen half of it late, at the most.
    co_await clock_.sleep_for(
        std::min(limit, std::chrono::duration_cast<std::chrono::milliseconds>(kTestBlockTime) / 2));
}

TokenSettings const& TestNode::token(Address contract) const {
    auto const* found = settings_.token(contract);
    if (found == nullptr) {
        throw std::runtime_error("the test chain has no token " + to_string(contract));
    }
    return *found;
}

Task<unsigned> TestNode::token_decimals(Address contract) {
    co_return token(contract).decimals;
}

Task<FeedAnswer> TestNode::read_feed(Address feed) {
    throw RateMisconfigured("the test chain has no price feed " + to_string(feed));
}

Task<std::string> TestNode::token_symbol(Address contract) {
    co_return token(contract).symbol;
}

Task<Amount> TestNode::token_balance(Address contract, Address holder) {
    auto const state = co_await chain_.advance();
    auto const found = co_await balances({{contract, holder}}, state, state.head);
    co_return found.at(0);
}

Task<std::vector<Amount>> TestNode::balances(std::vector<TokenHolder> holders, TestChainState state,
                                             BlockNumber at) {
    std::vector<Address> addresses;
    for (auto const& holder : holders)
        addresses.push_back(holder.holder);
    auto const transfers = co_await chain_.of(std::move(addresses));
    std::vector<Amount> found;
    for (auto const& holder : holders)
        found.push_back(balance_of(holder, transfers, state.head, at));
    co_return found;
}

Task<std::vector<Amount>> TestNode::token_balances(std::vector<TokenHolder> holders, BlockHash at) {
    auto const state = co_await chain_.advance();
    BlockNumber const number = number_in(at);
    auto const blocks = co_await blocks_of(state, number, number);
    if (blocks.empty() || blocks[0].header.hash != at) {
        throw Unavailable("the test chain has that block no more");
    }
    co_return co_await balances(std::move(holders), state, number);
}

Task<LogRange> TestNode::transfer_logs(std::vector<Address> contracts, BlockNumber first,
                                       BlockNumber last) {
    auto const state = co_await chain_.advance();
    LogRange range{.last = std::min({last, first + kMostBlocksOfHistory - 1, state.head}),
                   .logs = {}};
    for (auto const& block : co_await blocks_of(state, first, range.last)) {
        for (auto const& log : block.logs) {
            if (std::ranges::count(contracts, log.contract) != 0) range.logs.push_back(log);
        }
    }
    co_return range;
}

}  // namespace sycee
