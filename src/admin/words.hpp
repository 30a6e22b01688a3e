#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/net/html.hpp>

#include <string>
#include <string_view>

namespace sycee::admin {

// How the dashboard writes things.

// "Ethereum (1)"
std::string chain_name(Network const& network, ChainId chain_id);
// "USDT", or the contract's address for a token that is not configured
std::string token_name(Network const& network, ChainId chain_id, Address const& token);
// All decimals, so that columns line up: "50.000000". Base units for a token that is not
// configured.
std::string token_decimal(Network const& network, ChainId chain_id, Address const& token,
                          Amount amount);
// "50.000000 USDT"
std::string token_amount(Network const& network, ChainId chain_id, Address const& token,
                         Amount amount);
// "50.00 USD"
std::string price_text(Payment const& payment);

// "2026-11-23 09:33:26" with the exact moment for machines; always UTC.
Html moment(Timestamp time);
Html moment_or_dash(std::optional<Timestamp> time);
// The first bytes of a hash; all of it as the title.
Html short_hash(Bytes32 const& hash);
Html address(Address const& value);
Html status_badge(PaymentStatus status);

// Text of shops and receivers, which breaks anywhere.
Html free_text(std::string_view text);

// A table's cell, which on a phone stands under its label.
Html cell(std::string_view label, HtmlArgument const& content);
Html number_cell(std::string_view label, HtmlArgument const& content);
// A line of a list of facts.
Html fact(std::string_view name, HtmlArgument const& content);

}  // namespace sycee::admin
