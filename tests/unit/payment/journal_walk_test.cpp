// Pins: a walk passes over right books whatever their flows, keeps only what is open in them, and
// names the first record that could not have been written, even where its hash is right.
#include <sycee/payment/journal_walk.hpp>

#include <gtest/gtest.h>

#include <deque>
#include <functional>

namespace sycee {
namespace {

constexpr ChainId kChain = 31337;
Address const kToken{Bytes20{1}};
Address const kOtherToken{Bytes20{2}};
Amount const kPrice(50'000'000);

PaymentId payment(std::uint8_t number) {
    PaymentId id;
    id.uuid.bytes[15] = number;
    return id;
}

class Context final : public JournalContext {
  public:
    std::span<JournalEntry const> records_of(PaymentId payment_id) override {
        found_.clear();
        for (JournalEntry const& entry : entries) {
            std::visit(
                [&](auto const& record) {
                    if constexpr (requires { record.payment_id; }) {
                        bool its_own = record.payment_id == payment_id;
                        if constexpr (requires { record.target_payment_id; })
                            its_own = its_own || record.target_payment_id == payment_id;
                        if (its_own) found_.push_back(entry);
                    }
                },
                entry.record);
        }
        ++asked;
        return found_;
    }
    std::optional<Amount> tolerance_of(PaymentId, Address const& token) override {
        if (token != kToken) return std::nullopt;
        return Amount(10);
    }
    OlderRecords older_records(std::uint64_t authorization) override {
        OlderRecords found;
        for (JournalEntry const& entry : entries) {
            auto const* cleared = std::get_if<Clearing>(&entry.record);
            if (entry.sequence == authorization) found.authorization = entry;
            if (cleared != nullptr && cleared->authorization_sequence == authorization &&
                !found.clearing)
                found.clearing = entry;
        }
        return found;
    }
    bool has_rule(std::uint64_t version) override { return version == 1; }
    FeeSchedule const* fees(std::uint64_t version) override {
        return version == schedule.version ? &schedule : nullptr;
    }

    std::vector<JournalEntry> entries;
    FeeSchedule schedule{.version = 2, .basis_points = 50};
    int asked = 0;

  private:
    std::vector<JournalEntry> found_;
};

class Walk : public ::testing::Test {
  protected:
    Walk() : journal(merchant(), kChain, {}, timestamp_from_seconds(1'000)) {}

    static MerchantId merchant() {
        MerchantId id;
        id.uuid.bytes[0] = 1;
        return id;
    }
    JournalEntry const& last() const { return journal.entries().back(); }
    JournalEntry const& entry(std::uint64_t sequence) const {
        return journal.entries().at(sequence - 1);
    }

    static Transfer transfer(std::uint64_t number, Amount amount = kPrice) {
        Transfer result;
        result.key = {kChain, {}, kToken, 0};
        for (std::size_t i = 0; i < 8; ++i)
            result.key.transaction_hash[i] = static_cast<std::uint8_t>(number >> (8 * i));
        result.amount = amount;
        return result;
    }

    std::uint64_t authorize(PaymentId of, Transfer const& of_transfer) {
        return journal.append(Authorization{of, of_transfer, 1}).sequence;
    }
    static Clearing clearing(JournalEntry const& of, Amount excess = {}, Amount shortfall = {}) {
        auto const& authorized = std::get<Authorization>(of.record);
        Amount const gross = authorized.transfer.amount - excess;
        Amount const fee = multiply_divide_down(gross, Amount(50), Amount(10'000));
        return {.payment_id = authorized.payment_id,
                .authorization_sequence = of.sequence,
                .authorization_hash = of.hash,
                .token = authorized.transfer.key.token,
                .cleared_at_block = 7,
                .fee_basis_points = 50,
                .gross = gross,
                .fee = fee,
                .net = gross - fee,
                .excess = excess,
                .shortfall = shortfall};
    }
    static Settlement settlement(JournalEntry const& of, std::uint64_t batch) {
        auto const& cleared = std::get<Clearing>(of.record);
        return {.payment_id = cleared.payment_id,
                .authorization_sequence = cleared.authorization_sequence,
                .clearing_hash = of.hash,
                .batch_number = batch,
                .finalized_block = 9,
                .net = cleared.net};
    }
    static SettlementBatch batch(std::uint64_t number, std::uint64_t first, std::uint64_t last,
                                 Amount net) {
        return {.batch_number = number,
                .token = kToken,
                .first_sequence = first,
                .last_sequence = last,
                .settlement_count = last - first + 1,
                .finalized_block = 9,
                .net = net};
    }
    static Unapplied unapplied(JournalEntry const& of) {
        auto const& authorized = std::get<Authorization>(of.record);
        return {.payment_id = authorized.payment_id,
                .authorization_sequence = of.sequence,
                .authorization_hash = of.hash,
                .token = kToken,
                .reason = UnappliedReason::late,
                .amount = authorized.transfer.amount};
    }
    Reversal reversal(JournalEntry const& of) const {
        Reversal result{.reversed_kind = kind_of(of.record),
                        .reversed_sequence = of.sequence,
                        .reversed_hash = of.hash,
                        .ancestor_block = 3,
                        .postings = mirror(postings_of(of.record))};
        std::visit(
            [&](auto const& record) {
                if constexpr (requires { record.payment_id; })
                    result.payment_id = record.payment_id;
            },
            of.record);
        if (auto const* settled = std::get_if<Settlement>(&of.record))
            result.postings = mirror(settlement_postings(kToken.bytes, settled->net));
        return result;
    }
    static Resolution resolution(JournalEntry const& of, PaymentId of_payment, Amount amount) {
        return {.payment_id = of_payment,
                .exception_sequence = of.sequence,
                .exception_hash = of.hash,
                .token = kToken,
                .kind = ResolutionKind::write_off,
                .target_payment_id = of_payment,
                .fee_basis_points = 0,
                .amount = amount,
                .fee = {},
                .decided_by = "opr_1",
                .approved_by = "",
                .reason_hash = {}};
    }

    static Address recipient() { return Address{Bytes20{7}}; }
    static Refund refund(PaymentId of, Amount amount) {
        return {.payment_id = of,
                .token = kToken,
                .recipient = recipient(),
                .amount = amount,
                .decided_by = "opr_1",
                .approved_by = "",
                .reason_hash = {}};
    }
    static std::pair<PaymentId, Amount> promised_by(JournalEntry const& of) {
        if (auto const* one = std::get_if<Refund>(&of.record))
            return {one->payment_id, one->amount};
        auto const& resolved = std::get<Resolution>(of.record);
        return {resolved.payment_id, resolved.amount};
    }
    static RefundPayment refund_payment(JournalEntry const& of, std::uint64_t number) {
        auto const [payment_id, amount] = promised_by(of);
        Transfer paid = transfer(number, amount);
        paid.recipient = recipient();
        paid.block_number = 20;
        return {.payment_id = payment_id,
                .promise_kind = kind_of(of.record),
                .promise_sequence = of.sequence,
                .promise_hash = of.hash,
                .transfer = paid,
                .amount = amount,
                .finalized_block = 21};
    }
    static RefundCancellation cancellation(JournalEntry const& of) {
        auto const [payment_id, amount] = promised_by(of);
        return {.payment_id = payment_id,
                .promise_kind = kind_of(of.record),
                .promise_sequence = of.sequence,
                .promise_hash = of.hash,
                .token = kToken,
                .amount = amount,
                .decided_by = "opr_1",
                .approved_by = "",
                .reason_hash = {}};
    }
    static Resolution desk_promise(JournalEntry const& of, PaymentId of_payment, Amount amount) {
        Resolution promise = resolution(of, of_payment, amount);
        promise.kind = ResolutionKind::refund;
        return promise;
    }
    static TokenLoss loss(PaymentId of, Amount amount, std::uint8_t difference = 1) {
        TokenLoss lost{.payment_id = of,
                       .token = kToken,
                       .amount = amount,
                       .difference_id = {},
                       .block_number = 30,
                       .block_hash = {},
                       .decided_by = "opr_1",
                       .approved_by = "opr_2",
                       .reason_hash = {}};
        lost.difference_id.uuid.bytes[0] = difference;
        return lost;
    }
    static FeePayment fee_payment(Amount amount, std::uint8_t invoice = 1) {
        FeePayment paid{.token = kToken, .amount = amount};
        paid.invoice_merchant_id.uuid.bytes[0] = 9;
        paid.invoice_payment_id.uuid.bytes[0] = invoice;
        return paid;
    }
    static Cancellation given_up(PaymentId of) {
        return {.payment_id = of,
                .ends_at = timestamp_from_seconds(1'000),
                .decided_by = "key_1",
                .approved_by = "",
                .reason_hash = {}};
    }
    // Each is refused beside what stands, with that text.
    void expect_refused(std::vector<std::pair<Record, std::string>> const& wrong) {
        JournalWriter const before = journal;
        for (auto const& [record, named] : wrong) {
            journal.append(record);
            expect_wrong(named);
            journal = before;
        }
    }

    // Authorization, clearing, settlement and batch: four records.
    void settle(PaymentId of, std::uint64_t number, Amount excess = {}) {
        authorize(of, transfer(number));
        JournalEntry const authorized = last();
        journal.append(clearing(authorized, excess));
        JournalEntry const cleared = last();
        std::uint64_t const place = journal.append(settlement(cleared, ++batches)).sequence;
        journal.append(batch(batches, place, place, std::get<Clearing>(cleared.record).net));
    }

    static std::vector<PostedLine> lines_of(JournalEntry const& of) {
        std::vector<PostedLine> lines;
        for (Posting const& posting : postings_of(of.record))
            lines.push_back({static_cast<std::int64_t>(lines.size()), posting});
        return lines;
    }
    // What is wrong with the first wrong record; empty where none is.
    std::string first_wrong(
        std::function<void(JournalEntry&, std::vector<PostedLine>&)> const& change = {}) {
        Context context;
        context.entries = journal.entries();
        JournalWalk walk(merchant(), kChain, context);
        try {
            for (JournalEntry passed : journal.entries()) {
                auto lines = lines_of(passed);
                if (change) change(passed, lines);
                walk.pass(passed, lines);
                most_open = std::max(most_open, walk.open());
            }
            walk.finish();
        } catch (WrongRow const& wrong) {
            return wrong.what();
        }
        EXPECT_EQ(walk.head(), journal.head());
        open = walk.open();
        asked = context.asked;
        return "";
    }
    void book_every_flow();
    // How a walk stands after so many records; nothing where it may not stand there.
    std::optional<JournalState> stand_at(std::size_t count) {
        Context context;
        context.entries = journal.entries();
        JournalWalk walk(merchant(), kChain, context);
        for (std::size_t i = 0; i < count; ++i)
            walk.pass(journal.entries()[i], lines_of(journal.entries()[i]));
        try {
            return walk.state();
        } catch (WrongRow const&) {
            return std::nullopt;
        }
    }
    // As first_wrong(), from there on. `change`: of what is stored, for looking up.
    std::string first_wrong_from(
        JournalState const& state,
        std::function<void(std::vector<JournalEntry>&)> const& change = {}) {
        Context context;
        context.entries = journal.entries();
        if (change) change(context.entries);
        JournalWalk walk(state, context);
        try {
            for (JournalEntry const& passed : journal.entries()) {
                if (passed.sequence > state.head.sequence) walk.pass(passed, lines_of(passed));
            }
            reached = walk.state();
        } catch (WrongRow const& wrong) {
            return wrong.what();
        }
        return "";
    }
    // From each of them a walk passes over the rest, and comes to the same as one from the first.
    std::size_t places_to_go_on_from() {
        auto const end = stand_at(journal.entries().size()).value();
        std::size_t places = 0;
        for (std::size_t at = 1; at <= journal.entries().size(); ++at) {
            auto const state = stand_at(at);
            if (!state) continue;
            ++places;
            EXPECT_EQ(first_wrong_from(*state), "") << "from " << at;
            EXPECT_EQ(reached, end) << "from " << at;
        }
        return places;
    }
    void expect_wrong(std::string const& named) {
        std::string const wrong = first_wrong();
        EXPECT_NE(wrong.find(named), std::string::npos) << "not " << named << ": " << wrong;
    }

    JournalWriter journal;
    std::uint64_t batches = 0;
    std::size_t most_open = 0;
    std::size_t open = 0;
    int asked = 0;
    std::optional<JournalState> reached;
};

TEST_F(Walk, keeps_nothing_of_what_is_settled_and_asks_about_nothing) {
    for (std::uint64_t number = 1; number <= 300; ++number)
        settle(payment(1), number);
    EXPECT_EQ(first_wrong(), "");
    EXPECT_EQ(most_open, 1U);
    EXPECT_EQ(open, 0U);
    EXPECT_EQ(asked, 0);
}

TEST_F(Walk, passes_over_every_flow) {
    book_every_flow();
    EXPECT_EQ(first_wrong(), "");
    EXPECT_EQ(open, 2U);  // 13, and the one with a shortfall
}

// Where a walk may stand, another goes on from, and both come to the same.
TEST_F(Walk, goes_on_from_where_another_stood) {
    book_every_flow();
    std::size_t const places = places_to_go_on_from();
    EXPECT_GT(places, 10U);
    EXPECT_LT(places, journal.entries().size());  // not between settlement and batch
}

TEST_F(Walk, what_it_goes_on_from_is_as_strict_as_what_it_saw) {
    authorize(payment(1), transfer(1));
    journal.append(clearing(entry(1)));
    settle(payment(2), 2);  // 3 to 6
    authorize(payment(3), transfer(3));
    journal.append(unapplied(entry(7)));  // 8
    journal.append(resolution(entry(8), payment(3), kPrice));
    auto const state = stand_at(9).value();
    JournalWriter const before = journal;
    auto const expect_refused = [&](Record record, std::string const& named) {
        journal.append(std::move(record));
        std::string const wrong = first_wrong_from(state);
        EXPECT_NE(wrong.find(named), std::string::npos) << "not " << named << ": " << wrong;
        journal = before;
    };
    expect_refused(clearing(entry(1)), "is cleared already");
    expect_refused(clearing(entry(3)), "not live, is settled or on the desk already");
    expect_refused(settlement(entry(4), 2), "is settled already");
    expect_refused(resolution(entry(8), payment(3), Amount(1)), "more than its exception holds");
    expect_refused(reversal(entry(8)), "decided upon at the desk");
    expect_refused(settlement(entry(2), 1), "names another batch");
    expect_refused(Withdrawal{payment(1), transfer(9, Amount(1) + kPrice + kPrice + kPrice), {}},
                   "can't be");
}

TEST_F(Walk, what_a_later_record_rests_on_is_named_where_it_is_missing_or_changed) {
    authorize(payment(1), transfer(1));
    journal.append(clearing(entry(1)));
    authorize(payment(2), transfer(2));
    auto const state = stand_at(3).value();
    journal.append(settlement(entry(2), 1));
    journal.append(batch(1, 4, 4, std::get<Clearing>(entry(2).record).net));
    journal.append(unapplied(entry(3)));
    EXPECT_EQ(first_wrong_from(state), "");
    auto const without = [](std::uint64_t sequence) {
        return [sequence](std::vector<JournalEntry>& entries) {
            std::erase_if(entries, [&](auto const& one) { return one.sequence == sequence; });
        };
    };
    auto const changed = [](std::uint64_t sequence) {
        return [sequence](std::vector<JournalEntry>& entries) {
            auto& record = entries.at(sequence - 1).record;
            if (auto* cleared = std::get_if<Clearing>(&record)) ++cleared->cleared_at_block;
            if (auto* one = std::get_if<Authorization>(&record)) one->transfer.log_index = 9;
        };
    };
    auto const forged = [](std::vector<JournalEntry>& entries) {
        std::get<Authorization>(entries.at(2).record).transfer.log_index = 9;
        entries.at(2).hash = hash_of(entries.at(2));
    };
    struct Case {
        std::function<void(std::vector<JournalEntry>&)> change;
        std::string named;
    };
    for (auto const& [change, named] :
         {Case{without(1), "settlement 4 rests on authorization 1, which is missing"},
          Case{without(2), "settlement 4 rests on clearing 2, which is missing"},
          Case{without(3), "unapplied 6 rests on authorization 3, which is missing"},
          Case{changed(1), ": authorization 1 has been changed"},
          Case{changed(2), ": clearing 2 has been changed"},
          Case{forged, "unapplied 6 does not hold the hash of its authorization"}}) {
        std::string const wrong = first_wrong_from(state, change);
        EXPECT_NE(wrong.find(named), std::string::npos) << "not " << named << ": " << wrong;
    }
    auto rewritten = state;
    rewritten.head.hash[0] ^= 1;
    EXPECT_NE(first_wrong_from(rewritten).find("settlement 4 does not hold the hash that number 3"),
              std::string::npos);
}

void Walk::book_every_flow() {
    settle(payment(1), 1, Amount(10'000'000));                    // 1 to 4
    journal.append(resolution(entry(2), payment(1), Amount(1)));  // 5
    authorize(payment(2), transfer(2));                           // 6
    journal.append(unapplied(entry(6)));                          // 7
    journal.append(resolution(entry(7), payment(2), kPrice));     // 8
    authorize(payment(2), transfer(3));                           // 9
    journal.append(unapplied(entry(9)));                          // 10
    journal.append(reversal(entry(10)));
    journal.append(reversal(entry(9)));
    authorize(payment(2), transfer(3));  // 13, mined again
    Transfer out = transfer(4, Amount(20'000'000));
    out.key.token = kOtherToken;
    journal.append(Withdrawal{payment(1), out, Amount(20'000'000)});  // 14
    journal.append(reversal(entry(14)));
    settle(payment(3), 5);  // 16 to 19
    journal.append(reversal(entry(18)));
    journal.append(reversal(entry(17)));
    journal.append(reversal(entry(16)));
    authorize(payment(4), transfer(6));
    JournalEntry const authorized = last();
    journal.append(clearing(authorized, {}, Amount(10)));
}

TEST_F(Walk, names_what_was_changed_removed_or_moved) {
    settle(payment(1), 1);
    struct Change {
        std::string named;
        std::function<void(JournalEntry&, std::vector<PostedLine>&)> change;
    };
    auto const of = [](std::uint64_t sequence, auto change) {
        return [sequence, change](JournalEntry& passed, std::vector<PostedLine>& lines) {
            if (passed.sequence == sequence) change(passed, lines);
        };
    };
    using Lines = std::vector<PostedLine>;
    std::vector<Change> const changes{
        {"clearing 2 has been changed",
         of(2, [](JournalEntry& passed,
                  Lines&) { ++std::get<Clearing>(passed.record).cleared_at_block; })},
        {"authorization 1 has been changed",
         of(1, [](JournalEntry& passed, Lines&) { passed.booked_at += std::chrono::seconds(1); })},
        {"settlement 3 does not hold the hash of the record before it, number 2",
         of(3, [](JournalEntry& passed, Lines&) { passed.previous_hash[0] ^= 1; })},
        {"settlement 4 follows number 2: number 3 is missing",
         of(3, [](JournalEntry& passed, Lines&) { passed.sequence = 4; })},
        {"settlement 2 follows number 2: number 2 stands twice",
         of(3, [](JournalEntry& passed, Lines&) { passed.sequence = 2; })},
        {"clearing 2 has other postings than it says: line 1",
         of(2, [](JournalEntry&, Lines& lines) { lines[1].posting.amount += Amount(1); })},
        {"line 0 of its postings should be",
         of(2, [](JournalEntry&, Lines& lines) { std::swap(lines[0], lines[1]); })},
        {"not line 7", of(2, [](JournalEntry&, Lines& lines) { lines[1].line = 7; })},
        {"a posting too few: line 1 of its postings is missing",
         of(2, [](JournalEntry&, Lines& lines) { lines.pop_back(); })},
        {"settlement 3 has a posting too many: line 0",
         of(3, [&](JournalEntry&, Lines& lines) { lines = lines_of(entry(4)); })}};
    for (auto const& [named, change] : changes) {
        std::string const wrong = first_wrong(change);
        EXPECT_NE(wrong.find(named), std::string::npos) << "not " << named << ": " << wrong;
        EXPECT_TRUE(wrong.starts_with(journal_name(merchant(), kChain) + ": ")) << wrong;
    }
}

TEST_F(Walk, a_transfer_has_one_live_authorization) {
    authorize(payment(1), transfer(1));
    authorize(payment(2), transfer(1));
    expect_wrong("authorization 2 makes a second live authorization of the transfer of number 1");
}

TEST_F(Walk, an_authorization_names_a_rule_that_is_there) {
    journal.append(Authorization{payment(1), transfer(1), 2});
    expect_wrong("authorization 1 names version 2 of the finality rule, which is not there");
}

TEST_F(Walk, nothing_is_booked_twice_upon_an_authorization) {
    authorize(payment(1), transfer(1));
    journal.append(clearing(entry(1)));
    journal.append(unapplied(entry(1)));
    expect_wrong("unapplied 3 is booked upon an authorization that is cleared already");
}

TEST_F(Walk, nothing_is_booked_upon_what_is_reversed_settled_or_on_the_desk) {
    settle(payment(1), 1);
    journal.append(clearing(entry(1)));
    expect_wrong("clearing 5 is booked upon an authorization that is not live");
}

TEST_F(Walk, a_settlement_is_of_what_is_cleared_and_only_once) {
    settle(payment(1), 1);
    journal.append(settlement(entry(2), 2));
    expect_wrong("settlement 5 settles what is not cleared, or is settled already");
}

TEST_F(Walk, settlements_stand_together_before_their_batch) {
    authorize(payment(1), transfer(1));
    journal.append(clearing(entry(1)));
    journal.append(settlement(entry(2), 1));
    expect_wrong("number 3, a settlement, has no batch after it");
    authorize(payment(2), transfer(2));
    expect_wrong("authorization 4 stands between settlements and their batch");
}

TEST_F(Walk, a_batch_sums_up_its_settlements) {
    authorize(payment(1), transfer(1));
    journal.append(clearing(entry(1)));
    journal.append(settlement(entry(2), 1));
    journal.append(batch(1, 3, 3, kPrice));
    expect_wrong("settlement_batch 4 does not sum up its settlements");
}

TEST_F(Walk, a_settlement_names_its_batch) {
    authorize(payment(1), transfer(1));
    journal.append(clearing(entry(1)));
    journal.append(settlement(entry(2), 2));
    expect_wrong("settlement 3 names another batch than the next one");
}

TEST_F(Walk, a_clearing_claims_its_transfer_whole_at_its_fee_and_within_the_tolerance) {
    authorize(payment(1), transfer(1));
    auto const refused = [&](std::function<void(Clearing&)> const& change,
                             std::string const& named) {
        JournalWriter const before = journal;
        Clearing wrong = clearing(entry(1));
        change(wrong);
        journal.append(wrong);
        expect_wrong(named);
        journal = before;
    };
    refused([](Clearing& one) { one.excess = Amount(1); }, "exactly once");
    refused([](Clearing& one) { one.fee_basis_points = 51; }, "charges another fee");
    refused([](Clearing& one) { one.fee_version = 7; }, "names version 7 of the fees");
    refused(
        [](Clearing& one) {
            one.fee_version = 2;
            one.fee_basis_points = 51;
        },
        "has other basis points");
    refused([](Clearing& one) { one.shortfall = Amount(11); }, "more than the payment's tolerance");
    refused([](Clearing& one) { one.token = kOtherToken; }, "another payment or token");
    refused([](Clearing& one) { one.payment_id = payment(2); }, "another payment or token");
    refused([](Clearing& one) { one.authorization_hash[0] ^= 1; },
            "clearing 2 does not hold the hash of its authorization");
}

TEST_F(Walk, a_reversal_takes_back_what_is_there_once_and_down_to_the_authorization) {
    settle(payment(1), 1);
    JournalWriter const settled = journal;
    journal.append(reversal(entry(2)));
    expect_wrong("reversal 5 reverses what is settled");
    journal = settled;
    journal.append(reversal(entry(1)));
    expect_wrong("reversal 5 reverses an authorization whose clearing still stands");
    journal = settled;
    journal.append(reversal(entry(3)));
    expect_wrong("number 2 stands, though what was booked upon it was reversed");
    authorize(payment(2), transfer(2));
    expect_wrong("authorization 6 does not reverse number 2");
    journal = settled;
    Reversal wrong = reversal(entry(3));
    wrong.reversed_hash[0] ^= 1;
    journal.append(wrong);
    expect_wrong("reversal 5 reverses a record that is not there");
    journal = settled;
    wrong = reversal(entry(3));
    wrong.postings[0].amount += Amount(1);
    journal.append(wrong);
    expect_wrong("reversal 5 has been changed");
    journal = settled;
    for (std::uint64_t const sequence : {3U, 2U, 1U, 1U})
        journal.append(reversal(entry(sequence)));
    expect_wrong("reversal 8 reverses a record a second time");
}

// Where the first was final before the second came, no index shows it once the second is reversed.
TEST_F(Walk, of_what_is_reversed_no_other_was_live_at_the_same_time) {
    settle(payment(1), 1);
    authorize(payment(1), transfer(1));
    EXPECT_EQ(first_wrong(), "");  // up to here the index of what is live would show it
    journal.append(reversal(entry(5)));
    expect_wrong("reversal 6 reverses number 5, of whose transfer number 1 was live");

    journal = JournalWriter(merchant(), kChain, {}, timestamp_from_seconds(1'000));
    Transfer const out = transfer(1, Amount(5));
    for (int i = 0; i < 2; ++i)
        journal.append(Withdrawal{payment(1), out, Amount(5)});
    journal.append(reversal(entry(1)));
    expect_wrong("reversal 3 reverses number 1, of whose transfer number 2 was live");
    journal = JournalWriter(merchant(), kChain, {}, timestamp_from_seconds(1'000));
    for (int i = 0; i < 2; ++i) {
        journal.append(Withdrawal{payment(1), out, Amount(5)});
        journal.append(reversal(last()));
    }
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(Walk, a_record_does_not_refer_to_one_that_comes_later) {
    authorize(payment(1), transfer(1));
    Reversal early = reversal(entry(1));
    journal = JournalWriter(merchant(), kChain, {}, timestamp_from_seconds(1'000));
    early.reversed_sequence = 2;
    journal.append(early);
    authorize(payment(1), transfer(1));
    expect_wrong("reversal 1 reverses a record that is not there");
}

TEST_F(Walk, the_desk_decides_about_what_lies_there_and_no_more_of_it) {
    settle(payment(1), 1, Amount(10'000'000));
    JournalWriter const settled = journal;
    journal.append(resolution(entry(2), payment(1), Amount(6'000'000)));
    journal.append(resolution(entry(2), payment(1), Amount(4'000'001)));
    expect_wrong("resolution 6 decides about more than its exception holds");
    journal = settled;
    journal.append(resolution(entry(3), payment(1), Amount(1)));
    expect_wrong("resolution 5 decides about a record that is not on the desk");
    journal = settled;
    journal.append(resolution(entry(2), payment(2), Amount(1)));
    expect_wrong("or not of its payment");
    journal = settled;
    journal.append(resolution(entry(2), payment(1), Amount(1)));
    journal.append(reversal(entry(3)));
    journal.append(reversal(entry(2)));
    expect_wrong("reversal 7 reverses what was decided upon at the desk");
}

constexpr std::uint64_t kNet = 49'750'000;

TEST_F(Walk, passes_over_refunds_losses_and_fees) {
    settle(payment(1), 1, Amount(10'000'000));                              // 1 to 4, net 39.8
    journal.append(refund(payment(1), Amount(20'000'000)));                 // 5
    journal.append(refund(payment(1), Amount(19'800'000)));                 // 6
    journal.append(cancellation(entry(5)));                                 // 7
    journal.append(refund(payment(1), Amount(20'000'000)));                 // 8
    journal.append(refund_payment(entry(6), 70));                           // 9
    journal.append(desk_promise(entry(2), payment(1), Amount(6'000'000)));  // 10
    journal.append(desk_promise(entry(2), payment(1), Amount(4'000'000)));  // 11
    journal.append(cancellation(entry(11)));                                // 12
    journal.append(desk_promise(entry(2), payment(1), Amount(4'000'000)));  // 13
    journal.append(refund_payment(entry(10), 71));                          // 14
    journal.append(loss(payment(1), Amount(30'000'000)));
    journal.append(loss(payment(1), Amount(20'000'000), 2));
    journal.append(fee_payment(Amount(150'000)));
    journal.append(fee_payment(Amount(50'000), 2));
    EXPECT_EQ(first_wrong(), "");
    EXPECT_GT(places_to_go_on_from(), 14U);
}

TEST_F(Walk, a_refund_is_of_what_is_settled_and_not_promised_yet) {
    settle(payment(1), 1);
    settle(payment(2), 2);
    authorize(payment(3), transfer(3));
    journal.append(clearing(last()));
    auto const changed = [](auto const& change) {
        Refund one = refund(payment(1), Amount(1));
        change(one);
        return one;
    };
    expect_refused(
        {{refund(payment(1), Amount(kNet + 1)), "refund 11 promises more than is settled"},
         {refund(payment(3), Amount(1)), "refund 11 promises more than is settled"},
         {refund(payment(4), Amount(1)), "refund 11 promises more than is settled"},
         {changed([](Refund& one) { one.token = kOtherToken; }), "promises more than is settled"},
         {changed([](Refund& one) { one.amount = Amount{}; }), "refund 11 promises nothing"},
         {changed([](Refund& one) { one.approved_by = one.decided_by; }), "was not decided by"}});
    journal.append(refund(payment(1), Amount(kNet)));
    expect_refused({{refund(payment(1), Amount(1)), "refund 12 promises more than is settled"}});
    journal.append(refund_payment(last(), 70));
    expect_refused({{refund(payment(1), Amount(1)), "refund 13 promises more than is settled"}});
}

TEST_F(Walk, what_the_desk_gave_to_a_payment_can_be_refunded) {
    settle(payment(1), 1, Amount(10'000'000));
    Resolution credit = resolution(entry(2), payment(1), Amount(10'000'000));
    credit.kind = ResolutionKind::credit;
    credit.target_payment_id = payment(2);
    credit.fee_basis_points = 50;
    credit.fee = Amount(50'000);
    journal.append(credit);
    expect_refused({{refund(payment(2), Amount(9'950'001)), "promises more than is settled"}});
    journal.append(refund(payment(2), Amount(9'950'000)));
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(Walk, a_promise_is_kept_by_one_transfer_that_fits_it_and_only_once) {
    settle(payment(1), 1, Amount(10'000'000));
    journal.append(refund(payment(1), Amount(20)));                  // 5
    journal.append(desk_promise(entry(2), payment(1), Amount(30)));  // 6
    journal.append(refund(payment(1), Amount(20)));                  // 7
    auto const changed = [&](auto const& change) {
        RefundPayment one = refund_payment(entry(5), 70);
        change(one);
        return one;
    };
    expect_refused(
        {{changed([](auto& one) { one.promise_hash[0] ^= 1; }), "ends a promise that is not there"},
         {changed([](auto& one) { one.promise_sequence = 4; }), "ends a promise that is not there"},
         {changed([](auto& one) { one.promise_kind = RecordKind::resolution; }),
          "ends a promise that is not there"},
         {changed([](auto& one) { one.payment_id = payment(2); }), "or not of its payment"},
         {changed([](auto& one) { one.amount = Amount(19); }), "does not keep its promise whole"},
         {changed([](auto& one) { one.transfer.amount = Amount(19); }),
          "refund_payment 8 does not keep its promise whole"},
         {changed([](auto& one) { one.transfer.key.token = kOtherToken; }),
          "is of another token than its promise"},
         {changed([](auto& one) { one.transfer.recipient = {}; }), "pays another recipient"},
         {changed([](auto& one) { one.finalized_block = 19; }), "a block that is not final"}});
    journal.append(refund_payment(entry(6), 70));  // whoever it is paid to
    expect_refused({{refund_payment(entry(5), 70), "kept another promise already"},
                    {refund_payment(entry(6), 71), "ends a promise that was kept already"},
                    {cancellation(entry(6)), "ends a promise that was kept already"}});
    journal.append(cancellation(entry(5)));
    expect_refused({{refund_payment(entry(5), 71), "ends a promise that was taken back already"},
                    {cancellation(entry(5)), "ends a promise that was taken back already"}});
    RefundPayment more = refund_payment(entry(7), 71);
    more.transfer.amount = Amount(21);
    journal.append(more);
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(Walk, a_promise_is_taken_back_whole) {
    settle(payment(1), 1, Amount(10'000'000));
    journal.append(desk_promise(entry(2), payment(1), Amount(10'000'000)));
    RefundCancellation part = cancellation(entry(5));
    part.amount = Amount(9'999'999);
    RefundCancellation other = cancellation(entry(5));
    other.token = kOtherToken;
    expect_refused(
        {{part, "does not take its promise back whole"},
         {other, "is of another token than its promise"},
         {resolution(entry(2), payment(1), Amount(1)), "more than its exception holds"}});
    journal.append(cancellation(entry(5)));
    journal.append(resolution(entry(2), payment(1), Amount(10'000'000)));
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(Walk, what_was_promised_is_not_reversed) {
    settle(payment(1), 1);
    settle(payment(1), 2);
    journal.append(refund(payment(1), Amount(kNet + 1)));  // 9
    JournalWriter const promised = journal;
    for (std::uint64_t const sequence : {3U, 2U, 1U})
        journal.append(reversal(entry(sequence)));
    expect_wrong("reversal 10 reverses what was promised to a payer");
    journal = promised;
    journal.append(cancellation(entry(9)));
    journal.append(refund(payment(1), Amount(kNet)));
    for (std::uint64_t const sequence : {3U, 2U, 1U})
        journal.append(reversal(entry(sequence)));
    EXPECT_EQ(first_wrong(), "");
    expect_refused({{reversal(entry(11)), "reverses a record of a kind that is never reversed"}});
}

TEST_F(Walk, a_loss_is_of_what_lies_at_its_address_and_booked_once) {
    settle(payment(1), 1);
    settle(payment(2), 2);
    journal.append(Withdrawal{payment(1), transfer(3, Amount(20'000'000)), {}});
    JournalEntry const moved = last();
    TokenLoss by_nobody = loss(payment(1), Amount(1));
    by_nobody.decided_by = "";
    expect_refused({{loss(payment(1), Amount(30'000'001)), "loses more than lies at its address"},
                    {loss(payment(3), Amount(1)), "loses more than lies at its address"},
                    {loss(payment(1), Amount{}), "loses nothing"},
                    {by_nobody, "was not decided by"}});
    journal.append(loss(payment(1), Amount(10'000'000)));
    expect_refused({{loss(payment(1), Amount(1)), "books a difference twice"},
                    {loss(payment(1), Amount(20'000'001), 2), "loses more than lies"}});
    journal.append(reversal(moved));
    journal.append(loss(payment(1), Amount(40'000'000), 2));
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(Walk, an_invoice_pays_fees_that_are_due_and_once) {
    settle(payment(1), 1);
    FeePayment own = fee_payment(Amount(1));
    own.invoice_merchant_id = merchant();
    expect_refused(
        {{fee_payment(Amount(250'001)), "fee_payment 5 can't be: ledger: account operator_fee"},
         {own, "rests on an invoice to the merchant itself"},
         {fee_payment(Amount{}), "pays nothing"}});
    journal.append(fee_payment(Amount(100'000)));
    expect_refused({{fee_payment(Amount(1)), "pays an invoice a second time"}});
}

TEST_F(Walk, a_payment_is_canceled_once_and_before_anything_came) {
    settle(payment(1), 1);
    Cancellation by_nobody = given_up(payment(2));
    by_nobody.decided_by = "";
    expect_refused({{given_up(payment(1)), "cancels a payment for which something had come"},
                    {by_nobody, "was not decided by"}});
    journal.append(given_up(payment(2)));
    expect_refused({{given_up(payment(2)), "cancels a payment a second time"}});
    // What comes later is on its own.
    settle(payment(2), 2);
    journal.append(given_up(payment(3)));
    expect_refused({{reversal(last()), "reverses a record of a kind that is never reversed"}});
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(Walk, no_account_falls_below_zero) {
    Transfer out = transfer(1, Amount(5));
    journal.append(Withdrawal{payment(1), out, Amount(4)});
    expect_wrong("withdrawal 1 can't be: ledger: account coins");
}

class Index : public ::testing::Test {
  protected:
    static TransferKey key(std::uint8_t number) {
        TransferKey result;
        result.transaction_hash[0] = number;
        return result;
    }
    // The records 1, 2 and 4, of the transfers of the same numbers; 2 is reversed by 3.
    static std::string first_wrong(std::deque<LiveIndexWalk::Row> rows) {
        auto const next = [&rows]() -> std::optional<LiveIndexWalk::Row> {
            if (rows.empty()) return std::nullopt;
            LiveIndexWalk::Row const row = rows.front();
            rows.pop_front();
            return row;
        };
        try {
            LiveIndexWalk walk("here", "live_credits", next);
            walk.booked(1, key(1));
            walk.booked(2, key(2));
            walk.reversed(2);
            walk.booked(4, key(4));
            walk.finish();
        } catch (WrongRow const& wrong) {
            return wrong.what();
        }
        return "";
    }
};

TEST_F(Index, has_a_row_for_exactly_what_is_live) {
    EXPECT_EQ(first_wrong({{key(1), 1}, {key(4), 4}}), "");
    EXPECT_EQ(first_wrong({{key(1), 1}}), "here: live_credits has no row for number 4");
    EXPECT_EQ(first_wrong({{key(4), 4}}), "here: live_credits has no row for number 1");
    EXPECT_EQ(first_wrong({{key(1), 1}, {key(2), 2}, {key(4), 4}}),
              "here: live_credits has a row for number 2, which is not live");
    EXPECT_NE(first_wrong({{key(1), 1}, {key(9), 3}, {key(4), 4}})
                  .find("has a row for number 3, which is not live: transaction 0x09"),
              std::string::npos);
    EXPECT_NE(first_wrong({{key(1), 1}, {key(4), 4}, {key(9), 9}}).find("a row for number 9"),
              std::string::npos);
    EXPECT_EQ(first_wrong({{key(4), 4}, {key(1), 9}}),
              "here: live_credits says number 9 where number 1 is live");
    EXPECT_EQ(first_wrong({{key(1), 1}, {key(4), 3}}),
              "here: live_credits says number 3 where number 4 is live");
    EXPECT_NE(first_wrong({{key(5), 1}, {key(4), 4}}).find("says another transfer for number 1"),
              std::string::npos);
}

}  // namespace
}  // namespace sycee
