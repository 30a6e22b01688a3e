#pragma once

#include <sycee/base/amount.hpp>
#include <sycee/base/id.hpp>
#include <sycee/base/time.hpp>
#include <sycee/evm/address.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sycee {

struct PriceQuote;  // payment/quote.hpp

// One way to pay: this many base units of this token on this chain pay the whole price. The amount
// is the locked price of the payment in that token; up to `tolerance` of it may be missing, so that
// a payer whose exchange keeps a cent is not turned away.
struct PaymentOption {
    ChainId chain_id = 0;
    Address token;
    Amount amount;
    Amount tolerance;  // below `amount`

    bool operator==(PaymentOption const&) const = default;
};

// What a shop asked for. Never changed by what arrives: its state is computed from the records.
struct Payment {
    MerchantId merchant_id;
    PaymentId id;
    std::uint64_t derivation_index = 0;  // of the deposit address below the merchant's extended key
    Address deposit_address;             // this payment's alone, on every chain
    std::string currency;                // ISO 4217: "EUR"
    // In the currency's minor units, above zero; of an open amount, the least that pays it.
    Amount price;
    std::vector<PaymentOption> options;
    std::string reference;
    std::string description;
    std::vector<std::pair<std::string, std::string>> metadata;
    std::string success_url;
    Timestamp created_at{};
    Timestamp expires_at{};  // by chain time: a transfer in a later block is late
    // The rate by which the price was made into tokens. Null: one to one, as for US dollars.
    std::shared_ptr<PriceQuote const> quote = nullptr;
    // How much it is, its payer decides: all of the transfers that reach the price first.
    bool open_amount = false;

    PaymentOption const* option_for(ChainId chain_id, Address const& token) const;
    bool offers(ChainId chain_id) const;  // some token on that chain
};

// How much of a price in a token may be missing: the larger of an absolute amount and a part of the
// price in basis points, rounded down, and always less than the price.
struct Tolerance {
    Amount absolute;
    std::uint32_t basis_points = 0;

    bool operator==(Tolerance const&) const = default;
};
Amount tolerance_of(Amount price, Tolerance const& tolerance);

// Digits after the point of a currency's amounts (ISO 4217's minor units): 2 for USD, 0 for JPY, 3
// for KWD. Nothing for what is no currency that people pay with.
std::optional<unsigned> currency_decimals(std::string_view currency);

// The least that an open amount of a currency may ask for, in minor units: a whole unit, and a
// hundred of the smallest.
Amount least_open_amount(unsigned currency_decimals);

// Base units of a token that are worth `price` of a currency that the token is pegged to one to
// one, rounded up to the token's unit.
Amount pegged_amount(Amount price, unsigned currency_decimals, unsigned token_decimals);

}  // namespace sycee
