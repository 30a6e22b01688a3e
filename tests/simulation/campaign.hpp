#pragma once

#include "world.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace sycee::simulation {

using RunWorld = std::function<Outcome(std::uint64_t seed, bool verbose)>;

// A program that runs worlds from their seeds.
struct Program {
    std::string name;
    std::string about;                       // one line of its usage
    std::function<RunWorld()> begin_worker;  // called once in each process that runs worlds
    std::vector<std::string> must_reach;     // states that a campaign has to reach
};

// The main function of such a program: one seed, or a campaign over several processes. The exit
// code.
int run_program(Program const& program, std::vector<std::string> const& arguments);

}  // namespace sycee::simulation
