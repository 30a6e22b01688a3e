#pragma once

#include <sycee/app/chain_registry.hpp>
#include <sycee/app/ports.hpp>
#include <sycee/app/settings.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sycee {

// How a transfer that somebody asks about stands.
enum class FoundAs : std::uint8_t {
    booked,          // in the books; `stage` says how far
    not_read_yet,    // in a block that has not been processed
    unlisted_token,  // a token that is not configured: it credits nothing
    native_coin,     // the chain's own coin: it credits nothing
    malformed,       // a log that no ERC-20 token writes, or of nothing
    not_booked,      // a listed token in a processed block, and not in the books: to be looked into
};
std::string_view to_string(FoundAs kind);

struct FoundTransfer {
    FoundAs kind = FoundAs::not_booked;
    Address contract;  // of the token; nil for the native coin
    Address sender;    // as the log says; nil for the native coin
    Address deposit_address;
    PaymentKey payment;
    Amount amount;  // base units; of an unlisted token nobody knows how many decimals it has
    std::uint32_t log_index = 0;
    std::optional<CreditStage> stage;
    std::optional<UnappliedReason> reason;
};

// What one chain says of a transaction.
struct FoundOnChain {
    ChainId chain_id = 0;
    std::string fault;                 // the chain could not be asked
    std::optional<BlockHeader> block;  // nothing: no block of this chain has it
    bool succeeded = false;
    std::vector<FoundTransfer> transfers;  // those to our deposit addresses
};

// Finds what a transaction did to any deposit address, on every configured chain: the answer to "I
// have paid, where is my money?". Reads only; nothing is credited by it.
class TransferFinder {
  public:
    TransferFinder(Network const& network, std::map<ChainId, ChainPort*> chains, LedgerPort& ledger,
                   PaymentPort& payments, ChainRegistry const& registry)
        : network_(network),
          chains_(std::move(chains)),
          ledger_(ledger),
          payments_(payments),
          registry_(registry) {}

    Task<std::vector<FoundOnChain>> find(TransactionHash hash);

  private:
    Task<FoundOnChain> find_on(ChainSettings const& settings, TransactionHash hash);
    Task<void> look_up(ChainSettings const& settings, ReceiptLogs const& receipt,
                       std::optional<NativeTransfer> native, FoundOnChain& found);

    Network const& network_;
    std::map<ChainId, ChainPort*> chains_;
    LedgerPort& ledger_;
    PaymentPort& payments_;
    ChainRegistry const& registry_;
};

}  // namespace sycee
