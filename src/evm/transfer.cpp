#include <sycee/crypto/hash.hpp>
#include <sycee/evm/abi.hpp>
#include <sycee/evm/transfer.hpp>

#include <algorithm>
#include <map>
#include <optional>

namespace sycee {
namespace {

struct Parties {
    Address sender;
    Address recipient;
    Amount amount;
};

// ERC-721 shares topic 0 but has four topics.
std::optional<Parties> decode(Log const& log) {
    if (log.topics.size() != 3 || log.data.size() != 32) return std::nullopt;
    auto const sender = address_from_word(log.topics[1]);
    auto const recipient = address_from_word(log.topics[2]);
    auto const amount = amount_from_word(std::span<std::uint8_t const, 32>(log.data.data(), 32));
    if (!sender || !recipient || !amount) return std::nullopt;
    return Parties{*sender, *recipient, *amount};
}

}  // namespace

Bytes32 const& transfer_topic() {
    static Bytes32 const topic = keccak256(as_bytes("Transfer(address,address,uint256)"));
    return topic;
}

DecodedTransfers decode_transfers(ChainId chain_id, BlockHeader const& block,
                                  std::span<Address const> tokens, std::span<Log const> logs) {
    DecodedTransfers decoded;
    std::map<std::pair<TransactionHash, Address>, std::uint32_t> ordinals;
    for (Log const& log : logs) {
        bool const listed = std::find(tokens.begin(), tokens.end(), log.contract) != tokens.end();
        if (!listed || log.topics.empty() || log.topics[0] != transfer_topic()) continue;
        std::uint32_t const ordinal = ordinals[{log.transaction_hash, log.contract}]++;
        auto const parties = decode(log);
        if (!parties) {
            ++decoded.malformed;
        } else if (parties->amount.is_zero()) {
            ++decoded.zero_value;
        } else {
            decoded.transfers.push_back(
                {.key = {chain_id, log.transaction_hash, log.contract, ordinal},
                 .log_index = log.log_index,
                 .sender = parties->sender,
                 .recipient = parties->recipient,
                 .amount = parties->amount,
                 .block_number = block.number,
                 .block_hash = block.hash,
                 .block_time = block.time});
        }
    }
    return decoded;
}

}  // namespace sycee
