#pragma once

#include <sycee/app/chain_registry.hpp>
#include <sycee/app/ports.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sycee {

// Which payments of a merchant are looked for. What is not said does not matter.
struct PaymentFilter {
    std::optional<PaymentStatus> status;
    std::optional<std::string> reference;    // exactly
    std::optional<Timestamp> created_after;  // that moment counts
    std::optional<Timestamp> created_before;
    std::vector<std::pair<std::string, std::string>> metadata;  // has all of these

    bool operator==(PaymentFilter const&) const = default;
};

// Payments that were looked at, newest first, and those of them that fit.
struct LookedAt {
    std::vector<PaymentState> fitting;
    std::optional<PaymentId> last;  // the oldest one that was looked at; nothing: there was none
    std::size_t count = 0;          // how many were looked at
    bool has_more = false;          // there are older ones
};

class PaymentSearchPort {
  public:
    virtual ~PaymentSearchPort() = default;
    // Looks at `most` payments of the merchant, older than `after`, by everything in the filter but
    // the status. Those that a reference or a time leaves out by an index are not counted.
    virtual Task<LookedAt> look(MerchantId merchant_id, PaymentFilter filter,
                                std::optional<PaymentId> after, std::size_t most) = 0;
};

// A page of what was found. A page may have fewer rows than asked for, or none, and go on all the
// same: a request looks at so many payments at most.
struct FoundPayments {
    std::vector<PaymentState> payments;
    std::optional<PaymentId> next;  // where the next page goes on; nothing: it was the last one
};

class PaymentSearch {
  public:
    static constexpr std::size_t kMostLookedAt = 1'000;

    PaymentSearch(PaymentSearchPort& port, ChainRegistry const& chains)
        : port_(port), chains_(chains) {}

    // Newest first, older than `after`: ids rise with the time of creation, so a page stays right
    // while payments are created. A status is the one of this moment: a payment that changes it
    // between two pages may be on neither or on both.
    Task<FoundPayments> find(MerchantId merchant_id, PaymentFilter filter,
                             std::optional<PaymentId> after, std::size_t limit);

  private:
    PaymentSearchPort& port_;
    ChainRegistry const& chains_;
};

}  // namespace sycee
