// Pins, against the real PostgreSQL: what of the fees may be invoiced, that a paid invoice is
// booked once in the books of who owed, and that verify names what was changed by hand.
#include <sycee/app/fee_service.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/store/pg_fees.hpp>

#include "books_fixture.hpp"

namespace sycee {
namespace {

using namespace std::chrono_literals;

class TestClock final : public Clock {
  public:
    Timestamp now() const override { return kStart + 1min; }
    Task<void> sleep_for(std::chrono::milliseconds) override { co_return; }
};

// The payment of 50.00 is charged 2 %, 1.00; the operator's own merchant is "Operator".
class FeeInvoicesInPostgres : public BooksInPostgres {
  protected:
    FeeInvoicesInPostgres() {
        ChainSettings chain;
        chain.id = kChain;
        chain.tokens.push_back({.symbol = "USDT", .contract = kToken, .decimals = 6});
        network.chains.push_back(chain);
        registry.emplace(network);
        payment_service.emplace(payments, network, *registry, clock);
        service.emplace(fees, *payment_service, ledger, network, *registry, clock);
        EXPECT_TRUE(run(PgAccess(*database).set_fees(merchant_id, {.basis_points = 200}, kStart)));
        operator_merchant = create_merchant("Operator", 2);
        EXPECT_TRUE(run(fees.set_recipient(operator_merchant, kStart)));
        follow();
    }
    void follow() { registry->set(kChain, *progress[kChain]); }

    std::vector<InvoiceView> invoice() {
        auto made = run(service->invoice(merchant_id, std::nullopt, std::nullopt));
        EXPECT_TRUE(made) << to_string(made.error());
        return made.value();
    }
    // The payment is paid and settled: its fee is due. Records 1 to 4.
    void charge() {
        commit(plan({block(101)}, {transfer(1, 50'000'000, block(101))}, 100));
        commit(plan({block(102)}, {}, 101));
    }
    // The invoice is paid in the next block, and settled by the one after it.
    void pay(InvoiceView const& view) {
        BlockHeader const in = block(heads[kChain].number + 1);
        commit(plan({.added = {in},
                     .arrivals = {{view.payment, transfer(view.payment, 7, 1'000'000, in)}},
                     .finalized = in.number - 1}));
        commit(plan(
            {.added = {block(in.number + 1)}, .others = {view.payment}, .finalized = in.number}));
        follow();
    }
    // Upon the journal as it is now.
    FeeCommit commit_of(InvoiceView const& view, Amount amount, Bytes32 const& evidence) {
        JournalHead const head = run(ledger.load_views(kChain, {}, {merchant_id})).at(0).head;
        JournalWriter journal(merchant_id, kChain, head, kStart);
        journal.append(FeePayment{.invoice_merchant_id = operator_merchant,
                                  .invoice_payment_id = view.payment.id,
                                  .token = kToken,
                                  .amount = amount,
                                  .settlement_hash = evidence});
        return FeeCommit{.head = {merchant_id, journal.first_head(), journal.head()},
                         .chain_id = kChain,
                         .entries = journal.entries()};
    }
    std::string owed() {
        return query(
            "SELECT balance FROM account_balances WHERE account = 'operator_fee'"
            " AND merchant_id = '" +
            to_string(merchant_id.uuid) + "'");
    }

    Network network;
    PgPayments payments{*database};
    PgLedger ledger{*database};
    PgFees fees{*database};
    TestClock clock;
    std::optional<ChainRegistry> registry;
    std::optional<PaymentService> payment_service;
    std::optional<FeeService> service;
    MerchantId operator_merchant;
};

TEST_F(FeeInvoicesInPostgres, fees_are_due_once_they_are_settled) {
    EXPECT_TRUE(invoice().empty());
    commit(plan({block(101)}, {transfer(1, 50'000'000, block(101))}, 100));
    auto const cleared = run(fees.owed(merchant_id));
    ASSERT_EQ(cleared.size(), 1U);
    EXPECT_EQ(cleared[0].owed, Amount(1'000'000));
    EXPECT_EQ(cleared[0].not_settled, Amount(1'000'000));
    EXPECT_TRUE(invoice().empty());
    commit(plan({block(102)}, {}, 101));
    EXPECT_EQ(run(fees.owed(merchant_id)).at(0).not_settled, Amount{});
    auto const made = invoice();
    ASSERT_EQ(made.size(), 1U);
    EXPECT_EQ(made[0].invoice.amount, Amount(1'000'000));
    EXPECT_EQ(made[0].payment.merchant_id, operator_merchant);
    EXPECT_EQ(made[0].payment.price, Amount(100));
    EXPECT_TRUE(invoice().empty());
    EXPECT_EQ(run(fees.count(merchant_id, kChain, kToken)), 1U);
    EXPECT_FALSE(run(fees.add(made[0].invoice, 0)));
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(FeeInvoicesInPostgres, a_paid_invoice_is_booked_where_it_was_owed) {
    charge();
    auto const made = invoice();
    EXPECT_EQ(run(service->book_paid()), 0U);
    pay(made.at(0));
    EXPECT_EQ(run(service->book_paid()), 1U);
    EXPECT_EQ(run(service->book_paid()), 0U);
    EXPECT_EQ(owed(), "0");
    EXPECT_EQ(query("SELECT balance FROM account_balances WHERE account = 'drawn'"), "-1000000");
    EXPECT_EQ(query("SELECT f.settlement_hash = s.hash FROM fee_payments f JOIN settlements s"
                    " ON s.merchant_id = f.invoice_merchant_id"),
              "t");
    EXPECT_EQ(run(service->list(merchant_id, std::nullopt, 10)).at(0).stage, InvoiceStage::paid);
    EXPECT_EQ(run(service->list(merchant_id, std::nullopt, 10)).at(0).invoice.paid_sequence, 5U);
    EXPECT_TRUE(invoice().empty());
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(FeeInvoicesInPostgres, a_statement_adds_up_over_any_time) {
    charge();
    pay(invoice().at(0));
    booked_at = kStart + 24h;
    Payment const second = create_payment(merchant_id, {kChain});
    BlockHeader const in = block(105);
    commit(plan({.added = {in},
                 .arrivals = {{second, transfer(second, 9, 50'000'000, in)}},
                 .finalized = 104}));
    commit(plan(
        {.added = {block(105, 1)}, .others = {second}, .finalized = 104, .rolled_back_to = 104}));
    run(service->book_paid());
    auto const all = run(fees.statement(merchant_id, std::nullopt));
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].opening, Amount{});
    EXPECT_EQ(all[0].accrued, Amount(2'000'000));
    EXPECT_EQ(all[0].reversed, Amount(1'000'000));
    EXPECT_EQ(all[0].paid, Amount(1'000'000));
    EXPECT_EQ(to_string(all[0].closing()), owed());
    auto const later = run(
        fees.statement(merchant_id, std::pair<Timestamp, Timestamp>{kStart + 12h, kStart + 36h}));
    ASSERT_EQ(later.size(), 1U);
    EXPECT_EQ(later[0].opening, Amount{});
    EXPECT_EQ(later[0].accrued, Amount(1'000'000));
    EXPECT_EQ(later[0].reversed, Amount(1'000'000));
}

TEST_F(FeeInvoicesInPostgres, of_two_who_book_it_at_once_one_does) {
    charge();
    auto const made = invoice();
    pay(made.at(0));
    Bytes32 const evidence = run(fees.unbooked(10)).at(0).evidence;
    FeeCommit const same = commit_of(made[0], Amount(1'000'000), evidence);
    std::vector<Task<void>> both;
    both.push_back(fees.commit(same));
    both.push_back(fees.commit(same));
    expect_one_refused(run_at_once(std::move(both)));
    EXPECT_EQ(query("SELECT count(*) FROM fee_payments"), "1");
    EXPECT_EQ(owed(), "0");
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(FeeInvoicesInPostgres, what_was_changed_by_hand_is_named) {
    charge();
    pay(invoice().at(0));
    run(service->book_paid());
    auto const expect = [this](std::string const& sql) {
        expect_found([&] { replica(sql); }, "fee_payment 5", sql);
    };
    std::map<std::string, std::string> const others{
        {"previous_hash", "sha256('x')"},
        {"hash", "sha256('x')"},
        {"booked_at", "booked_at + interval '1 millisecond'"},
        {"invoice_merchant_id", "gen_random_uuid()"},
        {"invoice_payment_id", "gen_random_uuid()"},
        {"token", "decode(repeat('03', 20), 'hex')"},
        {"amount", "amount + 1"},
        {"settlement_hash", "sha256('x')"}};
    for (auto const& [column, value] : others)
        expect("UPDATE fee_payments SET " + column + " = " + value);
    EXPECT_EQ(query("SELECT count(*) FROM information_schema.columns"
                    " WHERE table_name = 'fee_payments' AND table_schema = 'public'"),
              std::to_string(others.size() + 3));  // and its place
    for (std::string const change :
         {"DELETE FROM fee_payments", "UPDATE fee_payments SET seq = 1000",
          "UPDATE fee_payments SET chain_id = 99999",
          "UPDATE fee_payments SET merchant_id = 'ffffffff-ffff-7fff-bfff-ffffffffffff'"}) {
        expect_found([&] { replica(change); }, "number 5 ", change);  // is missing
    }
    expect("UPDATE fee_invoices SET amount = amount + 1");
    expect("UPDATE fee_invoices SET chain_id = 1");
    expect("DELETE FROM fee_invoices");
    EXPECT_THROW(query("UPDATE fee_invoices SET amount = 1"), pqxx::sql_error);
    EXPECT_THROW(query("DELETE FROM fee_recipients"), pqxx::sql_error);
}

// Whoever owns the database could write a right hash: what was never settled is named all the same.
TEST_F(FeeInvoicesInPostgres, a_payment_by_what_was_never_settled_is_named) {
    charge();
    auto const made = invoice();
    pay(made.at(0));
    JournalHead const head = run(ledger.load_views(kChain, {}, {merchant_id})).at(0).head;
    run(service->book_paid());
    JournalWriter forged(merchant_id, kChain, head, clock.now());
    forged.append(FeePayment{.invoice_merchant_id = operator_merchant,
                             .invoice_payment_id = made[0].payment.id,
                             .token = kToken,
                             .amount = Amount(1'000'000),
                             .settlement_hash = Bytes32{1}});
    std::string const hash = "decode('" + to_hex(forged.head().hash) + "', 'hex')";
    std::string const sql = "UPDATE fee_payments SET settlement_hash = decode('" +
                            to_hex(Bytes32{1}) + "', 'hex'), hash = " + hash +
                            "; UPDATE journal_heads SET hash = " + hash + " WHERE merchant_id = '" +
                            to_string(merchant_id.uuid) + "'";
    expect_found([&] { replica(sql); },
                 "fee_payment 5 names a settlement by which its invoice was not paid", sql);
}

TEST_F(FeeInvoicesInPostgres, nothing_is_booked_without_its_invoice_and_what_it_was_paid_with) {
    charge();
    auto const made = invoice();
    EXPECT_THROW(run(fees.commit(commit_of(made.at(0), Amount(999'999), Bytes32{1}))),
                 InvariantViolation);
    EXPECT_THROW(run(fees.commit(commit_of(made.at(0), Amount(1'000'000), Bytes32{1}))),
                 Unavailable);
    EXPECT_EQ(query("SELECT count(*) FROM fee_payments"), "0");
}

}  // namespace
}  // namespace sycee
