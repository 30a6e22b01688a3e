#pragma once

#include <sycee/app/settings.hpp>
#include <sycee/app/transfer_finder.hpp>

#include <string>

namespace sycee {

// What a TransferFinder found, in words for operators.

// Whether the chain has the transaction: "in block 42".
std::string chain_text(FoundOnChain const& found);

// "50.000000 USDT", "0.5 of the chain's own coin"
std::string found_amount(FoundTransfer const& found, ChainId chain_id, Network const& network);

// What it means, and what can be done.
std::string advice(FoundTransfer const& found);

}  // namespace sycee
