// Pins: the worked examples of docs/ledger.md. Each is booked here, and its records must be the
// rows of its table, line by line.
#include <sycee/payment/cancel.hpp>
#include <sycee/payment/desk.hpp>
#include <sycee/payment/loss.hpp>
#include <sycee/payment/refund.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

namespace sycee {
namespace {

constexpr ChainId kChain = 31'337;
Address const kToken{Bytes20{1}};
Address const kPayer{Bytes20{7}};
constexpr std::uint64_t kMicro = 1'000'000;
constexpr char const* kTableHead = "| record | debit → credit | amount |";

using Table = std::vector<std::string>;

// The tables of records below that heading, in their order.
std::vector<Table> tables_of(std::string const& heading) {
    std::ifstream page(SYCEE_DOCS "/ledger.md");
    EXPECT_TRUE(page.is_open());
    std::vector<Table> tables;
    bool below = false;
    bool in_table = false;
    for (std::string line; std::getline(page, line);) {
        if (line.starts_with("## ") || line.starts_with("### ")) below = line == "### " + heading;
        if (!below) continue;
        if (line == kTableHead) tables.emplace_back();
        in_table = line == kTableHead || (in_table && line.starts_with("|"));
        bool const is_row = in_table && line != kTableHead && !line.starts_with("| ---");
        if (is_row) tables.back().push_back(line);
    }
    return tables;
}

std::string money(Amount amount) {
    std::string const text = to_decimal(amount, 6);
    return text.substr(0, text.size() - 4);  // cents; the examples have no smaller part
}

struct InWords {
    std::string operator()(Authorization const&) const { return "authorization"; }
    std::string operator()(Clearing const& record) const {
        return "clearing of #" + std::to_string(record.authorization_sequence);
    }
    std::string operator()(Settlement const& record) const {
        return "settlement of #" + std::to_string(record.authorization_sequence);
    }
    std::string operator()(SettlementBatch const& record) const {
        return "settlement batch " + std::to_string(record.batch_number) + ", of #" +
               std::to_string(record.first_sequence) + " to #" +
               std::to_string(record.last_sequence);
    }
    std::string operator()(Unapplied const& record) const {
        return "unapplied receipt of #" + std::to_string(record.authorization_sequence) + ", " +
               std::string(to_string(record.reason));
    }
    std::string operator()(Withdrawal const& record) const {
        if (record.unexplained.is_zero()) return "withdrawal";
        return "withdrawal, unexplained " + money(record.unexplained);
    }
    std::string operator()(Reversal const& record) const {
        return "reversal of " + std::string(to_string(record.reversed_kind)) + " #" +
               std::to_string(record.reversed_sequence);
    }
    std::string operator()(Resolution const& record) const {
        auto kind = std::string(to_string(record.kind));
        std::ranges::replace(kind, '_', ' ');
        return "resolution of #" + std::to_string(record.exception_sequence) + ", " + kind;
    }
    std::string operator()(Refund const&) const { return "refund"; }
    std::string operator()(RefundPayment const& record) const {
        return "refund payment of #" + std::to_string(record.promise_sequence);
    }
    std::string operator()(RefundCancellation const& record) const {
        return "refund cancellation of #" + std::to_string(record.promise_sequence);
    }
    std::string operator()(TokenLoss const&) const { return "token loss"; }
    std::string operator()(FeePayment const&) const { return "fee payment"; }
    std::string operator()(Cancellation const&) const { return "cancellation"; }
};

Table rows_of(std::vector<JournalEntry> const& entries) {
    Table rows;
    for (JournalEntry const& entry : entries) {
        std::string name =
            "#" + std::to_string(entry.sequence) + " " + std::visit(InWords{}, entry.record) + " ";
        auto const postings = postings_of(entry.record);
        if (postings.empty()) rows.push_back("| " + name + "| – | |");
        for (Posting const& posting : postings) {
            rows.push_back("| " + name + "| `" + std::string(to_string(posting.debit)) + "` → `" +
                           std::string(to_string(posting.credit)) + "` | " + money(posting.amount) +
                           " |");
            name.clear();
        }
    }
    return rows;
}

// One merchant's books, a fee of 50 basis points, one block is enough.
class LedgerPage : public ::testing::Test {
  protected:
    LedgerPage() {
        view.fees = {.version = 1, .basis_points = 50};
        add_payment(50);
    }

    void add_payment(std::uint64_t dollars) {
        PaymentState state;
        state.payment.id.uuid.bytes[0] = static_cast<std::uint8_t>(view.payments.size() + 1);
        state.payment.currency = "USD";
        state.payment.price = Amount(dollars * 100);
        state.payment.options = {{kChain, kToken, Amount(dollars * kMicro), Amount{}}};
        state.payment.expires_at = timestamp_from_seconds(1'000);
        view.payments.push_back(state);
    }

    MatchedTransfer transfer(std::uint64_t dollars, std::size_t payment, bool incoming) {
        Transfer moved{.key = {.chain_id = kChain, .token = kToken},
                       .amount = Amount(dollars * kMicro),
                       .block_number = head + 1,
                       .block_time = timestamp_from_seconds(static_cast<std::int64_t>(head + 1))};
        moved.key.transaction_hash[0] = ++transactions;
        return {view.payments[payment].payment.id, moved, incoming};
    }
    MatchedTransfer in(std::uint64_t dollars, std::size_t payment = 0) {
        return transfer(dollars, payment, true);
    }
    MatchedTransfer out(std::uint64_t dollars) { return transfer(dollars, 0, false); }

    // The next block; what it adds to the journal.
    Table mine(std::vector<MatchedTransfer> const& transfers, BlockNumber finalized = 0,
               std::optional<BlockNumber> rolled_back_to = {}, bool repairs = false) {
        ++head;
        ChainStep step{.chain_id = kChain,
                       .rolled_back_to = rolled_back_to,
                       .head = head,
                       .tokens = {{kChain, kToken, 6}},
                       .chains = {},
                       .repairs = repairs};
        FinalityRule const rule{.version = 1, .bands = {{std::nullopt, 1}}, .most_not_final = {}};
        auto const time = timestamp_from_seconds(static_cast<std::int64_t>(head));
        step.chains[kChain] = progress = {time, head, finalized, rule};
        return take(advance_merchant(view, transfers, step, kStart));
    }
    Table decide(ResolutionKind kind) {
        Decision const decision{.exception_sequence = 2,
                                .payment_id = view.payments[0].payment.id,
                                .kind = kind,
                                .target = {},
                                .amount = Amount(20 * kMicro),
                                .decided_by = "opr_a",
                                .approved_by = ""};
        auto const step = resolve_exception(view, kChain, decision, {{kChain, progress}}, kStart);
        decided = step ? step->payments : view.payments;
        decided_head = step ? step->head : view.head;
        return step ? rows_of(step->entries) : Table{to_string(step.error())};
    }
    // 20.00 of the first payment; what it adds to the journal.
    Table refund() {
        return take_or_say(promise_refund(view, kChain,
                                          {.payment_id = view.payments[0].payment.id,
                                           .token = kToken,
                                           .recipient = kPayer,
                                           .amount = Amount(20 * kMicro),
                                           .decided_by = "opr_a",
                                           .approved_by = ""},
                                          {{kChain, progress}}, kStart));
    }
    // From another wallet, and final.
    Table keep(std::uint64_t promise) {
        Transfer paid = transfer(20, 0, false).transfer;
        paid.recipient = kPayer;
        paid.block_number = progress.finalized;
        return take_or_say(keep_promise(view, kChain,
                                        {.payment_id = view.payments[0].payment.id,
                                         .promise_sequence = promise,
                                         .recipient = kPayer,
                                         .promised_at = paid.block_time,
                                         .transfer = paid},
                                        {{kChain, progress}}, kStart));
    }
    Table cancel(std::uint64_t promise) {
        return take_or_say(cancel_promise(view, kChain,
                                          {.payment_id = view.payments[0].payment.id,
                                           .promise_sequence = promise,
                                           .decided_by = "opr_a"},
                                          {{kChain, progress}}, kStart));
    }
    Table take_or_say(Result<MerchantStep> const& step) {
        return step ? take(*step) : Table{to_string(step.error())};
    }
    Table take(MerchantStep const& step) {
        view.head = step.head;
        view.payments = step.payments;
        for (JournalEntry const& entry : step.entries) {
            if (auto const* batch = std::get_if<SettlementBatch>(&entry.record))
                view.last_batch_number = batch->batch_number;
        }
        return rows_of(step.entries);
    }
    static Table both(Table first, Table const& second) {
        first.insert(first.end(), second.begin(), second.end());
        return first;
    }

    static constexpr Timestamp kStart = timestamp_from_seconds(5'000);
    MerchantView view;
    std::vector<PaymentState> decided;  // after the last decision
    JournalHead decided_head;
    ChainProgress progress;
    BlockNumber head = 99;
    std::uint8_t transactions = 0;
};

using Tables = std::vector<Table>;

TEST_F(LedgerPage, paid_exactly) {
    auto const first = mine({in(50)});
    EXPECT_EQ(Tables{both(first, mine({}, 101))}, tables_of("Paid exactly"));
}

TEST_F(LedgerPage, paid_too_much) {
    EXPECT_EQ(Tables{mine({in(60)})}, tables_of("Paid too much"));
}

TEST_F(LedgerPage, paid_too_little) {
    auto const first = mine({in(20)});
    head = 1'000;
    EXPECT_EQ(Tables{both(first, mine({}))}, tables_of("Paid too little, or too late"));
}

TEST_F(LedgerPage, moved_out) {
    mine({in(50)});
    mine({}, 101);
    MerchantView const before = view;
    auto const all = mine({out(50)}, 101);
    view = before;
    EXPECT_EQ((Tables{all, mine({out(53)}, 101)}), tables_of("Moved out"));
}

TEST_F(LedgerPage, a_reorg_and_a_repair) {
    mine({in(60)});
    auto const reversed = mine({}, 0, 99);
    view.payments.clear();
    add_payment(50);
    view.head = {};
    mine({in(50)});
    mine({}, head);
    EXPECT_EQ((Tables{reversed, mine({}, 99, 99, true)}), tables_of("A reorg"));
}

TEST_F(LedgerPage, on_the_desk) {
    head = 1'000;
    mine({in(20)}, 1'001);
    EXPECT_EQ((Tables{decide(ResolutionKind::accept), decide(ResolutionKind::write_off),
                      decide(ResolutionKind::refund)}),
              tables_of("On the desk"));
}

TEST_F(LedgerPage, refunds) {
    mine({in(50)});
    mine({}, 101);
    auto const settled = view;
    auto const paid = both(refund(), keep(5));
    view = settled;
    auto const taken_back = both(refund(), cancel(5));

    view.payments.clear();
    add_payment(50);
    view.head = {};
    head = 1'000;
    mine({in(20)}, 1'001);
    auto const promised = decide(ResolutionKind::refund);
    view.payments = decided;
    view.head = decided_head;
    auto const before = view;
    auto const desk_paid = both(promised, keep(3));
    view = before;
    EXPECT_EQ((Tables{paid, taken_back, desk_paid, both(promised, cancel(3))}),
              tables_of("Refunds"));
}

TEST_F(LedgerPage, fees) {
    MerchantView const before = view;
    Tables booked;
    for (auto const& schedule :
         {FeeSchedule{.version = 1, .basis_points = 100, .fixed = Amount(30)},
          FeeSchedule{.version = 1, .basis_points = 100, .minimum = Amount(100)}}) {
        view = before;
        view.fees = schedule;
        booked.push_back(mine({in(20), in(30)}));
    }
    EXPECT_EQ(booked, tables_of("Fees"));
    view = before;
    view.fees = {.version = 1, .basis_points = 1'000, .maximum = Amount(400)};
    mine({in(20), in(30)});
    EXPECT_EQ(
        money(view.payments[0].credits[0].fee) + " and " + money(view.payments[0].credits[1].fee),
        "2.00 and 2.00");
}

TEST_F(LedgerPage, paying_fees) {
    mine({in(50)});
    mine({}, 101);
    JournalWriter journal(view.merchant_id, kChain, view.head, kStart);
    journal.append(FeePayment{.invoice_merchant_id = {},
                              .invoice_payment_id = {},
                              .token = kToken,
                              .amount = Amount(250'000)});
    EXPECT_EQ(Tables{rows_of(journal.entries())}, tables_of("Paying fees"));
}

TEST_F(LedgerPage, destroyed_by_the_issuer) {
    mine({in(50)});
    mine({}, 101);
    view.frozen.insert(view.payments[0].payment.id);
    LossDecision const decision{.difference_id = {},
                                .payment_id = view.payments[0].payment.id,
                                .token = kToken,
                                .amount = Amount(30 * kMicro),
                                .block_number = 101,
                                .decided_by = "opr_a",
                                .approved_by = ""};
    auto const step = book_loss(view, kChain, decision, {{kChain, progress}}, kStart);
    ASSERT_TRUE(step) << to_string(step.error());
    EXPECT_EQ(Tables{rows_of(step->entries)}, tables_of("Destroyed by the issuer"));
}

TEST_F(LedgerPage, canceled_by_the_shop) {
    mine({});
    auto const step = cancel_payment(view, kChain,
                                     {.payment_id = view.payments[0].payment.id,
                                      .ends_at = std::nullopt,
                                      .decided_by = "key_1",
                                      .approved_by = ""},
                                     {{kChain, progress}}, kStart);
    auto const canceled = take_or_say(step);
    EXPECT_EQ(Tables{both(canceled, mine({in(50)}))}, tables_of("Canceled by the shop"));
}

TEST_F(LedgerPage, a_settlement_batch) {
    add_payment(20);
    add_payment(10);
    mine({in(50)});
    mine({in(20, 1)});
    mine({in(10, 2)});
    EXPECT_EQ(Tables{mine({}, head)}, tables_of("A settlement batch"));
}

}  // namespace
}  // namespace sycee
