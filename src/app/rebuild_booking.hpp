#pragma once

#include <sycee/app/rebuild.hpp>

#include <functional>
#include <map>
#include <tuple>

namespace sycee {

// A decision of a person, or what ended a promise that was one. Numbers are others in the new
// books: a resolution comes with the transfer that it is about, a promise is found by the number
// that it had.
struct PersonsDecision {
    BookedPosition position;
    // A Resolution, Refund, RefundPayment, RefundCancellation or TokenLoss. A Cancellation is none:
    // it comes before everything of its payment.
    JournalEntry entry;
    TransferKey transfer;  // of a resolution
    bool incoming = true;
};

// What persons have put in for one merchant.
struct MerchantInputs {
    BookedMerchant booked;
    std::optional<ExtendedPublicKey> receiving;
    std::vector<PersonsDecision> decisions;
};

// What decisions rest on beside their records.
struct DecisionInputs {
    ResolutionReasons reasons;
    std::vector<OpenDifference> lost;
};

// So far may the time of a chain be from the clock of whoever put something in.
constexpr std::chrono::hours kClocks{1};

inline PaymentKey key_of(Payment const& payment) {
    return {payment.merchant_id, payment.id};
}

// The payment that a decision is about; of a resolution, the one at whose address the money is.
PaymentId payment_of(Record const& decision);

// Books into the new books what a rebuild has read, through the rules and the writer that the
// service books by.
class RebuildBooking {
  public:
    // `differs` is told what of the inputs can't be right.
    RebuildBooking(Network const& network, RebuildPorts ports,
                   std::function<void(std::string)> differs);

    // The new books begin where the old ones have got to, and stay there: every transfer that is
    // booked is final.
    Task<void> begin(BookedChain const& chain);
    // All of them in one step of each chain: the chains alone say what becomes of them.
    Task<void> book_free(MerchantInputs const& merchant, std::vector<PaymentHistory> payments);
    // What the chains alone don't decide: in the order in which the books took it, together with
    // what persons decided. What the rules don't allow in that order is not done.
    Task<void> book_ordered(MerchantInputs const& merchant, std::vector<PaymentHistory> histories,
                            DecisionInputs inputs);
    // A Cancellation, before anything of its payment is booked: when it ended is an input.
    Task<void> cancel(JournalEntry const& entry, std::string reason);
    // Whether the merchant owes in the new books what the FeePayment pays.
    Task<bool> owes(JournalEntry const& entry);
    // Books a FeePayment upon its invoice, one of `invoices`: those of which something is settled
    // in the new books. Nothing where it was booked, else why not.
    Task<std::optional<std::string>> pay_fees(JournalEntry const& entry,
                                              std::vector<UnbookedInvoice> const& invoices);
    std::uint64_t decisions() const { return decisions_; }

  private:
    struct OrderedPayment;
    struct Booking;

    Task<bool> book(Booking booking);
    Task<void> take(MerchantInputs const& merchant, OrderedPayment& payment,
                    OrderedStep const& step);
    Task<void> finish(MerchantInputs const& merchant, OrderedPayment& payment);
    Task<std::optional<std::string>> decide(MerchantInputs const& merchant,
                                            PersonsDecision const& decision,
                                            DecisionInputs const& inputs);
    Task<std::optional<std::string>> resolve(MerchantInputs const& merchant,
                                             PersonsDecision const& decision, std::string reason);
    Task<std::optional<std::string>> promise(PersonsDecision const& decision, std::string reason);
    Task<std::optional<std::string>> lose(PersonsDecision const& decision,
                                          std::vector<OpenDifference> const& lost,
                                          std::string reason);
    Result<MerchantStep> refund_step(MerchantView view, JournalEntry const& entry);
    // The number in the new books of a promise of the old ones; 0: it is not there.
    std::uint64_t promised(JournalEntry const& entry, std::uint64_t sequence) const;
    FeeSchedule fees_of(MerchantInputs const& merchant, PaymentHistory const& history);
    FeeSchedule fees_named(MerchantInputs const& merchant, FeeVersion const& named,
                           std::string const& where);
    Timestamp next_moment();

    Network const& network_;
    RebuildPorts ports_;
    std::function<void(std::string)> differs_;
    std::map<ChainId, BookedChain> chains_;
    std::map<ChainId, Lease> leases_;
    ChainsProgress progress_;
    // The numbers of promises, by those of the old books.
    std::map<std::tuple<MerchantId, ChainId, std::uint64_t>, std::uint64_t> promises_;
    Timestamp last_moment_{};
    std::uint64_t decisions_ = 0;
};

}  // namespace sycee
