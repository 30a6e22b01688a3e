#include <sycee/app/api_key_uses.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>

#include <utility>

namespace sycee {
namespace {

using namespace std::chrono_literals;

constexpr auto kEvery = 5s;      // looks what is to be written
constexpr auto kOfOneKey = 60s;  // from one write to the next
constexpr std::size_t kAtOnce = 1'000;

}  // namespace

Task<void> ApiKeyUses::run() {
    for (;;) {
        try {
            co_await write_due();
        } catch (Unavailable const& unavailable) {
            log_warning("api", "the last uses of API keys could not be written",
                        {{"why", unavailable.what()}});
        }
        co_await clock_.sleep_for(kEvery);
    }
}

Task<void> ApiKeyUses::write_due() {
    Timestamp const now = clock_.now();
    std::vector<ApiKeyUse> due;
    for (auto it = uses_.begin(); it != uses_.end();) {
        auto const& [id, use] = *it;
        bool const may_be_written = now - use.written_at >= kOfOneKey;
        bool const is_written = use.written == use.used_at;
        if (is_written && may_be_written) {
            it = uses_.erase(it);  // nothing to remember
            continue;
        }
        if (!is_written && may_be_written && due.size() < kAtOnce) due.push_back({id, use.used_at});
        ++it;
    }
    if (due.empty()) co_return;
    co_await keys_.note_uses(due);
    for (auto const& [id, at] : due) {
        Use& use = uses_[id];
        use.written = at;
        use.written_at = now;
    }
}

}  // namespace sycee
