#pragma once

#include <sycee/base/id.hpp>
#include <sycee/base/time.hpp>

#include <chrono>
#include <cstddef>
#include <deque>

namespace sycee {

// How often a payer's question after a transaction may be put to the nodes, in a minute.
struct FindLimits {
    std::size_t all = 60;
    std::size_t per_payment = 6;
};

// Counts these questions. It remembers those of the last minute, of which there are no more than
// the limit of all.
class FindThrottle {
  public:
    explicit FindThrottle(FindLimits limits) : limits_(limits) {}

    // Zero: may be asked, and is counted. Else how long to wait before it may.
    std::chrono::seconds take(PaymentId id, Timestamp now);

  private:
    struct Question {
        PaymentId id;
        Timestamp at;
    };

    FindLimits limits_;
    std::deque<Question> recent_;  // oldest first
};

}  // namespace sycee
