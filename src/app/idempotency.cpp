#include <sycee/app/idempotency.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>

namespace sycee {
namespace {

constexpr std::chrono::minutes kEvery{10};
constexpr std::size_t kAtOnce = 5'000;  // so that no transaction is a long one

}  // namespace

Task<void> forget_old_keys(IdempotencyPort& keys, Clock& clock) {
    for (;;) {
        std::size_t forgotten = kAtOnce;
        try {
            while (forgotten == kAtOnce)
                forgotten = co_await keys.forget(clock.now() - kIdempotencyKeysAreKept, kAtOnce);
        } catch (Unavailable const& unavailable) {
            log_warning("api", "old idempotency keys could not be forgotten",
                        {{"why", unavailable.what()}});
        }
        co_await clock.sleep_for(kEvery);
    }
}

}  // namespace sycee
