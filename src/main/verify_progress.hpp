#pragma once

#include <sycee/store/verify.hpp>

#include <chrono>
#include <functional>
#include <string>

namespace sycee {

// "verified 4,096 of 20,000 records (20 %) and 4,000 postings, 3 of 100 journals done, 200,000 a
// second". Pure.
std::string progress_text(VerifyProgress const& progress, std::chrono::duration<double> taken);

// Says how far a verification is: on a terminal in one line that is written over, elsewhere in a
// line every few seconds, so that a log does not fill up.
class VerifyMeter {
  public:
    using Time = std::chrono::steady_clock::time_point;

    VerifyMeter(bool on_terminal, Time start, std::function<void(std::string const&)> write)
        : on_terminal_(on_terminal), start_(start), shown_(start), write_(std::move(write)) {}

    void show(VerifyProgress const& progress, Time now);
    // Before anything else is written.
    void end();

  private:
    bool on_terminal_;
    Time start_;
    Time shown_;
    bool in_line_ = false;
    std::function<void(std::string const&)> write_;
};

}  // namespace sycee
