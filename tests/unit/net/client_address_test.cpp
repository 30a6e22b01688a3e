// Pins: nobody chooses his own address by a header.
#include <sycee/net/client_address.hpp>

#include <gtest/gtest.h>

namespace sycee {
namespace {

std::vector<std::string> const kProxies{"127.0.0.1", "10.0.0.2", "2001:db8::2"};

std::string from(std::string const& peer, std::vector<std::string> const& forwarded) {
    HttpHeaders headers{{"host", "a"}};
    for (auto const& value : forwarded)
        headers.emplace_back("x-forwarded-for", value);
    return client_address(peer, headers, kProxies);
}

TEST(ClientAddress, is_the_peer_unless_a_trusted_proxy_says_otherwise) {
    EXPECT_EQ(from("127.0.0.1", {}), "127.0.0.1");
    EXPECT_EQ(from("127.0.0.1", {"192.0.2.1"}), "192.0.2.1");
    EXPECT_EQ(from("198.51.100.1", {"192.0.2.1"}), "198.51.100.1");
    EXPECT_EQ(client_address("127.0.0.1", {{"x-forwarded-for", "192.0.2.1"}}, {}), "127.0.0.1");
}

TEST(ClientAddress, is_the_right_most_one_that_is_not_a_proxy_of_ours) {
    EXPECT_EQ(from("127.0.0.1", {"203.0.113.9, 192.0.2.1"}), "192.0.2.1");
    EXPECT_EQ(from("127.0.0.1", {"203.0.113.9", "192.0.2.1,10.0.0.2"}), "192.0.2.1");
    EXPECT_EQ(from("127.0.0.1", {"10.0.0.2, 192.0.2.1 ,\t10.0.0.2"}), "192.0.2.1");
    EXPECT_EQ(from("127.0.0.1", {"10.0.0.2"}), "10.0.0.2");
}

TEST(ClientAddress, reads_the_forms_that_proxies_write) {
    EXPECT_EQ(from("127.0.0.1", {"192.0.2.1:4711"}), "192.0.2.1");
    EXPECT_EQ(from("127.0.0.1", {"[2001:DB8::1]:4711"}), "2001:db8::1");
    EXPECT_EQ(from("127.0.0.1", {"2001:db8:0::1"}), "2001:db8::1");
    EXPECT_EQ(from("127.0.0.1", {"192.0.2.1, ::ffff:10.0.0.2"}), "192.0.2.1");
}

TEST(ClientAddress, stops_at_what_is_no_address) {
    for (auto const* odd : {"unknown", "", ",", "192.0.2.1, [", "192.0.2.1, _hidden"}) {
        EXPECT_EQ(from("127.0.0.1", {odd}), "127.0.0.1") << odd;
    }
}

TEST(IpAddress, has_one_form) {
    EXPECT_EQ(parse_ip_address("::FFFF:127.0.0.1").value(), "127.0.0.1");
    EXPECT_EQ(parse_ip_address("2001:DB8:0:0::1").value(), "2001:db8::1");
    for (auto const* bad : {"", "localhost", "10.0.0.0/8", "1.2.3", "1.2.3.4:5"}) {
        EXPECT_FALSE(parse_ip_address(bad)) << bad;
    }
}

}  // namespace
}  // namespace sycee
