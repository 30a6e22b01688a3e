// Pins: how bands are written, which one holds, and how values of tokens compare.
#include <sycee/payment/finality.hpp>
#include <sycee/payment/payment.hpp>

#include <gtest/gtest.h>

namespace sycee {
namespace {

TEST(Finality, bands_read_as_they_are_written) {
    auto const bands = parse_bands("100:1,10000:12,finalized");
    ASSERT_TRUE(bands);
    EXPECT_EQ(*bands,
              (std::vector<FinalityBand>{
                  {Amount(100'000'000), 1}, {Amount(10'000'000'000), 12}, {std::nullopt, 0}}));
    EXPECT_EQ(to_string(*bands), "100:1,10000:12,finalized");
    EXPECT_EQ(to_string(parse_bands("0.5:2,3").value()), "0.5:2,3");
}

TEST(Finality, refuses_bands_that_leave_a_doubt) {
    for (char const* text :
         {"", "100:1", "100:1,", "finalized,12", "100:1,100:2,finalized", "100:1,50:2,3", "0",
          "10001", "-1", "100:0,finalized", "1e2:1,finalized", "100:1:2,finalized", "safe",
          "100:1,finalized,", " 1"}) {
        EXPECT_FALSE(parse_bands(text)) << text;
    }
}

TEST(Finality, the_limit_itself_is_in_the_next_band) {
    FinalityRule const rule{.bands = parse_bands("100:1,10000:12,finalized").value()};
    EXPECT_EQ(band_for(rule, Amount(99'999'999)).confirmations, 1U);
    EXPECT_EQ(band_for(rule, Amount(100'000'000)).confirmations, 12U);
    EXPECT_EQ(band_for(rule, Amount(10'000'000'000)).confirmations, 0U);
    EXPECT_EQ(band_for(rule, Amount::max()).confirmations, 0U);
}

TEST(Finality, values_are_rounded_up) {
    EXPECT_EQ(value_of(Amount(1), 6), Amount(1));
    EXPECT_EQ(value_of(Amount(1), 18), Amount(1));
    EXPECT_EQ(value_of(power_of_ten(18), 18), Amount(1'000'000));
    EXPECT_EQ(value_of(Amount(7), 0), Amount(7'000'000));
}

TEST(Tolerance, is_the_larger_of_both_and_less_than_the_price) {
    EXPECT_EQ(tolerance_of(Amount(50'000'000), {Amount(10'000), 100}), Amount(500'000));
    EXPECT_EQ(tolerance_of(Amount(50'000'000), {Amount(600'000), 100}), Amount(600'000));
    EXPECT_EQ(tolerance_of(Amount(50), {Amount(600'000), 0}), Amount(49));
    EXPECT_EQ(tolerance_of(Amount(50'000'000), {}), Amount{});
}

}  // namespace
}  // namespace sycee
