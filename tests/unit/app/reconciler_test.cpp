// Pins: a difference counts, and ends, once as many nodes say the same as the quorum asks for; a
// token that answers nothing hides no other; what is not due is left alone.
#include <sycee/app/reconciler.hpp>
#include <sycee/runtime/errors.hpp>

#include <gtest/gtest.h>

#include <map>
#include <run_task.hpp>

namespace sycee {
namespace {

using namespace std::chrono_literals;

constexpr ChainId kChain = 31'337;
Address const kToken{Bytes20{1}};
Address const kBroken{Bytes20{2}};

Address address_of(std::uint8_t number) {
    return Address{Bytes20{0xd0, number}};
}

class FakeNode final : public BalancePort {
  public:
    std::string name() const override { return "http://node"; }
    Task<std::vector<Amount>> token_balances(std::vector<TokenHolder> holders,
                                             BlockHash at) override {
        EXPECT_EQ(at[0], 7);
        ++questions;
        if (away) throw Unavailable("the node is away");
        std::vector<Amount> amounts;
        for (TokenHolder const& holder : holders) {
            if (holder.token == kBroken) throw std::runtime_error("balanceOf is no number");
            amounts.push_back(balances[holder.holder]);
        }
        co_return amounts;
    }

    std::map<Address, Amount> balances;
    bool away = false;
    int questions = 0;
};

class FakeBooks final : public ReconciliationPort {
  public:
    void say(std::uint8_t number, std::uint64_t amount, Address const& token = kToken) {
        PaymentKey key;
        key.second.uuid.bytes[0] = number;
        next_check.booked.head.number = 70;
        next_check.booked.head.hash[0] = 7;
        next_check.moved_to = 70;
        next_check.booked.balances.push_back({key, address_of(number), token, Amount(amount)});
    }

    Task<bool> claim(ChainId, Timestamp now, std::chrono::milliseconds every) override {
        if (now < due_at) co_return false;
        due_at = now + every;
        co_return true;
    }
    Task<std::optional<BalancesToCheck>> next(ChainId, std::size_t) override {
        if (!followed) co_return std::nullopt;
        co_return next_check;
    }
    Task<std::size_t> record(ChainId, CheckedBalances checked) override {
        recorded.push_back(std::move(checked));
        co_return 0;
    }
    Task<std::size_t> open_differences(ChainId) override { co_return 3; }

    BalancesToCheck next_check;
    bool followed = true;
    Timestamp due_at{};
    std::vector<CheckedBalances> recorded;
};

class TestClock final : public Clock {
  public:
    Timestamp now() const override { return time; }
    Task<void> sleep_for(std::chrono::milliseconds duration) override {
        time += duration;
        co_return;
    }
    Timestamp time = timestamp_from_seconds(1'000);
};

class ReconcilerTest : public ::testing::Test {
  protected:
    ReconcilerTest() {
        books.say(1, 50);
        books.say(2, 20);
        for (FakeNode* node : {&first, &second, &third}) {
            node->balances[address_of(1)] = Amount(50);
            node->balances[address_of(2)] = Amount(20);
        }
    }
    bool check() {
        clock.time += 10s;
        return check_at_once();
    }
    bool check_at_once() {
        std::vector<BalancePort*> const nodes =
            three_nodes ? std::vector<BalancePort*>{&first, &second, &third}
                        : std::vector<BalancePort*>{&first, &second};
        Reconciler reconciler(chain, nodes, books, clock, metrics, {.every = 10s});
        return run_task(io, reconciler.check());
    }
    CheckedBalances const& last() const { return books.recorded.back(); }

    boost::asio::io_context io{1};
    ChainSettings chain{.id = kChain};
    FakeNode first;
    FakeNode second;
    FakeNode third;
    bool three_nodes = false;
    FakeBooks books;
    TestClock clock;
    Metrics metrics;
};

TEST_F(ReconcilerTest, what_agrees_is_counted_and_one_node_is_enough_for_it) {
    chain.quorum = 2;
    EXPECT_TRUE(check());
    EXPECT_EQ(last().compared, 2U);
    EXPECT_TRUE(last().differences.empty());
    EXPECT_TRUE(last().agreeing.empty());
    EXPECT_EQ(last().fault, "");
    EXPECT_EQ(second.questions, 0);
}

TEST_F(ReconcilerTest, one_node_is_enough_where_the_quorum_is_one) {
    first.balances[address_of(1)] = Amount(0);
    books.next_check.booked.balances[1].is_open = true;
    EXPECT_TRUE(check());
    ASSERT_EQ(last().differences.size(), 1U);
    EXPECT_EQ(last().differences[0].on_chain, Amount(0));
    ASSERT_EQ(last().agreeing.size(), 1U);
    EXPECT_EQ(last().agreeing[0].holder, address_of(2));
    EXPECT_EQ(second.questions, 0);
    EXPECT_NE(metrics.text().find("sycee_reconciliation_differences{chain=\"31337\"} 3"),
              std::string::npos);
}

TEST_F(ReconcilerTest, what_no_quorum_says_is_neither_a_difference_nor_forgotten) {
    chain.quorum = 2;
    first.balances[address_of(1)] = Amount(0);
    EXPECT_TRUE(check());
    EXPECT_TRUE(last().differences.empty());
    EXPECT_NE(last().fault.find("no quorum says the same of 1 balance(s)"), std::string::npos);
    EXPECT_EQ(last().moved_to, 0U);
    second.balances[address_of(1)] = Amount(0);
    EXPECT_TRUE(check());
    EXPECT_EQ(last().differences.size(), 1U);
    EXPECT_EQ(last().fault, "");
    EXPECT_EQ(last().moved_to, 70U);
    second.away = true;
    EXPECT_TRUE(check());
    EXPECT_TRUE(last().differences.empty());
    EXPECT_NE(last().fault, "");
}

TEST_F(ReconcilerTest, one_node_of_three_hides_no_difference_and_ends_none) {
    chain.quorum = 2;
    three_nodes = true;
    first.balances[address_of(1)] = third.balances[address_of(1)] = Amount(0);
    EXPECT_TRUE(check());
    ASSERT_EQ(last().differences.size(), 1U);
    EXPECT_EQ(last().differences[0].on_chain, Amount(0));
    // Now the first one says what the books say, alone.
    books.next_check.booked.balances[0].is_open = true;
    first.balances[address_of(1)] = Amount(50);
    second.balances[address_of(1)] = Amount(0);
    EXPECT_TRUE(check());
    EXPECT_EQ(last().differences.size(), 1U);
    EXPECT_TRUE(last().agreeing.empty());
    third.balances[address_of(1)] = Amount(50);
    EXPECT_TRUE(check());
    EXPECT_TRUE(last().differences.empty());
    EXPECT_EQ(last().agreeing.size(), 1U);
}

TEST_F(ReconcilerTest, what_a_person_has_accepted_is_as_right_as_what_the_books_say) {
    books.next_check.booked.balances[0].accepted = Amount(10);
    for (std::uint64_t const right : {50U, 10U}) {
        first.balances[address_of(1)] = Amount(right);
        EXPECT_TRUE(check());
        EXPECT_TRUE(last().differences.empty());
    }
    first.balances[address_of(1)] = Amount(11);
    EXPECT_TRUE(check());
    EXPECT_EQ(last().differences.size(), 1U);
}

TEST_F(ReconcilerTest, another_node_is_asked_where_one_is_away) {
    first.away = true;
    EXPECT_TRUE(check());
    EXPECT_EQ(last().compared, 2U);
    EXPECT_EQ(last().fault, "");
    second.away = true;
    EXPECT_TRUE(check());
    EXPECT_EQ(last().compared, 0U);
    EXPECT_EQ(last().fault, "http://node: the node is away");
}

TEST_F(ReconcilerTest, a_token_that_answers_nothing_hides_no_other) {
    books.say(3, 5, kBroken);
    EXPECT_TRUE(check());
    EXPECT_EQ(last().compared, 2U);
    EXPECT_EQ(last().fault, "http://node: balanceOf is no number");
}

TEST_F(ReconcilerTest, what_is_not_due_or_was_never_followed_is_left_alone) {
    EXPECT_TRUE(check());
    EXPECT_FALSE(check_at_once());
    EXPECT_TRUE(check());
    books.followed = false;
    EXPECT_FALSE(check());
    EXPECT_EQ(books.recorded.size(), 2U);
}

}  // namespace
}  // namespace sycee
