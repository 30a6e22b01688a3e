#pragma once

#include <sycee/app/chain_registry.hpp>
#include <sycee/app/ports.hpp>
#include <sycee/app/settings.hpp>

#include <map>
#include <memory>
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
    Timestamp first_seen_time{};  // of its block, or of an earlier one that a reorg took away

    // Of one that is booked.
    std::optional<CreditStage> stage;
    std::optional<UnappliedReason> reason;
    std::optional<DeskKey> exception;  // what of it is on the exceptions desk, or was
    Amount excess;                     // that much of it
    Amount resolved;                   // of the excess: what was decided
};

// What one chain says of a transaction.
struct FoundOnChain {
    ChainId chain_id = 0;
    std::string fault;                 // the chain could not be asked
    std::optional<BlockHeader> block;  // nothing: no block of this chain has it
    bool succeeded = false;
    std::vector<FoundTransfer> transfers;  // those to our deposit addresses, at most a hundred
    bool has_more = false;                 // more of them than that
};

// Finds what a transaction did to any deposit address, on every configured chain: the answer to "I
// have paid, where is my money?". Reads only; nothing is credited by it.
class TransferFinder {
  public:
    TransferFinder(Executor executor, Network const& network, std::map<ChainId, ChainPort*> chains,
                   LedgerPort& ledger, PaymentPort& payments, ChainRegistry const& registry)
        : executor_(std::move(executor)),
          network_(network),
          chains_(std::move(chains)),
          ledger_(ledger),
          payments_(payments),
          registry_(registry) {}

    // In the order of the configuration. A chain that does not answer within some seconds is one
    // that could not be asked. Throws Unavailable where the books can't be read.
    Task<std::vector<FoundOnChain>> find(TransactionHash hash);
    // As find(), and whatever went to another address than this one is left out.
    Task<std::vector<FoundOnChain>> find_at(WatchedAddress address, TransactionHash hash);

  private:
    using Owners = std::map<Address, PaymentKey>;
    // What the nodes of one chain answered.
    struct Answer {
        std::string fault;
        std::optional<ReceiptLogs> receipt;
        std::optional<NativeTransfer> native;
    };
    using Answers = std::vector<Answer>;

    Task<std::vector<FoundOnChain>> look_up(TransactionHash hash,
                                            std::optional<WatchedAddress> only);
    Task<std::shared_ptr<Answers>> ask_all(TransactionHash hash);
    Task<void> ask(ChainPort& chain, TransactionHash hash, std::shared_ptr<Answers> answers,
                   std::size_t index);
    Task<Owners> owners_of(Answer const& answer, std::optional<WatchedAddress> only);
    Task<FoundOnChain> describe(ChainSettings const& settings, Answer const& answer,
                                std::optional<WatchedAddress> only);
    Task<void> note_books(FoundOnChain& found, std::vector<TransferKey> const& keys);
    Task<bool> is_processed(ChainId chain_id, BlockHeader block);

    Executor executor_;
    Network const& network_;
    std::map<ChainId, ChainPort*> chains_;
    LedgerPort& ledger_;
    PaymentPort& payments_;
    ChainRegistry const& registry_;
};

}  // namespace sycee
