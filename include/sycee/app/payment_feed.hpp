#pragma once

#include <sycee/base/id.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/task.hpp>

#include <chrono>
#include <map>
#include <memory>

namespace sycee {

// Tells the open checkout pages of a payment that it changed. In memory: a page that misses a word
// reads the state again on its own.
class PaymentFeed {
  public:
    explicit PaymentFeed(Executor executor) : executor_(std::move(executor)) {}

    void publish(PaymentId id);

    // One page's interest in one payment, from construction on.
    class Subscription {
      public:
        Subscription(PaymentFeed& feed, PaymentId id);
        // Returns at the first change since construction or since the last return, or after
        // `limit`.
        Task<void> next(std::chrono::milliseconds limit);

      private:
        std::shared_ptr<Notifier> notifier_;
        std::uint64_t seen_;
    };

  private:
    std::shared_ptr<Notifier> notifier(PaymentId id);

    Executor executor_;
    std::map<PaymentId, std::weak_ptr<Notifier>> notifiers_;
};

}  // namespace sycee
