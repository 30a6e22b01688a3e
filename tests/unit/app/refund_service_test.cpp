// Pins how a refund is found paid: by a quorum of the nodes, once its block is final, by a transfer
// that fits and keeps no other promise; and who may promise how much to whom.
#include <sycee/app/refund_service.hpp>

#include "desk_fakes.hpp"
#include "finder_fakes.hpp"
#include "refund_fakes.hpp"
#include "run_task.hpp"

#include <gtest/gtest.h>

namespace sycee {
namespace {

constexpr ChainId kChain = 31'337;
Address const kToken{Bytes20{1}};
Address const kPayer{Bytes20{7}};
Address const kOurs{Bytes20{9}};
Timestamp const kNow = timestamp_from_seconds(1'800'000'000);

class StillClock final : public Clock {
  public:
    Timestamp now() const override { return kNow; }
    Task<void> sleep_for(std::chrono::milliseconds) override { co_return; }
};

// One node, which is asked for receipts alone.
class ReceiptNode final : public EndpointPort {
  public:
    std::string name() const override { return "node"; }
    Task<ChainTips> tips() override { co_return ChainTips{}; }
    Task<std::optional<BlockHeader>> header(BlockNumber) override { co_return std::nullopt; }
    Task<std::vector<BlockWithLogs>> blocks(BlockNumber, BlockNumber) override {
        co_return std::vector<BlockWithLogs>{};
    }
    Task<std::vector<std::optional<BlockWithLogs>>> blocks_again(std::vector<BlockHash>) override {
        co_return std::vector<std::optional<BlockWithLogs>>{};
    }
    Task<std::optional<ReceiptLogs>> receipt(TransactionHash asked) override {
        if (is_away) throw Unavailable("away");
        if (answers_to && *answers_to != asked) co_return std::nullopt;
        co_return answer;
    }
    Task<std::optional<NativeTransfer>> native_transfer(TransactionHash) override {
        co_return std::nullopt;
    }
    Task<void> wait_for_head(std::chrono::milliseconds) override { co_return; }
    Task<ChainId> chain_id() override { co_return kChain; }
    Task<unsigned> token_decimals(Address) override { co_return 6; }
    Task<std::string> token_symbol(Address) override { co_return "USDT"; }
    Task<Amount> token_balance(Address, Address) override { co_return Amount{}; }

    std::optional<ReceiptLogs> answer;
    std::optional<TransactionHash> answers_to;  // nothing: to whatever is asked
    bool is_away = false;
};

// Books with one payment of which 50 are settled, as the refunds that were committed leave it.
class RefundBooks final : public EmptyBooks {
  public:
    explicit RefundBooks(MemoryRefunds const& refunds) : refunds_(refunds) {
        state.payment.merchant_id.uuid.bytes[0] = 3;
        state.payment.id.uuid.bytes[0] = 1;
        state.payment.deposit_address = kOurs;
        Credit credit;
        credit.transfer.key = {kChain, {}, kToken, 0};
        credit.transfer.amount = credit.gross = Amount(50'000'000);
        credit.stage = CreditStage::settled;
        state.credits = {credit};
    }
    Task<std::vector<MerchantView>> load_views(ChainId, std::vector<PaymentKey> keys,
                                               std::vector<MerchantId>) override {
        MerchantView view;
        view.merchant_id = state.payment.merchant_id;
        view.head.sequence = 10;
        if (!refunds_.commits.empty()) view.head = refunds_.commits.back().head.to;
        if (keys.front().second == state.payment.id) view.payments = {now()};
        if (++loads == meanwhile_at) meanwhile();
        co_return std::vector<MerchantView>{view};
    }
    Task<std::vector<WatchedAddress>> find_addresses(std::vector<Address> asked) override {
        std::vector<WatchedAddress> found;
        if (asked.front() == kOurs) found.push_back({kOurs, {}});
        co_return found;
    }

    PaymentState state;
    int loads = 0;
    int meanwhile_at = 0;  // after that load something else happens
    std::function<void()> meanwhile;

  private:
    PaymentState now() const {
        PaymentState known = state;
        for (RefundCommit const& commit : refunds_.commits) {
            JournalEntry const& entry = commit.entries.front();
            if (auto const* refund = std::get_if<Refund>(&entry.record)) {
                known.promises.push_back({.chain_id = kChain,
                                          .token = refund->token,
                                          .amount = refund->amount,
                                          .sequence = entry.sequence,
                                          .hash = entry.hash,
                                          .recipient = refund->recipient});
            } else if (auto const* paid = std::get_if<RefundPayment>(&entry.record)) {
                end_promise(known, kChain, paid->promise_sequence, PromiseStage::paid);
            } else if (auto const* gone = std::get_if<RefundCancellation>(&entry.record)) {
                end_promise(known, kChain, gone->promise_sequence, PromiseStage::canceled);
            }
        }
        return known;
    }

    MemoryRefunds const& refunds_;
};

class RefundServiceTest : public ::testing::Test {
  protected:
    RefundServiceTest() {
        final_to(100);
        hash[0] = 0xaa;
        refunds.refuses_moved_heads = true;
    }

    static Network network_of() {
        ChainSettings chain;
        chain.id = kChain;
        chain.tokens = {{"USDT", kToken, 6, {}}};
        chain.quorum = 2;
        return {{chain}, "https://pay.example"};
    }
    void final_to(BlockNumber finalized) {
        registry.set(kChain,
                     {.head_time = kNow, .agreed = 120, .finalized = finalized, .rule = {}});
    }
    CreateRefund input(std::uint64_t amount, Address const& recipient = kPayer) const {
        return {.payment = {books.state.payment.merchant_id, books.state.payment.id},
                .chain_id = kChain,
                .token = kToken,
                .amount = Amount(amount),
                .recipient = recipient,
                .reason = "it did not fit"};
    }
    RefundKey promised(std::uint64_t amount = 5'000'000) {
        auto const created = run_task(service.create(input(amount), "key_1"));
        EXPECT_TRUE(created) << to_string(created.error());
        return created->refund;
    }
    std::string refusal_of(CreateRefund const& what) {
        auto const created = run_task(service.create(what, "key_1"));
        return created ? "accepted" : to_string(created.error());
    }
    // What every node says.
    void mine(BlockNumber block, std::vector<std::uint64_t> const& amounts,
              Address const& recipient = kPayer) {
        ReceiptLogs receipt{.header = found_block(block, kNow), .succeeded = true, .logs = {}};
        for (std::uint64_t const amount : amounts)
            receipt.logs.push_back(transfer_log(receipt, hash, kToken, recipient, Amount(amount)));
        for (ReceiptNode& node : nodes)
            node.answer = receipt;
    }
    std::string report(RefundKey const& key) {
        auto const reported = run_task(service.report(key, hash, "key_1"));
        return reported ? "" : to_string(reported.error());
    }
    RefundStatus status(RefundKey const& key) { return run_task(service.find(key))->status(); }

    Network network = network_of();
    ChainRegistry registry{network};
    StillClock clock;
    boost::asio::io_context io{1};
    Notifier wake{io.get_executor()};
    MemoryRefunds refunds;
    RefundBooks books{refunds};
    MemoryDesk desk_port;
    DeskService desk{desk_port, books, network, registry, wake, clock, {}};
    std::array<ReceiptNode, 3> nodes;
    RefundService service{
        refunds, desk,     books,
        network, registry, {{kChain, {&nodes[0], &nodes[1], &nodes[2]}}},
        wake,    clock,    {.second_operator_above = parse_decimal("40", 6).value()}};
    TransactionHash hash{};
};

TEST_F(RefundServiceTest, a_refund_whose_block_is_final_is_paid_at_once) {
    RefundKey const key = promised();
    mine(100, {5'000'000});
    EXPECT_EQ(report(key), "");
    EXPECT_EQ(status(key), RefundStatus::paid);
    EXPECT_EQ(report(key), "");  // again
    EXPECT_EQ(refunds.commits.size(), 2U);
    hash[0] = 0xbb;
    EXPECT_EQ(report(key), "refund: is paid already");
}

TEST_F(RefundServiceTest, one_that_is_not_final_yet_is_looked_for) {
    RefundKey const key = promised();
    mine(101, {5'000'000});
    EXPECT_EQ(report(key), "");
    EXPECT_EQ(status(key), RefundStatus::reported);
    EXPECT_EQ(run_task(service.check(kChain)), 0U);
    EXPECT_EQ(status(key), RefundStatus::reported);
    final_to(101);
    EXPECT_EQ(run_task(service.check(kChain)), 1U);
    EXPECT_EQ(status(key), RefundStatus::paid);
    EXPECT_EQ(run_task(service.check(kChain)), 0U);
}

TEST_F(RefundServiceTest, one_that_no_node_has_yet_is_looked_for) {
    RefundKey const key = promised();
    EXPECT_EQ(report(key), "");
    EXPECT_EQ(status(key), RefundStatus::reported);
    mine(100, {5'000'000});
    EXPECT_EQ(run_task(service.check(kChain)), 1U);
    EXPECT_EQ(status(key), RefundStatus::paid);
}

TEST_F(RefundServiceTest, one_node_alone_pays_nothing) {
    RefundKey const key = promised();
    mine(100, {5'000'000});
    nodes[1].answer.reset();
    nodes[2].is_away = true;
    EXPECT_EQ(report(key), "");
    EXPECT_EQ(status(key), RefundStatus::reported);
    // Another that says something else is no second word.
    nodes[1].answer = nodes[0].answer;
    nodes[1].answer->header.hash[5] = 1;
    EXPECT_EQ(run_task(service.check(kChain)), 0U);
    nodes[1].answer = nodes[0].answer;
    EXPECT_EQ(run_task(service.check(kChain)), 1U);
    EXPECT_EQ(status(key), RefundStatus::paid);
}

TEST_F(RefundServiceTest, what_does_not_fit_is_refused_by_its_name) {
    RefundKey const key = promised();
    std::string const does_not_fit =
        "transaction: does not send the refund's token to its recipient, or not enough of it";
    mine(100, {4'999'999});
    EXPECT_EQ(report(key), does_not_fit);
    mine(100, {5'000'000}, kToken);
    EXPECT_EQ(report(key), does_not_fit);
    mine(100, {5'000'000});
    for (ReceiptNode& node : nodes)
        node.answer->succeeded = false;
    EXPECT_EQ(report(key), "transaction: has failed");
    EXPECT_EQ(status(key), RefundStatus::frozen);
}

TEST_F(RefundServiceTest, what_is_found_not_to_fit_once_it_is_there_is_told) {
    RefundKey const key = promised();
    EXPECT_EQ(report(key), "");
    mine(100, {1});
    EXPECT_EQ(run_task(service.check(kChain)), 0U);
    EXPECT_EQ(status(key), RefundStatus::frozen);
    EXPECT_NE(run_task(service.find(key))->report->problem.find("not enough"), std::string::npos);
}

TEST_F(RefundServiceTest, a_transfer_pays_one_refund_and_a_transaction_as_many_as_it_has) {
    RefundKey const first = promised();
    RefundKey const second = promised();
    RefundKey const third = promised();
    mine(100, {5'000'000, 6'000'000});
    EXPECT_EQ(report(first), "");
    EXPECT_EQ(report(second), "");
    EXPECT_EQ(report(third), "transaction: is the payment of another refund");
    EXPECT_EQ(run_task(service.find(first))->payment->transfer.amount, Amount(5'000'000));
    EXPECT_EQ(run_task(service.find(second))->payment->transfer.amount, Amount(6'000'000));
}

TEST_F(RefundServiceTest, our_own_addresses_are_no_recipients) {
    EXPECT_EQ(refusal_of(input(1, kOurs)), "recipient: is a deposit address of this gateway");
    EXPECT_EQ(refusal_of(input(1, kToken)), "recipient: is the contract of the token itself");
    EXPECT_EQ(refusal_of(input(1, {})), "recipient: is nobody: the zero address");
    CreateRefund unsaid = input(1);
    unsaid.reason = " ";
    EXPECT_EQ(refusal_of(unsaid), "reason: is missing");
}

TEST_F(RefundServiceTest, above_the_limit_a_second_operator_approves) {
    promised(39'000'000);
    // All that was promised of the payment counts.
    auto const waits = run_task(service.create(input(2'000'000), "opr_1"));
    ASSERT_TRUE(waits);
    ASSERT_TRUE(waits->request);
    EXPECT_EQ(refunds.refunds.size(), 1U);
    EXPECT_EQ(refusal_of(input(3'000'000)), "payment: waits for a second operator already");
    EXPECT_FALSE(run_task(service.approve(*waits->request, "opr_1")));
    auto const approved = run_task(service.approve(*waits->request, "opr_2"));
    ASSERT_TRUE(approved);
    EXPECT_EQ(refunds.refunds.back().approved_by, "opr_2");
    EXPECT_EQ(refunds.refunds.back().decided_by, "opr_1");
    EXPECT_FALSE(run_task(service.approve(*waits->request, "opr_2")));
}

// Whenever the other one is booked: together they are above the limit.
TEST_F(RefundServiceTest, two_at_once_do_not_pass_the_limit_without_a_second_operator) {
    for (int at = 1; at <= 3; ++at) {
        refunds.refunds.clear();
        refunds.commits.clear();
        refunds.waiting.clear();
        books.loads = 0;
        books.meanwhile_at = at;
        books.meanwhile = [this] {
            books.meanwhile_at = 0;
            EXPECT_TRUE(run_task(service.create(input(25'000'000), "opr_2")));
        };
        try {
            (void)run_task(service.create(input(20'000'000), "opr_1"));
        } catch (Unavailable const&) {
            // to be tried again
        }
        EXPECT_EQ(refunds.refunds.size(), 1U) << at;
    }
}

TEST_F(RefundServiceTest, is_canceled_once_nothing_that_was_reported_can_pay_it) {
    auto const cancel = [this](RefundKey const& key) {
        auto const canceled = run_task(service.cancel(key, "kept", "key_1"));
        return canceled ? "" : to_string(canceled.error());
    };
    RefundKey const key = promised();
    TransactionHash const first = hash;
    EXPECT_EQ(report(key), "");  // nobody has it yet
    std::string const may_be_paid = "refund: may be paid by " + to_hex0x(first);
    EXPECT_TRUE(cancel(key).starts_with(may_be_paid)) << cancel(key);
    hash[0] = 0xbb;
    EXPECT_EQ(report(key), "");  // another takes nothing from the first
    mine(101, {5'000'000});
    EXPECT_TRUE(cancel(key).starts_with(may_be_paid)) << cancel(key);
    for (ReceiptNode& node : nodes)
        node.answer->succeeded = false;
    EXPECT_TRUE(cancel(key).starts_with(may_be_paid)) << cancel(key);  // a reorg may change that
    EXPECT_EQ(status(key), RefundStatus::reported);
    final_to(101);
    EXPECT_EQ(cancel(key), "");
    EXPECT_EQ(status(key), RefundStatus::canceled);
}

TEST_F(RefundServiceTest, is_found_paid_by_the_transaction_that_was_reported_first) {
    RefundKey const key = promised();
    EXPECT_EQ(report(key), "");
    hash[0] = 0xbb;
    EXPECT_EQ(report(key), "");
    mine(100, {1});
    nodes[0].answers_to = nodes[1].answers_to = nodes[2].answers_to = hash;
    EXPECT_EQ(run_task(service.check(kChain)), 0U);
    EXPECT_EQ(status(key), RefundStatus::reported);
    hash[0] = 0xaa;
    mine(100, {5'000'000});
    nodes[0].answers_to = nodes[1].answers_to = nodes[2].answers_to = hash;
    EXPECT_EQ(run_task(service.check(kChain)), 1U);
    EXPECT_EQ(status(key), RefundStatus::paid);
}

TEST_F(RefundServiceTest, so_many_transactions_are_looked_for_and_no_more) {
    RefundKey const key = promised();
    for (hash[1] = 0; hash[1] < 20; ++hash[1])
        EXPECT_EQ(report(key), "");
    EXPECT_EQ(report(key),
              "transaction: is one too many: 20 of this refund are looked for already");
    hash[1] = 7;
    EXPECT_EQ(report(key), "");
}

TEST_F(RefundServiceTest, what_was_sent_before_it_was_promised_does_not_pay_it) {
    RefundKey const key = promised();
    mine(100, {5'000'000});
    for (ReceiptNode& node : nodes)
        node.answer->header.time = kNow - std::chrono::minutes(61);
    EXPECT_EQ(report(key), "transaction: is older than the refund: it paid something else");
    for (ReceiptNode& node : nodes)
        node.answer->header.time = kNow - std::chrono::minutes(59);
    EXPECT_EQ(report(key), "");
    EXPECT_EQ(status(key), RefundStatus::paid);
}

}  // namespace
}  // namespace sycee
