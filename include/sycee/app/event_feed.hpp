#pragma once

#include <sycee/app/ports.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

// The events of a merchant in the order in which they were committed, for shops that ask for them
// rather than being told. Each has a number: from 1, without a gap. A number is seen only once all
// smaller ones are, so that whoever asks for what is after the last one that it has misses none.
namespace sycee {

// Everything that a shop can be told.
inline constexpr std::array<std::string_view, 14> kEventTypes{
    "payment.partially_paid", "payment.authorized",
    "payment.cleared",        "payment.settled",
    "payment.exception",      "payment.exception_resolved",
    "payment.moved",          "payment.reversed",
    "refund.created",         "refund.paid",
    "refund.canceled",        "funds.moved",
    "payment.canceled",       "payment.expired"};
bool is_event_type(std::string_view name);

// Why an event, or a stretch of the feed, can't be told.
enum class Untold : std::uint8_t {
    archived,      // it, or its payment, is of a month that was taken out of the database
    contradiction  // the books do not say what it tells of: somebody has to look
};
std::string_view to_string(Untold why);

struct FeedEvent {
    OutboxEvent event;
    std::optional<ToldEvent> told;     // with what its words are made of; nothing:
    Untold untold = Untold::archived;  // why not
};

// Numbers that were given to events that are not in the database any more.
struct FeedGap {
    std::uint64_t from = 0;
    std::uint64_t to = 0;  // the last one
    Untold why = Untold::archived;

    bool operator==(FeedGap const&) const = default;
};

struct FeedQuery {
    MerchantId merchant_id;
    std::optional<std::uint64_t> after;  // nothing: from the first event that is kept
    std::size_t limit = 10;
    std::set<std::string> types;  // empty: all
};

struct FeedPage {
    std::vector<FeedEvent> events;  // rising
    std::vector<FeedGap> missing;   // between them, rising
    // All up to this number has been looked at: the next page is what is after it.
    std::uint64_t next_after = 0;
    bool has_more = false;
    std::uint64_t last_sequence = 0;  // of the whole feed; 0: it is empty
};

// Of an event of the feed, as much as is read of each to find out which ones a page shows.
struct ScannedEvent {
    std::uint64_t sequence = 0;
    EventId id;
    std::string type;
};

struct PlannedPage {
    std::vector<ScannedEvent> events;
    std::vector<FeedGap> missing;
    std::uint64_t next_after = 0;
    bool has_more = false;
};

// What of the scanned events, those after query.after in their order, the page shows.
// `scanned_all`: there are no more than these up to last_sequence.
PlannedPage plan_page(FeedQuery const& query, std::vector<ScannedEvent> const& scanned,
                      bool scanned_all, std::uint64_t last_sequence);

// What was told of one payment. Numbers between them are those of other payments.
struct PaymentEvents {
    std::vector<FeedEvent> events;
    bool has_more = false;
    // Of which months, as 202611, there is nothing in the database: what was told of the payment
    // then is not among the events.
    std::vector<std::uint32_t> missing_months;
};

class EventFeedPort {
  public:
    virtual ~EventFeedPort() = default;
    virtual Task<FeedPage> read(FeedQuery query) = 0;
    // The number of the newest event; 0: there is none.
    virtual Task<std::uint64_t> last_sequence(MerchantId merchant_id) = 0;
    struct Found {
        std::optional<FeedEvent> event;  // nothing: the merchant has none with this id
        bool archived = false;           // or it was of a month that is not in the database
    };
    virtual Task<Found> find(MerchantId merchant_id, EventId id) = 0;
    virtual Task<PaymentEvents> of_payment(PaymentKey payment, std::uint64_t after,
                                           std::size_t limit) = 0;
};

}  // namespace sycee
