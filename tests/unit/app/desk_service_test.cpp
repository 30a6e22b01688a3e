// Pins: no two decisions about one exception pass the limit of one operator together, and a refund
// of the desk is the one that was booked, to whom it is said.
#include <sycee/app/desk_service.hpp>
#include <sycee/app/refund_service.hpp>

#include "desk_fakes.hpp"
#include "refund_fakes.hpp"
#include "run_task.hpp"

#include <gtest/gtest.h>

namespace sycee {
namespace {

constexpr ChainId kChain = 31'337;
Address const kToken{Bytes20{1}};
Address const kPayer{Bytes20{7}};
Timestamp const kNow = timestamp_from_seconds(1'800'000'000);

class StillClock final : public Clock {
  public:
    Timestamp now() const override { return kNow; }
    Task<void> sleep_for(std::chrono::milliseconds) override { co_return; }
};

class DeskServiceTest : public ::testing::Test {
  protected:
    DeskServiceTest() {
        registry.set(kChain, {.head_time = kNow, .agreed = 120, .finalized = 100, .rule = {}});
        state.payment.merchant_id.uuid.bytes[0] = 3;
        state.payment.id.uuid.bytes[0] = 1;
        desk_port.exceptions = {
            put_on_desk(state, 2, kChain, kToken, Amount(50'000'000), 90, kNow)};
    }
    static Network network_of() {
        ChainSettings chain;
        chain.id = kChain;
        chain.tokens = {{"USDT", kToken, 6, {}}};
        return {{chain}, "https://pay.example"};
    }
    std::optional<PaymentState> find(PaymentKey const&) {
        if (before_load) before_load();
        return state;
    }
    ResolveInput refund(std::uint64_t amount) const {
        return {.exception = desk_port.exceptions.at(0).key,
                .kind = ResolutionKind::refund,
                .target = std::nullopt,
                .amount = Amount(amount),
                .reason = "came too late"};
    }
    Result<PromisedRefund> promise(std::uint64_t amount) {
        return run_task(refunds.create(RefundException{.exception = refund(amount).exception,
                                                       .amount = Amount(amount),
                                                       .recipient = kPayer,
                                                       .reason = "came too late"},
                                       "opr_1"));
    }

    Network network = network_of();
    ChainRegistry registry{network};
    StillClock clock;
    boost::asio::io_context io{1};
    Notifier wake{io.get_executor()};
    PaymentState state;
    std::function<void()> before_load;
    MemoryDesk desk_port;
    DeskBooks books{desk_port, [this](PaymentKey const& key) { return find(key); }};
    DeskService desk{desk_port,
                     books,
                     network,
                     registry,
                     wake,
                     clock,
                     {.second_operator_above = parse_decimal("40", 6).value()}};
    MemoryRefunds refund_port;
    RefundService refunds{refund_port, desk, books, network, registry, {}, wake, clock, {}};
};

TEST_F(DeskServiceTest, two_at_once_do_not_pass_the_limit_without_a_second_operator) {
    before_load = [this] {
        before_load = {};
        EXPECT_FALSE(run_task(desk.resolve(refund(25'000'000), "opr_2"))->request);
    };
    auto const decided = run_task(desk.resolve(refund(20'000'000), "opr_1"));
    ASSERT_TRUE(decided) << to_string(decided.error());
    ASSERT_TRUE(decided->request);
    EXPECT_EQ(desk_port.resolutions.size(), 1U);
    EXPECT_TRUE(run_task(desk.approve(*decided->request, "opr_2")));
    EXPECT_EQ(desk_port.resolutions.at(1).approved_by, "opr_2");
}

TEST_F(DeskServiceTest, a_refund_is_the_one_that_was_booked_and_not_the_last_of_the_same_person) {
    // Its promise is there for the recipient to be given to.
    RefundKey const booked{state.payment.merchant_id, kChain, 101};
    RefundDetail detail;
    detail.key = booked;
    detail.token = kToken;
    refund_port.refunds = {detail};
    desk_port.after_commit = [this] {
        auto& decisions = desk_port.exceptions.at(0).decisions;
        decisions.push_back(decisions.back());
        decisions.back().sequence = 102;
    };
    auto const created = promise(1);
    ASSERT_TRUE(created) << to_string(created.error());
    EXPECT_EQ(created->refund, booked);
    EXPECT_EQ(refund_port.refunds.at(0).recipient, kPayer);
}

TEST_F(DeskServiceTest, a_refund_that_waits_for_a_second_operator_takes_no_recipient) {
    auto const created = promise(41'000'000);
    ASSERT_FALSE(created);
    EXPECT_EQ(to_string(created.error()),
              "recipient: waits for a second operator too: give it after approval");
    EXPECT_TRUE(desk_port.waiting.empty());
    EXPECT_TRUE(desk_port.commits.empty());
}

}  // namespace
}  // namespace sycee
