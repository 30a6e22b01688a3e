#include "secret_file.hpp"

#include <fstream>
#include <string>
#include <utility>

namespace sycee {

Result<Secret> read_secret(std::filesystem::path const& file) {
    std::ifstream stream(file);
    std::string line;
    if (!std::getline(stream, line)) return refuse(file.string(), "can't be read, or is empty");
    return Secret(std::move(line));
}

}  // namespace sycee
