#pragma once

#include <sycee/base/time.hpp>

#include "rng.hpp"

#include <functional>
#include <string>

// The simulator is linked with its own bodies of runtime/random.hpp, runtime/log.hpp and
// runtime/metrics.hpp (seams.cpp): random bytes come from the seed, log lines carry virtual time.
// The linker takes these instead of the ones in the library.
namespace sycee::simulation {

// Where fill_random() and random_below() draw from. One world at a time runs in a program.
void set_random_source(Rng* rng);
// Gets the messages of level critical.
void set_alarm_sink(std::function<void(std::string const& message)> sink);
// Gets every log line that is shown; nothing: none are.
void set_log_sink(std::function<void(std::string const& line)> sink);

}  // namespace sycee::simulation
