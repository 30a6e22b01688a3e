#pragma once

#include <sycee/base/bytes.hpp>
#include <sycee/evm/transfer.hpp>

namespace sycee {

// The filter in a block's header over its logs (Ethereum yellow paper, section 4.3.1): each
// contract and each topic sets three of 2048 bits, named by the first three 16-bit words of its
// Keccak-256. Shape: 256 bytes, the bit 0 in the last byte.
using LogsBloom = Bytes<256>;

void add_to_bloom(LogsBloom& bloom, ByteView contract_or_topic);
void add_to_bloom(LogsBloom& bloom, Log const& log);

// True where every bit of `part` is set in `whole`.
bool is_within(LogsBloom const& part, LogsBloom const& whole);

}  // namespace sycee
