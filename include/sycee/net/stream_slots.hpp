#pragma once

#include <sycee/base/id.hpp>

#include <cstddef>
#include <memory>

namespace sycee {

// How many event streams may be open at once. Each holds a connection of the HTTP server for up to
// an hour, and whoever may open one can open as many as he likes.
struct StreamLimits {
    std::size_t all = 500;
    std::size_t per_holder = 20;
};

// Counts the open streams.
class StreamSlots {
  public:
    explicit StreamSlots(StreamLimits limits);

    // A place for one stream of a holder (a payment, a merchant), for as long as the pointer or a
    // copy of it lives; null where all are taken.
    std::shared_ptr<void const> take(Uuid const& holder);

  private:
    struct State;
    class Slot;
    std::shared_ptr<State> state_;
};

}  // namespace sycee
