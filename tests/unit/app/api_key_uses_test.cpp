// Pins: the last use of an API key is written once a minute at most, the newest one, and a database
// that is away loses none.
#include <sycee/app/api_key_uses.hpp>
#include <sycee/runtime/errors.hpp>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include <functional>
#include <run_task.hpp>
#include <utility>
#include <vector>

namespace sycee {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kStart = timestamp_from_seconds(1'800'000'000);

class LoopClock final : public Clock {
  public:
    Timestamp time = kStart;
    std::size_t most_waits = 1;
    std::function<void()> between = [] {};

    Timestamp now() const override { return time; }
    Task<void> sleep_for(std::chrono::milliseconds duration) override {
        if (--most_waits == 0)
            throw boost::system::system_error(boost::asio::error::operation_aborted);
        time += duration;
        between();
        co_return;
    }
};

class ApiKeyUsesTest : public ::testing::Test, protected ApiKeyPort {
  protected:
    Task<std::optional<ApiKey>> find(ApiKeyId) override { co_return std::nullopt; }
    Task<void> note_uses(std::vector<ApiKeyUse> uses) override {
        ++asked;
        if (fails) throw Unavailable("no database");
        for (auto const& use : uses)
            written.emplace_back(use.id, use.at - kStart);
        co_return;
    }
    void run_for(std::chrono::seconds time) {
        clock.most_waits = static_cast<std::size_t>(time / 5s) + 1;
        EXPECT_THROW(run_task(key_uses.run()), boost::system::system_error);
    }

    using Written = std::vector<std::pair<ApiKeyId, std::chrono::milliseconds>>;

    ApiKeyId const one{make_uuid_v7(kStart, {1})};
    ApiKeyId const two{make_uuid_v7(kStart, {2})};
    LoopClock clock;
    Written written;
    unsigned asked = 0;
    bool fails = false;
    ApiKeyUses key_uses{*this, clock};
};

TEST_F(ApiKeyUsesTest, the_first_use_is_written_soon_and_then_one_a_minute) {
    key_uses.note(one);
    clock.between = [this] { key_uses.note(one); };
    run_for(130s);
    EXPECT_EQ(written, (Written{{one, 0s}, {one, 60s}, {one, 120s}}));
}

TEST_F(ApiKeyUsesTest, the_newest_use_is_written_when_the_minute_is_over_and_then_nothing) {
    key_uses.note(one);
    clock.between = [this] {
        if (clock.time <= kStart + 30s) key_uses.note(one);
    };
    run_for(600s);
    EXPECT_EQ(written, (Written{{one, 0s}, {one, 30s}}));
    EXPECT_EQ(asked, 2U);
}

TEST_F(ApiKeyUsesTest, each_key_has_its_own_minute) {
    key_uses.note(one);
    clock.between = [this] {
        if (clock.time == kStart + 20s) key_uses.note(two);
        if (clock.time == kStart + 40s) key_uses.note(one);
    };
    run_for(70s);
    EXPECT_EQ(written, (Written{{one, 0s}, {two, 20s}, {one, 40s}}));
}

TEST_F(ApiKeyUsesTest, what_could_not_be_written_is_written_later) {
    fails = true;
    key_uses.note(one);
    clock.between = [this] { fails = clock.time < kStart + 15s; };
    run_for(30s);
    EXPECT_EQ(written, (Written{{one, 0s}}));
    EXPECT_EQ(asked, 4U);
}

}  // namespace
}  // namespace sycee
