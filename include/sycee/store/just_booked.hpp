#pragma once

#include <sycee/app/ports.hpp>

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace sycee {

// What the newest events are told from, so that it need not be read back: of events about payments
// of which nothing had been booked before, since all of their records were in the hands of whoever
// committed them. They are the very values that were written; all of it may be forgotten at any
// time, and is by the end of the process. For any thread.
class JustBooked {
  public:
    static constexpr std::size_t kMost = 4'096;      // events
    static constexpr std::size_t kMostRecords = 16;  // of a payment; one with more is read back

    struct Event {
        OutboxEvent event;                       // with its number
        std::shared_ptr<Payment const> payment;  // without its words, which may change
        // All of the payment's up to the event's positions, perhaps more.
        std::shared_ptr<std::vector<JournalEntry> const> records;
    };

    // Those of a commit whose events have their numbers. To be remembered once it is known that it
    // was committed.
    static std::vector<Event> events_of(ChainCommit commit);

    // The oldest are forgotten where there are too many.
    void remember(std::vector<Event> events);
    std::optional<Event> find(MerchantId merchant_id, EventId event_id) const;

  private:
    using Key = std::pair<MerchantId, EventId>;

    mutable std::mutex mutex_;
    std::map<Key, Event> events_;
    std::deque<Key> order_;
};

}  // namespace sycee
