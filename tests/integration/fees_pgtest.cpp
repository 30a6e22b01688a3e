// Pins, against the real PostgreSQL: fees are versions that are never changed, each clearing names
// the one in force, and verify finds a fee that is not what its version gives.
#include <sycee/payment/desk.hpp>

#include "books_fixture.hpp"

namespace sycee {
namespace {

struct Tampering {
    std::string sql;
    std::string named;
};

class FeesInPostgres : public BooksInPostgres {
  protected:
    FeeSchedule set(FeeSchedule schedule) {
        return run(PgAccess(*database).set_fees(merchant_id, std::move(schedule), kStart)).value();
    }
    // Pays this much in a block of its own.
    void pay(Payment const& to, std::uint8_t txn, std::uint64_t amount) {
        BlockHeader const in = block(heads[kChain].number + 1);
        commit(plan({.added = {in},
                     .arrivals = {{to, transfer(to, txn, amount, in)}},
                     .finalized = in.number}));
    }
};

TEST_F(FeesInPostgres, a_new_version_is_in_force_from_the_next_clearing_on) {
    pay(payment, 1, 50'000'000);
    EXPECT_EQ(set({.basis_points = 100, .fixed = Amount(30), .maximum = Amount(500)}).version, 2U);
    auto const next = create_payment(merchant_id, {kChain});
    pay(next, 2, 20'000'000);
    pay(next, 3, 30'000'000);
    EXPECT_EQ(
        query("SELECT string_agg(fee_version || ':' || fee, ' ' ORDER BY seq) FROM clearings"),
        "1:0 2:500000 2:300000");
    auto const schedules = run(PgAccess(*database).fee_schedules(merchant_id));
    ASSERT_EQ(schedules.size(), 2U);
    EXPECT_EQ(schedules[0].first, FeeSchedule{.version = 1});
    EXPECT_EQ(to_text(schedules[1].first),
              "100 basis points, and 30, at most 500 minor units a payment");
    EXPECT_EQ(first_wrong(), "");
}

TEST_F(FeesInPostgres, the_desk_charges_by_the_version_in_force_and_says_so) {
    auto const unknown = run(PgAccess(*database).set_fees(MerchantId{}, FeeSchedule{}, kStart));
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().field, "merchant");
    set({.basis_points = 100, .minimum = Amount(100)});
    BlockHeader late = block(101);
    late.time = payment.expires_at + std::chrono::seconds(1);
    auto in_late_block = transfer(1, 50'000'000, late);
    in_late_block.block_time = late.time;
    commit(plan({.added = {late}, .arrivals = {{payment, in_late_block}}, .finalized = 101}));
    auto const item = find_exception(state(), kChain, 2);
    ASSERT_TRUE(item);
    auto views = run(PgLedger(*database).load_views(kChain, {{merchant_id, payment.id}}, {}));
    auto const step = resolve_exception(std::move(views.at(0)), kChain,
                                        {.exception_sequence = 2,
                                         .payment_id = payment.id,
                                         .kind = ResolutionKind::accept,
                                         .amount = Amount(50'000'000),
                                         .decided_by = "opr_one"},
                                        progress, kStart);
    ASSERT_TRUE(step) << to_string(step.error());
    auto const& resolution = std::get<Resolution>(step->entries.at(0).record);
    EXPECT_EQ(resolution.fee_version, 2U);
    EXPECT_EQ(resolution.fee, Amount(1'000'000));
}

TEST_F(FeesInPostgres, verify_finds_a_fee_that_is_not_what_its_version_gives) {
    set({.basis_points = 100, .fixed = Amount(30)});
    pay(payment, 1, 20'000'000);
    pay(payment, 2, 30'000'000);
    for (Tampering const& row :
         {Tampering{"UPDATE clearings SET fee_version = 1 WHERE seq = 3", "clearing 3"},
          Tampering{"UPDATE fee_schedules SET basis_points = 99 WHERE version = 2", "clearing 3"},
          Tampering{"DELETE FROM fee_schedules WHERE version = 2", "clearing 3"},
          Tampering{"UPDATE fee_schedules SET fixed = 31 WHERE version = 2",
                    "number 3, of payment " + to_string(payment.id)},
          Tampering{"UPDATE fee_schedules SET minimum = 1000 WHERE version = 2",
                    "charges another fee than its schedule gives"},
          Tampering{"UPDATE fee_schedules SET fixed = 0 WHERE version = 2", "clearing 3"}}) {
        expect_found([&] { replica(row.sql); }, row.named, row.sql);
    }
    EXPECT_THROW(query("UPDATE fee_schedules SET fixed = 1"), pqxx::sql_error);
    EXPECT_THROW(query("DELETE FROM fee_schedules"), pqxx::sql_error);
}

}  // namespace
}  // namespace sycee
