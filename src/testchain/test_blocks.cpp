#include <sycee/base/assert.hpp>
#include <sycee/crypto/hash.hpp>
#include <sycee/testchain/test_blocks.hpp>

#include <algorithm>
#include <string_view>

namespace sycee {
namespace {

constexpr std::size_t kNumberBytes = 8;
constexpr std::size_t kWordBytes = 32;

void append(std::vector<std::uint8_t>& bytes, ByteView more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
}

Bytes<kNumberBytes> bytes_of(BlockNumber number) {
    Bytes<kNumberBytes> bytes{};
    for (std::size_t i = 0; i < kNumberBytes; ++i)
        bytes.at(i) = static_cast<std::uint8_t>(number >> (8 * (kNumberBytes - 1 - i)));
    return bytes;
}

Bytes32 word_of(Address const& address) {
    Bytes32 word{};
    std::copy(address.bytes.begin(), address.bytes.end(),
              word.begin() + (kWordBytes - address.bytes.size()));
    return word;
}

Bytes32 word_of(Amount amount) {
    Bytes32 word{};
    Uint128 rest = amount.base_units();
    for (std::size_t i = kWordBytes; rest != 0; rest >>= 8U)
        word.at(--i) = static_cast<std::uint8_t>(rest);
    return word;
}

// In its block as it was before a reorg took it away, if one did.
bool is_mined(TestTransfer const& transfer, BlockNumber number, BlockNumber head) {
    return transfer.block_number == number && is_on_branch(transfer, head);
}

// A reorg replaces this block: by one without the transfer, or by one upon such a one.
bool is_replaced(TestTransfer const& transfer, BlockNumber number) {
    return transfer.gone_at && transfer.block_number <= number && number < *transfer.gone_at;
}

// Of its transfers, and of the reorgs that have replaced it. That its parent is part of it besides
// would make each block cost as much as all before it; what links the blocks is their parent_hash.
BlockHash hash_of(TestChainState const& state, BlockNumber number,
                  std::span<TestTransfer const> around) {
    constexpr std::string_view kDomain = "sycee test chain block";
    std::vector<std::uint8_t> bytes;
    append(bytes, as_bytes(kDomain));
    append(bytes, state.seed);
    append(bytes, bytes_of(number));
    for (TestTransfer const& transfer : around) {
        bool const mined = is_mined(transfer, number, state.head);
        bool const replaced = is_replaced(transfer, number) && !is_on_branch(transfer, state.head);
        if (!mined && !replaced) continue;
        bytes.push_back(mined ? 1 : 2);
        append(bytes, transfer.transaction_hash);
    }
    BlockHash hash = keccak256(bytes);
    auto const start = bytes_of(number);
    std::copy(start.begin(), start.end(), hash.begin());
    return hash;
}

Log log_of(TestTransfer const& transfer, BlockHeader const& header, std::uint32_t index) {
    Log log;
    log.contract = transfer.token;
    log.topics = {transfer_topic(), word_of(transfer.sender), word_of(transfer.recipient)};
    Bytes32 const amount = word_of(transfer.amount);
    log.data.assign(amount.begin(), amount.end());
    log.block_number = header.number;
    log.block_hash = header.hash;
    log.transaction_hash = transfer.transaction_hash;
    log.log_index = index;
    return log;
}

}  // namespace

BlockNumber first_around(BlockNumber number) {
    BlockNumber const before = kDeepestTestReorg + 1;  // and one more, for the parent
    return number - std::min(number, before);
}

bool is_on_branch(TestTransfer const& transfer, BlockNumber head) {
    return transfer.block_number <= head && (!transfer.gone_at || head < *transfer.gone_at);
}

BlockHeader test_header(TestChainState const& state, BlockNumber number,
                        std::span<TestTransfer const> around) {
    ensure(number <= state.head, "test chain: a block above the head was asked for");
    BlockHeader header{.number = number,
                       .hash = hash_of(state, number, around),
                       .parent_hash = {},
                       .time = state.time_of(number)};
    if (number > 0) header.parent_hash = hash_of(state, number - 1, around);
    return header;
}

BlockWithLogs test_block(TestChainState const& state, BlockNumber number,
                         std::span<TestTransfer const> around) {
    BlockWithLogs block{.header = test_header(state, number, around)};
    for (TestTransfer const& transfer : around) {
        if (!is_mined(transfer, number, state.head)) continue;
        auto const index = static_cast<std::uint32_t>(block.logs.size());
        block.logs.push_back(log_of(transfer, block.header, index));
        add_to_bloom(block.bloom, block.logs.back());
    }
    return block;
}

BlockNumber number_in(BlockHash const& hash) {
    BlockNumber number = 0;
    for (std::size_t i = 0; i < kNumberBytes; ++i)
        number = number << 8U | hash.at(i);
    return number;
}

}  // namespace sycee
