#pragma once

#include <sycee/app/ports.hpp>

#include <vector>

namespace sycee {

// What the books say lies at one deposit address: logs in less logs out, of one token.
struct BookedBalance {
    PaymentKey payment;
    Address address;
    Address token;
    Amount amount;  // base units; zero where all of it left
};

// Of one chain, all of them up to the block that was processed last.
struct BookedBalances {
    BlockHeader head;
    std::vector<BookedBalance> balances;
};

// The books and the chain disagree about an address. The money decides: it is looked for, and the
// books are not changed to fit.
struct BalanceDifference {
    BookedBalance booked;
    Amount on_chain;
};

// `on_chain[i]`: what the token's contract says of `booked[i]`, at the same block. Pure. Throws
// InvariantViolation where there is not one for each.
std::vector<BalanceDifference> compare_balances(std::vector<BookedBalance> const& booked,
                                                std::vector<Amount> const& on_chain);

}  // namespace sycee
