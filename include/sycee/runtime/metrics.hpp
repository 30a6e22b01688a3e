#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace sycee {

// Counters and gauges in Prometheus' text format. Names: sycee_<what>_<unit>, counters end in
// _total. Labels have few values: no merchant, no payment.
class Metrics {
  public:
    using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

    Metrics();
    Metrics(Metrics const&) = delete;
    Metrics& operator=(Metrics const&) = delete;
    ~Metrics();

    void count(std::string_view name, Labels labels = {}, double by = 1);
    void set(std::string_view name, double value, Labels labels = {});
    std::string text() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace sycee
