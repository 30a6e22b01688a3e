#pragma once

#include "problem.hpp"

namespace sycee {

// The same for an id that is none, one that nobody has, and one of another merchant.
inline Problem no_such_payment() {
    return {.kind = kNotFound, .detail = "There is no payment with this id."};
}

// What the use cases of payments refuse. They name an entry of an object as "metadata/size", where
// the key may hold a slash itself.
Problem refused_by_payments(Error const& error);

}  // namespace sycee
