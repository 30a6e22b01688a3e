#include <sycee/app/payment_feed.hpp>

namespace sycee {

std::shared_ptr<Notifier> PaymentFeed::notifier(PaymentId id) {
    std::erase_if(notifiers_, [](auto const& entry) { return entry.second.expired(); });
    auto& slot = notifiers_[id];
    auto notifier = slot.lock();
    if (!notifier) {
        notifier = std::make_shared<Notifier>(executor_);
        slot = notifier;
    }
    return notifier;
}

void PaymentFeed::publish(PaymentId id) {
    auto const found = notifiers_.find(id);
    if (found == notifiers_.end()) return;
    if (auto const notifier = found->second.lock()) notifier->notify();
}

PaymentFeed::Subscription::Subscription(PaymentFeed& feed, PaymentId id)
    : notifier_(feed.notifier(id)), seen_(notifier_->generation()) {}

Task<void> PaymentFeed::Subscription::next(std::chrono::milliseconds limit) {
    co_await notifier_->wait_after(seen_, limit);
    seen_ = notifier_->generation();
}

}  // namespace sycee
