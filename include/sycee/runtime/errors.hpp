#pragma once

#include <stdexcept>

namespace sycee {

// A dependency does not answer, or not in time: a node, the database, a receiver. Passing: whoever
// catches it retries with backoff, or answers 503.
class Unavailable : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// Too much is waiting already: the caller should come back later (503 with Retry-After).
class Overloaded : public Unavailable {
  public:
    using Unavailable::Unavailable;
};

}  // namespace sycee
