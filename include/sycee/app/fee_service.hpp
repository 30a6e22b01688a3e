#pragma once

#include <sycee/app/chain_registry.hpp>
#include <sycee/app/payment_service.hpp>
#include <sycee/app/ports.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/base/result.hpp>
#include <sycee/runtime/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Fee invoices: how a merchant pays what it owes the operator (docs/ledger.md, "Paying fees").
namespace sycee {

// What a merchant owes in one token on one chain.
struct FeesOwed {
    ChainId chain_id = 0;
    Address token;
    Amount owed;         // operator_fee
    Amount not_settled;  // of it, of what is cleared and could still be reversed
};

// Fees that a merchant was asked for: in one token on one chain, by a payment of the operator's own
// merchant.
struct FeeInvoice {
    MerchantId merchant_id;  // who owes
    PaymentKey payment;      // the invoice
    ChainId chain_id = 0;
    Address token;
    Amount amount;  // of operator_fee
    Timestamp created_at{};
    std::uint64_t paid_sequence = 0;  // of the FeePayment that names it; 0: none
};

enum class InvoiceStage : std::uint8_t {
    open,     // may still be paid, or is, and not for good yet
    paid,     // for good
    expired,  // unpaid: its fees may be asked for again
};
std::string_view to_string(InvoiceStage stage);
// By the status of the invoice's payment; `is_over`: the chains are past its end.
InvoiceStage stage_of(PaymentStatus status, bool is_over);

// What of the fees may be invoiced: settled, and of no invoice that is open, or paid and not
// booked. In whole minor units of the currency; the rest waits. Pure.
Amount invoiceable(FeesOwed const& owed, Amount in_invoices, unsigned currency_decimals,
                   unsigned token_decimals);

// One merchant's fees in one token on one chain over some time: opening + accrued - reversed - paid
// is the closing balance of operator_fee.
struct FeeStatement {
    ChainId chain_id = 0;
    Address token;
    Amount opening;
    Amount accrued;   // by clearings and at the desk
    Amount reversed;  // with clearings that a reorg took away
    Amount paid;

    Amount closing() const { return opening + accrued - reversed - paid; }
};

struct InvoiceView {
    FeeInvoice invoice;
    InvoiceStage stage = InvoiceStage::open;
    Payment payment;
};

// An invoice that no FeePayment names yet, and of whose payment something is settled.
struct UnbookedInvoice {
    FeeInvoice invoice;
    // Of the payment's newest settlement that stands; where it has none, of what the desk gave it.
    Bytes32 evidence{};
};

// What is written when an invoice was paid: one transaction, or nothing.
struct FeeCommit {
    HeadMove head;
    ChainId chain_id = 0;
    std::vector<JournalEntry> entries;  // one FeePayment
};

class FeePort {
  public:
    virtual ~FeePort() = default;
    // The operator's own merchant; nothing where none was named.
    virtual Task<std::optional<MerchantId>> recipient() = 0;
    // Refused: a merchant that does not exist.
    virtual Task<Result<void>> set_recipient(MerchantId merchant_id, Timestamp now) = 0;
    virtual Task<std::optional<std::string>> merchant_name(MerchantId merchant_id) = 0;
    virtual Task<std::vector<FeesOwed>> owed(MerchantId merchant_id) = 0;
    // Newest first, older than `after`.
    virtual Task<std::vector<FeeInvoice>> invoices(MerchantId merchant_id,
                                                   std::optional<PaymentId> after,
                                                   std::size_t limit) = 0;
    // Those that are not booked as paid, newest first.
    virtual Task<std::vector<FeeInvoice>> unpaid(MerchantId merchant_id, std::size_t limit) = 0;
    // False where the merchant has another number of invoices of that token by now: somebody else
    // made one meanwhile.
    virtual Task<bool> add(FeeInvoice invoice, std::size_t known) = 0;
    virtual Task<std::size_t> count(MerchantId merchant_id, ChainId chain_id, Address token) = 0;
    // Newest first.
    virtual Task<std::vector<UnbookedInvoice>> unbooked(std::size_t limit) = 0;
    // Throws Unavailable where the journal or the evidence is not as it was.
    virtual Task<void> commit(FeeCommit commit) = 0;
    // Of all time, or of [begin, end).
    virtual Task<std::vector<FeeStatement>> statement(
        MerchantId merchant_id, std::optional<std::pair<Timestamp, Timestamp>> period) = 0;
};

// The use cases of fees that are paid.
class FeeService {
  public:
    FeeService(FeePort& fees, PaymentService& payments, LedgerPort& ledger, Network const& network,
               ChainRegistry const& chains, Clock& clock)
        : fees_(fees),
          payments_(payments),
          ledger_(ledger),
          network_(network),
          chains_(chains),
          clock_(clock) {}

    // Makes an invoice for each chain and token in which anything may be invoiced, or for the one
    // that is named; none where nothing is due. `field` of a refusal: "merchant", "recipient".
    Task<Result<std::vector<InvoiceView>>> invoice(MerchantId merchant_id,
                                                   std::optional<ChainId> chain_id,
                                                   std::optional<Address> token);
    // Newest first, older than `after`.
    Task<std::vector<InvoiceView>> list(MerchantId merchant_id, std::optional<PaymentId> after,
                                        std::size_t limit);
    // What of each token's fees could be invoiced now.
    Task<std::vector<std::pair<FeesOwed, Amount>>> due(MerchantId merchant_id);

    // Books each invoice whose payment is settled for good and that is not booked yet: how many.
    // Where other fees were paid in the place of an expired invoice that is paid after all, it
    // waits until as much is owed again, of what is settled.
    Task<std::size_t> book_paid();
    // The same, again and again. Ends only by cancellation.
    Task<void> run();

  private:
    Task<std::optional<InvoiceView>> view_of(FeeInvoice invoice);
    Task<Amount> in_invoices(std::vector<FeeInvoice> const& unbooked, FeesOwed const& owed);
    Task<Result<InvoiceView>> make(MerchantId merchant_id, std::string merchant_name,
                                   MerchantId recipient, FeesOwed owed, Amount amount,
                                   std::size_t known);
    // None where the merchant has no such account.
    Task<FeesOwed> owed_in(MerchantId merchant_id, ChainId chain_id, Address token);
    Task<bool> book(UnbookedInvoice unbooked);

    FeePort& fees_;
    PaymentService& payments_;
    LedgerPort& ledger_;
    Network const& network_;
    ChainRegistry const& chains_;
    Clock& clock_;
};

}  // namespace sycee
