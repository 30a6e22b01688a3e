// Pins: which addresses a network has, however they are written; and which texts are none.
#include <sycee/net/ip_network.hpp>

#include <gtest/gtest.h>

namespace sycee {
namespace {

struct Case {
    std::string network;
    std::string address;
    bool is_in;
};

TEST(IpNetwork, HasTheAddressesThatBeginAsItDoes) {
    for (auto const& [network, address, is_in] :
         std::vector<Case>{{"192.0.2.1", "192.0.2.1", true},
                           {"192.0.2.1", "192.0.2.2", false},
                           {"192.0.2.0/24", "192.0.2.0", true},
                           {"192.0.2.0/24", "192.0.2.255", true},
                           {"192.0.2.0/24", "192.0.3.0", false},
                           {"192.0.2.0/24", "192.0.1.255", false},
                           {"192.0.2.128/25", "192.0.2.127", false},
                           {"192.0.2.128/25", "192.0.2.128", true},
                           {"10.0.0.0/9", "10.127.255.255", true},
                           {"10.0.0.0/9", "10.128.0.0", false},
                           {"198.51.100.4/31", "198.51.100.5", true},
                           {"198.51.100.4/31", "198.51.100.6", false},
                           {"0.0.0.0/0", "255.255.255.255", true},
                           // Families don't mix: "::/0" is every IPv6 address and no IPv4 one.
                           {"0.0.0.0/0", "2001:db8::1", false},
                           {"::/0", "192.0.2.1", false},
                           {"::/0", "2001:db8::1", true},
                           {"2001:db8::/32", "2001:db8:ffff:ffff::1", true},
                           {"2001:db8::/32", "2001:db9::", false},
                           {"2001:db8::1", "2001:db8:0:0::1", true},
                           {"2001:db8::1", "2001:DB8::1", true},
                           {"2001:db8::1", "2001:db8::2", false},
                           {"2001:db8:8000::/33", "2001:db8:8000::1", true},
                           {"2001:db8:8000::/33", "2001:db8:7fff::1", false},
                           // An IPv4 address within IPv6 is the IPv4 address.
                           {"192.0.2.0/24", "::ffff:192.0.2.9", true},
                           {"192.0.2.0/24", "::ffff:c000:209", true},
                           {"::ffff:192.0.2.9", "192.0.2.9", true},
                           {"::ffff:192.0.2.0/120", "192.0.2.9", true},
                           {"::ffff:192.0.2.0/120", "192.0.3.9", false},
                           {"::ffff:192.0.2.0/120", "::ffff:192.0.2.9", true},
                           {"0.0.0.0/0", "", false},
                           {"0.0.0.0/0", "localhost", false},
                           {"0.0.0.0/0", "192.0.2.1:80", false},
                           {"fe80::/10", "fe80::1", true}}) {
        auto const parsed = IpNetwork::parse(network);
        ASSERT_TRUE(parsed) << network;
        EXPECT_EQ(parsed->contains(address), is_in) << network << " " << address;
    }
}

TEST(IpNetwork, IsWrittenInOneWay) {
    EXPECT_EQ(IpNetwork::parse("192.0.2.1")->text(), "192.0.2.1/32");
    EXPECT_EQ(IpNetwork::parse("192.0.2.0/24")->text(), "192.0.2.0/24");
    EXPECT_EQ(IpNetwork::parse("::ffff:192.0.2.0/120")->text(), "192.0.2.0/24");
    EXPECT_EQ(IpNetwork::parse("2001:DB8:0::/32")->text(), "2001:db8::/32");
    EXPECT_EQ(IpNetwork::parse("::/0")->text(), "::/0");
}

TEST(IpNetwork, IsNothingElse) {
    for (auto const* text : {"",
                             "/",
                             "/24",
                             "192.0.2.0/",
                             "192.0.2.0/33",
                             "192.0.2.0/-1",
                             "192.0.2.0/+1",
                             "192.0.2.0/24 ",
                             " 192.0.2.0/24",
                             "192.0.2.0/2x",
                             "192.0.2.0/24/24",
                             "192.0.2/24",
                             "192.0.2.1/24",
                             "2001:db8::/129",
                             "2001:db8::1/32",
                             "::ffff:192.0.2.0/95",
                             "::ffff:192.0.2.1/120",
                             "example.org",
                             "*",
                             "fe80::1%1",
                             "192.0.2.0/4294967320"}) {
        EXPECT_FALSE(IpNetwork::parse(text)) << text;
    }
}

}  // namespace
}  // namespace sycee
