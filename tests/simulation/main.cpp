// Runs worlds from their seeds: see docs/simulation.md.
#include "campaign.hpp"

int main(int argc, char** argv) {
    using namespace sycee::simulation;
    auto const begin_worker = []() -> RunWorld {
        return [](std::uint64_t seed, bool verbose) { return run_world(seed, verbose); };
    };
    return run_program(
        {.name = "simulation",
         .about = "Runs the core and the loops of app in simulated worlds, each drawn from its "
                  "seed.",
         .begin_worker = begin_worker,
         .must_reach = must_reach()},
        {argv + 1, argv + argc});
}
