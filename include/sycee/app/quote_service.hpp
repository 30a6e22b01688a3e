#pragma once

#include <sycee/app/payment_service.hpp>
#include <sycee/base/bytes.hpp>
#include <sycee/base/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sycee {

// What a shop sends to have a price locked before there is a payment.
struct CreateQuote {
    bool livemode = true;                    // that of the merchant
    std::string amount;                      // decimal string: "50.00"
    std::string currency;                    // "EUR"
    std::optional<std::int64_t> expires_in;  // seconds, 60 .. 3600; 900 if left out
};

struct GivenQuote {
    std::string id;  // "quo_…", a few hundred characters
    PriceOffer offer;
    Timestamp expires_at{};
};

// Locks prices for a while. A quote is kept nowhere: its id holds the price and the rate, signed
// (HMAC-SHA256) for the merchant that it was given to. Whoever has many made costs no more than the
// answers.
class QuoteService {
  public:
    // `key` must be the same in every process of the service, and known to nobody else.
    QuoteService(PaymentService const& payments, Bytes32 const& key)
        : payments_(payments), key_(key) {}

    // Throws as PaymentService::offer() does.
    Result<GivenQuote> give(MerchantId merchant_id, CreateQuote const& input) const;
    // What was locked, whether it is over or not. Nothing for what was not given to this merchant.
    std::optional<LockedPrice> open(MerchantId merchant_id, std::string_view id) const;

  private:
    PaymentService const& payments_;
    Bytes32 key_;
};

}  // namespace sycee
