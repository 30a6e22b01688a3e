#pragma once

#include <sycee/runtime/task.hpp>

#include "config.hpp"

#include <string>
#include <vector>

namespace sycee {

// API keys, as the commands of commands.hpp.

struct KeyInput {
    std::string merchant;
    std::string label;
    std::vector<std::string> scopes;     // none: everything
    std::vector<std::string> addresses;  // none: from anywhere
    std::string expires;                 // as parse_moment() reads it; empty: never
};
Task<int> create_key(Config config, KeyInput input, bool json);

// `merchant` may be empty: of all.
Task<int> list_keys(Config config, std::string merchant, bool json);

struct RotationInput {
    std::string key;
    std::string overlap = "24h";  // as parse_span() reads it
    std::string expires;          // as above; empty: as the old key
};
Task<int> rotate_key(Config config, RotationInput input, bool json);

Task<int> revoke_key(Config config, std::string key);

}  // namespace sycee
