#pragma once

#include <sycee/app/event_feed.hpp>
#include <sycee/store/database.hpp>

#include <memory>

namespace sycee {

class LastSequenceReader;

class PgEventFeed final : public EventFeedPort {
  public:
    explicit PgEventFeed(Database& database);
    PgEventFeed(PgEventFeed const&) = delete;
    PgEventFeed& operator=(PgEventFeed const&) = delete;
    ~PgEventFeed() override;

    Task<FeedPage> read(FeedQuery query) override;
    Task<std::uint64_t> last_sequence(MerchantId merchant_id) override;
    Task<Found> find(MerchantId merchant_id, EventId id) override;
    Task<PaymentEvents> of_payment(PaymentKey payment, std::uint64_t after,
                                   std::size_t limit) override;

  private:
    Database& database_;
    std::unique_ptr<LastSequenceReader> last_;
};

}  // namespace sycee
