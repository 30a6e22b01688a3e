// Pins: a loss is booked of exactly what was found missing and still is, by the word of a quorum;
// above the desk's limit by two operators; for a reason whose hash the record holds.
#include <sycee/app/loss_service.hpp>
#include <sycee/crypto/hash.hpp>
#include <sycee/runtime/errors.hpp>

#include "loss_fakes.hpp"

#include <gtest/gtest.h>

#include <run_task.hpp>

namespace sycee {
namespace {

constexpr ChainId kChain = 31'337;
constexpr std::uint64_t kMicro = 1'000'000;
Address const kToken{Bytes20{1}};
Address const kAddress{Bytes20{2}};

class FakeNode final : public BalancePort {
  public:
    explicit FakeNode(std::uint64_t says) : balance(Amount(says)) {}
    std::string name() const override { return "http://node"; }
    Task<std::vector<Amount>> token_balances(std::vector<TokenHolder> holders,
                                             BlockHash at) override {
        EXPECT_EQ(at[0], 7);
        EXPECT_EQ(holders.size(), 1U);
        EXPECT_EQ(holders.at(0).holder, kAddress);
        if (away) throw Unavailable("the node is away");
        co_return std::vector<Amount>{balance};
    }
    Amount balance;
    bool away = false;
};

class TestClock final : public Clock {
  public:
    Timestamp now() const override { return timestamp_from_seconds(1'000); }
    Task<void> sleep_for(std::chrono::milliseconds) override { co_return; }
};

class LossServiceTest : public ::testing::Test {
  protected:
    LossServiceTest() {
        ChainSettings chain;
        chain.id = kChain;
        chain.quorum = 2;
        chain.tokens.push_back({.symbol = "USDT", .contract = kToken, .decimals = 6});
        network.chains.push_back(chain);
        losses.booked = Amount(50 * kMicro);
        losses.difference.id.uuid.bytes[0] = 5;
        losses.difference.chain_id = kChain;
        losses.difference.block_number = 100;
        BookedBalance& booked = losses.difference.difference.booked;
        booked.payment.second.uuid.bytes[0] = 1;
        booked.address = kAddress;
        booked.token = kToken;
        booked.amount = Amount(50 * kMicro);
        losses.difference.difference.on_chain = Amount(10 * kMicro);
    }

    Result<BookedLoss> book(std::string decided_by = "opr_a", std::string approved_by = "",
                            std::string reason = "case 7") {
        return run_task(io, service.book(losses.difference.id, std::move(reason),
                                         std::move(decided_by), std::move(approved_by)));
    }
    std::string refusal(std::string decided_by = "opr_a", std::string approved_by = "",
                        std::string reason = "case 7") {
        auto const booked = book(std::move(decided_by), std::move(approved_by), std::move(reason));
        return booked ? "" : to_string(booked.error());
    }

    boost::asio::io_context io{1};
    Network network;
    FakeNode first{10 * kMicro};
    FakeNode second{10 * kMicro};
    FakeNode third{10 * kMicro};
    MemoryLosses losses;
    LossBooks books{losses};
    TestClock clock;
    LossService service{losses,  books,
                        network, {{kChain, {&first, &second, &third}}},
                        clock,   {.second_operator_above = Amount(100 * kMicro)}};
};

TEST_F(LossServiceTest, books_what_is_missing_with_who_and_why) {
    auto const booked = book();
    ASSERT_TRUE(booked) << to_string(booked.error());
    EXPECT_EQ(booked->amount, Amount(40 * kMicro));
    EXPECT_EQ(booked->sequence, 1U);
    ASSERT_EQ(losses.commits.size(), 1U);
    LossCommit const& commit = losses.commits[0];
    auto const& record = std::get<TokenLoss>(commit.entries.at(0).record);
    EXPECT_EQ(record.amount, Amount(40 * kMicro));
    EXPECT_EQ(record.block_number, 100U);
    EXPECT_EQ(record.decided_by, "opr_a");
    EXPECT_EQ(record.approved_by, "");
    EXPECT_EQ(record.reason_hash, sha256(as_bytes(std::string_view("case 7"))));
    EXPECT_EQ(commit.reason, "case 7");
    EXPECT_EQ(commit.chain_id, kChain);
}

TEST_F(LossServiceTest, one_node_is_no_quorum_and_one_that_lies_does_not_count) {
    first.balance = Amount(50 * kMicro);
    EXPECT_TRUE(book());  // the two others
    losses.open = true;
    second.away = true;
    EXPECT_EQ(refusal(),
              "difference: can't be confirmed: no quorum of the nodes says the same of its address "
              "in block 120");
    EXPECT_EQ(losses.commits.size(), 1U);
}

TEST_F(LossServiceTest, what_has_changed_since_it_was_found_is_not_booked) {
    losses.booked = Amount(10 * kMicro);
    EXPECT_EQ(refusal(),
              "difference: is gone: the books say 10000000 base units by now, the chain 10000000");
    losses.booked = Amount(60 * kMicro);
    EXPECT_EQ(refusal(),
              "difference: has changed: 40000000 base units were missing when it was found, "
              "50000000 are by now; it will be found anew");
    losses.difference.difference.on_chain = Amount(70 * kMicro);
    EXPECT_EQ(refusal(), "difference: is no loss: more lies there than the books say");
    losses.open = false;
    EXPECT_EQ(refusal(), "difference: is closed already, or never was");
    EXPECT_TRUE(losses.commits.empty());
}

TEST_F(LossServiceTest, a_reason_is_needed) {
    EXPECT_EQ(refusal("opr_a", "", "  "), "reason: is missing");
    EXPECT_EQ(refusal("opr_a", "", std::string(501, 'x')),
              "reason: must have at most 500 bytes, not 501");
}

TEST_F(LossServiceTest, much_money_needs_two_operators) {
    network.chains[0].tokens[0].decimals = 4;  // 4000.0000 by now
    EXPECT_NE(refusal().find("operator: is one, but this loss is above"), std::string::npos)
        << refusal();
    EXPECT_NE(refusal("opr_a", "opr_a").find("operator: needs another operator"),
              std::string::npos);
    ASSERT_TRUE(book("opr_a", "opr_b"));
    EXPECT_EQ(std::get<TokenLoss>(losses.commits.at(0).entries[0].record).approved_by, "opr_b");
}

TEST_F(LossServiceTest, a_request_waits_for_another_operator) {
    network.chains[0].tokens.clear();  // of no known value
    auto const asked =
        run_task(io, service.book_or_request(losses.difference.id, "case 7", "opr_a"));
    ASSERT_TRUE(asked) << to_string(asked.error());
    EXPECT_EQ(asked->sequence, 0U);
    ASSERT_EQ(losses.waiting.size(), 1U);
    EXPECT_TRUE(losses.commits.empty());
    auto const again = run_task(io, service.book_or_request(losses.difference.id, "x", "opr_c"));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().message, "waits for a second operator already");

    RequestId const id = losses.waiting[0].id;
    auto const own = run_task(io, service.approve(id, "opr_a"));
    ASSERT_FALSE(own);
    EXPECT_EQ(own.error().field, "request");
    EXPECT_FALSE(run_task(io, service.reject(id, "opr_a")));
    ASSERT_TRUE(run_task(io, service.approve(id, "opr_b")));
    ASSERT_EQ(losses.commits.size(), 1U);
    EXPECT_EQ(losses.commits[0].request, id);
    auto const& record = std::get<TokenLoss>(losses.commits[0].entries.at(0).record);
    EXPECT_EQ(record.decided_by, "opr_a");
    EXPECT_EQ(record.approved_by, "opr_b");
    EXPECT_FALSE(run_task(io, service.reject(id, "opr_b")));
}

TEST_F(LossServiceTest, a_request_that_is_rejected_books_nothing) {
    network.chains[0].tokens.clear();
    ASSERT_TRUE(run_task(io, service.book_or_request(losses.difference.id, "case 7", "opr_a")));
    RequestId const id = losses.waiting.at(0).id;
    EXPECT_TRUE(run_task(io, service.reject(id, "opr_b")));
    EXPECT_FALSE(run_task(io, service.reject(id, "opr_b")));
    EXPECT_FALSE(run_task(io, service.approve(id, "opr_b")));
    EXPECT_TRUE(losses.commits.empty());
}

TEST_F(LossServiceTest, accepting_a_difference_books_nothing) {
    EXPECT_FALSE(run_task(io, service.accept(losses.difference.id, "")));
    EXPECT_TRUE(run_task(io, service.accept(losses.difference.id, "known")));
    EXPECT_FALSE(run_task(io, service.accept(losses.difference.id, "known")));
    EXPECT_TRUE(losses.commits.empty());
}

}  // namespace
}  // namespace sycee
