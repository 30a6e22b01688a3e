#pragma once

#include <sycee/base/amount.hpp>
#include <sycee/base/bytes.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace sycee {

// The accounts of a merchant's books, for each chain and token (docs/ledger.md). One side says
// where the coins are (coins + drawn + token_loss), the other whose they are; the two sums are
// always equal.
enum class Account : std::uint8_t {
    coins,          // debit:  tokens at the merchant's deposit addresses
    drawn,          // debit:  moved out by the merchant, less what it paid from elsewhere; any sign
    token_loss,     // debit:  destroyed by the issuer
    payer_pending,  // credit: authorized, not cleared
    payer_unapplied,   // credit: belongs to no payment: the exceptions desk
    merchant_cleared,  // credit: net, still reversible
    merchant_settled,  // credit: net, final
    operator_fee,      // credit: fee due to the operator
    refund_frozen,     // credit: promised to a payer, not yet seen on chain
};
constexpr std::size_t kAccountCount = 9;

// The name in SQL, API and docs: "payer_pending".
std::string_view to_string(Account account);
std::optional<Account> parse_account(std::string_view name);
bool is_debit_account(Account account);

// One movement of one token between two accounts. A journal that does not balance can't be written
// down: each posting debits and credits the same amount. `token` is the contract, 20 bytes.
struct Posting {
    Account debit;
    Account credit;
    Bytes20 token;
    Amount amount;  // base units, above zero

    bool operator==(Posting const&) const = default;
};

using Postings = std::vector<Posting>;

// What each event does to the books, by the table in docs/ledger.md. Lines of zero are left out.
Postings authorization_postings(Bytes20 const& token, Amount amount);
// gross = net + fee is applied to the payment, `excess` is what is over.
Postings clearing_postings(Bytes20 const& token, Amount gross, Amount fee, Amount excess);
// A transfer that belongs to no payment (late, too little at expiry, not offered).
Postings unapplied_postings(Bytes20 const& token, Amount amount);
// One row for a whole batch.
Postings settlement_postings(Bytes20 const& token, Amount net);
// A transfer out. `unexplained` is what left beyond the book balance: it is booked as received
// first.
Postings withdrawal_postings(Bytes20 const& token, Amount amount, Amount unexplained);
// Money on the exceptions desk becomes the merchant's: it pays a payment, less a fee, or is written
// off, without one.
Postings desk_credit_postings(Bytes20 const& token, Amount amount, Amount fee);
// Money on the exceptions desk is promised back to a payer.
Postings refund_promise_postings(Bytes20 const& token, Amount amount);
// Settled money is promised back to a payer.
Postings refund_postings(Bytes20 const& token, Amount amount);
// A promise was kept, by whichever wallet: it lowers what the merchant has drawn.
Postings refund_payment_postings(Bytes20 const& token, Amount amount);
// The issuer destroyed tokens at a deposit address.
Postings token_loss_postings(Bytes20 const& token, Amount amount);
// An invoice over fees was paid.
Postings fee_payment_postings(Bytes20 const& token, Amount amount);
// Each posting the other way round, last first: what a reversal does.
Postings mirror(std::span<Posting const> postings);

// The end of the hash chain of one merchant and chain. Nothing booked yet: sequence 0, hash of
// zeros.
struct JournalHead {
    std::uint64_t sequence = 0;
    Bytes32 hash{};

    bool operator==(JournalHead const&) const = default;
};

// Balances of the accounts of one merchant and chain, each on its own side (a debit account's
// debits less its credits, a credit account's credits less its debits).
class BalanceSheet {
  public:
    struct Balance {  // `drawn` may be below zero; no other account may
        Amount magnitude;
        bool negative = false;

        bool operator==(Balance const&) const = default;
    };
    using Key = std::pair<Bytes20, Account>;

    BalanceSheet() = default;
    // As it stood once.
    explicit BalanceSheet(std::map<Key, Balance> balances) : balances_(std::move(balances)) {}

    // Posts; throws InvariantViolation where an account other than `drawn` would fall below zero,
    // the debit and credit account are the same, or the amount is zero.
    void post(Posting const& posting);
    Balance balance(Bytes20 const& token, Account account) const;
    std::map<Key, Balance> const& balances() const { return balances_; }

  private:
    void move(Key const& key, Amount amount, bool raise);

    std::map<Key, Balance> balances_;
};

// The bytes that a record's hash is taken over: fixed widths, big-endian, text with its length
// before it, so that no two records share their bytes.
class CanonicalBytes {
  public:
    explicit CanonicalBytes(std::string_view kind) { text(kind); }

    CanonicalBytes& number(std::uint64_t value);
    CanonicalBytes& amount(Amount value);
    CanonicalBytes& bytes(ByteView value);
    CanonicalBytes& text(std::string_view value);
    CanonicalBytes& postings(std::span<Posting const> postings);

    ByteView view() const { return bytes_; }

  private:
    std::vector<std::uint8_t> bytes_;
};

}  // namespace sycee
