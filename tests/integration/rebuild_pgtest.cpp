// Pins: books in PostgreSQL, derived again into another database from the chains and from what was
// put in, are the same; what differs is named, and what is not final is left out on both sides.
#include <sycee/app/rebuild.hpp>
#include <sycee/crypto/hash.hpp>
#include <sycee/payment/cancel.hpp>
#include <sycee/payment/loss.hpp>
#include <sycee/payment/refund.hpp>
#include <sycee/store/pg_fees.hpp>
#include <sycee/store/pg_losses.hpp>
#include <sycee/store/pg_payment_changes.hpp>
#include <sycee/store/pg_rebuild.hpp>
#include <sycee/store/pg_refunds.hpp>

#include "books_fixture.hpp"

namespace sycee {
namespace {

Bytes32 word_of(Address const& address) {
    Bytes32 word{};
    std::copy(address.bytes.begin(), address.bytes.end(), word.begin() + 12);
    return word;
}

// The blocks of the fixture, with the transfers that a test puts into them.
class ToldHistory final : public HistoryPort {
  public:
    std::string name() const override { return "told"; }
    Task<std::optional<BlockHeader>> header(BlockNumber number) override {
        co_return header_of(number);
    }
    Task<LogRange> transfer_logs(std::vector<Address> contracts, BlockNumber first,
                                 BlockNumber last) override {
        LogRange range{last, {}};
        for (auto const& [place, transfer] : transfers) {
            bool const asked = std::find(contracts.begin(), contracts.end(), transfer.key.token) !=
                               contracts.end();
            if (!asked || place.first < first || place.first > last) continue;
            Log log;
            log.contract = transfer.key.token;
            log.topics = {transfer_topic(), word_of(transfer.sender), word_of(transfer.recipient)};
            log.data.resize(32);
            for (std::size_t i = 0; i < 16; ++i)
                log.data[31 - i] =
                    static_cast<std::uint8_t>(transfer.amount.base_units() >> (8 * i));
            log.block_number = place.first;
            log.block_hash = transfer.block_hash;
            log.transaction_hash = transfer.key.transaction_hash;
            log.log_index = place.second;
            range.logs.push_back(std::move(log));
        }
        co_return range;
    }
    void add(Transfer const& transfer) {
        auto const index = static_cast<std::uint32_t>(transfers.size());
        transfers.emplace(std::pair(transfer.block_number, index), transfer);
    }

    std::function<BlockHeader(BlockNumber)> header_of;
    std::map<std::pair<BlockNumber, std::uint32_t>, Transfer> transfers;
};

class RebuildInPostgres : public BooksInPostgres {
  protected:
    RebuildInPostgres() {
        for (ChainId const id : {kChain, kOtherChain}) {
            ChainSettings settings;
            settings.id = id;
            settings.tokens = {
                {.symbol = "USDT", .contract = kToken, .decimals = 6, .tolerance = {}}};
            network.chains.push_back(settings);
            told[id].header_of = [](BlockNumber number) { return block(number); };
        }
    }

    // Pays in a block of the chain and commits it; what is on the chain is told as well.
    void pay(ChainId chain_id, std::vector<std::pair<Payment, Transfer>> const& transfers,
             BlockNumber number, BlockNumber finalized, std::vector<Payment> others = {}) {
        Step step{.chain_id = chain_id,
                  .added = {},
                  .arrivals = {},
                  .others = std::move(others),
                  .finalized = finalized,
                  .rolled_back_to = {}};
        for (BlockNumber next = heads[chain_id].number + 1; next <= number; ++next)
            step.added.push_back(block(next));
        for (auto const& [to, transfer] : transfers) {
            step.arrivals.push_back({to, transfer});
            told[chain_id].add(transfer);
        }
        booked_at += std::chrono::seconds(1);
        commit(plan(step));
    }
    void pay(ChainId chain_id, Payment const& to, std::uint8_t txn, std::uint64_t amount,
             BlockNumber number, BlockNumber finalized) {
        pay(chain_id, {{to, transfer(to, txn, amount, block(number), chain_id)}}, number,
            finalized);
    }
    // Nothing arrives, and everything up to that block is final.
    void finalize(ChainId chain_id, BlockNumber number, std::vector<Payment> others) {
        pay(chain_id, {}, number, number, std::move(others));
    }

    MerchantView view_of(Payment const& of) {
        std::vector<PaymentKey> const keys{{of.merchant_id, of.id}};
        return run(PgLedger(*database).load_views(kChain, keys, {})).front();
    }
    // Writes what was decided about a refund. Its number.
    std::uint64_t book(Result<MerchantStep> const& step) {
        if (!step) throw std::runtime_error(to_string(step.error()));
        RefundCommit commit{.head = {merchant_id, step->first_head, step->head},
                            .chain_id = kChain,
                            .entries = step->entries,
                            .events = {},
                            .reason = "why",
                            .request = {},
                            .foreign = {},
                            .now = booked_at};
        run(PgRefunds(*database).commit(std::move(commit)));
        return step->head.sequence;
    }
    std::uint64_t promise(Payment const& of, std::uint64_t amount) {
        booked_at += std::chrono::seconds(1);
        RefundDecision const decision{.payment_id = of.id,
                                      .token = kToken,
                                      .recipient = kPayer,
                                      .amount = Amount(amount),
                                      .decided_by = "op_1",
                                      .approved_by = "",
                                      .reason_hash = sha256(as_bytes("why"))};
        return book(promise_refund(view_of(of), kChain, decision, progress, booked_at));
    }

    // Of what all the books have at the payment's address, which is missing in block 101.
    DifferenceId find_difference(Payment const& of, std::uint64_t missing) {
        auto const id = new_id<DifferenceTag>(booked_at);
        query(
            "INSERT INTO balance_differences (difference_id, merchant_id, payment_id, chain_id,"
            " address, token, block_number, block_hash, booked, on_chain, found_at)"
            " SELECT '" +
            to_string(id.uuid) + "', merchant_id, payment_id, 31337, deposit_address, '\\x" +
            to_hex(kToken.bytes) + "', 101, '\\x" + to_hex(block(101).hash) + "', 50000000, " +
            std::to_string(50'000'000 - missing) + ", now() FROM payments WHERE payment_id = '" +
            to_string(of.id.uuid) + "'");
        return id;
    }
    void lose(Payment const& of, std::uint64_t amount) {
        LossDecision const decision{.difference_id = find_difference(of, amount),
                                    .payment_id = of.id,
                                    .token = kToken,
                                    .amount = Amount(amount),
                                    .block_number = 101,
                                    .block_hash = block(101).hash,
                                    .decided_by = "op_1",
                                    .approved_by = "op_2",
                                    .reason_hash = sha256(as_bytes("why"))};
        booked_at += std::chrono::seconds(1);
        auto const step = book_loss(view_of(of), kChain, decision, progress, booked_at);
        if (!step) throw std::runtime_error(to_string(step.error()));
        run(PgLosses(*database).commit({.head = {merchant_id, step->first_head, step->head},
                                        .chain_id = kChain,
                                        .entries = step->entries,
                                        .reason = "why",
                                        .request = {},
                                        .now = booked_at}));
    }

    // The operator's invoice over 1.00, the fee of a payment of 50.00. It is paid and settled, and
    // booked as paid. The invoice's payment.
    Payment pay_fees() {
        MerchantId const operators = create_merchant("Operator", 2);
        PgFees fees(*database);
        EXPECT_TRUE(run(fees.set_recipient(operators, kStart)));
        auto input = new_payment(operators, {kChain});
        input.price = Amount(100);
        input.options[0].amount = Amount(1'000'000);
        auto const invoice = run(PgPayments(*database).create(input, derive_deposit_address));
        EXPECT_TRUE(run(fees.add({.merchant_id = merchant_id,
                                  .payment = {operators, invoice.id},
                                  .chain_id = kChain,
                                  .token = kToken,
                                  .amount = Amount(1'000'000),
                                  .created_at = kStart},
                                 0)));
        BlockNumber const next = heads[kChain].number + 1;
        pay(kChain, invoice, 7, 1'000'000, next, next - 1);
        finalize(kChain, next + 1, {invoice});
        auto const views = run(PgLedger(*database).load_views(kChain, {}, {merchant_id}));
        JournalWriter journal(merchant_id, kChain, views.front().head, booked_at);
        journal.append(FeePayment{.invoice_merchant_id = operators,
                                  .invoice_payment_id = invoice.id,
                                  .token = kToken,
                                  .amount = Amount(1'000'000),
                                  .settlement_hash = run(fees.unbooked(10)).at(0).evidence});
        run(fees.commit({.head = {merchant_id, journal.first_head(), journal.head()},
                         .chain_id = kChain,
                         .entries = journal.entries()}));
        return invoice;
    }
    void charge() {
        EXPECT_TRUE(run(PgAccess(*database).set_fees(merchant_id, {.basis_points = 200}, kStart)));
        pay(kChain, payment, 1, 50'000'000, 101, 100);
        finalize(kChain, 102, {payment});
    }

    RebuildReport rebuild(std::function<void()> const& meanwhile = [] {}) {
        static int number = 0;
        std::string const name = "rebuilt_" + std::to_string(++number);
        {
            pqxx::connection admin(admin_url());
            pqxx::nontransaction tx(admin);
            tx.exec("DROP DATABASE IF EXISTS " + name);
            tx.exec("CREATE DATABASE " + name);
        }
        Database books(url(), 1);
        Database into(admin_url() + " dbname=" + name, 1);
        PgRebuildSource source(books);
        run(source.begin());
        PgRebuildTarget target(into);
        EXPECT_TRUE(run(target.prepare(source)));
        meanwhile();
        std::vector<std::unique_ptr<ChainHistory>> histories;
        std::map<ChainId, ChainHistory*> by_chain;
        for (auto& [id, node] : told) {
            histories.push_back(
                std::make_unique<ChainHistory>(id, std::vector<HistoryPort*>{&node}, 1, clock));
            by_chain.emplace(id, histories.back().get());
        }
        PgLedger ledger(into);
        PgDesk desk(into);
        PgRefunds refunds(into);
        PgLosses losses(into);
        PgFees fees(into);
        PgPaymentChanges changes(into);
        Rebuild rebuilding(network, std::move(by_chain),
                           {source, target, ledger, desk, refunds, losses, fees, changes, clock});
        auto report = run(rebuilding.run());
        EXPECT_EQ(run(verify_books(into)).first_wrong.value_or(""), "");
        return report;
    }
    static std::string text_of(RebuildReport const& report) {
        std::string text;
        for (std::string const& line : report.differences)
            text += line + "\n";
        return text;
    }

    Address const kPayer{Bytes20{0x77}};
    SystemClock clock;
    Network network;
    std::map<ChainId, ToldHistory> told;
};

TEST_F(RebuildInPostgres, what_was_over_and_late_and_too_little_has_the_same_place) {
    auto const over = create_payment(merchant_id, {kChain});
    auto const few = create_payment(merchant_id, {kChain});
    pay(kChain, payment, 1, 50'000'000, 101, 100);
    pay(kChain, over, 2, 61'000'000, 102, 100);
    pay(kChain, few, 3, 7'000'000, 103, 101);
    pay(kChain, payment, 4, 5'000'000, 104, 102);
    pay(kChain, payment, 5, 50'000'000, 4'000, 103);
    finalize(kChain, 4'001, {payment, over, few});
    ASSERT_EQ(first_wrong(), "");
    auto const report = rebuild();
    EXPECT_EQ(text_of(report), "");
    EXPECT_EQ(report.payments, 3U);
    EXPECT_EQ(report.ordered, 0U);
    ASSERT_EQ(report.chains.size(), 1U);
    EXPECT_EQ(report.chains[0].transfers, 5U);
}

// The chains say that the other one's transfer was earlier. Its follower was slower.
TEST_F(RebuildInPostgres, between_two_chains_the_books_say_who_was_first) {
    begin(kOtherChain);
    auto const raced = create_payment(merchant_id, {kChain, kOtherChain});
    pay(kChain, raced, 1, 50'000'000, 110, 100);
    pay(kOtherChain, raced, 2, 50'000'000, 105, 100);
    finalize(kChain, 120, {raced});
    finalize(kOtherChain, 120, {raced});
    ASSERT_EQ(state(raced).credits[0].stage, CreditStage::settled);
    ASSERT_EQ(state(raced).credits[1].unapplied_reason, UnappliedReason::already_paid);
    auto const report = rebuild();
    EXPECT_EQ(text_of(report), "");
    EXPECT_EQ(report.ordered, 1U);
}

// The part that clears first bears what is for the whole payment.
TEST_F(RebuildInPostgres, between_two_chains_the_books_say_who_bears_the_fixed_fee) {
    begin(kOtherChain);
    FeeSchedule fees{.basis_points = 100, .fixed = Amount(30)};
    ASSERT_TRUE(run(PgAccess(*database).set_fees(merchant_id, fees, kStart)));
    auto const raced = create_payment(merchant_id, {kChain, kOtherChain});
    pay(kChain, raced, 1, 20'000'000, 110, 100);
    pay(kOtherChain, raced, 2, 30'000'000, 105, 100);  // clears here, in its own step
    finalize(kChain, 120, {raced});
    finalize(kOtherChain, 120, {raced});
    ASSERT_EQ(status_of(state(raced), std::nullopt), PaymentStatus::settled);
    EXPECT_EQ(text_of(rebuild()), "");
}

TEST_F(RebuildInPostgres, each_payment_keeps_the_fees_that_it_was_charged_by) {
    auto const second = create_payment(merchant_id, {kChain});
    pay(kChain, payment, 1, 50'000'000, 101, 100);
    FeeSchedule const dearer{.basis_points = 250};
    ASSERT_TRUE(
        run(PgAccess(*database).set_fees(merchant_id, dearer, kStart + std::chrono::hours(9))));
    pay(kChain, second, 2, 50'000'000, 102, 100);
    finalize(kChain, 110, {payment, second});
    EXPECT_EQ(text_of(rebuild()), "");

    replica("UPDATE clearings SET fee_version = 7 WHERE fee > 0");
    auto const named = text_of(rebuild());
    EXPECT_NE(named.find(to_string(second.id) +
                         ": the books name version 7 of the fees, and there is none"),
              std::string::npos)
        << named;
}

TEST_F(RebuildInPostgres, what_is_not_final_is_left_out_on_both_sides) {
    begin(kOtherChain);
    auto const both = create_payment(merchant_id, {kChain, kOtherChain});
    pay(kChain, payment, 1, 60'000'000, 101, 100);
    pay(kChain, both, 2, 20'000'000, 102, 100);
    pay(kOtherChain, both, 3, 30'000'000, 130, 100);
    finalize(kChain, 140, {payment, both});
    Credit const pending = state(both).credits[1];
    ASSERT_EQ(pending.transfer.key.chain_id, kOtherChain);
    ASSERT_EQ(pending.stage, CreditStage::cleared);
    auto report = rebuild();
    EXPECT_EQ(text_of(report), "");
    EXPECT_EQ(report.pending, 1U);
    EXPECT_EQ(report.payments, 1U);

    // Left out is its place; its final transfers are not.
    replica("UPDATE authorizations SET amount = amount + 1 WHERE amount = 20000000");
    auto const named = text_of(rebuild());
    EXPECT_NE(named.find("in: the books say 20000001; rebuilt, 20000000"), std::string::npos)
        << named;
}

TEST_F(RebuildInPostgres, a_frozen_address_is_left_out) {
    auto const other = create_payment(merchant_id, {kChain});
    pay(kChain, payment, 1, 50'000'000, 101, 100);
    pay(kChain, other, 2, 50'000'000, 102, 100);
    find_difference(payment, 50'000'000);
    finalize(kChain, 110, {payment, other});
    ASSERT_EQ(state(payment).credits[0].stage, CreditStage::cleared);
    auto const report = rebuild();
    EXPECT_EQ(text_of(report), "");
    EXPECT_EQ(report.frozen, 1U);
    EXPECT_EQ(report.payments, 1U);
}

// When it ended is an input; what is late by it is not.
TEST_F(RebuildInPostgres, what_was_canceled_ends_again_when_it_did) {
    auto const untouched = create_payment(merchant_id, {kChain});
    for (Payment const& one : {payment, untouched}) {
        std::string const why = one.id == payment.id ? "the customer went away" : "";
        PgPaymentChanges changes(*database);
        auto view = view_of(one);
        auto const step = cancel_payment(std::move(view), kChain,
                                         {.payment_id = one.id,
                                          .ends_at = std::nullopt,
                                          .decided_by = "key_1",
                                          .approved_by = "",
                                          .reason_hash = sha256(as_bytes(std::string_view(why)))},
                                         progress, booked_at);
        ASSERT_TRUE(step) << to_string(step.error());
        run(changes.commit({.head = {merchant_id, step->first_head, step->head},
                            .chain_id = kChain,
                            .entries = step->entries,
                            .events = {},
                            .reason = why,
                            .foreign = {},
                            .now = kStart}));
    }
    pay(kChain, payment, 1, 50'000'000, 101, 100);
    finalize(kChain, 105, {payment});
    ASSERT_EQ(state().credits.at(0).unapplied_reason, UnappliedReason::late);
    ASSERT_EQ(first_wrong(), "");
    auto const report = rebuild();
    EXPECT_EQ(text_of(report), "");
    EXPECT_EQ(report.payments, 2U);
    EXPECT_EQ(report.decisions, 2U);

    replica("UPDATE cancellations SET ends_at = ends_at + interval '1 hour' WHERE seq = 1");
    auto const named = text_of(rebuild());
    EXPECT_NE(named.find(to_string(payment.id)), std::string::npos) << named;
}

// From another wallet than a deposit address: nothing else would have looked for it.
TEST_F(RebuildInPostgres, refunds_are_promised_kept_and_taken_back_again) {
    pay(kChain, payment, 1, 50'000'000, 101, 100);
    finalize(kChain, 105, {payment});
    auto const kept = promise(payment, 8'000'000);
    auto const taken_back = promise(payment, 20'000'000);
    auto const canceled = cancel_promise(view_of(payment), kChain,
                                         {.payment_id = payment.id,
                                          .promise_sequence = taken_back,
                                          .decided_by = "op_1",
                                          .reason_hash = sha256(as_bytes("why"))},
                                         progress, booked_at);
    book(canceled);
    promise(payment, 42'000'000);
    Transfer refund = transfer(payment, 7, 8'000'000, block(104));
    refund.recipient = kPayer;
    told[kChain].add(refund);
    refund.log_index = told[kChain].transfers.rbegin()->first.second;
    book(keep_promise(view_of(payment), kChain,
                      {.payment_id = payment.id,
                       .promise_sequence = kept,
                       .recipient = kPayer,
                       .promised_at = refund.block_time,
                       .transfer = refund},
                      progress, booked_at));
    ASSERT_EQ(first_wrong(), "");
    auto const report = rebuild();
    EXPECT_EQ(text_of(report), "");
    EXPECT_EQ(report.decisions, 5U);

    told[kChain].transfers.erase(std::prev(told[kChain].transfers.end()));
    auto const named = text_of(rebuild());
    EXPECT_NE(named.find("refund paid on chain 31337 by transaction 0x07"), std::string::npos)
        << named;
}

// Taken after the withdrawal, less would lie there than was lost, and nothing unexplained have
// left.
TEST_F(RebuildInPostgres, what_was_lost_is_lost_again_in_its_order) {
    pay(kChain, payment, 1, 50'000'000, 101, 100);
    finalize(kChain, 105, {payment});
    lose(payment, 30'000'000);
    Transfer out = transfer(payment, 5, 25'000'000, block(106));
    std::swap(out.sender, out.recipient);
    told[kChain].add(out);
    commit(plan({.added = {block(106)}, .arrivals = {{payment, out, false}}, .finalized = 106}));
    ASSERT_EQ(state().outflows.at(0).unexplained, Amount(5'000'000));
    ASSERT_EQ(first_wrong(), "");
    auto const report = rebuild();
    EXPECT_EQ(text_of(report), "");
    EXPECT_EQ(report.payments, 1U);
    EXPECT_EQ(report.decisions, 1U);
    EXPECT_EQ(report.ordered, 1U);

    replica("UPDATE token_losses SET amount = amount - 1");
    auto named = text_of(rebuild());
    EXPECT_NE(named.find("is refused when rebuilt: its difference says otherwise"),
              std::string::npos)
        << named;
    EXPECT_NE(named.find("lost at its address on chain 31337, token " + to_string(kToken) +
                         ": the books say 29999999; rebuilt, nothing"),
              std::string::npos)
        << named;
    replica("UPDATE token_losses SET amount = amount + 1");

    told[kChain].transfers.begin()->second.amount = Amount(20'000'000);
    named = text_of(rebuild());
    EXPECT_NE(named.find("is refused when rebuilt: difference: leaves 30000000 base units missing, "
                         "but the books have only 0 there"),
              std::string::npos)
        << named;
}

TEST_F(RebuildInPostgres, fees_are_paid_again_by_the_invoice_that_is_settled) {
    charge();
    pay_fees();
    ASSERT_EQ(first_wrong(), "");
    auto report = rebuild();
    EXPECT_EQ(text_of(report), "");
    EXPECT_EQ(report.fee_payments, 1U);
    EXPECT_EQ(report.payments, 2U);

    replica("UPDATE fee_payments SET amount = 1000001; UPDATE fee_invoices SET amount = 1000001");
    auto named = text_of(rebuild());
    EXPECT_NE(named.find("is refused when rebuilt: its invoice was to be paid by no more than "
                         "1000000"),
              std::string::npos)
        << named;
    replica("UPDATE fee_payments SET amount = 1000000");
    named = text_of(rebuild());
    EXPECT_NE(named.find("is refused when rebuilt: its invoice is over 1000001"), std::string::npos)
        << named;
    replica("UPDATE fee_invoices SET amount = 1000000");

    told[kChain].transfers.erase(std::prev(told[kChain].transfers.end()));
    report = rebuild();
    named = text_of(report);
    EXPECT_EQ(report.fee_payments, 0U);
    EXPECT_NE(named.find("there is no such invoice of which anything settled"), std::string::npos)
        << named;
    EXPECT_NE(named.find("account operator_fee: the books say nothing; rebuilt, 1000000"),
              std::string::npos)
        << named;
}

// More than is owed in the new books, of which nothing was left out.
TEST_F(RebuildInPostgres, fees_that_were_not_owed_are_named) {
    charge();
    pay_fees();
    told[kChain].transfers.begin()->second.amount = Amount(1'000'000);
    auto const named = text_of(rebuild());
    EXPECT_NE(named.find("is refused when rebuilt: less than that is owed"), std::string::npos)
        << named;
}

TEST_F(RebuildInPostgres, fees_of_what_is_left_out_are_left_out_as_well) {
    charge();
    auto const invoice = pay_fees();
    for (Payment const& frozen : {invoice, payment}) {
        find_difference(frozen, 1'000'000);
        auto const report = rebuild();
        EXPECT_EQ(text_of(report), "");
        EXPECT_EQ(report.frozen, 1U);
        EXPECT_EQ(report.fee_payments, 0U);
        EXPECT_EQ(report.fee_payments_left_out, 1U);
        query(
            "UPDATE balance_differences SET closed_at = now(), closed_reason = 'none'"
            " WHERE closed_at IS NULL");
    }
}

TEST_F(RebuildInPostgres, what_is_booked_meanwhile_is_not_seen) {
    auto const later = create_payment(merchant_id, {kChain});
    pay(kChain, payment, 1, 50'000'000, 101, 100);
    finalize(kChain, 102, {payment});
    auto const report = rebuild([&] {
        pay(kChain, later, 2, 50'000'000, 103, 102);
        finalize(kChain, 104, {later});
    });
    EXPECT_EQ(text_of(report), "");
    EXPECT_EQ(report.payments, 1U);
    EXPECT_EQ(rebuild().payments, 2U);
}

TEST_F(RebuildInPostgres, a_transfer_that_the_books_never_saw_is_named) {
    pay(kChain, payment, 1, 50'000'000, 101, 100);
    told[kChain].add(transfer(payment, 9, 4'000'000, block(102)));
    finalize(kChain, 110, {payment});
    auto const named = text_of(rebuild());
    EXPECT_NE(named.find("in: the books say nothing; rebuilt, 4000000, unapplied, on the desk "
                         "4000000 (already_paid)"),
              std::string::npos)
        << named;
    EXPECT_NE(named.find("account coins: the books say 50000000; rebuilt, 54000000"),
              std::string::npos)
        << named;
}

TEST_F(RebuildInPostgres, a_transfer_that_is_on_no_chain_is_named) {
    pay(kChain, payment, 1, 50'000'000, 101, 100);
    finalize(kChain, 110, {payment});
    told[kChain].transfers.clear();
    auto const named = text_of(rebuild());
    EXPECT_NE(named.find("in: the books say 50000000, settled, gross 50000000, fee 0, net "
                         "50000000; rebuilt, nothing"),
              std::string::npos)
        << named;
}

TEST_F(RebuildInPostgres, on_another_branch_nothing_is_compared) {
    pay(kChain, payment, 1, 50'000'000, 101, 100);
    finalize(kChain, 110, {payment});
    told[kChain].header_of = [](BlockNumber number) { return block(number, 1); };
    auto const report = rebuild();
    ASSERT_EQ(report.difference_count, 1U);
    EXPECT_NE(report.differences[0].find("chain 31337, block 110, which the books call final"),
              std::string::npos);
    EXPECT_EQ(report.payments, 0U);
}

TEST_F(RebuildInPostgres, a_chain_that_is_not_configured_can_not_be_left_out) {
    begin(kOtherChain);
    told.erase(kOtherChain);
    EXPECT_THROW(rebuild(), std::runtime_error);
}

}  // namespace
}  // namespace sycee
