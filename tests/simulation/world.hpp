#pragma once

#include "checker.hpp"
#include "gateway.hpp"
#include "scheduler.hpp"
#include "sim_chain.hpp"
#include "sim_node.hpp"
#include "sim_store.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sycee::simulation {

using Reached = std::map<std::string, std::uint64_t>;

struct Outcome {
    std::optional<Violation> violation;
    Reached reached;
    std::uint64_t events = 0;
    std::uint64_t commits = 0;
    std::uint64_t payments = 0;
    std::uint64_t transfers = 0;
    std::uint64_t blocks = 0;
    std::int64_t simulated_ms = 0;
    std::uint64_t fingerprint = 0;  // over the books: the same seed gives the same one
};

// Runs one world from its seed: a phase with faults, in which nothing may ever be wrong, then one
// without, in which everything must come to its end. `compare` puts another store beside the model;
// the run is the same one with it and without.
Outcome run_world(std::uint64_t seed, bool verbose, CompareStore const& compare = {});

// Every state that a campaign must have reached.
std::vector<std::string> const& must_reach();

}  // namespace sycee::simulation
