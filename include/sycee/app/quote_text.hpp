#pragma once

#include <sycee/payment/quote.hpp>

#include <memory>
#include <string>

namespace sycee {

// A quote as it is kept with a payment: {"rate", "spread", "sources": [[name, rate, milliseconds
// since 1970]]}; empty where the price is one to one with the tokens. Throws for any other text.
std::string quote_text(PriceQuote const* quote);
std::shared_ptr<PriceQuote const> parse_quote(std::string const& text);

}  // namespace sycee
