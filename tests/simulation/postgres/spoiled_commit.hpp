#pragma once

#include "rng.hpp"
#include "sim_store.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sycee::simulation {

enum class Refusal : std::uint8_t { unavailable, invariant_violation };

// A commit with one thing wrong in it, which every store must refuse, and write nothing of it.
struct SpoiledCommit {
    std::string how;
    ChainCommit commit;
    Refusal refusal = Refusal::unavailable;
};

// Spoils a commit in one of the ways that fit it. Nothing where the store would not take it as it
// is: two things would be wrong with it.
std::optional<SpoiledCommit> spoil(ChainCommit const& right, SimStore const& store, Rng& rng);

std::vector<std::string> ways_to_spoil();

}  // namespace sycee::simulation
