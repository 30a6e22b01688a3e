#include "node_url.hpp"

#include <stdexcept>

namespace sycee {

Url parse_node_url(std::string const& chain, char const* field, std::string const& text,
                   std::string_view scheme) {
    auto url = parse_url(text);
    std::string const where = "chain " + chain + ": " + field + " ";
    if (!url) throw std::runtime_error(where + to_string(url.error()));
    if (url->scheme != scheme && url->scheme != std::string(scheme) + "s") {
        throw std::runtime_error(where + "must begin with " + std::string(scheme) + ":// or " +
                                 std::string(scheme) + "s://");
    }
    return *url;
}

}  // namespace sycee
