#include <sycee/chain/block_logs.hpp>
#include <sycee/crypto/hash.hpp>

#include <string>

namespace sycee {
namespace {

void append(std::vector<std::uint8_t>& bytes, ByteView part) {
    bytes.insert(bytes.end(), part.begin(), part.end());
}

void append(std::vector<std::uint8_t>& bytes, std::uint64_t number) {
    for (int shift = 56; shift >= 0; shift -= 8)
        bytes.push_back(static_cast<std::uint8_t>(number >> shift));
}

// Lengths stand before what varies, so that no two lists of logs share their bytes.
Bytes32 digest_of(std::vector<Log> const& logs) {
    std::vector<std::uint8_t> bytes;
    append(bytes, logs.size());
    for (Log const& log : logs) {
        append(bytes, log.transaction_hash);
        append(bytes, log.contract.bytes);
        append(bytes, log.topics.size());
        for (auto const& topic : log.topics)
            append(bytes, topic);
        append(bytes, log.data.size());
        append(bytes, log.data);
    }
    return sha256(bytes);
}

}  // namespace

Result<ProcessedBlock> check_complete(BlockWithLogs const& block) {
    LogsBloom explained{};
    std::uint32_t next = 0;
    for (Log const& log : block.logs) {
        std::string const where = "log " + std::to_string(log.log_index) + " of block " +
                                  std::to_string(block.header.number);
        if (log.block_hash != block.header.hash || log.block_number != block.header.number) {
            return refuse("logs", where + " belongs to block " + std::to_string(log.block_number) +
                                      " " + to_hex0x(log.block_hash));
        }
        if (log.removed) return refuse("logs", where + " is marked removed");
        if (log.log_index != next) {
            return refuse("logs", where + " stands where log " + std::to_string(next) + " should");
        }
        ++next;
        add_to_bloom(explained, log);
    }
    if (!is_within(block.bloom, explained)) {
        return refuse("logs", "block " + std::to_string(block.header.number) +
                                  " has more logs than the " + std::to_string(block.logs.size()) +
                                  " that the node gave: its bloom says so");
    }
    return ProcessedBlock{block.header, digest_of(block.logs)};
}

}  // namespace sycee
