// Pins: what the operator is due of a payment, by its parts, and that a replay of the records finds
// a fee that is not that.

#include <sycee/payment/fee_audit.hpp>

#include <gtest/gtest.h>

namespace sycee {
namespace {

constexpr ChainId kChain = 31'337;
Address const kSixDecimals{Bytes20{1}};
Address const kEighteen{Bytes20{2}};
constexpr std::uint64_t kMicro = 1'000'000;

// A payment of 50.00, in a token of 6 or one of 18 decimals.
Payment payment_of_fifty() {
    Payment payment;
    payment.currency = "USD";
    payment.price = Amount(5'000);
    payment.options = {
        {kChain, kSixDecimals, Amount(50 * kMicro), Amount{}},
        {kChain, kEighteen, multiply_divide_up(Amount(50), power_of_ten(18), Amount(1)), Amount{}}};
    payment.expires_at = timestamp_from_seconds(10'000);
    return payment;
}

struct Fees {
    FeeSchedule schedule;
    PaymentState state{.payment = payment_of_fifty()};

    // Applies a part of the payment; its fee in base units of its token.
    std::string apply(Address const& token, Amount gross) {
        state.credits.push_back(
            {.transfer = {.key = {.chain_id = kChain, .token = token}, .amount = gross},
             .stage = CreditStage::cleared,
             .gross = gross});
        auto const* option = state.payment.option_for(kChain, token);
        Amount const fee = fee_of_last_part(schedule, state, *option, gross);
        state.credits.back().fee = fee;
        return to_string(fee);
    }
    std::string apply(std::uint64_t dollars) {
        return apply(kSixDecimals, Amount(dollars * kMicro));
    }
};

struct RoundingRow {
    FeeRounding rounding;
    std::uint64_t gross;
    std::uint32_t basis_points;
    char const* fee;
};

TEST(FeeSchedules, basis_points_are_rounded_as_they_say) {
    for (auto const& [rounding, gross, basis_points, fee] :
         std::vector<RoundingRow>{{FeeRounding::down, 199, 50, "0"},     // 0.995
                                  {FeeRounding::half_up, 99, 50, "0"},   // 0.495
                                  {FeeRounding::half_up, 100, 50, "1"},  // 0.5
                                  {FeeRounding::half_up, 299, 50, "1"},  // 1.495
                                  {FeeRounding::half_up, 300, 50, "2"},  // 1.5
                                  {FeeRounding::up, 1, 1, "1"},          // 0.0001
                                  {FeeRounding::up, 200, 50, "1"},       // exactly 1
                                  {FeeRounding::down, 7, 10'000, "7"},
                                  {FeeRounding::half_up, 7, 10'000, "7"},
                                  {FeeRounding::up, 7, 10'000, "7"}}) {
        FeeSchedule const schedule{.basis_points = basis_points, .rounding = rounding};
        EXPECT_EQ(to_string(proportional_fee(schedule, Amount(gross))), fee)
            << to_string(rounding) << " of " << gross << " by " << basis_points;
    }
}

TEST(FeeSchedules, the_largest_amount_has_a_fee_in_each_rounding) {
    Amount const most = parse_base_units("340282366920938463463374607431768211455").value();
    for (auto const rounding : {FeeRounding::down, FeeRounding::half_up, FeeRounding::up})
        EXPECT_EQ(proportional_fee({.basis_points = 10'000, .rounding = rounding}, most), most);
}

TEST(FeeSchedules, the_fixed_part_is_charged_once_with_the_first_part) {
    Fees fees{.schedule = {.version = 1, .basis_points = 100, .fixed = Amount(30)}};
    EXPECT_EQ(fees.apply(20), "500000");  // 0.20 of its own, and 0.30
    EXPECT_EQ(fees.apply(30), "300000");
}

TEST(FeeSchedules, whoever_pays_a_grain_first_or_last_escapes_nothing) {
    Fees first{.schedule = {.version = 1, .fixed = Amount(30)}};
    EXPECT_EQ(first.apply(kSixDecimals, Amount(1)), "1");
    EXPECT_EQ(first.apply(kSixDecimals, Amount(49'999'999)), "299999");
    Fees last{.schedule = {.version = 1, .fixed = Amount(30)}};
    EXPECT_EQ(last.apply(kSixDecimals, Amount(49'999'999)), "300000");
    EXPECT_EQ(last.apply(kSixDecimals, Amount(1)), "0");
}

TEST(FeeSchedules, a_small_fee_is_lifted_to_the_minimum_and_a_large_one_cut_to_the_maximum) {
    Fees low{.schedule = {.version = 1, .basis_points = 50, .minimum = Amount(100)}};
    EXPECT_EQ(low.apply(50), "1000000");
    Fees high{
        .schedule = {
            .version = 1, .basis_points = 1'000, .fixed = Amount(30), .maximum = Amount(200)}};
    EXPECT_EQ(high.apply(50), "2000000");
}

TEST(FeeSchedules, what_earlier_parts_were_charged_counts_and_is_not_given_back) {
    Fees cut{.schedule = {.version = 1, .basis_points = 1'000, .maximum = Amount(200)}};
    EXPECT_EQ(cut.apply(10), "1000000");
    EXPECT_EQ(cut.apply(20), "1000000");
    EXPECT_EQ(cut.apply(20), "0");
    Fees lifted{.schedule = {.version = 1, .basis_points = 100, .minimum = Amount(100)}};
    EXPECT_EQ(lifted.apply(30), "1000000");
    EXPECT_EQ(lifted.apply(20), "0");
}

TEST(FeeSchedules, parts_in_several_tokens_count_by_their_own_prices) {
    Fees fees{.schedule = {.version = 1, .basis_points = 100, .fixed = Amount(30)}};
    EXPECT_EQ(fees.apply(20), "500000");
    Amount const thirty = multiply_divide_up(Amount(30), power_of_ten(18), Amount(1));
    EXPECT_EQ(fees.apply(kEighteen, thirty), "300000000000000000");
}

TEST(FeeSchedules, no_fee_is_above_what_it_is_taken_from) {
    Fees fees{.schedule = {.version = 1, .fixed = Amount(4'000)}};
    EXPECT_EQ(fees.apply(20), "20000000");
    EXPECT_EQ(fees.apply(30), "20000000");
}

TEST(FeeSchedules, money_that_the_desk_gave_is_a_part_like_others) {
    Fees fees{.schedule = {.version = 1, .basis_points = 100, .minimum = Amount(100)}};
    fees.state.desk_credits.push_back({.chain_id = kChain,
                                       .token = kSixDecimals,
                                       .amount = Amount(20 * kMicro),
                                       .fee = Amount(200'000)});
    EXPECT_EQ(fees.apply(30), "800000");
}

TEST(FeeSchedules, what_makes_no_sense_is_refused_by_name) {
    auto const refusal = [](FeeSchedule const& schedule) {
        auto const checked = check_fees(schedule);
        return checked ? std::string{} : to_string(checked.error());
    };
    EXPECT_EQ(refusal({.basis_points = 10'000, .minimum = Amount(5), .maximum = Amount(5)}), "");
    EXPECT_EQ(refusal({.basis_points = 10'001}),
              "basis_points: 10001 is more than the whole payment");
    EXPECT_EQ(refusal({.minimum = Amount(6), .maximum = Amount(5)}),
              "maximum: 5 is below the minimum of 6");
    EXPECT_EQ(refusal({.fixed = Amount(100'000'001)}),
              "fixed: 100000001 is above the limit of 100000000 minor units");
}

// The records of a payment of two parts, the second of which covers it.
std::vector<JournalEntry> two_parts(FeeSchedule const& schedule, Amount fee_of_the_second) {
    Payment const payment = payment_of_fifty();
    JournalWriter journal({}, kChain, {}, timestamp_from_seconds(100));
    std::uint8_t transaction = 0;
    for (auto const& [dollars, fee] : {std::pair{std::uint64_t{20}, Amount(500'000)},
                                       std::pair{std::uint64_t{30}, fee_of_the_second}}) {
        Amount const gross(dollars * kMicro);
        Transfer transfer{.key = {.chain_id = kChain, .token = kSixDecimals}, .amount = gross};
        transfer.key.transaction_hash[0] = ++transaction;
        auto const authorization =
            journal.append(Authorization{.payment_id = payment.id, .transfer = transfer});
        journal.append(Clearing{.payment_id = payment.id,
                                .authorization_sequence = authorization.sequence,
                                .authorization_hash = authorization.hash,
                                .token = kSixDecimals,
                                .fee_version = schedule.version,
                                .fee_basis_points = schedule.basis_points,
                                .gross = gross,
                                .fee = fee,
                                .net = gross - fee});
    }
    return journal.entries();
}

TEST(FeeAudit, names_the_record_that_charges_another_fee) {
    FeeSchedule const schedule{.version = 3, .basis_points = 100, .fixed = Amount(30)};
    FeeSchedules const schedules{{3, schedule}};
    Payment const payment = payment_of_fifty();
    EXPECT_EQ(find_wrong_fee(payment, two_parts(schedule, Amount(300'000)), schedules),
              std::nullopt);
    EXPECT_EQ(find_wrong_fee(payment, two_parts(schedule, Amount(600'000)), schedules), 4U);
    EXPECT_EQ(find_wrong_fee(payment, two_parts(schedule, Amount(600'000)), {}), 2U);
}

TEST(FeeAudit, a_record_is_hashed_with_the_version_that_it_names) {
    FeeSchedule schedule{.version = 1, .basis_points = 100};
    auto entry = two_parts(schedule, Amount(300'000))[1];
    EXPECT_EQ(entry.hash, hash_of(entry));
    std::get<Clearing>(entry.record).fee_version = 2;
    EXPECT_NE(entry.hash, hash_of(entry));
    std::get<Clearing>(entry.record).fee_version = 0;
    EXPECT_NE(entry.hash, hash_of(entry));
}

}  // namespace
}  // namespace sycee
