#pragma once

#include <sycee/app/rate_settings.hpp>
#include <sycee/base/result.hpp>
#include <sycee/base/time.hpp>
#include <sycee/payment/quote.hpp>
#include <sycee/runtime/errors.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sycee {

// No price can be made at the moment: no rate that may be used, or no token that is worth what it
// should be. The text names the currency and is for the shop.
class RateUnavailable : public Unavailable {
  public:
    using Unavailable::Unavailable;
};

// The newest word of every source. Written by RateService, read by whoever prices: no request ever
// waits for a source. Whether something may be used is decided at the moment of the question.
class RateBook {
  public:
    explicit RateBook(RatesSettings settings);

    RatesSettings const& settings() const { return settings_; }
    // Takes a source's reading; places are those of the settings.
    void put(std::size_t rate, std::size_t source, Rate read, Timestamp at);

    // "USD, EUR or JPY".
    std::string currencies() const;
    bool has(std::string_view currency) const;
    // What a price in that currency is locked by now. Refused: no rate that may be used. Only for a
    // currency that has() knows and that is not pegged.
    Result<PriceQuote> quote(std::string_view currency, Timestamp now) const;
    // Refused: the token is guarded, and is not known to be worth a dollar.
    Result<void> check_peg(std::string_view symbol, Timestamp now) const;
    Result<AgreedRate> agreed(std::size_t rate, Timestamp now) const;
    std::vector<SourceReading> const& readings(std::size_t rate) const { return readings_[rate]; }

  private:
    // The place in the settings; nothing where there is none.
    std::optional<std::size_t> find(std::string_view subject, bool is_peg) const;

    RatesSettings settings_;
    std::vector<std::vector<SourceReading>> readings_;
};

// A book without any source: prices are in dollars, and tokens are worth one.
RateBook const& no_rates();

// The currency to which tokens are pegged one to one.
inline constexpr std::string_view kPeggedCurrency = "USD";

}  // namespace sycee
