#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/app/token_text.hpp>
#include <sycee/net/html.hpp>

#include <string>
#include <string_view>

namespace sycee::admin {

// How the dashboard writes things.

// "Ethereum (1)"
std::string chain_name(Network const& network, ChainId chain_id);
// "not_offered" as people write it: "not offered"
std::string in_words(std::string_view name);
// With a capital letter in front.
std::string sentence(std::string text);

// "2026-11-23 09:33:26" with the exact moment for machines; always UTC.
Html moment(Timestamp time);
Html moment_or_dash(std::optional<Timestamp> time);
// The first bytes of a hash; all of it as the title.
Html short_hash(Bytes32 const& hash);
// An id or a hash, which breaks anywhere.
Html code(std::string_view text);
Html address(Address const& value);
Html status_badge(PaymentStatus status);
Html payment_link(std::string const& root, PaymentId id);

// "3 min", "5 h", "12 d"
std::string age_text(std::chrono::milliseconds age);
// Where an exception has its page: "/admin/exceptions/mer_.../exc_1_42".
std::string exception_page(std::string const& root, DeskKey const& key);
Html exception_link(std::string const& root, DeskKey const& key);
// Whether something is left to decide, and can be decided now.
Html exception_badge(DeskException const& exception);

// Text of shops and receivers, which breaks anywhere.
Html free_text(std::string_view text);

// A table's cell, which on a phone stands under its label.
Html cell(std::string_view label, HtmlArgument const& content);
Html number_cell(std::string_view label, HtmlArgument const& content);
// A line of a list of facts.
Html fact(std::string_view name, HtmlArgument const& content);

}  // namespace sycee::admin
