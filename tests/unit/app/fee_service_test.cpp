// Pins: fees are invoiced once they are settled, and once at a time; an invoice that expired unpaid
// frees them; one that is paid for good is booked once, and never of more than is owed.
#include <sycee/app/fee_service.hpp>

#include "empty_books.hpp"
#include "fee_fakes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <run_task.hpp>

namespace sycee {
namespace {

constexpr ChainId kChain = 31'337;
constexpr std::uint64_t kCent = 10'000;
Address const kToken{Bytes20{1}};
Timestamp const kNow = timestamp_from_seconds(1'000'000);

class TestClock final : public Clock {
  public:
    Timestamp now() const override { return kNow; }
    Task<void> sleep_for(std::chrono::milliseconds) override { co_return; }
};

class FakePayments final : public PaymentPort {
  public:
    Task<Payment> create(NewPayment input, DeriveAddress) override {
        PaymentState state;
        state.payment = {.merchant_id = input.merchant_id,
                         .id = input.id,
                         .derivation_index = 0,
                         .deposit_address = {},
                         .currency = input.currency,
                         .price = input.price,
                         .options = input.options,
                         .reference = input.reference,
                         .description = input.description,
                         .metadata = input.metadata,
                         .success_url = "",
                         .created_at = input.created_at,
                         .expires_at = input.expires_at};
        states[input.id] = state;
        last = input.id;
        co_return state.payment;
    }
    Task<std::optional<PaymentState>> find(MerchantId merchant_id, PaymentId id) override {
        auto const found = states.find(id);
        if (found == states.end() || found->second.payment.merchant_id != merchant_id)
            co_return std::nullopt;
        co_return found->second;
    }
    Task<std::optional<PaymentState>> find_public(PaymentId) override { co_return std::nullopt; }
    Task<PaymentPage> list(std::optional<MerchantId>, std::optional<PaymentId>,
                           std::size_t) override {
        co_return PaymentPage{};
    }
    // All of it, in one transfer.
    void pay(PaymentId id, CreditStage stage) {
        PaymentState& state = states.at(id);
        Credit credit;
        credit.transfer.key = {.chain_id = kChain, .token = kToken};
        credit.transfer.amount = credit.gross = state.payment.options.at(0).amount;
        credit.first_seen_time = kNow;
        credit.stage = stage;
        state.credits = {credit};
    }

    std::map<PaymentId, PaymentState> states;
    PaymentId last;
};

class OneHead final : public EmptyBooks {
  public:
    Task<std::vector<MerchantView>> load_views(ChainId, std::vector<PaymentKey>,
                                               std::vector<MerchantId> merchants) override {
        MerchantView view;
        view.merchant_id = merchants.at(0);
        view.head.sequence = 40;
        co_return std::vector<MerchantView>{view};
    }
};

class FeeServiceTest : public ::testing::Test {
  protected:
    FeeServiceTest() {
        ChainSettings chain;
        chain.id = kChain;
        chain.tokens.push_back({.symbol = "USDT", .contract = kToken, .decimals = 6});
        network.chains.push_back(chain);
        chains.emplace(network);
        chain_time(kNow);
        merchant.uuid.bytes[0] = 1;
        operator_merchant.uuid.bytes[0] = 2;
        fees.operator_merchant = operator_merchant;
        fees.account = {
            .chain_id = kChain, .token = kToken, .owed = Amount(125 * kCent), .not_settled = {}};
        payment_service.emplace(payments, network, *chains, clock);
        service.emplace(fees, *payment_service, books, network, *chains, clock);
    }
    void chain_time(Timestamp time) { chains->set(kChain, {time, 100, 100, {}}); }

    std::vector<InvoiceView> invoice() {
        auto made = run_task(io, service->invoice(merchant, std::nullopt, std::nullopt));
        EXPECT_TRUE(made) << to_string(made.error());
        return made.value();
    }
    std::string refusal(MerchantId of) {
        auto const made = run_task(io, service->invoice(of, std::nullopt, std::nullopt));
        return made ? "" : to_string(made.error());
    }
    std::size_t book() { return run_task(io, service->book_paid()); }
    std::vector<InvoiceStage> stages() {
        std::vector<InvoiceStage> stages;
        for (auto const& view : run_task(io, service->list(merchant, std::nullopt, 10)))
            stages.push_back(view.stage);
        return stages;
    }

    boost::asio::io_context io{1};
    Network network;
    std::optional<ChainRegistry> chains;
    TestClock clock;
    FakePayments payments;
    MemoryFees fees;
    OneHead books;
    MerchantId merchant;
    MerchantId operator_merchant;
    std::optional<PaymentService> payment_service;
    std::optional<FeeService> service;
};

TEST(Invoiceable, is_what_is_settled_and_in_no_invoice_in_whole_cents) {
    FeesOwed const owed{.chain_id = kChain,
                        .token = kToken,
                        .owed = Amount(1'259'999),
                        .not_settled = Amount(200'000)};
    EXPECT_EQ(invoiceable(owed, Amount{}, 2, 6), Amount(1'050'000));
    EXPECT_EQ(invoiceable(owed, Amount(1'050'000), 2, 6), Amount{});
    EXPECT_EQ(invoiceable(owed, Amount(2'000'000), 2, 6), Amount{});
    // A token of few decimals: nothing is asked for that is not owed.
    EXPECT_EQ(invoiceable({.chain_id = 1, .token = {}, .owed = Amount(7), .not_settled = {}},
                          Amount{}, 2, 0),
              Amount(7));
}

TEST(StageOfAnInvoice, is_that_of_its_payment) {
    EXPECT_EQ(stage_of(PaymentStatus::open, false), InvoiceStage::open);
    EXPECT_EQ(stage_of(PaymentStatus::cleared, true), InvoiceStage::open);
    EXPECT_EQ(stage_of(PaymentStatus::settled, true), InvoiceStage::paid);
    EXPECT_EQ(stage_of(PaymentStatus::expired, true), InvoiceStage::expired);
    EXPECT_EQ(stage_of(PaymentStatus::reversed, false), InvoiceStage::open);
    EXPECT_EQ(stage_of(PaymentStatus::reversed, true), InvoiceStage::expired);
}

TEST_F(FeeServiceTest, an_invoice_is_a_payment_of_the_operators_merchant) {
    auto const made = invoice();
    ASSERT_EQ(made.size(), 1U);
    EXPECT_EQ(made[0].invoice.amount, Amount(125 * kCent));
    EXPECT_EQ(made[0].invoice.payment, (PaymentKey{operator_merchant, payments.last}));
    Payment const& payment = made[0].payment;
    EXPECT_EQ(payment.price, Amount(125));
    EXPECT_EQ(payment.currency, "USD");
    EXPECT_EQ(payment.options.at(0).amount, Amount(125 * kCent));
    EXPECT_EQ(payment.description, "Fees of Shirts in USDT");
    EXPECT_EQ(payment.reference, "fees of " + to_string(merchant));
    EXPECT_EQ(payment.metadata.at(3),
              (std::pair<std::string, std::string>{"fee_base_units", "1250000"}));
    EXPECT_EQ(payment.expires_at - payment.created_at, std::chrono::hours(24));
}

TEST_F(FeeServiceTest, what_is_in_an_open_invoice_is_not_asked_for_again_until_it_expires) {
    invoice();
    EXPECT_TRUE(invoice().empty());
    fees.account.owed = Amount(130 * kCent);
    auto const more = invoice();
    ASSERT_EQ(more.size(), 1U);
    EXPECT_EQ(more[0].invoice.amount, Amount(5 * kCent));
    chain_time(kNow + std::chrono::hours(25));
    EXPECT_EQ(stages(), (std::vector{InvoiceStage::expired, InvoiceStage::expired}));
    auto const again = invoice();
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(again[0].invoice.amount, Amount(130 * kCent));
}

TEST_F(FeeServiceTest, a_paid_invoice_is_booked_once_when_all_of_it_is_settled) {
    invoice();
    EXPECT_EQ(book(), 0U);
    payments.pay(payments.last, CreditStage::cleared);
    EXPECT_EQ(book(), 0U);
    EXPECT_TRUE(invoice().empty());
    payments.pay(payments.last, CreditStage::settled);
    EXPECT_TRUE(invoice().empty());  // paid, not booked yet
    EXPECT_EQ(book(), 1U);
    EXPECT_EQ(book(), 0U);
    ASSERT_EQ(fees.commits.size(), 1U);
    FeeCommit const& commit = fees.commits[0];
    EXPECT_EQ(commit.head.merchant_id, merchant);
    EXPECT_EQ(commit.head.from.sequence, 40U);
    auto const& record = std::get<FeePayment>(commit.entries.at(0).record);
    EXPECT_EQ(record.invoice_merchant_id, operator_merchant);
    EXPECT_EQ(record.amount, Amount(125 * kCent));
    EXPECT_EQ(record.settlement_hash, Bytes32{9});
    EXPECT_EQ(fees.account.owed, Amount{});
    EXPECT_EQ(stages(), std::vector{InvoiceStage::paid});
    EXPECT_TRUE(invoice().empty());
}

TEST_F(FeeServiceTest, one_that_is_paid_after_its_fees_were_paid_otherwise_waits) {
    invoice();
    PaymentId const first = payments.last;
    chain_time(kNow + std::chrono::hours(25));
    invoice();
    payments.pay(payments.last, CreditStage::settled);
    EXPECT_EQ(book(), 1U);
    payments.pay(first, CreditStage::settled);  // the desk took it after all
    EXPECT_EQ(book(), 0U);
    fees.account.owed = Amount(200 * kCent);
    EXPECT_EQ(book(), 1U);
    EXPECT_EQ(fees.account.owed, Amount(75 * kCent));
}

// A reorg of what is not settled would make the account negative.
TEST_F(FeeServiceTest, one_is_not_booked_against_fees_that_are_not_settled) {
    invoice();
    payments.pay(payments.last, CreditStage::settled);
    fees.account.owed = Amount(200 * kCent);
    fees.account.not_settled = Amount(76 * kCent);
    EXPECT_EQ(book(), 0U);
    fees.account.not_settled = Amount(75 * kCent);
    EXPECT_EQ(book(), 1U);
}

TEST_F(FeeServiceTest, one_that_is_booked_while_fees_are_looked_at_is_not_asked_for_again) {
    invoice();
    fees.before_unpaid = [this] {
        fees.all.at(0).paid_sequence = 41;
        fees.account.owed = {};
    };
    EXPECT_TRUE(invoice().empty());
}

TEST_F(FeeServiceTest, one_that_can_not_be_booked_keeps_no_other_waiting) {
    invoice();
    payments.pay(payments.last, CreditStage::settled);
    fees.account.owed = Amount(130 * kCent);
    invoice();
    payments.pay(payments.last, CreditStage::settled);
    fees.broken = fees.all.at(0).payment.second;
    EXPECT_EQ(book(), 1U);
    EXPECT_EQ(fees.account.owed, Amount(125 * kCent));
}

TEST_F(FeeServiceTest, of_two_at_once_one_is_refused) {
    fees.meanwhile = FeeInvoice{.merchant_id = merchant,
                                .payment = {},
                                .chain_id = kChain,
                                .token = kToken,
                                .amount = Amount(1),
                                .created_at = {}};
    EXPECT_EQ(refusal(merchant), "merchant: was sent an invoice at the same time: look again");
}

TEST_F(FeeServiceTest, who_owes_and_who_is_paid_must_be_two_that_exist) {
    EXPECT_EQ(refusal(operator_merchant),
              "merchant: is the one that fees are paid to: it owes nothing to itself");
    EXPECT_EQ(refusal({}), "merchant: there is no merchant " + to_string(MerchantId{}));
    fees.operator_merchant.reset();
    EXPECT_EQ(refusal(merchant),
              "recipient: is not named: to whom are fees paid? See sycee fee recipient --help");
}

}  // namespace
}  // namespace sycee
