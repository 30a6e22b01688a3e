#pragma once

#include <sycee/app/event_feed.hpp>

#include <functional>
#include <map>
#include <vector>

namespace sycee {

// The feeds of merchants in memory.
class MemoryEvents final : public EventFeedPort {
  public:
    std::map<MerchantId, std::vector<FeedEvent>> feeds;  // in their order
    std::map<MerchantId, std::uint64_t> last;            // where the newest are missing
    std::exception_ptr fault;                            // of the next reading
    bool archived = false;                               // what is not there
    std::vector<std::uint32_t> missing_months;
    std::vector<FeedQuery> queries;

    FeedEvent& add(MerchantId merchant_id, std::uint64_t sequence, std::string type,
                   PaymentId payment_id) {
        FeedEvent& added = feeds[merchant_id].emplace_back();
        added.event.id.uuid = make_uuid_v7(timestamp_from_seconds(1'800'000'000),
                                           {static_cast<std::uint8_t>(sequence), 7});
        added.event.merchant_id = merchant_id;
        added.event.payment_id = payment_id;
        added.event.type = std::move(type);
        added.event.created_at = timestamp_from_seconds(1'800'000'000);
        added.event.sequence = sequence;
        ToldEvent told{.event = added.event, .state = {}, .record_hash = {}, .moved = {}};
        told.state.payment.merchant_id = merchant_id;
        told.state.payment.id = payment_id;
        told.state.payment.currency = "USD";
        told.state.version = sequence;
        added.told = std::move(told);
        last[merchant_id] = sequence;
        return added;
    }

    Task<FeedPage> read(FeedQuery query) override {
        queries.push_back(query);
        if (auto const thrown = std::exchange(fault, nullptr)) std::rethrow_exception(thrown);
        std::map<std::uint64_t, FeedEvent> by_sequence;
        std::vector<ScannedEvent> scanned;
        for (FeedEvent const& event : feeds[query.merchant_id]) {
            if (event.event.sequence <= query.after.value_or(0)) continue;
            by_sequence.emplace(event.event.sequence, event);
            scanned.push_back({event.event.sequence, event.event.id, event.event.type});
        }
        auto const plan = plan_page(query, scanned, true, last[query.merchant_id]);
        FeedPage page{.events = {},
                      .missing = plan.missing,
                      .next_after = plan.next_after,
                      .has_more = plan.has_more,
                      .last_sequence = last[query.merchant_id]};
        for (ScannedEvent const& event : plan.events)
            page.events.push_back(by_sequence.at(event.sequence));
        co_return page;
    }
    Task<std::uint64_t> last_sequence(MerchantId merchant_id) override {
        co_return last[merchant_id];
    }
    Task<Found> find(MerchantId merchant_id, EventId id) override {
        for (FeedEvent const& event : feeds[merchant_id]) {
            if (event.event.id == id) co_return Found{.event = event};
        }
        co_return Found{.archived = archived};
    }
    Task<PaymentEvents> of_payment(PaymentKey payment, std::uint64_t after,
                                   std::size_t limit) override {
        PaymentEvents found{.events = {}, .missing_months = missing_months};
        for (FeedEvent const& event : feeds[payment.first]) {
            if (event.event.payment_id != payment.second || event.event.sequence <= after) continue;
            found.has_more = found.events.size() == limit;
            if (found.has_more) break;
            found.events.push_back(event);
        }
        co_return found;
    }
};

}  // namespace sycee
