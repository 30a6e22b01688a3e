#pragma once

#include <sycee/app/payment_changes.hpp>
#include <sycee/app/ports.hpp>
#include <sycee/app/quote_text.hpp>

#include "bulk_copy.hpp"

#include <pqxx/pqxx>

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sycee {

// Payments with all that is booked of them, in the order of `keys`; unknown ones are left out. The
// same few statements, however many there are.
std::vector<PaymentState> load_payment_states(pqxx::transaction_base& tx,
                                              std::vector<PaymentKey> const& keys);

// What the shop asked for alone, in the order of `keys`.
std::vector<Payment> load_payments(pqxx::transaction_base& tx, std::vector<PaymentKey> const& keys);

// What of payments may be changed: description and metadata. Unknown ones are left out.
std::map<PaymentKey, PaymentWords> load_words(pqxx::transaction_base& tx,
                                              std::vector<PaymentKey> const& keys);

inline constexpr auto kPaymentColumns = std::to_array<char const*>(
    {"merchant_id", "payment_id", "derivation_index", "deposit_address", "currency", "price",
     "options", "reference", "description", "metadata", "success_url", "created_at", "expires_at",
     "quote", "open_amount"});
using PaymentStream = CopyStream<kPaymentColumns>;

// Writes a payment as it is, with the index and address that it has; and many.
void add_payment(PaymentStream& rows, Payment const& payment);
void insert_payments(pqxx::transaction_base& tx, std::vector<Payment> const& payments);

std::vector<PaymentOption> parse_options(std::string const& text);
std::string options_json(std::vector<PaymentOption> const& options);
std::string metadata_json(std::vector<std::pair<std::string, std::string>> const& metadata);

}  // namespace sycee
