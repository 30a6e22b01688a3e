#include <sycee/app/month_keeper.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>

#include <boost/system/system_error.hpp>

namespace sycee {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kBetween = 24h;  // a month is made a month ahead

}  // namespace

Task<void> MonthKeeper::run() {
    Backoff backoff(5s, 1h);
    for (;;) {
        std::chrono::milliseconds wait = kBetween;
        try {
            auto const made = co_await months_.make(clock_.now());
            if (made > 0) log_info("months", "made partitions", {{"count", made}});
            metrics_.set("sycee_months_failed", 0);
            backoff.reset();
        } catch (boost::system::system_error const&) {
            throw;  // cancelled
        } catch (std::exception const& failure) {
            log_error("months", "no partitions could be made", {{"why", failure.what()}});
            metrics_.set("sycee_months_failed", 1);
            wait = backoff.next();
        }
        co_await clock_.sleep_for(wait);
    }
}

}  // namespace sycee
