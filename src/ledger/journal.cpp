#include <sycee/base/assert.hpp>
#include <sycee/ledger/journal.hpp>

#include <algorithm>
#include <array>
#include <string>

namespace sycee {
namespace {

struct AccountRow {
    Account account;
    std::string_view name;
    bool debit;
};

constexpr std::array<AccountRow, kAccountCount> kAccounts{{
    {Account::coins, "coins", true},
    {Account::drawn, "drawn", true},
    {Account::token_loss, "token_loss", true},
    {Account::payer_pending, "payer_pending", false},
    {Account::payer_unapplied, "payer_unapplied", false},
    {Account::merchant_cleared, "merchant_cleared", false},
    {Account::merchant_settled, "merchant_settled", false},
    {Account::operator_fee, "operator_fee", false},
    {Account::refund_frozen, "refund_frozen", false},
}};

// Bytes that a record and its postings take, of whatever kind, but for those with long lists.
constexpr std::size_t kMostOfARecord = 768;

AccountRow const& row(Account account) {
    return kAccounts[static_cast<std::size_t>(account)];
}

void add(Postings& postings, Account debit, Account credit, Bytes20 const& token, Amount amount) {
    if (!amount.is_zero()) postings.push_back({debit, credit, token, amount});
}

}  // namespace

std::string_view to_string(Account account) {
    return row(account).name;
}

std::optional<Account> parse_account(std::string_view name) {
    auto const found = std::find_if(kAccounts.begin(), kAccounts.end(),
                                    [name](AccountRow const& entry) { return entry.name == name; });
    if (found == kAccounts.end()) return std::nullopt;
    return found->account;
}

bool is_debit_account(Account account) {
    return row(account).debit;
}

Postings authorization_postings(Bytes20 const& token, Amount amount) {
    Postings postings;
    add(postings, Account::coins, Account::payer_pending, token, amount);
    return postings;
}

Postings clearing_postings(Bytes20 const& token, Amount gross, Amount fee, Amount excess) {
    Postings postings;
    add(postings, Account::payer_pending, Account::merchant_cleared, token, gross - fee);
    add(postings, Account::payer_pending, Account::operator_fee, token, fee);
    add(postings, Account::payer_pending, Account::payer_unapplied, token, excess);
    return postings;
}

Postings unapplied_postings(Bytes20 const& token, Amount amount) {
    Postings postings;
    add(postings, Account::payer_pending, Account::payer_unapplied, token, amount);
    return postings;
}

Postings settlement_postings(Bytes20 const& token, Amount net) {
    Postings postings;
    add(postings, Account::merchant_cleared, Account::merchant_settled, token, net);
    return postings;
}

Postings withdrawal_postings(Bytes20 const& token, Amount amount, Amount unexplained) {
    Postings postings;
    add(postings, Account::coins, Account::payer_unapplied, token, unexplained);
    add(postings, Account::drawn, Account::coins, token, amount);
    return postings;
}

Postings desk_credit_postings(Bytes20 const& token, Amount amount, Amount fee) {
    Postings postings;
    add(postings, Account::payer_unapplied, Account::merchant_settled, token, amount - fee);
    add(postings, Account::payer_unapplied, Account::operator_fee, token, fee);
    return postings;
}

Postings refund_promise_postings(Bytes20 const& token, Amount amount) {
    Postings postings;
    add(postings, Account::payer_unapplied, Account::refund_frozen, token, amount);
    return postings;
}

Postings refund_postings(Bytes20 const& token, Amount amount) {
    Postings postings;
    add(postings, Account::merchant_settled, Account::refund_frozen, token, amount);
    return postings;
}

Postings refund_payment_postings(Bytes20 const& token, Amount amount) {
    Postings postings;
    add(postings, Account::refund_frozen, Account::drawn, token, amount);
    return postings;
}

Postings token_loss_postings(Bytes20 const& token, Amount amount) {
    Postings postings;
    add(postings, Account::token_loss, Account::coins, token, amount);
    return postings;
}

Postings fee_payment_postings(Bytes20 const& token, Amount amount) {
    Postings postings;
    add(postings, Account::operator_fee, Account::drawn, token, amount);
    return postings;
}

Postings mirror(std::span<Posting const> postings) {
    Postings mirrored;
    for (auto posting = postings.rbegin(); posting != postings.rend(); ++posting) {
        mirrored.push_back({posting->credit, posting->debit, posting->token, posting->amount});
    }
    return mirrored;
}

void BalanceSheet::post(Posting const& posting) {
    ensure(posting.debit != posting.credit, "ledger: a posting's two accounts are the same");
    ensure(!posting.amount.is_zero(), "ledger: a posting's amount is zero");
    move({posting.token, posting.debit}, posting.amount, is_debit_account(posting.debit));
    move({posting.token, posting.credit}, posting.amount, !is_debit_account(posting.credit));
}

BalanceSheet::Balance BalanceSheet::balance(Bytes20 const& token, Account account) const {
    auto const found = balances_.find({token, account});
    return found == balances_.end() ? Balance{} : found->second;
}

void BalanceSheet::move(Key const& key, Amount amount, bool raise) {
    Balance& balance = balances_[key];
    if (raise != balance.negative) {  // away from zero
        balance.magnitude += amount;
    } else if (amount <= balance.magnitude) {
        balance.magnitude -= amount;
    } else {
        balance.magnitude = amount - balance.magnitude;
        balance.negative = !balance.negative;
    }
    if (balance.magnitude.is_zero()) balance.negative = false;
    if (!balance.negative || key.second == Account::drawn) return;
    // The text is made only where it is needed: this runs for each posting of the books.
    ensure(false, "ledger: account " + std::string(to_string(key.second)) + " of token " +
                      to_hex0x(key.first) + " would fall below zero");
}

CanonicalBytes& CanonicalBytes::number(std::uint64_t value) {
    Bytes<8> big_endian{};
    for (std::size_t i = 0; i < big_endian.size(); ++i)
        big_endian[i] = static_cast<std::uint8_t>(value >> (56 - 8 * i));
    return bytes(big_endian);
}

CanonicalBytes& CanonicalBytes::amount(Amount value) {
    number(static_cast<std::uint64_t>(value.base_units() >> 64));
    return number(static_cast<std::uint64_t>(value.base_units()));
}

CanonicalBytes& CanonicalBytes::bytes(ByteView value) {
    if (bytes_.empty()) bytes_.reserve(kMostOfARecord);
    bytes_.insert(bytes_.end(), value.begin(), value.end());
    return *this;
}

CanonicalBytes& CanonicalBytes::text(std::string_view value) {
    number(value.size());
    return bytes(as_bytes(value));
}

CanonicalBytes& CanonicalBytes::postings(std::span<Posting const> postings) {
    number(postings.size());
    for (Posting const& posting : postings) {
        text(to_string(posting.debit)).text(to_string(posting.credit));
        bytes(posting.token).amount(posting.amount);
    }
    return *this;
}

}  // namespace sycee
