// Configurations: refused with a reason, or taken.
#include "fuzz.hpp"

#include <config.hpp>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace sycee;
    auto const none = [](std::string const&) -> std::optional<std::string> { return std::nullopt; };
    auto const config = parse_config(text_of(data, size), "/etc/sycee", none);
    if (!config) {
        require(!to_string(config.error()).empty(), "a refusal that says nothing");
        return 0;
    }
    require(!config->network.chains.empty(), "no chain");
    require(!config->database_url.empty() && !config->network.public_url.empty(),
            "what must be set is not");
    return 0;
}
