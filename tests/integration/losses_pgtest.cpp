// Pins, against the real PostgreSQL: a difference that is booked as a loss closes, books and chain
// agree again, and what is booked can't be booked twice, or otherwise than it was found.
#include <sycee/app/loss_service.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/store/pg_losses.hpp>
#include <sycee/store/pg_reconciliation.hpp>
#include <sycee/store/pg_reports.hpp>

#include "books_fixture.hpp"

namespace sycee {
namespace {

using namespace std::chrono_literals;

class FakeNode final : public BalancePort {
  public:
    std::string name() const override { return "http://node"; }
    Task<std::vector<Amount>> token_balances(std::vector<TokenHolder> holders, BlockHash) override {
        co_return std::vector<Amount>(holders.size(), balance);
    }
    Amount balance;
};

class TestClock final : public Clock {
  public:
    Timestamp now() const override { return kStart + 1h; }
    Task<void> sleep_for(std::chrono::milliseconds) override { co_return; }
};

class LossesInPostgres : public BooksInPostgres {
  protected:
    LossesInPostgres() {
        ChainSettings chain;
        chain.id = kChain;
        chain.tokens.push_back({.symbol = "USDT", .contract = kToken, .decimals = 6});
        network.chains.push_back(chain);
    }

    // Compares the payment's address with the chain: how many differences are new.
    std::size_t compare(std::uint64_t on_chain) {
        node.balance = Amount(on_chain);
        EXPECT_TRUE(run(reconciliation.claim(kChain, now, 1s)));
        now += 1s;
        auto const asked = run(reconciliation.next(kChain, 100)).value();
        CheckedBalances checked{.head = asked.booked.head,
                                .compared = asked.booked.balances.size(),
                                .moved_to = asked.moved_to,
                                .round_at = asked.round_at,
                                .differences = {},
                                .agreeing = {},
                                .fault = "",
                                .at = now};
        for (BookedBalance const& booked : asked.booked.balances) {
            if (agrees(booked, node.balance)) {
                checked.agreeing.push_back({booked.token, booked.address});
            } else {
                checked.differences.push_back({booked, node.balance});
            }
        }
        return run(reconciliation.record(kChain, std::move(checked)));
    }
    DifferenceId found() { return run(losses.list_open(10)).at(0).id; }
    std::string book(DifferenceId id) {
        auto const booked = run(service.book(id, "the issuer destroyed it", "opr_a", "opr_b"));
        return booked ? "" : to_string(booked.error());
    }
    void mine(BlockNumber number, BlockNumber finalized, std::uint8_t branch = 0,
              std::optional<BlockNumber> rolled_back_to = {}) {
        commit(plan({block(number, branch)}, {}, finalized, rolled_back_to));
    }
    std::string balance(std::string const& account) {
        return query("SELECT balance FROM account_balances WHERE account = '" + account + "'");
    }

    PgReconciliation reconciliation{*database};
    PgLosses losses{*database};
    PgLedger ledger{*database};
    Network network;
    FakeNode node;
    TestClock clock;
    LossService service{losses, ledger, network, {{kChain, {&node}}}, clock, {}};
    Timestamp now = kStart;
};

TEST_F(LossesInPostgres, a_booked_loss_makes_books_and_chain_agree_again) {
    settle();  // 60 in block 101; 102 is the head
    EXPECT_EQ(compare(20'000'000), 1U);
    DifferenceId const id = found();
    EXPECT_EQ(book(id),
              "difference: was found in block 102, which is not final yet: a reorg could bring it "
              "back");
    mine(103, 102);
    ASSERT_EQ(book(id), "");
    EXPECT_EQ(balance("token_loss"), "40000000");
    EXPECT_EQ(balance("coins"), "20000000");
    EXPECT_EQ(balance("merchant_settled"), "50000000");
    EXPECT_EQ(query("SELECT closed_reason || ' ' || accepted FROM balance_differences"),
              "booked as lost: record 5 false");
    EXPECT_EQ(query("SELECT reason FROM resolution_reasons"), "the issuer destroyed it");
    EXPECT_EQ(query("SELECT decided_by || ' ' || approved_by || ' ' || amount FROM token_losses"),
              "opr_a opr_b 40000000");
    EXPECT_EQ(first_wrong(), "");

    // Everywhere the books say what is left.
    EXPECT_EQ(address_balance(state(), kChain, kToken), Amount(20'000'000));
    EXPECT_EQ(run(PgReports(*database).booked_balances(kChain))->balances.at(0).amount,
              Amount(20'000'000));
    EXPECT_EQ(compare(20'000'000), 0U);
    EXPECT_EQ(compare(10'000'000), 1U);
    EXPECT_EQ(compare(20'000'000), 0U);
    EXPECT_TRUE(run(losses.list_open(10)).empty());
    EXPECT_EQ(book(id), "difference: is closed already, or never was");

    // What leaves beyond it is unexplained.
    BlockHeader const in = block(104);
    auto out = transfer(2, 25'000'000, in);
    std::swap(out.sender, out.recipient);
    commit(plan({.added = {in}, .arrivals = {{payment, out, false}}, .finalized = 103}));
    EXPECT_EQ(state().outflows.at(0).unexplained, Amount(5'000'000));
    EXPECT_EQ(balance("coins"), "0");
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(LossesInPostgres, what_was_accepted_before_is_part_of_the_loss) {
    settle();
    compare(50'000'000);
    EXPECT_TRUE(run(losses.close(found(), "known", now)));
    EXPECT_EQ(compare(50'000'000), 0U);
    EXPECT_EQ(compare(20'000'000), 1U);
    mine(103, 102);
    ASSERT_EQ(book(found()), "");
    EXPECT_EQ(balance("token_loss"), "40000000");
    // Nothing is accepted any more: 10 less than the books say is a difference again.
    EXPECT_EQ(compare(20'000'000), 0U);
    EXPECT_EQ(compare(10'000'000), 1U);
}

TEST_F(LossesInPostgres, a_difference_that_no_longer_is_what_was_found_gives_way_to_a_new_one) {
    settle();
    compare(50'000'000);
    DifferenceId const first = found();
    // As long as its block is not final, it stays: nothing could be booked yet.
    EXPECT_EQ(compare(40'000'000), 0U);
    mine(103, 102);
    EXPECT_EQ(compare(40'000'000), 1U);
    EXPECT_NE(found(), first);
    EXPECT_EQ(query("SELECT closed_reason FROM balance_differences WHERE closed_at IS NOT NULL"),
              "found anew at block 103");
    // A reorg took the block away in which it was found.
    mine(103, 102, 1, 102);
    EXPECT_EQ(compare(40'000'000), 1U);
    mine(104, 103, 1);
    EXPECT_EQ(book(found()), "");
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(LossesInPostgres, a_loss_whose_difference_says_otherwise_is_named) {
    settle();
    compare(20'000'000);
    mine(103, 102);
    ASSERT_EQ(book(found()), "");
    auto const expect = [this](std::string const& sql) {
        expect_found([&] { replica(sql); }, "token_loss 5", sql);
    };
    expect("UPDATE balance_differences SET on_chain = on_chain - 1");
    expect("UPDATE balance_differences SET block_hash = sha256('x')");
    expect("UPDATE balance_differences SET accepted = true");
    expect("UPDATE balance_differences SET closed_at = NULL, closed_reason = NULL");
    expect("UPDATE resolution_reasons SET reason = 'another'");
    expect("DELETE FROM balance_differences");
}

TEST_F(LossesInPostgres, of_two_at_once_one_is_booked) {
    settle();
    compare(20'000'000);
    mine(103, 102);
    DifferenceId const id = found();
    std::vector<Task<void>> both;
    auto const once = [&](std::string who) -> Task<void> {
        auto const booked = co_await service.book(id, "destroyed", std::move(who), "");
        if (!booked) throw Unavailable(to_string(booked.error()));
    };
    both.push_back(once("opr_a"));
    both.push_back(once("opr_b"));
    expect_one_refused(run_at_once(std::move(both)));
    EXPECT_EQ(query("SELECT count(*) FROM token_losses"), "1");
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(LossesInPostgres, a_request_waits_until_it_is_answered_or_its_difference_is_closed) {
    settle();
    compare(20'000'000);
    DifferenceId const id = found();
    LossRequest const request{.id = new_id<RequestTag>(now),
                              .merchant_id = merchant_id,
                              .difference_id = id,
                              .reason = "destroyed",
                              .requested_by = "opr_a",
                              .created_at = now};
    run(losses.create_request(request));
    ASSERT_EQ(run(losses.requests()).size(), 1U);
    EXPECT_EQ(run(losses.requests())[0].difference_id, id);
    mine(103, 102);
    auto const booked = run(service.approve(request.id, "opr_b"));
    ASSERT_TRUE(booked) << to_string(booked.error());
    EXPECT_EQ(query("SELECT loss_seq FROM loss_requests"), "5");
    EXPECT_TRUE(run(losses.requests()).empty());
    EXPECT_FALSE(run(losses.withdraw_request(request.id, now)));
    EXPECT_EQ(query("SELECT decided_by || ' ' || approved_by FROM token_losses"), "opr_a opr_b");
}

}  // namespace
}  // namespace sycee
