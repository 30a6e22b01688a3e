// Runs worlds from their seeds with the real store beside the model: see docs/simulation.md.
#include "campaign.hpp"
#include "mirrored_store.hpp"
#include "spoiled_commit.hpp"
#include "test_database.hpp"

#include <cstdlib>
#include <exception>
#include <iostream>

namespace sycee::simulation {
namespace {

RunWorld begin_worker(std::string const& server) {
    auto const database = std::make_shared<TestDatabase>(server);
    auto const compare = [database](Comparison comparison) -> std::unique_ptr<ComparedStore> {
        return std::make_unique<MirroredStore>(*database, std::move(comparison));
    };
    return
        [compare](std::uint64_t seed, bool verbose) { return run_world(seed, verbose, compare); };
}

std::vector<std::string> states_to_reach() {
    std::vector<std::string> states;
    for (std::string const& how : ways_to_spoil())
        states.push_back("refused: " + how);
    for (char const* how : {"agrees", "in the order of the books", "something rests on a reorg"})
        states.push_back(std::string("rebuilt: ") + how);
    return states;
}

}  // namespace
}  // namespace sycee::simulation

int main(int argc, char** argv) {
    using namespace sycee::simulation;
    char const* server = std::getenv("SYCEE_TEST_DATABASE");
    if (server == nullptr) {
        std::cerr << "simulation_postgres: run this through scripts/with-postgres\n";
        return 2;
    }
    try {
        return run_program(
            {.name = "simulation_postgres",
             .about = "Runs the simulator's worlds on its model of the store and on the real one, "
                      "and compares them.",
             .begin_worker = [server] { return begin_worker(server); },
             .must_reach = states_to_reach()},
            {argv + 1, argv + argc});
    } catch (std::exception const& error) {
        std::cerr << "simulation_postgres: " << error.what() << '\n';
        return 1;
    }
}
