// Pins: a difference names what was booked and what the chain has; what agrees is not named.
#include <sycee/app/reconciliation.hpp>
#include <sycee/base/assert.hpp>

#include <gtest/gtest.h>

namespace sycee {
namespace {

BookedBalance booked(std::uint8_t number, std::uint64_t amount) {
    BookedBalance balance;
    balance.payment.second.uuid.bytes[0] = number;
    balance.amount = Amount(amount);
    return balance;
}

TEST(Reconciliation, names_what_differs_and_nothing_else) {
    std::vector<BookedBalance> const books{booked(1, 50), booked(2, 0), booked(3, 7)};
    EXPECT_TRUE(compare_balances(books, {Amount(50), Amount(0), Amount(7)}).empty());
    auto const differences = compare_balances(books, {Amount(50), Amount(1), Amount(6)});
    ASSERT_EQ(differences.size(), 2U);
    EXPECT_EQ(differences[0].booked.payment, books[1].payment);
    EXPECT_EQ(differences[0].on_chain, Amount(1));
    EXPECT_EQ(differences[1].booked.amount, Amount(7));
    EXPECT_EQ(differences[1].on_chain, Amount(6));
}

TEST(Reconciliation, an_address_without_an_answer_is_no_agreement) {
    EXPECT_THROW(compare_balances({booked(1, 50)}, {}), InvariantViolation);
    EXPECT_THROW(compare_balances({}, {Amount(1)}), InvariantViolation);
}

}  // namespace
}  // namespace sycee
