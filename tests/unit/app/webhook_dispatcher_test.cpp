// Pins: a shop gets its events one after the other, oldest first, and no shop holds up another's.
#include <sycee/app/webhook_dispatcher.hpp>
#include <sycee/base/assert.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/task_group.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <run_task.hpp>

namespace sycee {
namespace {

using namespace std::chrono_literals;

MerchantId merchant(std::uint8_t number) {
    return {make_uuid_v7(timestamp_from_seconds(1), {0, 0, 0, number})};
}

class FakeClock final : public Clock {
  public:
    Timestamp now() const override { return time; }
    Task<void> sleep_for(std::chrono::milliseconds) override {
        return SystemClock().sleep_for(1ms);
    }

    Timestamp time = timestamp_from_seconds(1'700'000'000);
};

class FakeOutbox final : public OutboxPort {
  public:
    void add(std::uint8_t number) {
        auto const id = make_uuid_v7(timestamp_from_seconds(2), {0, 0, 0, ++events_});
        PendingDelivery delivery;
        delivery.told.event.id = {id};
        delivery.told.event.merchant_id = merchant(number);
        rows[events_] = {delivery, Timestamp{}};
    }

    Task<std::vector<PendingDelivery>> due(std::vector<MerchantId> beside, Timestamp now,
                                           std::size_t limit) override {
        if (away) throw Unavailable("away");
        std::vector<PendingDelivery> due;
        for (auto const& [number, row] : rows) {
            auto const& [delivery, at] = row;
            if (due.size() == limit || at > now) continue;
            if (std::ranges::count(beside, delivery.told.event.merchant_id) != 0) continue;
            due.push_back(delivery);
        }
        co_return due;
    }
    Task<void> record(DeliveryAttempt attempt) override {
        ensure(!broken, "the books are wrong");
        for (auto& [number, row] : rows) {
            if (row.first.told.event.id != attempt.event_id) continue;
            row.first.attempts = attempt.attempt;
            row.second = attempt.next_attempt_at.value_or(Timestamp::max());
        }
        co_return;
    }

    std::map<std::uint8_t, std::pair<PendingDelivery, Timestamp>> rows;
    bool away = false;
    bool broken = false;

  private:
    std::uint8_t events_ = 0;
};

// Shops that answer at once, except those that hang.
class FakeShops final : public WebhookPort {
  public:
    explicit FakeShops(Executor const& executor) : release_(executor) {}

    Task<WebhookAnswer> send(PendingDelivery const& delivery, std::string, Timestamp) override {
        MerchantId const id = delivery.told.event.merchant_id;
        sent[id].push_back(delivery.told.event.id);
        most_at_once = std::max(most_at_once, ++at_once_);
        ++open_[id];
        EXPECT_EQ(open_[id], 1) << "one event of a shop at a time";
        auto const status = answers.contains(id) ? answers[id] : 200U;
        if (hanging.contains(id)) co_await release_.wait_after(release_.generation(), 1h);
        --open_[id];
        --at_once_;
        co_return WebhookAnswer{.status = status, .error = {}};
    }
    void release() {
        hanging.clear();
        release_.notify();
    }

    std::map<MerchantId, std::vector<EventId>> sent;
    std::map<MerchantId, unsigned> answers;
    std::map<MerchantId, bool> hanging;
    int most_at_once = 0;

  private:
    Notifier release_;
    std::map<MerchantId, int> open_;
    int at_once_ = 0;
};

class WebhookDispatcherTest : public ::testing::Test {
  protected:
    ~WebhookDispatcherTest() override {
        tasks_.cancel();
        run_task(io_, tasks_.join(0ms));
    }

    void start() {
        tasks_.spawn("dispatcher", dispatcher_.run(), [this] { failed_ = true; });
    }
    void wake() { wake_.notify(); }
    std::size_t sent(std::uint8_t number) { return shops_.sent[merchant(number)].size(); }
    void run_ready() {
        io_.restart();
        io_.poll();
    }

    boost::asio::io_context io_{1};
    FakeClock clock_;
    FakeOutbox outbox_;
    FakeShops shops_{io_.get_executor()};
    Notifier wake_{io_.get_executor()};
    Metrics metrics_;
    Network network_{.chains = {}, .public_url = "http://pay.example"};
    WebhookDispatcher dispatcher_{outbox_, shops_, network_, wake_, clock_, metrics_};
    TaskGroup tasks_{io_.get_executor(), 1};
    bool failed_ = false;
};

TEST_F(WebhookDispatcherTest, a_shop_that_hangs_holds_up_no_other) {
    for (int i = 0; i < 100; ++i)
        outbox_.add(1);
    shops_.hanging[merchant(1)] = true;
    outbox_.add(2);
    start();
    run_until(io_, [this] { return sent(2) == 1; });
    outbox_.add(3);
    outbox_.add(2);
    wake();
    run_until(io_, [this] { return sent(2) == 2 && sent(3) == 1; });
    EXPECT_EQ(sent(1), 1U);
}

TEST_F(WebhookDispatcherTest, a_shop_gets_its_events_in_order_each_once) {
    std::vector<EventId> expected;
    for (int i = 0; i < 90; ++i)
        outbox_.add(static_cast<std::uint8_t>(i % 3));
    for (auto const& [number, row] : outbox_.rows) {
        if (row.first.told.event.merchant_id == merchant(1))
            expected.push_back(row.first.told.event.id);
    }
    start();
    run_until(io_, [this] { return sent(0) + sent(1) + sent(2) == 90; });
    run_ready();
    EXPECT_EQ(shops_.sent[merchant(1)], expected);
}

TEST_F(WebhookDispatcherTest, so_many_shops_and_no_more_at_once) {
    for (std::uint8_t number = 0; number < 100; ++number) {
        outbox_.add(number);
        shops_.hanging[merchant(number)] = true;
    }
    start();
    run_until(io_, [this] { return shops_.most_at_once == 32; });
    run_ready();
    EXPECT_EQ(shops_.most_at_once, 32);
    shops_.release();
    run_until(io_, [this] { return shops_.sent.size() == 100; });
    EXPECT_EQ(shops_.most_at_once, 32);
}

TEST_F(WebhookDispatcherTest, a_shop_that_does_not_answer_is_left_alone_for_a_while) {
    for (int i = 0; i < 4; ++i)
        outbox_.add(1);
    shops_.answers[merchant(1)] = 0;
    outbox_.add(2);
    start();
    run_until(io_, [this] { return sent(2) == 1; });
    run_ready();
    wake();
    run_ready();
    EXPECT_EQ(sent(1), 1U) << "its other events wait too";
    clock_.time += 5s;
    wake();
    run_until(io_, [this] { return sent(1) == 2; });
    clock_.time += 5s;
    wake();
    run_ready();
    EXPECT_EQ(sent(1), 2U) << "longer each time";
    shops_.answers.clear();
    clock_.time += 5s;
    wake();
    run_until(io_, [this] { return sent(1) == 5; });
}

TEST_F(WebhookDispatcherTest, an_answer_that_refuses_holds_up_nothing) {
    for (int i = 0; i < 3; ++i)
        outbox_.add(1);
    shops_.answers[merchant(1)] = 500;
    start();
    run_until(io_, [this] { return sent(1) == 3; });
}

TEST_F(WebhookDispatcherTest, goes_on_when_the_database_is_back) {
    outbox_.away = true;
    outbox_.add(1);
    start();
    run_ready();
    outbox_.away = false;
    run_until(io_, [this] { return sent(1) == 1; });
    EXPECT_FALSE(failed_);
}

TEST_F(WebhookDispatcherTest, a_fault_that_does_not_pass_ends_it) {
    outbox_.broken = true;
    outbox_.add(1);
    shops_.hanging[merchant(2)] = true;
    outbox_.add(2);
    start();
    run_until(io_, [this] { return tasks_.size() == 0; });
    EXPECT_TRUE(failed_);
}

TEST_F(WebhookDispatcherTest, a_cancellation_ends_what_is_under_way) {
    shops_.hanging[merchant(1)] = true;
    outbox_.add(1);
    start();
    run_until(io_, [this] { return sent(1) == 1; });
    tasks_.cancel();
    run_until(io_, [this] { return tasks_.size() == 0; });
    EXPECT_FALSE(failed_);
}

}  // namespace
}  // namespace sycee
