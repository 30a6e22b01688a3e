#pragma once

#include <stdexcept>

namespace sycee {

// A dependency does not answer, or not in time: a node, the database, a receiver. Passing: whoever
// catches it retries with backoff, or answers 503.
class Unavailable : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// A write was sent, and whether it was done is not known: it must be read, not guessed.
class OutcomeUnknown : public Unavailable {
  public:
    using Unavailable::Unavailable;
};

// The disk of the database is full. Nothing can be written until somebody makes room.
class StorageFull : public Unavailable {
  public:
    using Unavailable::Unavailable;
};

// Too much is waiting already: the caller should come back later (503 with Retry-After).
class Overloaded : public Unavailable {
  public:
    using Unavailable::Unavailable;
};

}  // namespace sycee
