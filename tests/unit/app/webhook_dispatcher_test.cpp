// Pins: an endpoint gets a payment's events one after the other, oldest first, and holds up no
// other; one that is silent, asks for a pause or is gone is left alone.
#include <sycee/app/webhook_dispatcher.hpp>
#include <sycee/base/assert.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/task_group.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <run_task.hpp>
#include <utility>

namespace sycee {
namespace {

using namespace std::chrono_literals;

WebhookEndpointId endpoint(std::uint8_t number) {
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
    // An event whose delivery is still to be made.
    void mark(std::uint8_t number) { marked_.push_back(number); }
    void add(std::uint8_t number, std::uint8_t payment = 0) {
        PendingDelivery delivery;
        delivery.told.event.id = {make_uuid_v7(timestamp_from_seconds(2), {0, 0, 0, ++events_})};
        delivery.told.event.payment_id = {make_uuid_v7(timestamp_from_seconds(3), {payment})};
        delivery.told.event.type = "payment.settled";
        delivery.endpoint_id = endpoint(number);
        rows[events_] = {delivery, Timestamp{}};
    }

    Task<std::size_t> fan_out(Timestamp, std::size_t) override {
        if (away || makes_none) throw Unavailable("away");
        for (std::uint8_t const number : marked_)
            add(number);
        co_return std::exchange(marked_, {}).size();
    }
    Task<std::vector<PendingDelivery>> due(std::vector<WebhookEndpointId> beside, Timestamp now,
                                           std::size_t limit) override {
        if (away) throw Unavailable("away");
        std::vector<PendingDelivery> due;
        for (auto const& [number, row] : rows) {
            auto const& [delivery, at] = row;
            if (due.size() == limit || at > now) continue;
            if (std::ranges::count(beside, delivery.endpoint_id) != 0) continue;
            due.push_back(delivery);
        }
        co_return due;
    }
    Task<void> record(std::vector<DeliveryAttempt> attempts) override {
        ensure(!broken, "the books are wrong");
        for (DeliveryAttempt const& attempt : attempts) {
            recorded.push_back(attempt);
            for (auto& [number, row] : rows) {
                bool const is_gone =
                    attempt.endpoint_is_gone && row.first.endpoint_id == attempt.key.endpoint_id;
                if (is_gone) row.second = Timestamp::max();
                if (row.first.key() != attempt.key) continue;
                row.first.attempts = attempt.attempt;
                row.first.failures = attempt.delivered ? 0 : row.first.failures + 1;
                row.second = attempt.next_attempt_at.value_or(Timestamp::max());
            }
        }
        co_return;
    }

    std::vector<DeliveryAttempt> recorded;
    std::map<std::uint8_t, std::pair<PendingDelivery, Timestamp>> rows;
    bool away = false;
    bool makes_none = false;  // away for that alone
    bool broken = false;

  private:
    std::uint8_t events_ = 0;
    std::vector<std::uint8_t> marked_;  // endpoints
};

// Shops that answer at once, except those that hang.
class FakeShops final : public WebhookPort {
  public:
    explicit FakeShops(Executor const& executor) : release_(executor) {}

    Task<WebhookAnswer> send(PendingDelivery const& delivery, std::string, Timestamp,
                             std::unique_ptr<Kept>&) override {
        WebhookEndpointId const id = delivery.endpoint_id;
        sent[id].push_back(delivery.told.event.id);
        most_at_once = std::max(most_at_once, ++at_once_);
        most_of_one = std::max(most_of_one, ++open_[id]);
        int& of_payment = of_payment_[{id, delivery.told.event.payment_id}];
        EXPECT_EQ(++of_payment, 1) << "one event of a payment at a time";
        auto answer =
            answers.contains(id) ? answers[id] : WebhookAnswer{.status = 200, .error = {}};
        bool const waits =
            hanging.contains(id) || (hangs_after > 0 && sent[id].size() > hangs_after);
        if (waits) co_await release_.wait_after(release_.generation(), 1h);
        --open_[id];
        --at_once_;
        --of_payment;
        co_return answer;
    }
    void release() {
        hanging.clear();
        hangs_after = 0;
        release_.notify();
    }

    std::map<WebhookEndpointId, std::vector<EventId>> sent;
    std::map<WebhookEndpointId, WebhookAnswer> answers;
    std::map<WebhookEndpointId, bool> hanging;
    std::size_t hangs_after = 0;  // so many were sent to an endpoint; 0: never
    int most_at_once = 0;
    int most_of_one = 0;

  private:
    Notifier release_;
    std::map<WebhookEndpointId, int> open_;
    std::map<std::pair<WebhookEndpointId, PaymentId>, int> of_payment_;
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
    std::size_t sent(std::uint8_t number) { return shops_.sent[endpoint(number)].size(); }
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
    shops_.hanging[endpoint(1)] = true;
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
        if (row.first.endpoint_id == endpoint(1)) expected.push_back(row.first.told.event.id);
    }
    start();
    run_until(io_, [this] { return sent(0) + sent(1) + sent(2) == 90; });
    run_ready();
    EXPECT_EQ(shops_.sent[endpoint(1)], expected);
}

TEST_F(WebhookDispatcherTest, a_delivery_that_is_made_now_is_sent_now) {
    outbox_.mark(1);
    start();
    run_ready();
    EXPECT_EQ(sent(1), 1U);
}

TEST_F(WebhookDispatcherTest, a_delivery_that_is_there_does_not_wait_for_others_to_be_made) {
    outbox_.add(1);
    outbox_.makes_none = true;
    start();
    run_until(io_, [this] { return sent(1) == 1; });
}

TEST_F(WebhookDispatcherTest, so_many_shops_and_no_more_at_once) {
    for (std::uint8_t number = 0; number < 100; ++number) {
        outbox_.add(number);
        shops_.hanging[endpoint(number)] = true;
    }
    start();
    run_until(io_, [this] { return shops_.most_at_once == 64; });
    run_ready();
    EXPECT_EQ(shops_.most_at_once, 64);
    shops_.release();
    run_until(io_, [this] { return shops_.sent.size() == 100; });
    EXPECT_EQ(shops_.most_at_once, 64);
}

TEST_F(WebhookDispatcherTest, a_shop_that_does_not_answer_is_left_alone_for_a_while) {
    for (int i = 0; i < 4; ++i)
        outbox_.add(1);
    shops_.answers[endpoint(1)] = {.status = 0, .error = "timeout"};
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

TEST_F(WebhookDispatcherTest, an_answer_between_two_silences_begins_the_rests_anew) {
    WebhookAnswer const silence{.status = 0, .error = "timeout"};
    shops_.answers[endpoint(1)] = silence;
    outbox_.add(1);
    start();
    for (std::size_t attempts = 1; attempts <= 3; ++attempts) {
        if (attempts == 3) shops_.answers.clear();
        run_until(io_, [&] { return outbox_.recorded.size() == attempts; });
        clock_.time += 1h;
        wake();
    }
    ASSERT_TRUE(outbox_.recorded[2].delivered);

    shops_.answers[endpoint(1)] = silence;
    outbox_.add(1);
    outbox_.add(1);
    wake();
    run_until(io_, [this] { return outbox_.recorded.size() == 4; });
    clock_.time += 5s;
    wake();
    run_until(io_, [this] { return outbox_.recorded.size() == 5; });
}

TEST_F(WebhookDispatcherTest, a_slow_endpoint_gets_what_is_due_by_then_and_not_what_was) {
    for (int i = 0; i < 3; ++i)
        outbox_.add(1);
    shops_.hanging[endpoint(1)] = true;
    start();
    run_until(io_, [this] { return sent(1) == 1; });
    // Meanwhile the merchant deletes it, with all that it should have got.
    clock_.time += 6s;
    outbox_.rows.clear();
    shops_.release();
    run_until(io_, [this] { return outbox_.recorded.size() == 1; });
    wake();
    run_ready();
    EXPECT_EQ(sent(1), 1U);
}

// Also of the same merchant: nothing here knows whose they are.
TEST_F(WebhookDispatcherTest, an_endpoint_that_hangs_has_one_connection_and_no_more) {
    for (std::uint8_t payment = 0; payment < 50; ++payment)
        outbox_.add(1, payment);
    shops_.hanging[endpoint(1)] = true;
    start();
    run_until(io_, [this] { return sent(1) == 1; });
    run_ready();
    EXPECT_EQ(shops_.most_of_one, 1);
}

TEST_F(WebhookDispatcherTest, an_endpoint_that_answers_gets_several_payments_events_at_once) {
    for (std::uint8_t payment = 0; payment < 50; ++payment) {
        outbox_.add(1, payment);
        outbox_.add(1, payment);
    }
    shops_.hangs_after = 1;
    start();
    run_until(io_, [this] { return shops_.most_of_one == 8; });
    run_ready();
    EXPECT_EQ(shops_.most_of_one, 8);
    shops_.release();
    run_until(io_, [this] { return sent(1) == 100; });
    run_until(io_, [this] { return outbox_.recorded.size() == 100; });
    EXPECT_EQ(shops_.most_of_one, 8);
}

TEST_F(WebhookDispatcherTest, an_endpoint_that_asks_for_a_pause_gets_it) {
    outbox_.add(1);
    outbox_.add(1);
    shops_.answers[endpoint(1)] = {.status = 503, .error = {}, .retry_after = 10min};
    start();
    run_until(io_, [this] { return outbox_.recorded.size() == 1; });
    EXPECT_EQ(outbox_.recorded[0].next_attempt_at, clock_.time + 10min);
    for (auto const later : {5s, 300s, 294s}) {
        clock_.time += later;
        wake();
        run_ready();
        EXPECT_EQ(sent(1), 1U) << "its other events wait too";
    }
    shops_.answers.clear();
    clock_.time += 1s;
    wake();
    run_until(io_, [this] { return sent(1) == 3; });
}

TEST_F(WebhookDispatcherTest, an_endpoint_that_is_gone_gets_nothing_more) {
    for (int i = 0; i < 3; ++i)
        outbox_.add(1);
    shops_.answers[endpoint(1)] = {.status = 410, .error = {}};
    outbox_.add(2);
    start();
    run_until(io_, [this] { return outbox_.recorded.size() == 2; });
    clock_.time += 24h;
    wake();
    run_ready();
    EXPECT_EQ(sent(1), 1U);
    EXPECT_EQ(sent(2), 1U);
    EXPECT_TRUE(outbox_.recorded[0].endpoint_is_gone);
    EXPECT_EQ(outbox_.recorded[0].next_attempt_at, std::nullopt);
}

TEST_F(WebhookDispatcherTest, what_was_sent_is_written_down_when_the_program_ends) {
    for (std::uint8_t payment = 0; payment < 3; ++payment)
        outbox_.add(1);
    shops_.hangs_after = 2;
    start();
    run_until(io_, [this] { return sent(1) == 3; });
    EXPECT_TRUE(outbox_.recorded.empty());
    tasks_.cancel();
    run_until(io_, [this] { return tasks_.size() == 0; });
    EXPECT_EQ(outbox_.recorded.size(), 2U);
}

// A shop's word puts an attempt off, never forward, and not for ever.
TEST(Judge, takes_the_longer_of_the_plan_and_what_the_shop_asks_for) {
    Timestamp const at = timestamp_from_seconds(1'700'000'000);
    Timestamp const now = at + 250ms;
    PendingDelivery delivery;
    auto const next = [&](unsigned status, std::optional<std::chrono::milliseconds> retry_after) {
        return judge(delivery, {.status = status, .error = {}, .retry_after = retry_after}, at, now,
                     0)
            .next_attempt_at;
    };
    EXPECT_EQ(next(500, std::nullopt), now + 5s);
    EXPECT_EQ(next(500, 2s), now + 5s);
    EXPECT_EQ(next(503, 1h), now + 1h);
    EXPECT_EQ(next(301, std::nullopt), now + 5s);
    EXPECT_EQ(next(200, 1h), std::nullopt);
    EXPECT_EQ(next(410, 1h), std::nullopt);
    delivery.attempts = 12;
    delivery.failures = 8;
    EXPECT_EQ(next(0, std::nullopt), now + 24h);
    delivery.failures = 9;
    EXPECT_EQ(next(0, std::nullopt), std::nullopt) << "the tenth in a row is the last";
    auto const attempt = judge(delivery, {.status = 204, .error = {}, .body = "ok"}, at, now, 0);
    EXPECT_TRUE(attempt.delivered);
    EXPECT_EQ(attempt.attempt, 13U);
    EXPECT_EQ(attempt.duration, 250ms);
    EXPECT_EQ(attempt.answer, "ok");
}

TEST_F(WebhookDispatcherTest, an_answer_that_refuses_holds_up_nothing) {
    for (int i = 0; i < 3; ++i)
        outbox_.add(1);
    shops_.answers[endpoint(1)] = {.status = 500, .error = {}};
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
    shops_.hanging[endpoint(2)] = true;
    outbox_.add(2);
    start();
    run_until(io_, [this] { return tasks_.size() == 0; });
    EXPECT_TRUE(failed_);
}

TEST_F(WebhookDispatcherTest, a_cancellation_ends_what_is_under_way) {
    shops_.hanging[endpoint(1)] = true;
    outbox_.add(1);
    start();
    run_until(io_, [this] { return sent(1) == 1; });
    tasks_.cancel();
    run_until(io_, [this] { return tasks_.size() == 0; });
    EXPECT_FALSE(failed_);
}

}  // namespace
}  // namespace sycee
