#pragma once

#include <sycee/base/time.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/metrics.hpp>
#include <sycee/runtime/task.hpp>

#include <cstddef>

namespace sycee {

class MonthsPort {
  public:
    MonthsPort() = default;
    MonthsPort(MonthsPort const&) = delete;
    MonthsPort& operator=(MonthsPort const&) = delete;
    virtual ~MonthsPort() = default;

    // Sees to it that this moment's month and the next one have partitions of their own. How many
    // it made.
    virtual Task<std::size_t> make(Timestamp now) = 0;
};

// Makes each month's partitions before the month begins.
class MonthKeeper {
  public:
    MonthKeeper(MonthsPort& months, Clock& clock, Metrics& metrics)
        : months_(months), clock_(clock), metrics_(metrics) {}

    // Until it is cancelled. Where none can be made, booking goes on in the partition of no month;
    // it is tried again, logged and shown by the metric sycee_months_failed.
    Task<void> run();

  private:
    MonthsPort& months_;
    Clock& clock_;
    Metrics& metrics_;
};

}  // namespace sycee
