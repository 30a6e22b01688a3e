#pragma once

#include <sycee/base/id.hpp>

#include "problem.hpp"

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace sycee {

constexpr std::size_t kDefaultLimit = 10;

// Takes `limit` from a page's parameters: what is wrong with it, or "".
std::string take_limit(std::size_t& limit, std::string_view value);

// What is wrong with one parameter; empty where it was taken, nothing where it is none of the
// request's.
using TakeParameter =
    std::function<std::optional<std::string>(std::string_view name, std::string_view value)>;

// Reads a query string, of which nothing may be unknown or come twice.
std::expected<void, Problem> read_query(std::string_view query, TakeParameter const& take);

// A page of payments, or of what is named by one: `limit`, and `after` that payment.
struct PaymentPageQuery {
    std::size_t limit = kDefaultLimit;
    std::optional<PaymentId> after;
};
std::expected<PaymentPageQuery, Problem> read_payment_page(std::string_view query);

}  // namespace sycee
