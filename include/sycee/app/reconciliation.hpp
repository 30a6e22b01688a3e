#pragma once

#include <sycee/app/ports.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace sycee {

// What the books say lies at one deposit address: logs in less logs out, of one token.
struct BookedBalance {
    PaymentKey payment;
    Address address;
    Address token;
    Amount amount;  // base units; zero where all of it left
    // With the difference that a person has accepted: as right as `amount`.
    std::optional<Amount> accepted = std::nullopt;
    bool is_open = false;  // it differed at an earlier check
};
bool agrees(BookedBalance const& booked, Amount on_chain);

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

// A difference that nobody has closed yet, as it was found.
struct OpenDifference {
    DifferenceId id;
    ChainId chain_id = 0;
    BlockNumber block_number = 0;
    BlockHash block_hash{};
    BalanceDifference difference;
    Timestamp found_at{};
};

struct TokenHolder {
    Address token;
    Address holder;
};
std::vector<TokenHolder> holders_of(std::vector<BookedBalance> const& balances);

// A node that can be asked for balances.
class BalancePort {
  public:
    virtual ~BalancePort() = default;
    virtual std::string name() const = 0;
    // As of that block, which the node must still know with its state: most keep those of few
    // blocks. In the order of `holders`. Throws Unavailable where it does not, or the block is not
    // on its branch any more, and std::runtime_error for a contract that gives no balance.
    virtual Task<std::vector<Amount>> token_balances(std::vector<TokenHolder> holders,
                                                     BlockHash at) = 0;
};

// What one check compares: the differences that are open, what has moved since the check before,
// and the next part of the slow round over all addresses that anything came to or left.
struct BalancesToCheck {
    BookedBalances booked;
    BlockNumber moved_to = 0;            // what moved up to this block is asked for
    std::optional<PaymentKey> round_at;  // where the slow round goes on; nothing: it is at its end
    std::string left_out = {};           // what of these can't be compared, and why; empty: nothing
};

struct CheckedBalances {
    BlockHeader head;
    std::uint64_t compared = 0;
    BlockNumber moved_to = 0;  // 0: what moved is to be asked for again
    std::optional<PaymentKey> round_at;
    std::vector<BalanceDifference> differences;
    std::vector<TokenHolder> agreeing;  // of those that differed before
    std::string fault;          // why some could not be compared or confirmed; empty: all were
    std::string left_out = {};  // of BalancesToCheck: the same is not asked for again for it
    Timestamp at{};
};

class ReconciliationPort {
  public:
    virtual ~ReconciliationPort() = default;
    // True where the chain's next check is due, and now this process's; the one after it is due
    // `every` later.
    virtual Task<bool> claim(ChainId chain_id, Timestamp now, std::chrono::milliseconds every) = 0;
    // Of about so many payments, half of them for the slow round. Nothing: the chain was never
    // followed.
    virtual Task<std::optional<BalancesToCheck>> next(ChainId chain_id, std::size_t payments) = 0;
    // Notes how far the check came, and each difference that is not open already; closes those
    // whose address agrees again. How many are new.
    virtual Task<std::size_t> record(ChainId chain_id, CheckedBalances checked) = 0;
    virtual Task<std::size_t> open_differences(ChainId chain_id) = 0;
};

}  // namespace sycee
