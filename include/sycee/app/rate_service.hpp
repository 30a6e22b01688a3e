#pragma once

#include <sycee/app/rate_book.hpp>
#include <sycee/app/rate_ports.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/metrics.hpp>
#include <sycee/runtime/task.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace sycee {

using MakeRateSource =
    std::function<std::unique_ptr<RateSourcePort>(RateSourceSettings const& settings)>;

// Reads the sources of rates beside the requests, and tells the operator, by log and metrics, when
// a rate can't be used any more or a token is taken out of new payments.
class RateService {
  public:
    // `make` is asked for every source that is not fixed.
    RateService(RateBook& book, MakeRateSource const& make, Clock& clock, Metrics& metrics);

    // How many sources there are to be read, each by a task of its own.
    std::size_t sources() const { return sources_.size(); }
    // Ends only by cancellation, or by RateMisconfigured where the source was never what the
    // configuration says.
    Task<void> watch(std::size_t source);
    // Tells what has changed since the last call, and the metrics.
    void report();
    // Reports also what changes by time alone. Ends only by cancellation.
    Task<void> run();

  private:
    struct Source {
        std::size_t rate = 0;  // its place in the book
        std::size_t place = 0;
        std::unique_ptr<RateSourcePort> port;
        bool was_read = false;
        bool failed = false;  // the last time
    };

    // What is wrong; empty: it was read.
    Task<std::string> read(Source& source);

    RateBook& book_;
    Clock& clock_;
    Metrics& metrics_;
    std::vector<Source> sources_;
    std::vector<std::optional<bool>> usable_;  // of each rate, when it was told last
};

}  // namespace sycee
