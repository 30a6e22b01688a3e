#pragma once

#include <string>
#include <utility>

namespace sycee {

// A key or password on its way through the program. It has no formatter and no comparison, so that
// it can't reach a log, an error or an event by accident: whoever needs the bytes says reveal().
class Secret {
  public:
    Secret() = default;
    explicit Secret(std::string value) : value_(std::move(value)) {}

    std::string const& reveal() const { return value_; }
    bool empty() const { return value_.empty(); }

  private:
    std::string value_;
};

}  // namespace sycee
