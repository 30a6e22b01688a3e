#include <sycee/app/idempotency.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>

namespace sycee {
namespace {

constexpr std::chrono::minutes kEvery{10};
constexpr std::size_t kAtOnce = 5'000;  // so that no transaction is a long one

}  // namespace

std::string subject_of(ChainId chain_id, std::uint64_t sequence) {
    return std::to_string(chain_id) + "_" + std::to_string(sequence);
}

std::string subject_of(RequestId request) {
    return to_string(request);
}

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
