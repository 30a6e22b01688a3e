#pragma once

#include <sycee/runtime/task.hpp>

#include "config.hpp"

#include <cstdint>
#include <filesystem>

namespace sycee {

// The commands about checkpoints and receipts. As those of commands.hpp.

// Makes a signing key in the configured file, in the place of the one that may be there, and
// publishes its public part.
Task<int> new_signing_key(Config config);

// `number`: of a checkpoint that was made before; 0: makes one now. To `out`, which must not exist;
// empty: to stdout.
Task<int> export_checkpoint(Config config, std::uint64_t number, std::filesystem::path out);
Task<int> verify_checkpoint_file(Config config, std::filesystem::path file);

// Needs no configuration, no database and no network. `keys_file`: what the gateway publishes, as
// it was fetched; empty: whose key it is, is left open and said.
int verify_receipt_file(std::filesystem::path const& file, std::filesystem::path const& keys_file);

}  // namespace sycee
