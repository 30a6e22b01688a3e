#include <sycee/app/checkpoint_service.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>

#include <boost/system/system_error.hpp>

#include <algorithm>
#include <stdexcept>

namespace sycee {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostTransfers = 100;
constexpr std::chrono::seconds kLeastPause = 60s;  // between those that are made on demand
constexpr std::chrono::seconds kSoon = 2s;         // one is being made
constexpr std::chrono::milliseconds kLongestWait = 1h;
constexpr std::chrono::milliseconds kAfterFailure = 10min;

std::chrono::milliseconds until_tomorrow(Timestamp now) {
    auto const today = std::chrono::floor<std::chrono::days>(now);
    return today + std::chrono::days(1) - now;
}

// What is left of the pause after `before`; zero where that lies in the future, as a clock that was
// set back makes it look.
std::chrono::seconds pause_left(std::optional<Timestamp> before, Timestamp now) {
    if (!before || now < *before || now - *before >= kLeastPause) return 0s;
    return std::chrono::ceil<std::chrono::seconds>(kLeastPause - (now - *before));
}

}  // namespace

Task<void> CheckpointService::run() {
    Backoff backoff(5s, 5min);
    for (;;) {
        std::chrono::milliseconds wait = kLongestWait;
        try {
            auto const newest = co_await checkpoints_.newest();
            Timestamp const now = clock_.now();
            bool const is_due = !newest || std::chrono::floor<std::chrono::days>(newest->made_at) <
                                               std::chrono::floor<std::chrono::days>(now);
            if (is_due) co_await make();
            metrics_.set("sycee_checkpoint_failed", 0);
            backoff.reset();
            wait = std::min(kLongestWait, until_tomorrow(now));
        } catch (boost::system::system_error const&) {
            throw;  // cancelled
        } catch (Unavailable const& failure) {
            log_warning("checkpoints", "waits to make a checkpoint", {{"why", failure.what()}});
            wait = backoff.next();
        } catch (std::exception const& failure) {
            log_error("checkpoints", "no checkpoint could be made", {{"why", failure.what()}});
            metrics_.set("sycee_checkpoint_failed", 1);
            wait = kAfterFailure;
        }
        co_await clock_.sleep_for(wait);
    }
}

Task<void> CheckpointService::make() {
    auto const key = load_key_();
    if (!key) throw std::runtime_error(to_string(key.error()));
    struct Making {
        bool& flag;
        explicit Making(bool& making) : flag(making) { flag = true; }
        Making(Making const&) = delete;
        Making& operator=(Making const&) = delete;
        ~Making() { flag = false; }
    } const making(making_);
    last_attempt_ = clock_.now();
    auto const made = co_await checkpoints_.make(*key, *last_attempt_);
    metrics_.count("sycee_checkpoints_total");
    log_info("checkpoints", "made",
             {{"number", made.number},
              {"journals", made.journal_count},
              {"hash", to_hex(hash_of(made))}});
}

Task<std::chrono::seconds> CheckpointService::wait_for_turn() {
    if (making_) co_return kSoon;
    auto const newest = co_await checkpoints_.newest();
    if (making_) co_return kSoon;
    std::optional<Timestamp> made_at;
    if (newest) made_at = newest->made_at;
    Timestamp const now = clock_.now();
    co_return std::max(pause_left(made_at, now), pause_left(last_attempt_, now));
}

Task<ReceiptOutcome> CheckpointService::receipt(PaymentKey payment) {
    using State = ReceiptOutcome::State;
    auto material = co_await receipts_.load(payment, kMostTransfers);
    if (material.uncovered > 0) {
        if (!makes_checkpoints()) co_return ReceiptOutcome{.state = State::off};
        auto const wait = co_await wait_for_turn();
        if (wait > 0s) co_return ReceiptOutcome{.state = State::pending, .retry_after = wait};
        bool is_made = false;
        try {
            co_await make();
            is_made = true;
        } catch (Unavailable const& failure) {
            log_warning("checkpoints", "a receipt waits", {{"why", failure.what()}});
        }
        if (!is_made) co_return ReceiptOutcome{.state = State::pending, .retry_after = kLeastPause};
        material = co_await receipts_.load(payment, kMostTransfers);
        if (material.uncovered > 0)
            co_return ReceiptOutcome{.state = State::pending, .retry_after = kLeastPause};
    }
    if (material.receipt.transfers.empty()) co_return ReceiptOutcome{.state = State::none_settled};
    co_return ReceiptOutcome{.state = State::ready, .receipt = std::move(material.receipt)};
}

}  // namespace sycee
