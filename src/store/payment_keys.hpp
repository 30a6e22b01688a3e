#pragma once

#include <sycee/app/ports.hpp>

#include "months.hpp"
#include "values.hpp"

#include <string>
#include <vector>

namespace sycee {

// Payments for unnest($1::uuid[], $2::uuid[]) AS k(merchant_id, payment_id).
struct KeyArrays {
    std::string merchants;
    std::string payments;
};

inline KeyArrays arrays_of(std::vector<PaymentKey> const& keys) {
    PgArray merchants;
    PgArray payments;
    for (auto const& [merchant_id, payment_id] : keys) {
        merchants.add(merchant_id);
        payments.add(payment_id);
    }
    return {merchants.str(), payments.str()};
}

}  // namespace sycee
