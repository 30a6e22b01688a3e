#pragma once

#include <sycee/base/result.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace sycee {

// A network of IP addresses: "192.0.2.0/24", "2001:db8::/32". An IPv4 network has no IPv6 address
// and the other way round; an IPv4 address written as an IPv6 one (::ffff:192.0.2.1) is the IPv4
// address.
class IpNetwork {
  public:
    // An address alone is the network of it. Refused: what is neither, and a network with bits set
    // after its prefix, which is more often a slip than meant.
    static Result<IpNetwork> parse(std::string_view text);

    // False for what is no IP address.
    bool contains(std::string_view address) const;
    // Always with its prefix: "192.0.2.1/32".
    std::string text() const;

  private:
    std::string address_;  // the first one
    std::array<std::uint8_t, 16> bytes_{};
    unsigned bits_ = 0;  // of an address
    unsigned prefix_ = 0;
};

}  // namespace sycee
