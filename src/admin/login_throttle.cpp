#include "login_throttle.hpp"

#include <sycee/crypto/hash.hpp>

#include <boost/asio/ip/address_v6.hpp>

#include <algorithm>
#include <string>

namespace sycee::admin {
namespace {

constexpr std::chrono::seconds kFirstWait{2};
constexpr std::chrono::hours kForgottenAfter{24};

// One customer has a whole network of 2^64 addresses.
std::string network_of(std::string_view peer) {
    boost::system::error_code ec;
    auto const address = boost::asio::ip::make_address_v6(std::string(peer), ec);
    if (ec) return std::string(peer);
    auto const bytes = address.to_bytes();
    return to_hex(ByteView(bytes).first(8));
}

Bytes32 key_of(std::string_view peer) {
    return sha256(as_bytes(network_of(peer)));
}

Bytes32 key_of(std::string_view name, std::string_view peer) {
    return sha256(as_bytes(network_of(peer) + '\n' + std::string(name)));
}

}  // namespace

LoginThrottle::LoginThrottle(std::size_t most_entries)
    : by_pair_({.free_failures = 5,
                .longest_wait = std::chrono::minutes{15},
                .most_entries = most_entries}),
      by_peer_({.free_failures = 20,
                .longest_wait = std::chrono::minutes{1},
                .most_entries = most_entries}) {}

std::chrono::seconds LoginThrottle::wait(std::string_view name, std::string_view peer,
                                         Timestamp now) const {
    return std::max(by_pair_.wait(key_of(name, peer), now), by_peer_.wait(key_of(peer), now));
}

void LoginThrottle::begin(std::string_view name, std::string_view peer, Timestamp now) {
    by_pair_.add(key_of(name, peer), now);
    by_peer_.add(key_of(peer), now);
}

void LoginThrottle::succeeded(std::string_view name, std::string_view peer, Timestamp now) {
    by_pair_.forget(key_of(name, peer));
    by_peer_.take_back(key_of(peer), now);
}

std::chrono::seconds LoginThrottle::Failures::wait(Key const& key, Timestamp now) const {
    auto const found = entries_.find(key);
    if (found == entries_.end() || found->second.blocked_until <= now) {
        return std::chrono::seconds{0};
    }
    return std::chrono::ceil<std::chrono::seconds>(found->second.blocked_until - now);
}

void LoginThrottle::Failures::add(Key const& key, Timestamp now) {
    if (!entries_.contains(key)) make_room();
    Entry& entry = entries_[key];
    if (now - entry.last > kForgottenAfter) entry = {};
    entry.last = now;
    entry.blocked_until = now + wait_after(++entry.failures);
}

void LoginThrottle::Failures::take_back(Key const& key, Timestamp now) {
    auto const found = entries_.find(key);
    if (found == entries_.end()) return;
    --found->second.failures;
    found->second.blocked_until = now;
    if (found->second.failures == 0) entries_.erase(found);
}

std::chrono::seconds LoginThrottle::Failures::wait_after(unsigned failures) const {
    if (failures < limits_.free_failures) return std::chrono::seconds{0};
    unsigned const doublings = std::min(failures - limits_.free_failures, 10U);
    return std::min(limits_.longest_wait, kFirstWait * (1U << doublings));
}

void LoginThrottle::Failures::make_room() {
    if (entries_.size() < limits_.most_entries) return;
    entries_.erase(
        std::ranges::min_element(entries_, {}, [](auto const& pair) { return pair.second.last; }));
}

}  // namespace sycee::admin
