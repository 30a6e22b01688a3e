// Pins: deliveries of an event are made once, by whoever comes first; each endpoint gets what it
// asked for; nothing is sent to one that is disabled, gone or deleted; what has failed can be asked
// for again.
#include <sycee/app/payment_json.hpp>
#include <sycee/store/just_booked.hpp>
#include <sycee/store/pg_idempotency.hpp>
#include <sycee/store/pg_outbox.hpp>
#include <sycee/store/pg_reports.hpp>
#include <sycee/store/pg_webhooks.hpp>

#include "books_fixture.hpp"

#include <atomic>
#include <functional>
#include <thread>

namespace sycee {
namespace {

using namespace std::chrono_literals;

class WebhooksInPostgres : public BooksInPostgres {
  protected:
    WebhookEndpointId add_endpoint(std::vector<std::string> types, std::size_t most = 16) {
        // After the one that the merchant was created with.
        auto const id = new_id<WebhookEndpointTag>(kStart + std::chrono::milliseconds(++added_));
        bool const added = run(webhooks_.create({{.merchant_id = merchant_id,
                                                  .id = id,
                                                  .url = "https://other.example/",
                                                  .event_types = std::move(types),
                                                  .created_at = kStart},
                                                 {4, 5, 6}},
                                                most, {}));
        EXPECT_TRUE(added);
        return id;
    }
    WebhookEndpointId first_endpoint() { return run(webhooks_.list(merchant_id)).at(0).id; }
    std::vector<PendingDelivery> due(Timestamp now = kStart) {
        return run(outbox_.due({}, now, 100));
    }
    // Settles a payment: three events, of which deliveries are made.
    void tell() {
        settle();
        run(outbox_.fan_out(kStart, 100));
        EXPECT_EQ(query("SELECT count(*) FROM outbox_events WHERE next_attempt_at IS NULL"), "3");
    }
    void fail(PendingDelivery const& delivery, unsigned status = 500) {
        run(outbox_.record({{.key = delivery.key(),
                             .attempt = delivery.attempts + 1,
                             .at = kStart,
                             .status = status,
                             .endpoint_is_gone = status == 410}}));
    }
    std::string pending() const {
        return query("SELECT count(*) FROM webhook_deliveries WHERE next_attempt_at IS NOT NULL");
    }

    // Whether something waits for another transaction, which does this and then commits; it has
    // ended when this returns.
    bool waits_for(std::string const& sql, std::function<void()> const& something) {
        pqxx::connection connection(url());
        pqxx::work first(connection);
        first.exec(sql);
        std::atomic<bool> ended = false;
        std::thread other([&] {
            something();
            ended = true;
        });
        auto const waits = [this] {
            return query(
                       "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                       " AND wait_event_type = 'Lock'") == "1";
        };
        while (!ended && !waits())
            std::this_thread::yield();
        bool const waited = !ended;
        first.commit();
        other.join();
        return waited;
    }

    int added_ = 0;
    PgOutbox outbox_{*database};
    PgWebhooks webhooks_{*database};
};

TEST_F(WebhooksInPostgres, each_endpoint_gets_what_it_asked_for) {
    auto const some = add_endpoint({"payment.cleared", "refund.paid"});
    auto const none = add_endpoint({"refund.paid"});
    tell();
    auto const all = first_endpoint();
    std::map<WebhookEndpointId, std::string> told;
    for (auto const& delivery : due())
        told[delivery.endpoint_id] += delivery.told.event.type + " ";
    EXPECT_EQ(told[all], "payment.authorized payment.cleared payment.settled ");
    EXPECT_EQ(told[some], "payment.cleared ");
    EXPECT_FALSE(told.contains(none));
}

TEST_F(WebhooksInPostgres, a_booking_makes_those_to_the_only_endpoint_itself) {
    auto const id = first_endpoint();
    auto const wants = [&](std::vector<std::string> types) {
        EXPECT_TRUE(
            run(webhooks_.change(merchant_id, id, {.event_types = std::move(types)}, kStart)));
    };
    wants({"payment.authorized", "refund.paid"});
    settle();
    EXPECT_EQ(run(outbox_.fan_out(kStart, 100)), 0U) << "nothing is left to be made";
    ASSERT_EQ(due().size(), 1U);
    EXPECT_EQ(due()[0].told.event.type, "payment.authorized");
    EXPECT_EQ(due()[0].told.event.created_at, kStart);
    // While it is disabled, as those that have failed.
    wants({"*"});
    EXPECT_TRUE(run(webhooks_.change(merchant_id, id, {.is_enabled = false}, kStart)));
    EXPECT_EQ(pending(), "0");
    auto const later = create_payment(merchant_id, {kChain});
    commit(plan({.added = {block(103)},
                 .arrivals = {{later, transfer(later, 5, 50'000'000, block(103))}},
                 .finalized = 102}));
    EXPECT_EQ(run(outbox_.fan_out(kStart, 100)), 0U);
    EXPECT_EQ(pending(), "0");
    EXPECT_EQ(query("SELECT count(*) FROM webhook_deliveries"), "3");
    // With a second endpoint, they are made after the commit, however many there are.
    add_endpoint({"*"});
    auto const last = create_payment(merchant_id, {kChain});
    commit(plan({.added = {block(104)},
                 .arrivals = {{last, transfer(last, 6, 50'000'000, block(104))}},
                 .finalized = 103}));
    EXPECT_EQ(query("SELECT count(*) FROM webhook_deliveries"), "3");
    EXPECT_GT(run(outbox_.fan_out(kStart, 100)), 0U);
}

TEST_F(WebhooksInPostgres, an_endpoint_is_told_what_is_committed_after_it_was_there) {
    auto const planned = plan({block(101)}, {transfer(1, 50'000'000, block(101))}, 100);
    run(webhooks_.remove(merchant_id, first_endpoint()));
    // As a booking of the merchant's that is about to be committed.
    EXPECT_TRUE(waits_for("INSERT INTO event_feeds SELECT merchant_id, 1 FROM merchants",
                          [&] { add_endpoint({"*"}); }));
    commit(planned);
    EXPECT_EQ(due().size(), 2U);
}

TEST_F(WebhooksInPostgres, a_change_of_an_endpoint_waits_for_the_booking_before_it) {
    EXPECT_TRUE(waits_for("INSERT INTO event_feeds SELECT merchant_id, 1 FROM merchants", [&] {
        run(webhooks_.change(merchant_id, first_endpoint(), {.event_types = {{"refund.paid"}}},
                             kStart));
    }));
}

TEST_F(WebhooksInPostgres, a_booking_that_waited_for_a_change_of_an_endpoint_goes_by_it) {
    auto const planned = plan({block(101)}, {transfer(1, 50'000'000, block(101))}, 100);
    run(webhooks_.change(merchant_id, first_endpoint(), {.event_types = {{"refund.paid"}}},
                         kStart));
    EXPECT_TRUE(waits_for(
        "SELECT FROM event_feeds FOR UPDATE; UPDATE webhook_endpoints SET event_types = '{*}'",
        [&] { commit(planned); }));
    EXPECT_EQ(due().size(), 2U);
}

TEST_F(WebhooksInPostgres, what_was_just_booked_is_told_as_if_it_were_read_back) {
    JustBooked memory;
    PgOutbox remembering(*database, &memory);
    Network const network{.chains = {}, .public_url = "http://pay.example"};
    auto const payloads = [&](PgOutbox& outbox) {
        std::vector<std::string> told;
        for (PendingDelivery const& one : run(outbox.due({}, kStart, 100)))
            told.push_back(event_payload(one.told, network));
        return told;
    };
    PgLedger ledger(*database, &memory);
    // 60 for 50: authorized and cleared in one step, with an exception.
    auto const planned = plan({block(101)}, {transfer(1, 60'000'000, block(101))}, 100);
    ASSERT_EQ(planned.first_booked.size(), 1U);
    run(ledger.commit(planned));
    ASSERT_EQ(payloads(outbox_).size(), 2U);
    EXPECT_EQ(payloads(remembering), payloads(outbox_));
    auto const before = payloads(outbox_);
    query("UPDATE payments SET description = 'new', metadata = '{\"colour\": \"red\"}'");
    EXPECT_NE(payloads(outbox_), before) << "an event has the words of today";
    EXPECT_EQ(payloads(remembering), payloads(outbox_));

    // It was memory that told it. What is booked upon that is read.
    auto const now = payloads(outbox_);
    query("UPDATE outbox_events SET status = 'expired'");
    EXPECT_NE(payloads(outbox_), now);
    EXPECT_EQ(payloads(remembering), now);
    heads[kChain] = block(101);
    progress[kChain] = ChainProgress{block(101).time, 101, 100, progress[kChain]->rule};
    auto const next = plan({block(102)}, {}, 101);
    EXPECT_TRUE(next.first_booked.empty());
    run(ledger.commit(next));
    EXPECT_EQ(payloads(remembering).size(), 3U);
    EXPECT_EQ(payloads(remembering)[2], payloads(outbox_)[2]);
}

TEST_F(WebhooksInPostgres, what_was_not_committed_is_not_remembered) {
    JustBooked memory;
    auto planned = plan({block(101)}, {transfer(1, 50'000'000, block(101))}, 100);
    auto const event = planned.events.at(0);
    ++planned.lease_token;
    EXPECT_THROW(run(PgLedger(*database, &memory).commit(planned)), Unavailable);
    EXPECT_FALSE(memory.find(event.merchant_id, event.id));
    --planned.lease_token;
    run(PgLedger(*database, &memory).commit(planned));
    ASSERT_TRUE(memory.find(event.merchant_id, event.id));
    EXPECT_EQ(memory.find(event.merchant_id, event.id)->event.sequence, 1U);
    // The oldest make room.
    std::vector<JustBooked::Event> more(JustBooked::kMost);
    for (std::size_t i = 0; i < more.size(); ++i)
        more[i].event.id = new_id<EventTag>(kStart);
    auto const newest = more.back().event.id;
    memory.remember(std::move(more));
    EXPECT_FALSE(memory.find(event.merchant_id, event.id));
    EXPECT_TRUE(memory.find({}, newest));
}

TEST_F(WebhooksInPostgres, a_payment_of_many_records_is_not_remembered) {
    auto planned = plan({block(101)}, {transfer(1, 50'000'000, block(101))}, 100);
    planned.entries.resize(JustBooked::kMostRecords, planned.entries.at(0));
    EXPECT_EQ(JustBooked::events_of(planned).size(), planned.events.size());
    planned.entries.push_back(planned.entries.at(0));
    EXPECT_TRUE(JustBooked::events_of(planned).empty());
}

TEST_F(WebhooksInPostgres, a_page_is_full_although_some_of_it_was_set_aside) {
    settle();
    query("UPDATE outbox_events SET record_seq = 999 WHERE sequence < 3");  // can't be told
    auto const page = run(outbox_.due({}, kStart, 2));
    ASSERT_EQ(page.size(), 1U);
    EXPECT_EQ(page[0].told.event.type, "payment.settled");
}

TEST_F(WebhooksInPostgres, deliveries_are_made_once_however_many_make_them) {
    add_endpoint({"*"});
    settle();
    std::vector<Task<void>> makers;
    std::size_t made = 0;
    auto const make = [&]() -> Task<void> {
        for (std::size_t some = 1; some > 0; made += some)
            some = co_await outbox_.fan_out(kStart, 1);
    };
    for (int i = 0; i < 4; ++i)
        makers.push_back(make());
    for (auto const& error : run_at_once(std::move(makers)))
        EXPECT_FALSE(error);
    EXPECT_EQ(made, 3U);
    EXPECT_EQ(query("SELECT count(*) FROM webhook_deliveries"), "6");
    // As after a crash in between: the mark is there again, and so is the delivery.
    query("UPDATE outbox_events SET next_attempt_at = created_at");
    EXPECT_EQ(run(outbox_.fan_out(kStart, 100)), 3U);
    EXPECT_EQ(query("SELECT count(*) FROM webhook_deliveries"), "6");
    EXPECT_EQ(due().size(), 6U);
}

TEST_F(WebhooksInPostgres, of_two_who_send_the_same_a_success_is_what_counts) {
    tell();
    auto const delivery = due().at(0);
    run(outbox_.record(
        {{.key = delivery.key(), .attempt = 1, .at = kStart, .status = 200, .delivered = true}}));
    run(outbox_.record({{.key = delivery.key(),
                         .attempt = 1,
                         .at = kStart,
                         .status = 500,
                         .next_attempt_at = kStart + 5s}}));
    auto const detail = run(webhooks_.find_delivery(delivery.key())).value();
    EXPECT_EQ(detail.delivery.state(), DeliveryState::delivered);
    ASSERT_EQ(detail.attempts.size(), 1U);
    EXPECT_EQ(detail.told.event.type, "payment.authorized");
}

TEST_F(WebhooksInPostgres, what_is_gone_gets_nothing_and_may_be_enabled_again) {
    auto const other = add_endpoint({"*"});
    tell();
    auto const id = first_endpoint();
    auto const deliveries = due();
    fail(*std::ranges::find(deliveries, id, &PendingDelivery::endpoint_id), 410);
    auto const endpoint = run(webhooks_.find(merchant_id, id)).value();
    EXPECT_EQ(endpoint.disabled_at, kStart);
    EXPECT_EQ(endpoint.disabled_reason, DisabledReason::gone);
    EXPECT_EQ(due().size(), 3U);
    EXPECT_EQ(due().at(0).endpoint_id, other);
    auto const key = DeliveryKey{merchant_id, id, deliveries[0].told.event.id};
    EXPECT_EQ(run(webhooks_.redeliver(key, kStart)), Redelivered::endpoint_disabled);
    EXPECT_FALSE(run(webhooks_.redeliver_failed(merchant_id, id, {}, kStart, 10)));
    EXPECT_FALSE(run(webhooks_.add_test({merchant_id, id, new_id<EventTag>(kStart)}, kStart, {})));

    // What is told meanwhile is not lost either.
    auto const later = create_payment(merchant_id, {kChain});
    commit(plan({.added = {block(103)},
                 .arrivals = {{later, transfer(later, 5, 50'000'000, block(103))}},
                 .finalized = 102}));
    std::size_t const more = run(outbox_.fan_out(kStart, 100));
    EXPECT_GT(more, 0U);
    EXPECT_EQ(due().size(), 3U + more);

    EXPECT_TRUE(run(webhooks_.change(merchant_id, id, {.is_enabled = true}, kStart)));
    auto const again = run(webhooks_.redeliver_failed(merchant_id, id, {}, kStart, 2)).value();
    EXPECT_EQ(again.count, 2U);
    EXPECT_TRUE(again.has_more);
    EXPECT_EQ(run(webhooks_.redeliver_failed(merchant_id, id, {}, kStart, 100))->count, 1 + more);
    EXPECT_EQ(due().size(), 2 * (3U + more));
}

TEST_F(WebhooksInPostgres, what_is_deleted_gets_nothing) {
    tell();
    auto const id = first_endpoint();
    auto const deliveries = due();
    EXPECT_TRUE(run(webhooks_.remove(merchant_id, id)));
    EXPECT_FALSE(run(webhooks_.remove(merchant_id, id)));
    EXPECT_EQ(pending(), "0");
    // An attempt that was under way.
    run(outbox_.record({{.key = deliveries[0].key(),
                         .attempt = 1,
                         .at = kStart,
                         .status = 500,
                         .next_attempt_at = kStart}}));
    EXPECT_EQ(pending(), "1");
    EXPECT_TRUE(due().empty());
    EXPECT_EQ(pending(), "0");
    EXPECT_FALSE(run(webhooks_.find_delivery(deliveries[0].key())));
    auto const timeline = run(PgReports(*database).timeline({merchant_id, payment.id}));
    ASSERT_EQ(timeline.deliveries.size(), 3U);
    EXPECT_EQ(timeline.deliveries[0].url, "");
    EXPECT_EQ(timeline.deliveries[0].attempts.size(), 1U);
}

TEST_F(WebhooksInPostgres, a_rotated_secret_is_beside_the_new_one_for_a_time) {
    tell();
    auto const id = first_endpoint();
    EXPECT_EQ(due().at(0).sealed_secrets, (std::vector<std::vector<std::uint8_t>>{{1, 2, 3}}));
    EXPECT_TRUE(run(webhooks_.rotate(merchant_id, id, {7}, kStart + 1h, kStart, {})));
    EXPECT_EQ(due().at(0).sealed_secrets, (std::vector<std::vector<std::uint8_t>>{{7}, {1, 2, 3}}));
    EXPECT_EQ(due(kStart + 1h).at(0).sealed_secrets, (std::vector<std::vector<std::uint8_t>>{{7}}));
    EXPECT_TRUE(run(webhooks_.rotate(merchant_id, id, {8}, std::nullopt, kStart, {})));
    EXPECT_EQ(due().at(0).sealed_secrets, (std::vector<std::vector<std::uint8_t>>{{8}}));
}

TEST_F(WebhooksInPostgres, a_test_is_a_delivery_without_an_event) {
    auto const id = first_endpoint();
    DeliveryKey const key{merchant_id, id, new_id<EventTag>(kStart)};
    EXPECT_TRUE(run(webhooks_.add_test(key, kStart, {})));
    auto const deliveries = due();
    ASSERT_EQ(deliveries.size(), 1U);
    EXPECT_EQ(deliveries[0].told.event.type, kTestEvent);
    EXPECT_EQ(deliveries[0].told.event.created_at, kStart);
    fail(deliveries[0]);
    auto const detail = run(webhooks_.find_delivery(key)).value();
    EXPECT_EQ(detail.delivery.state(), DeliveryState::failed);
    EXPECT_EQ(detail.attempts.size(), 1U);
}

TEST_F(WebhooksInPostgres, deliveries_are_listed_newest_first_by_their_state) {
    tell();
    auto const id = first_endpoint();
    auto const deliveries = due();
    fail(deliveries[0]);
    run(outbox_.record({{.key = deliveries[1].key(),
                         .attempt = 1,
                         .at = kStart,
                         .status = 200,
                         .delivered = true}}));
    auto const list = [&](DeliveryFilter filter, std::optional<EventId> after, std::size_t limit) {
        return run(webhooks_.deliveries(merchant_id, id, filter, after, limit));
    };
    auto const first = list({}, std::nullopt, 2);
    EXPECT_TRUE(first.has_more);
    ASSERT_EQ(first.deliveries.size(), 2U);
    EXPECT_EQ(first.deliveries[0].key.event_id, deliveries[2].told.event.id);
    EXPECT_EQ(list({}, first.deliveries[1].key.event_id, 2).deliveries.size(), 1U);
    for (auto const& [state, place] :
         {std::pair(DeliveryState::failed, 0U), std::pair(DeliveryState::delivered, 1U),
          std::pair(DeliveryState::pending, 2U)}) {
        auto const of = list({state}, std::nullopt, 10);
        ASSERT_EQ(of.deliveries.size(), 1U);
        EXPECT_EQ(of.deliveries[0].key.event_id, deliveries[place].told.event.id);
    }
}

TEST_F(WebhooksInPostgres,
       a_key_is_claimed_with_what_is_created_rotated_or_sent_or_neither_is_there) {
    PgIdempotency keys(*database);
    auto const claim = [](std::string key) {
        return IdempotencyClaim{
            .key = std::move(key), .request_hash = Bytes32{1}, .answer = {}, .subject = "we_x"};
    };
    auto const created = new_id<WebhookEndpointTag>(kStart + 1s);
    auto const create = [&](WebhookEndpointId id) {
        return run(webhooks_.create({{.merchant_id = merchant_id,
                                      .id = id,
                                      .url = "https://third.example/",
                                      .event_types = {"*"},
                                      .created_at = kStart},
                                     {1}},
                                    16, claim("create-1")));
    };
    EXPECT_TRUE(create(created));
    EXPECT_THROW(create(new_id<WebhookEndpointTag>(kStart + 2s)), KeyWasUsed);
    EXPECT_EQ(run(webhooks_.list(merchant_id)).size(), 2U);
    EXPECT_EQ(run(keys.find(merchant_id, "create-1"))->subject, "we_x");

    auto const rotate = [&](std::uint8_t secret) {
        return run(webhooks_.rotate(merchant_id, created, {secret}, std::nullopt, kStart,
                                    claim("rotate-1")));
    };
    EXPECT_TRUE(rotate(7));
    EXPECT_THROW(rotate(8), KeyWasUsed);
    EXPECT_EQ(run(webhooks_.find_sealed(merchant_id, created))->sealed_secret,
              std::vector<std::uint8_t>{7});

    auto const test = [&] {
        return run(webhooks_.add_test({merchant_id, created, new_id<EventTag>(kStart)}, kStart,
                                      claim("test-1")));
    };
    EXPECT_TRUE(test());
    EXPECT_THROW(test(), KeyWasUsed);
    EXPECT_EQ(query("SELECT count(*) FROM webhook_deliveries"), "1");
    EXPECT_FALSE(run(webhooks_.find_sealed(create_merchant("Hats", 2), created)));
}

TEST_F(WebhooksInPostgres, a_merchant_has_so_many_and_sees_its_own_alone) {
    add_endpoint({"*"}, 2);
    EXPECT_FALSE(run(webhooks_.create({{.merchant_id = merchant_id,
                                        .id = new_id<WebhookEndpointTag>(kStart),
                                        .url = "https://third.example/",
                                        .event_types = {"*"},
                                        .created_at = kStart},
                                       {1}},
                                      2, {})));
    tell();
    auto const id = first_endpoint();
    auto const other = create_merchant("Hats", 3);
    EXPECT_FALSE(run(webhooks_.find(other, id)));
    EXPECT_FALSE(run(webhooks_.change(other, id, {.is_enabled = false}, kStart)));
    EXPECT_FALSE(run(webhooks_.rotate(other, id, {9}, std::nullopt, kStart, {})));
    EXPECT_FALSE(run(webhooks_.remove(other, id)));
    DeliveryKey const key{other, id, due().at(0).told.event.id};
    EXPECT_FALSE(run(webhooks_.find_delivery(key)));
    EXPECT_EQ(run(webhooks_.redeliver(key, kStart)), Redelivered::no_such_delivery);
    EXPECT_FALSE(run(webhooks_.redeliver_failed(other, id, {}, kStart, 10)));
}

TEST_F(WebhooksInPostgres, a_redelivery_begins_the_plan_anew) {
    tell();
    auto const delivery = due().at(0);
    fail(delivery);
    EXPECT_EQ(run(webhooks_.redeliver(delivery.key(), kStart + 1h)), Redelivered::yes);
    auto const again = run(outbox_.due({}, kStart + 1h, 100));
    auto const found = std::ranges::find(again, delivery.key(), &PendingDelivery::key);
    ASSERT_NE(found, again.end());
    EXPECT_EQ(found->attempts, 1U);
    EXPECT_EQ(found->failures, 0U);
    query("UPDATE webhook_deliveries SET attempts = 1000");
    EXPECT_EQ(run(webhooks_.redeliver(delivery.key(), kStart)), Redelivered::too_often);
}

}  // namespace
}  // namespace sycee
