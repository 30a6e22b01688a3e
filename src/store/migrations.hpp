#pragma once

#include <span>
#include <string_view>

namespace sycee::migrations {

struct EmbeddedFile {
    std::string_view name;  // "0001_merchants.sql"
    std::string_view data;
};

// The files of migrations/, in the order of their names.
std::span<EmbeddedFile const> embedded_files();

}  // namespace sycee::migrations
