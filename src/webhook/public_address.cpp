#include <sycee/base/bytes.hpp>
#include <sycee/webhook/public_address.hpp>

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

namespace sycee {
namespace {

template <std::size_t N>
struct Range {
    Bytes<N> first;
    unsigned bits;

    bool contains(Bytes<N> const& address) const {
        for (unsigned bit = 0; bit < bits; ++bit) {
            auto const mask = static_cast<std::uint8_t>(0x80u >> (bit % 8));
            if (((address[bit / 8] ^ first[bit / 8]) & mask) != 0) return false;
        }
        return true;
    }
};

using Range4 = Range<4>;
using Range6 = Range<16>;

// IANA IPv4 Special-Purpose Address Registry, multicast and the reserved rest.
constexpr std::array kSpecial4{
    Range4{{0}, 8},              // this network
    Range4{{10}, 8},             // private
    Range4{{100, 64}, 10},       // shared between carriers and their customers
    Range4{{127}, 8},            // loopback
    Range4{{169, 254}, 16},      // link-local: cloud metadata services
    Range4{{172, 16}, 12},       // private
    Range4{{192, 0, 0}, 24},     // protocol assignments
    Range4{{192, 0, 2}, 24},     // documentation
    Range4{{192, 88, 99}, 24},   // 6to4 relays
    Range4{{192, 168}, 16},      // private
    Range4{{198, 18}, 15},       // benchmarks
    Range4{{198, 51, 100}, 24},  // documentation
    Range4{{203, 0, 113}, 24},   // documentation
    Range4{{224}, 4},            // multicast
    Range4{{240}, 4},            // reserved, broadcast
};

// Only this is routed at all, so that loopback, fc00::/7, fe80::/10, ff00::/8, mapped IPv4
// addresses and 64:ff9b::/96 need no line of their own.
constexpr Range6 kGlobal6{{0x20}, 3};
constexpr std::array kSpecial6{
    Range6{{0x20, 0x01, 0x00}, 23},        // protocol assignments: Teredo carries IPv4
    Range6{{0x20, 0x01, 0x0d, 0xb8}, 32},  // documentation
    Range6{{0x20, 0x02}, 16},              // 6to4: carries an IPv4 address
    Range6{{0x3f, 0xff}, 20},              // documentation
};

template <class Ranges, class Address>
bool is_in_any(Ranges const& ranges, Address const& address) {
    return std::ranges::any_of(ranges, [&](auto const& range) { return range.contains(address); });
}

}  // namespace

bool is_public_address(std::string_view ip) {
    boost::system::error_code ec;
    auto const address = boost::asio::ip::make_address(std::string(ip), ec);
    if (ec) return false;
    if (address.is_v4()) return !is_in_any(kSpecial4, address.to_v4().to_bytes());
    auto const bytes = address.to_v6().to_bytes();
    return kGlobal6.contains(bytes) && !is_in_any(kSpecial6, bytes);
}

}  // namespace sycee
