// URLs of shops and nodes, and the addresses that they lead to.
#include <sycee/net/client_address.hpp>
#include <sycee/net/http_client.hpp>
#include <sycee/webhook/public_address.hpp>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace sycee;
    std::string_view const text = text_of(data, size);
    if (auto const address = parse_ip_address(text)) {
        // No way of writing an address makes it public. (An IPv4 address that is written as an IPv6
        // one is refused, whatever it is.)
        require(!is_public_address(text) || is_public_address(*address),
                "public in one way of writing it only");
        auto const again = parse_ip_address(*address);
        require(again && *again == *address, "an address that is not read as it is written");
    } else {
        require(!is_public_address(text), "public, and no address");
    }
    auto const url = parse_url(text);
    if (!url) return 0;
    require(url->target.starts_with('/'), "a target that does not begin with a slash");
    for (char const c : url->host + url->target) {
        require(static_cast<unsigned char>(c) > 0x20 && c != 0x7f,
                "a space or control character in a URL");
    }
    auto const again = parse_url(url->origin() + url->target);
    require(again && again->origin() == url->origin() && again->target == url->target,
            "a URL that is not read as it is written");
    return 0;
}
