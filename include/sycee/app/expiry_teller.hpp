#pragma once

#include <sycee/app/chain_registry.hpp>
#include <sycee/app/payment_feed.hpp>
#include <sycee/app/ports.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/metrics.hpp>
#include <sycee/runtime/task.hpp>

#include <cstddef>
#include <functional>
#include <set>
#include <vector>

// Tells shops that a payment ran out. Expiring is no record: nothing is booked by it, and what a
// status is told by are the clocks of the chains. So somebody has to look.
namespace sycee {

struct ExpiringPayment {
    PaymentState state;
    JournalPositions journals;  // of its merchant, at that moment
};

class ExpiryPort {
  public:
    using Decide = std::function<std::vector<OutboxEvent>(std::vector<ExpiringPayment> const&)>;
    struct Round {
        std::size_t passed = 0;           // payments that are behind this chain's place now
        std::vector<OutboxEvent> events;  // that were written
    };

    virtual ~ExpiryPort() = default;
    // Each chain has a place in the order of all payments by their expiry. Moves that of `chain_id`
    // over those that expire before `reach`, `limit` at the most. Of these, shows `decide` the ones
    // that offer the chain, that all their other chains of `chains` have passed as well, and that
    // were never covered, and writes its events: in one transaction, whatever processes do it at
    // the same time, so that each payment is shown once, by its slowest chain. `decide` is called
    // on another thread, and again where the database asks to try again. A chain that has no place
    // yet gets one at this moment.
    virtual Task<Round> pass(ChainId chain_id, Timestamp reach, std::set<ChainId> chains,
                             std::size_t limit, Decide decide) = 0;
};

// Up to where a chain's payments can be told: it has been read up to there, and no payment can be
// created any more that expires there.
Timestamp expiry_reach(ChainProgress const& progress, Timestamp now);

// Pure: an event for each of these, which all their chains have passed, if that is its end; without
// ids.
std::vector<OutboxEvent> expiry_events(std::vector<ExpiringPayment> const& payments, Timestamp now);

class ExpiryTeller {
  public:
    ExpiryTeller(ExpiryPort& expiries, ChainRegistry const& chains, Notifier& outbox,
                 PaymentFeed& feed, Clock& clock, Metrics& metrics)
        : expiries_(expiries),
          chains_(chains),
          outbox_(outbox),
          feed_(feed),
          clock_(clock),
          metrics_(metrics) {}

    // Until it is cancelled. What offers a chain that is not followed waits, and all of it while
    // the database is away.
    Task<void> run();
    // All that can be told now.
    Task<void> tell();

  private:
    Task<void> pass(ChainId chain_id, Timestamp reach, std::set<ChainId> const& chains);

    ExpiryPort& expiries_;
    ChainRegistry const& chains_;
    Notifier& outbox_;
    PaymentFeed& feed_;
    Clock& clock_;
    Metrics& metrics_;
};

}  // namespace sycee
