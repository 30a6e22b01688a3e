#include <sycee/runtime/metrics.hpp>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <functional>
#include <map>
#include <mutex>

namespace sycee {
namespace {

template <class Metric>
using Families = std::map<std::string, prometheus::Family<Metric>*, std::less<>>;

prometheus::Labels to_prometheus(Metrics::Labels labels) {
    prometheus::Labels result;
    for (auto const& [name, value] : labels)
        result.emplace(name, value);
    return result;
}

}  // namespace

struct Metrics::State {
    template <class Metric, class Builder>
    prometheus::Family<Metric>& family(Families<Metric>& families, Builder builder,
                                       std::string_view name) {
        std::scoped_lock const lock(mutex);
        auto const found = families.find(name);
        if (found != families.end()) return *found->second;
        auto& made = builder.Name(std::string(name)).Register(registry);
        families.emplace(name, &made);
        return made;
    }

    // Worker threads count too.
    std::mutex mutex;
    prometheus::Registry registry;
    Families<prometheus::Counter> counters;
    Families<prometheus::Gauge> gauges;
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}

Metrics::~Metrics() = default;

void Metrics::count(std::string_view name, Labels labels, double by) {
    auto& family = state_->family(state_->counters, prometheus::BuildCounter(), name);
    family.Add(to_prometheus(labels)).Increment(by);
}

void Metrics::set(std::string_view name, double value, Labels labels) {
    auto& family = state_->family(state_->gauges, prometheus::BuildGauge(), name);
    family.Add(to_prometheus(labels)).Set(value);
}

std::string Metrics::text() const {
    return prometheus::TextSerializer{}.Serialize(state_->registry.Collect());
}

}  // namespace sycee
