#include <sycee/net/client_address.hpp>
#include <sycee/net/ip_network.hpp>

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <charconv>
#include <optional>

namespace sycee {
namespace {
namespace ip = boost::asio::ip;

using AddressBytes = std::array<std::uint8_t, 16>;

constexpr unsigned kBitsOfV4 = 32;
constexpr unsigned kBitsOfV6 = 128;
constexpr unsigned kBitsBeforeMapped = kBitsOfV6 - kBitsOfV4;

struct Parsed {
    std::string text;
    AddressBytes bytes{};  // those of an IPv4 address stand first
    unsigned bits = 0;
};

// IPv4 where it is an IPv4 address, however it is written.
std::optional<Parsed> parse_address(std::string_view text) {
    auto normal = parse_ip_address(text);
    if (!normal) return std::nullopt;
    auto const address = ip::make_address(*normal);
    Parsed parsed{.text = std::move(*normal), .bits = address.is_v4() ? kBitsOfV4 : kBitsOfV6};
    if (address.is_v4()) {
        std::ranges::copy(address.to_v4().to_bytes(), parsed.bytes.begin());
    } else {
        // A zone ("fe80::1%eth0") is of one machine alone.
        if (address.to_v6().scope_id() != 0) return std::nullopt;
        std::ranges::copy(address.to_v6().to_bytes(), parsed.bytes.begin());
    }
    return parsed;
}

bool starts_alike(AddressBytes const& a, AddressBytes const& b, unsigned bits) {
    auto const whole = static_cast<std::ptrdiff_t>(bits / 8);
    if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
    unsigned const rest = bits % 8;
    if (rest == 0) return true;
    auto const at = static_cast<std::size_t>(whole);
    return ((a.at(at) ^ b.at(at)) >> (8 - rest)) == 0;
}

// Nothing where bits after the prefix are set.
bool ends_in_zeros(AddressBytes const& bytes, unsigned prefix, unsigned bits) {
    for (unsigned i = prefix; i < bits; ++i) {
        if (((bytes.at(i / 8) >> (7 - i % 8)) & 1) != 0) return false;
    }
    return true;
}

}  // namespace

Result<IpNetwork> IpNetwork::parse(std::string_view text) {
    auto const refused = [text](std::string const& why) {
        return refuse("address", "\"" + std::string(text.substr(0, 60)) + "\" " + why);
    };
    auto const slash = text.find('/');
    auto const written = text.substr(0, slash);
    auto const address = parse_address(written);
    if (!address) {
        return refused("is no IP address, and no network such as 192.0.2.0/24 or 2001:db8::/32");
    }
    IpNetwork network;
    network.address_ = address->text;
    network.bytes_ = address->bytes;
    network.bits_ = address->bits;
    network.prefix_ = address->bits;
    if (slash == std::string_view::npos) return network;

    auto const digits = text.substr(slash + 1);
    bool const is_mapped = address->bits == kBitsOfV4 && written.contains(':');
    unsigned const least = is_mapped ? kBitsBeforeMapped : 0;
    unsigned prefix = 0;
    auto const read = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
    if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size() || prefix < least ||
        prefix - least > address->bits) {
        return refused("must end in a prefix from /" + std::to_string(least) + " to /" +
                       std::to_string(least + address->bits));
    }
    network.prefix_ = prefix - least;
    if (!ends_in_zeros(network.bytes_, network.prefix_, network.bits_)) {
        return refused(
            "has bits set after its prefix: name the network's first address, or the "
            "address alone");
    }
    return network;
}

bool IpNetwork::contains(std::string_view address) const {
    auto const parsed = parse_address(address);
    return parsed && parsed->bits == bits_ && starts_alike(parsed->bytes, bytes_, prefix_);
}

std::string IpNetwork::text() const {
    return address_ + "/" + std::to_string(prefix_);
}

}  // namespace sycee
