#pragma once

#include <nlohmann/json.hpp>

#include <charconv>
#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

// What nodes answer, as JSON that a test can damage.
namespace sycee {

inline std::string quantity_text(std::uint64_t value) {
    char digits[16];
    auto const written = std::to_chars(std::begin(digits), std::end(digits), value, 16);
    return "0x" + std::string(std::begin(digits), written.ptr);
}

inline std::string hash_text(char digit) {
    return "0x" + std::string(64, digit);
}

inline nlohmann::json log_json() {
    return {{"address", "0xdAC17F958D2ee523a2206206994597C13D831ec7"},
            {"topics", nlohmann::json::array({hash_text('1'), hash_text('2')})},
            {"data", "0x0102"},
            {"blockNumber", "0x1b4"},
            {"blockTimestamp", "0x65f1a2c3"},
            {"blockHash", hash_text('a')},
            {"transactionHash", hash_text('c')},
            {"transactionIndex", "0x0"},
            {"logIndex", "0x7"},
            {"removed", false}};
}

inline nlohmann::json receipt_json() {
    return {{"transactionHash", hash_text('c')},
            {"transactionIndex", "0x0"},
            {"blockHash", hash_text('a')},
            {"blockNumber", "0x1b4"},
            {"status", "0x1"},
            {"gasUsed", "0x5208"},
            {"contractAddress", nullptr},
            {"logsBloom", "0x" + std::string(512, '0')},
            {"logs", nlohmann::json::array({log_json()})}};
}

inline nlohmann::json transaction_json() {
    return {{"hash", hash_text('c')},
            {"from", "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"},
            {"to", "0xdAC17F958D2ee523a2206206994597C13D831ec7"},
            {"nonce", "0x1f"},
            {"input", "0xa9059cbb"},
            {"value", "0x0"},
            {"blockHash", nullptr},
            {"blockNumber", nullptr}};
}

inline std::string batch_text(std::vector<nlohmann::json> const& results) {
    nlohmann::json batch = nlohmann::json::array();
    for (std::size_t i = 0; i < results.size(); ++i)
        batch.push_back({{"jsonrpc", "2.0"}, {"id", i + 1}, {"result", results[i]}});
    return batch.dump();
}

}  // namespace sycee
