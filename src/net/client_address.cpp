#include <sycee/base/ascii.hpp>
#include <sycee/net/client_address.hpp>

#include <boost/asio/ip/address.hpp>

#include <algorithm>

namespace sycee {
namespace {
namespace ip = boost::asio::ip;

// Some proxies add the port: "192.0.2.1:4711", "[2001:db8::1]:4711".
std::string_view without_port(std::string_view hop) {
    if (hop.starts_with('[')) return hop.substr(1, hop.find(']') - 1);
    bool const one_colon = std::ranges::count(hop, ':') == 1;
    return one_colon ? hop.substr(0, hop.find(':')) : hop;
}

// From the sender to the last proxy, as they stand in all fields of that name.
std::vector<std::string_view> hops_of(HttpHeaders const& headers) {
    std::vector<std::string_view> hops;
    for (auto const& [name, value] : headers) {
        if (name != "x-forwarded-for") continue;
        std::string_view rest = value;
        while (!rest.empty())
            hops.push_back(trimmed(take_until(rest, ',')));
    }
    return hops;
}

}  // namespace

Result<std::string> parse_ip_address(std::string_view text) {
    boost::system::error_code ec;
    auto const address = ip::make_address(std::string(text), ec);
    if (ec) return refuse("", "must be an IP address");
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
        return ip::make_address_v4(ip::v4_mapped, address.to_v6()).to_string();
    }
    return address.to_string();
}

std::string client_address(std::string const& peer, HttpHeaders const& headers,
                           std::vector<std::string> const& trusted_proxies) {
    std::string client = peer;
    auto hops = hops_of(headers);
    while (!hops.empty() && std::ranges::count(trusted_proxies, client) != 0) {
        auto const before = parse_ip_address(without_port(hops.back()));
        if (!before) break;
        client = *before;
        hops.pop_back();
    }
    return client;
}

}  // namespace sycee
