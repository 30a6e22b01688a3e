#pragma once

#include <sycee/app/address_index.hpp>
#include <sycee/base/assert.hpp>
#include <sycee/chain/block_logs.hpp>
#include <sycee/crypto/hash.hpp>

#include "../src/node/json_rpc.hpp"
#include "../src/node/list_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <vector>

// What a node answers about busy blocks, as the text that comes over the wire, and the way of that
// text through our code: 16 blocks of 300 transfers.
namespace sycee::bench {

constexpr std::uint64_t kBlocks = 16;
constexpr std::uint32_t kTransfers = 300;
constexpr std::uint64_t kFirstBlock = 20'000'000;
constexpr Timestamp kNow = timestamp_from_seconds(1'700'000'000);

inline Address usdt() {
    return parse_address("0xdAC17F958D2ee523a2206206994597C13D831ec7").value();
}

// An address that looks like any other, always the same for the same number.
inline Address address_number(std::uint64_t number) {
    Bytes32 const hash = keccak256(as_bytes("address " + std::to_string(number)));
    Address address;
    std::copy(hash.begin() + 12, hash.end(), address.bytes.begin());
    return address;
}

inline std::string quantity(std::uint64_t value) {
    char digits[16];
    auto const written = std::to_chars(std::begin(digits), std::end(digits), value, 16);
    return "0x" + std::string(std::begin(digits), written.ptr);
}

inline Bytes32 topic_of(Address const& address) {
    Bytes32 topic{};
    std::copy(address.bytes.begin(), address.bytes.end(), topic.begin() + 12);
    return topic;
}

// Transfers of one block between addresses that are hardly ever the same ones.
inline std::vector<Log> transfers_of(std::uint64_t number, std::uint32_t count) {
    std::vector<Log> logs;
    BlockHash const block = keccak256(as_bytes("block " + std::to_string(number)));
    for (std::uint32_t i = 0; i < count; ++i) {
        std::uint64_t const serial = number * count + i;
        Log log;
        log.contract = usdt();
        log.topics = {transfer_topic(), topic_of(address_number(2 * serial)),
                      topic_of(address_number(2 * serial + 1))};
        log.data.assign(32, 0);
        log.data[29] = static_cast<std::uint8_t>(serial >> 8);
        log.data[30] = static_cast<std::uint8_t>(serial);
        log.data[31] = 0x80;
        log.block_number = number;
        log.block_hash = block;
        log.transaction_hash = keccak256(as_bytes("transaction " + std::to_string(serial)));
        log.log_index = i;
        logs.push_back(std::move(log));
    }
    return logs;
}

inline LogsBloom bloom_of(std::vector<Log> const& logs) {
    LogsBloom bloom{};
    for (Log const& log : logs)
        add_to_bloom(bloom, log);
    return bloom;
}

inline std::string to_json(Log const& log) {
    std::string topics;
    for (auto const& topic : log.topics)
        topics += (topics.empty() ? "\"" : ",\"") + to_hex0x(topic) + "\"";
    return R"({"address":")" + to_hex0x(log.contract.bytes) + R"(","topics":[)" + topics +
           R"(],"data":")" + to_hex0x(log.data) + R"(","blockNumber":")" +
           quantity(log.block_number) + R"(","transactionHash":")" +
           to_hex0x(log.transaction_hash) + R"(","transactionIndex":")" + quantity(log.log_index) +
           R"(","blockHash":")" + to_hex0x(log.block_hash) + R"(","blockTimestamp":")" +
           quantity(1'700'000'000 + 12 * log.block_number) + R"(","logIndex":")" +
           quantity(log.log_index) + R"(","removed":false})";
}

// The answer to eth_getBlockByNumber, without the brackets around.
inline std::string block_json(std::uint64_t number, std::vector<Log> const& logs) {
    std::string transactions;
    for (Log const& log : logs)
        transactions +=
            (transactions.empty() ? "\"" : ",\"") + to_hex0x(log.transaction_hash) + "\"";
    auto const hash = keccak256(as_bytes("block " + std::to_string(number)));
    auto const parent = keccak256(as_bytes("block " + std::to_string(number - 1)));
    std::string const root = to_hex0x(keccak256(hash));
    return R"({"number":")" + quantity(number) + R"(","hash":")" + to_hex0x(hash) +
           R"(","parentHash":")" + to_hex0x(parent) + R"(","logsBloom":")" +
           to_hex0x(bloom_of(logs)) + R"(","timestamp":")" + quantity(1'700'000'000 + 12 * number) +
           R"(","baseFeePerGas":"0x2fac1bda","gasUsed":")" + quantity(17'000'000) +
           R"(","stateRoot":")" + root + R"(","receiptsRoot":")" + root +
           R"(","transactionsRoot":")" + root + R"(","uncles":[],"transactions":[)" + transactions +
           "]}";
}

inline std::string batch(std::vector<std::string> const& results) {
    std::string body;
    for (std::size_t i = 0; i < results.size(); ++i) {
        body += (i == 0 ? "[" : ",") + std::string(R"({"jsonrpc":"2.0","id":)") +
                std::to_string(i + 1) + R"(,"result":)" + results[i] + "}";
    }
    return body + "]";
}

inline std::string logs_json(std::vector<Log> const& logs) {
    std::string list;
    for (Log const& log : logs)
        list += (list.empty() ? "" : ",") + to_json(log);
    return "[" + list + "]";
}

struct Answers {
    std::string blocks;
    std::string logs;
};

inline Answers make_answers() {
    std::vector<std::string> blocks;
    std::vector<std::string> logs;
    for (std::uint64_t number = kFirstBlock; number < kFirstBlock + kBlocks; ++number) {
        auto const transfers = transfers_of(number, kTransfers);
        blocks.push_back(block_json(number, transfers));
        logs.push_back(logs_json(transfers));
    }
    return {batch(blocks), batch(logs)};
}

inline std::vector<BlockWithLogs> decode(Answers const& answers) {
    std::vector<BlockWithLogs> blocks;
    auto const outlines = decode_batch(answers.blocks, 1, kBlocks);
    auto logs = decode_logs(answers.logs, 1, kBlocks);
    for (std::size_t i = 0; i < outlines.size(); ++i) {
        auto const outline = decode_outline(*outlines[i]);
        blocks.push_back({outline->header, outline->bloom, std::move(*logs[i])});
    }
    return blocks;
}

inline void add_addresses(AddressIndex& index, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i)
        index.add(address_number(i), kNow);
}

// From the text to the addresses that may be somebody's; returns how many these are.
inline std::size_t read_and_match(Answers const& answers, AddressIndex const& index) {
    static std::vector<Address> const tokens{usdt()};
    std::size_t candidates = 0;
    std::size_t transfers = 0;
    for (BlockWithLogs const& block : decode(answers)) {
        ensure(check_complete(block).has_value(), "bench: a block is not complete");
        auto const decoded = decode_transfers(1, block.header, tokens, block.logs);
        transfers += decoded.transfers.size();
        for (Transfer const& transfer : decoded.transfers) {
            if (index.may_contain(transfer.sender)) ++candidates;
            if (index.may_contain(transfer.recipient)) ++candidates;
        }
    }
    ensure(transfers == kBlocks * kTransfers, "bench: transfers got lost");
    return candidates;
}

}  // namespace sycee::bench
