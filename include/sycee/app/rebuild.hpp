#pragma once

#include <sycee/app/fee_service.hpp>
#include <sycee/app/log_history.hpp>
#include <sycee/app/loss_service.hpp>
#include <sycee/app/payment_changes.hpp>
#include <sycee/app/ports.hpp>
#include <sycee/app/rebuild_comparison.hpp>
#include <sycee/app/rebuild_order.hpp>
#include <sycee/app/refund_ports.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/crypto/bip32.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sycee {

// How far the books have followed a chain.
struct BookedChain {
    ChainId id = 0;
    ProcessedBlock finalized;  // the newest final block
    Timestamp head_time{};     // of the newest block that was processed: the chain's time
    FinalityRule rule;         // the newest version
};

struct FeesSince {
    FeeSchedule schedule;
    Timestamp created_at{};
};

struct BookedMerchant {
    MerchantId id;
    ExtendedPublicKey key;
    std::vector<FeesSince> fees;  // all versions, in their order
};

struct BookedPayment {
    Payment payment;
    // Every record of the payment, and the resolutions that pay it, by chain and number.
    std::vector<JournalEntry> entries;
};

// The books that are checked: all answers are of one moment.
class RebuildSourcePort {
  public:
    virtual ~RebuildSourcePort() = default;
    virtual Task<std::vector<BookedChain>> chains() = 0;
    virtual Task<std::vector<BookedMerchant>> merchants() = 0;
    // By merchant and payment, after that one; fewer than `limit` only where there are no more.
    virtual Task<std::vector<BookedPayment>> payments(std::optional<PaymentKey> after,
                                                      std::size_t limit) = 0;
    // Those with an address whose balance is not what the books say.
    virtual Task<std::set<PaymentKey>> frozen() = 0;
    virtual Task<ResolutionReasons> reasons(MerchantId merchant_id) = 0;
    // The differences that were booked as lost, as they were found.
    virtual Task<std::vector<OpenDifference>> lost(MerchantId merchant_id) = 0;
    // The FeePayments of all merchants, by merchant, chain and number.
    virtual Task<std::vector<JournalEntry>> fee_payments() = 0;
    virtual Task<AccountBalances> balances() = 0;
};

// The new books beside their ledger: they have the merchants, fee schedules, finality rules and fee
// invoices.
class RebuildTargetPort {
  public:
    virtual ~RebuildTargetPort() = default;
    virtual Task<void> add_payments(std::vector<Payment> payments) = 0;
    // As it was found: it is open. Its payment is there.
    virtual Task<void> add_difference(OpenDifference difference) = 0;
    // In no order.
    virtual Task<std::vector<PaymentState>> states(std::vector<PaymentKey> keys) = 0;
    virtual Task<AccountBalances> balances() = 0;
};

struct RebuildReport {
    struct Chain {
        ChainId id = 0;
        BlockNumber first = 0;  // the blocks whose logs were read; none where there is no payment
        BlockNumber last = 0;
        std::uint64_t transfers = 0;  // at deposit addresses
    };
    std::vector<Chain> chains;
    std::uint64_t payments = 0;      // compared in full
    std::uint64_t decisions = 0;     // of persons, replayed
    std::uint64_t fee_payments = 0;  // whose invoice is settled in the new books as well
    // Taken out on both sides: their invoice, or what they pay for, is of a payment of which only
    // the transfers were compared.
    std::uint64_t fee_payments_left_out = 0;
    std::uint64_t ordered = 0;  // payments whose transfers were taken in the order of the books
    // Payments of which only the transfers were compared, since their place rests on more than what
    // is final.
    std::uint64_t pending = 0;             // a transfer that is not final
    std::uint64_t frozen = 0;              // an open difference to the chain
    std::uint64_t reversed = 0;            // a transfer that a reorg took away
    std::vector<std::string> differences;  // the first ones
    std::uint64_t difference_count = 0;

    bool agrees() const { return difference_count == 0; }
};

struct RebuildPorts {
    RebuildSourcePort& source;
    RebuildTargetPort& target;
    LedgerPort& ledger;          // of the target
    DeskPort& desk;              // of the target
    RefundPort& refunds;         // of the target
    LossPort& losses;            // of the target
    FeePort& fees;               // of the target
    PaymentChangePort& changes;  // of the target
    Clock& clock;
};

// Derives the books again, from the final logs of the chains and from what persons and shops have
// put in, through the same rules and the same writer that made them; then compares
// (docs/decisions/0013). Holds the deposit addresses and what came to them in memory. Used once.
class Rebuild {
  public:
    // `histories`: of each chain that the books have followed. All of it outlives this.
    Rebuild(Network const& network, std::map<ChainId, ChainHistory*> histories, RebuildPorts ports);
    Rebuild(Rebuild const&) = delete;
    Rebuild& operator=(Rebuild const&) = delete;
    ~Rebuild();

    // Throws Unavailable for a fault of a node or a database, and std::runtime_error where a chain
    // that the books have followed has no history: then nothing was compared.
    Task<RebuildReport> run();

  private:
    class Run;
    std::unique_ptr<Run> run_;
};

}  // namespace sycee
