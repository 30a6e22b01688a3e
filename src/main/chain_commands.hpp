#pragma once

#include <sycee/runtime/task.hpp>

#include "config.hpp"

#include <filesystem>
#include <string>

namespace sycee {

// The commands that ask the chains themselves. As those of commands.hpp.

// What a transaction did to any deposit address, on every configured chain.
Task<int> find_transaction(Executor executor, Config config, std::string transaction, bool json);

struct RepairInput {
    ChainId chain_id = 0;
    std::string operator_name;
    std::filesystem::path operator_password_file;
    std::string second_operator_name;
    std::filesystem::path second_password_file;
    std::string reason;
    bool carry_out = false;  // else only the plan is shown
};
Task<int> repair_chain(Executor executor, Config config, RepairInput input);

}  // namespace sycee
