#include <sycee/crypto/hash.hpp>
#include <sycee/evm/bloom.hpp>

namespace sycee {

void add_to_bloom(LogsBloom& bloom, ByteView contract_or_topic) {
    Bytes32 const hash = keccak256(contract_or_topic);
    for (std::size_t word = 0; word < 3; ++word) {
        unsigned const high = hash[2 * word];
        unsigned const bit = ((high << 8U) | hash[2 * word + 1]) & 2047U;
        bloom[255 - bit / 8] |= static_cast<std::uint8_t>(1U << (bit % 8));
    }
}

void add_to_bloom(LogsBloom& bloom, Log const& log) {
    add_to_bloom(bloom, log.contract.bytes);
    for (auto const& topic : log.topics)
        add_to_bloom(bloom, topic);
}

bool is_within(LogsBloom const& part, LogsBloom const& whole) {
    for (std::size_t i = 0; i < part.size(); ++i) {
        if ((part[i] & ~whole[i]) != 0) return false;
    }
    return true;
}

}  // namespace sycee
