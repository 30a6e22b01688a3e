// Pins how money that waits is told.
#include <sycee/app/waiting.hpp>

#include <gtest/gtest.h>

namespace sycee {
namespace {

TEST(Waiting, is_told_by_stage_and_age) {
    Address const token{Bytes20{1}};
    ChainSettings chain;
    chain.id = 1;
    chain.tokens = {{"USDT", token, 6, {}}};
    Network const network{{chain}, ""};
    EXPECT_EQ(waiting_text({}, network), "Nothing waits.\n");
    WaitingMoney one{.chain_id = 1,
                     .token = token,
                     .by_age = {},
                     .oldest = timestamp_from_seconds(1'800'000'000)};
    one.by_age[0] = {2, Amount(70'000'000)};
    one.by_age[3] = {1, Amount(20'000'000)};
    WaitingMoney other = one;
    other.cleared = true;
    other.by_age = {};
    other.by_age[1] = {1, Amount(1)};
    EXPECT_EQ(waiting_text({one, other}, network),
              "USDT on chain 1, authorized, the oldest of 2027-01-15T08:00:00Z\n"
              "  under 10 min  70.000000 in 2 transfer(s)\n"
              "  older         20.000000 in 1 transfer(s)\n"
              "USDT on chain 1, cleared, the oldest of 2027-01-15T08:00:00Z\n"
              "  under 1 h     0.000001 in 1 transfer(s)\n");
}

}  // namespace
}  // namespace sycee
