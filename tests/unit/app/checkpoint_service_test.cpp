// Pins: one checkpoint a day by the calendar, and one for receipts that wait, at most once a minute
// whoever asks; what can't be made is tried again and shown.
#include <sycee/app/checkpoint_service.hpp>
#include <sycee/runtime/errors.hpp>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include <receipt_fixture.hpp>
#include <run_task.hpp>
#include <string>

namespace sycee {
namespace {

using namespace std::chrono_literals;

// Goes on by itself as far as it is waited for; ends the loop after so many waits.
class LoopClock final : public Clock {
  public:
    Timestamp time = kReceiptTime;  // 08:00 UTC
    std::vector<std::chrono::milliseconds> waits;
    std::size_t most_waits = 1;

    Timestamp now() const override { return time; }
    Task<void> sleep_for(std::chrono::milliseconds duration) override {
        waits.push_back(duration);
        time += duration;
        if (waits.size() >= most_waits)
            throw boost::system::system_error(boost::asio::error::operation_aborted);
        co_return;
    }
};

class CheckpointServiceTest : public ::testing::Test,
                              protected TestReceipt,
                              protected CheckpointPort,
                              protected ReceiptPort {
  protected:
    Task<Checkpoint> make(SigningKey signing, Timestamp now) override {
        ++attempts;
        if (fault) std::rethrow_exception(fault);
        Checkpoint checkpoint{.number = made.size() + 1, .made_at = now};
        sign(checkpoint, signing);
        made.push_back(checkpoint);
        uncovered = 0;
        co_return checkpoint;
    }
    Task<std::optional<Checkpoint>> newest() override {
        if (made.empty()) co_return std::nullopt;
        co_return made.back();
    }
    Task<ReceiptMaterial> load(PaymentKey, std::size_t) override {
        ReceiptMaterial material{.receipt = receipt, .uncovered = uncovered};
        if (is_empty || uncovered > 0) material.receipt.transfers.clear();
        co_return material;
    }
    Task<std::vector<PublishedKey>> signing_keys() override {
        co_return std::vector<PublishedKey>{};
    }

    void run_for(std::size_t waits) {
        clock.most_waits = waits;
        clock.waits.clear();
        EXPECT_THROW(run_task(service.run()), boost::system::system_error);
    }
    ReceiptOutcome ask() { return run_task(service.receipt({})); }

    LoopClock clock;
    Metrics metrics;
    std::vector<Checkpoint> made;
    std::size_t attempts = 0;
    std::size_t uncovered = 0;
    bool is_empty = false;
    std::exception_ptr fault;
    bool has_key = true;
    LoadSigningKey const load_key = [this]() -> Result<SigningKey> {
        if (!has_key) return refuse("signing.key", "can't be read");
        return *key;
    };
    CheckpointService service{*this, *this, load_key, clock, metrics};
};

using State = ReceiptOutcome::State;

TEST_F(CheckpointServiceTest, makes_one_a_day_by_the_calendar) {
    run_for(17);  // to 00:00 and one hour more
    ASSERT_EQ(made.size(), 2U);
    EXPECT_EQ(made[0].made_at, kReceiptTime);
    EXPECT_EQ(made[1].made_at, std::chrono::ceil<std::chrono::days>(kReceiptTime));
    // One on demand counts for its day.
    run_for(20);
    EXPECT_EQ(made.size(), 2U);
}

TEST_F(CheckpointServiceTest, tries_again_and_shows_what_does_not_pass) {
    fault = std::make_exception_ptr(Unavailable("another process"));
    run_for(3);
    EXPECT_EQ(attempts, 3U);
    EXPECT_LE(clock.waits[0], 5s);
    EXPECT_EQ(metrics.text().find("sycee_checkpoint_failed 1"), std::string::npos);
    fault = std::make_exception_ptr(std::runtime_error("a journal is not whole"));
    run_for(1);
    EXPECT_EQ(clock.waits[0], 10min);
    EXPECT_NE(metrics.text().find("sycee_checkpoint_failed 1"), std::string::npos);
    fault = nullptr;
    has_key = false;
    run_for(1);
    EXPECT_TRUE(made.empty());
    has_key = true;
    run_for(1);
    EXPECT_EQ(made.size(), 1U);
    EXPECT_NE(metrics.text().find("sycee_checkpoint_failed 0"), std::string::npos);
}

TEST_F(CheckpointServiceTest, makes_one_for_a_receipt_that_waits_once_a_minute) {
    uncovered = 1;
    EXPECT_EQ(ask().state, State::ready);
    EXPECT_EQ(made.size(), 1U);
    uncovered = 1;
    clock.time += 45s;
    auto const waits = ask();
    EXPECT_EQ(waits.state, State::pending);
    EXPECT_EQ(waits.retry_after, 15s);
    clock.time += 15s;
    EXPECT_EQ(ask().state, State::ready);
    EXPECT_EQ(made.size(), 2U);
    EXPECT_EQ(ask().state, State::ready) << "nothing new is needed";
    EXPECT_EQ(made.size(), 2U);
}

TEST_F(CheckpointServiceTest, keeps_the_pace_where_making_fails_and_where_the_clock_was_set_back) {
    uncovered = 1;
    fault = std::make_exception_ptr(Unavailable("away"));
    EXPECT_EQ(ask().state, State::pending);
    EXPECT_EQ(ask().state, State::pending);
    EXPECT_EQ(attempts, 1U);
    fault = nullptr;
    clock.time += 1min;
    EXPECT_EQ(ask().state, State::ready);
    made.back().made_at += std::chrono::hours(240);  // by a process whose clock was wrong
    uncovered = 1;
    EXPECT_EQ(ask().state, State::pending);
    clock.time += 1min;
    EXPECT_EQ(ask().state, State::ready);
}

TEST_F(CheckpointServiceTest, has_no_receipt_of_what_is_not_settled_or_without_a_key) {
    is_empty = true;
    EXPECT_EQ(ask().state, State::none_settled);
    CheckpointService off(*this, *this, {}, clock, metrics);
    EXPECT_FALSE(off.makes_checkpoints());
    uncovered = 1;
    EXPECT_EQ(run_task(off.receipt({})).state, State::off);
    is_empty = false;
    uncovered = 0;
    EXPECT_EQ(run_task(off.receipt({})).state, State::ready) << "what was signed before stands";
}

}  // namespace
}  // namespace sycee
