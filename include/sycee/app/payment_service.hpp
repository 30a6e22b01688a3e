#pragma once

#include <sycee/app/chain_registry.hpp>
#include <sycee/app/ports.hpp>
#include <sycee/app/rate_book.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/base/result.hpp>
#include <sycee/runtime/clock.hpp>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sycee {

// A price that was promised before, and the rate that it was promised at.
struct LockedPrice {
    std::string currency;
    Amount price;                             // minor units
    std::shared_ptr<PriceQuote const> quote;  // null: one to one
    Timestamp expires_at{};                   // no payment is made of it from then on
};

// What a shop sends to create a payment.
struct CreatePayment {
    bool livemode = true;      // that of the merchant: on real chains, or on the test chain
    std::string amount;        // decimal string: "50.00"; of an open amount, the least
    bool open_amount = false;  // the payer decides how much
    std::string currency;      // "EUR"
    std::optional<LockedPrice> locked;       // in the place of amount and currency
    std::optional<std::string> reference;    // at most 200 bytes
    std::optional<std::string> description;  // at most 500
    std::vector<std::pair<std::string, std::string>> metadata;  // at most 50, key 40, value 500
    std::optional<std::int64_t> expires_in;  // seconds, 60 .. 86400; 900 if left out
    std::optional<std::string> success_url;  // http or https, at most 2000
};

// What a price would be at the moment, in each token that a payment would offer.
struct PriceOffer {
    std::string currency;
    Amount price;
    std::shared_ptr<PriceQuote const> quote;  // null: one to one
    std::vector<PaymentOption> options;
    Timestamp at{};
};

// The merchant's use cases. `field` of a refused input is a JSON pointer without the slash:
// "amount", "metadata/size".
class PaymentService {
  public:
    PaymentService(PaymentPort& payments, Network const& network, ChainRegistry const& chains,
                   Clock& clock, RateBook const& rates = no_rates())
        : payments_(payments), network_(network), chains_(chains), clock_(clock), rates_(rates) {}

    // Throws Unavailable while no configured chain is being followed: an address that nobody
    // watches is never given out. Throws RateUnavailable where the currency has no rate at the
    // moment, or no token is worth what it should be.
    Task<Result<PaymentState>> create(MerchantId merchant_id, CreatePayment input,
                                      std::optional<IdempotencyClaim> claim = std::nullopt);
    // What such a payment would cost now, without making one; of one unit of the currency where no
    // amount is given. Throws as create() does.
    Result<PriceOffer> offer(std::string const& currency, std::optional<std::string> const& amount,
                             bool livemode = true) const;
    Task<std::optional<PaymentState>> find(MerchantId merchant_id, PaymentId id);
    Task<std::optional<PaymentState>> find_public(PaymentId id);
    Task<PaymentPage> list(std::optional<MerchantId> merchant_id, std::optional<PaymentId> after,
                           std::size_t limit);
    PaymentStatus status(PaymentState const& state) const { return chains_.status(state); }
    // What a status is told by.
    ChainsProgress const& progress() const { return chains_.all(); }

  private:
    // Those that may be offered at the moment.
    std::vector<PaymentOption> open_options(std::vector<PaymentOption> options,
                                            Timestamp now) const;

    PaymentPort& payments_;
    Network const& network_;
    ChainRegistry const& chains_;
    Clock& clock_;
    RateBook const& rates_;
};

// Pure: checks the input and prices the options, of every token of every chain. Throws
// RateUnavailable where the currency has no rate at that moment.
Result<NewPayment> check_new_payment(CreatePayment const& input, Network const& network,
                                     Timestamp now, RateBook const& rates = no_rates());

// The key whose children a merchant's deposit addresses are: of an account key (depth 3) its child
// 0, an external-chain key (depth 4) itself. Nothing for the one key in 2^127 that has no such
// child.
std::optional<ExtendedPublicKey> receiving_key(ExtendedPublicKey const& key);

// The deposit address at an index below an account key (depth 3: path 0/index) or an external-chain
// key (depth 4: path index).
std::optional<Address> derive_deposit_address(ExtendedPublicKey const& key, std::uint64_t index);

// Refuses keys that are neither of depth 3 nor 4.
Result<ExtendedPublicKey> check_merchant_key(std::string_view xpub);

}  // namespace sycee
