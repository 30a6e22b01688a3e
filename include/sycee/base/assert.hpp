#pragma once

#include <stdexcept>
#include <string>

namespace sycee {

// A promise that our own code makes did not hold. Whoever runs a pipeline catches it, stops that
// pipeline and raises an alarm: wrong books are worse than stopped ones. Never thrown for input.
class InvariantViolation : public std::logic_error {
  public:
    using std::logic_error::logic_error;
};

// Checks a promise in every build. `what` names the invariant, so that an alarm says which one
// broke.
inline void ensure(bool holds, char const* what) {
    if (!holds) throw InvariantViolation(what);
}

inline void ensure(bool holds, std::string const& what) {
    if (!holds) throw InvariantViolation(what);
}

}  // namespace sycee
