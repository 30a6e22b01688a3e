#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/ledger/journal.hpp>
#include <sycee/payment/state.hpp>

#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace sycee {

// What a comparison of two books of one merchant says for a person: one line for each thing that
// is not the same, with what each side says of it. Sequences, hashes, times and what a reorg took
// away are not compared.

// Of each transfer: its amount, its place (which payment, or the desk with the reason), gross, fee
// and net, and what the desk decided about it; then what the desk gave to the payment.
std::vector<std::string> compare_payment(PaymentState const& booked, PaymentState const& rebuilt);

// Only that each transfer is there, with its amount: of a payment whose place rests on more than
// what is final. `rebuilt` holds the transfers as the chains have them.
std::vector<std::string> compare_transfers(PaymentState const& booked,
                                           std::vector<MatchedTransfer> const& rebuilt,
                                           std::map<ChainId, BlockNumber> const& finalized);

using AccountKey = std::tuple<MerchantId, ChainId, Bytes20, Account>;
// Each on its own side, as in BalanceSheet.
using AccountBalances = std::map<AccountKey, BalanceSheet::Balance>;
std::vector<std::string> compare_balances(AccountBalances const& booked,
                                          AccountBalances const& rebuilt);

// Takes a posting out of balances that it was added to, whatever is left on the other side of zero.
void take_out(AccountBalances& balances, MerchantId const& merchant_id, ChainId chain_id,
              Posting const& posting);

}  // namespace sycee
