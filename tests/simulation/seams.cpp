#include "seams.hpp"

#include <sycee/runtime/log.hpp>
#include <sycee/runtime/metrics.hpp>
#include <sycee/runtime/random.hpp>

#include <cstdlib>

namespace sycee {
namespace {

simulation::Rng* random_source = nullptr;
std::function<void(std::string const& line)> log_sink;
std::function<void(std::string const& message)> alarm_sink;

simulation::Rng& source() {
    if (random_source == nullptr) std::abort();
    return *random_source;
}

}  // namespace

namespace simulation {

void set_random_source(Rng* rng) {
    random_source = rng;
}

void set_alarm_sink(std::function<void(std::string const& message)> sink) {
    alarm_sink = std::move(sink);
}

void set_log_sink(std::function<void(std::string const& line)> sink) {
    log_sink = std::move(sink);
}

}  // namespace simulation

void fill_random(std::span<std::uint8_t> bytes) {
    source().fill(bytes);
}

std::uint32_t random_below(std::uint32_t bound) {
    return static_cast<std::uint32_t>(source().below(bound));
}

void set_log_level(LogLevel) {}

bool set_log_level(std::string_view) {
    return true;
}

void log(LogLevel level, std::string_view component, std::string_view message,
         std::initializer_list<LogField> fields) {
    if (level == LogLevel::critical && alarm_sink) alarm_sink(std::string(message));
    if (!log_sink) return;
    std::string line(component);
    line += ": ";
    line += message;
    for (LogField const& field : fields)
        line += " " + field.key + "=" + field.value;
    log_sink(line);
}

// Nobody reads the metrics of a simulated process.
struct Metrics::State {};

Metrics::Metrics() = default;

Metrics::~Metrics() = default;

void Metrics::count(std::string_view, Labels, double) {}

void Metrics::set(std::string_view, double, Labels) {}

std::string Metrics::text() const {
    return {};
}

}  // namespace sycee
