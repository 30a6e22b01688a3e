#include <sycee/app/expiry_teller.hpp>
#include <sycee/app/payment_events.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>

#include <boost/system/system_error.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace sycee {
namespace {

using namespace std::chrono_literals;

constexpr auto kEvery = 1s;
constexpr std::size_t kAtOnce = 500;

}  // namespace

Timestamp expiry_reach(ChainProgress const& progress, Timestamp now) {
    // A payment lives for a minute at the least, by this clock: before `now` none will expire that
    // is not there.
    return std::min(progress.head_time, now);
}

std::vector<OutboxEvent> expiry_events(std::vector<ExpiringPayment> const& payments,
                                       Timestamp now) {
    std::vector<OutboxEvent> events;
    for (auto const& [state, journals] : payments) {
        // A reorg may have set a chain's clock back meanwhile: it was past the end once. What a
        // reorg took all transfers from has run out as well.
        auto const status = status_of(state, Timestamp::max());
        if (status != PaymentStatus::expired && status != PaymentStatus::reversed) continue;
        events.push_back({.id = {},
                          .merchant_id = state.payment.merchant_id,
                          .payment_id = state.payment.id,
                          .type = "payment.expired",
                          .status = status,
                          .positions = positions_of(state, journals),
                          .created_at = now});
    }
    return events;
}

Task<void> ExpiryTeller::pass(ChainId chain_id, Timestamp reach, std::set<ChainId> const& chains) {
    for (;;) {
        Timestamp const now = clock_.now();
        auto const decide = [now](std::vector<ExpiringPayment> const& payments) {
            auto events = expiry_events(payments, now);
            give_ids(events, now);
            return events;
        };
        auto const round = co_await expiries_.pass(chain_id, reach, chains, kAtOnce, decide);
        for (OutboxEvent const& event : round.events)
            feed_.publish(event.payment_id);
        if (!round.events.empty()) {
            metrics_.count("sycee_payments_expired_total", {},
                           static_cast<double>(round.events.size()));
            outbox_.notify();
        }
        if (round.passed < kAtOnce) co_return;
    }
}

Task<void> ExpiryTeller::tell() {
    ChainsProgress const progress = chains_.all();
    std::set<ChainId> chains;
    for (auto const& [chain_id, known] : progress)
        chains.insert(chain_id);
    for (auto const& [chain_id, known] : progress) {
        if (known) co_await pass(chain_id, expiry_reach(*known, clock_.now()), chains);
    }
}

Task<void> ExpiryTeller::run() {
    Backoff backoff(5s, 10min);
    for (;;) {
        std::chrono::milliseconds wait = kEvery;
        try {
            co_await tell();
            metrics_.set("sycee_expiries_failed", 0);
            backoff.reset();
        } catch (boost::system::system_error const&) {
            throw;  // cancelled
        } catch (Unavailable const& unavailable) {
            log_warning("payments", "what has expired could not be told",
                        {{"why", unavailable.what()}});
        } catch (std::exception const& failure) {
            // Nothing is booked by it: no reason to book nothing more.
            log_critical("payments", "what has expired can't be told", {{"why", failure.what()}});
            metrics_.set("sycee_expiries_failed", 1);
            wait = backoff.next();
        }
        co_await clock_.sleep_for(wait);
    }
}

}  // namespace sycee
