#include "login_throttle.hpp"

#include <sycee/crypto/hash.hpp>

#include <algorithm>
#include <string>

namespace sycee::admin {
namespace {

constexpr unsigned kFreeFailures = 5;
constexpr std::chrono::seconds kFirstWait{2};
constexpr std::chrono::seconds kLongestWait{15 * 60};
constexpr std::chrono::hours kForgottenAfter{24};

Bytes32 key_of(std::string_view name, std::string_view peer) {
    return sha256(as_bytes(std::string(peer) + '\n' + std::string(name)));
}

std::chrono::seconds wait_after(unsigned failures) {
    if (failures < kFreeFailures) return std::chrono::seconds{0};
    unsigned const doublings = std::min(failures - kFreeFailures, 10U);
    return std::min(kLongestWait, kFirstWait * (1U << doublings));
}

}  // namespace

std::chrono::seconds LoginThrottle::wait(std::string_view name, std::string_view peer,
                                         Timestamp now) const {
    auto const found = entries_.find(key_of(name, peer));
    if (found == entries_.end() || found->second.blocked_until <= now) {
        return std::chrono::seconds{0};
    }
    return std::chrono::ceil<std::chrono::seconds>(found->second.blocked_until - now);
}

void LoginThrottle::begin(std::string_view name, std::string_view peer, Timestamp now) {
    Key const key = key_of(name, peer);
    if (!entries_.contains(key)) make_room();
    Entry& entry = entries_[key];
    if (now - entry.last > kForgottenAfter) entry = {};
    entry.last = now;
    entry.blocked_until = now + wait_after(++entry.failures);
}

void LoginThrottle::succeeded(std::string_view name, std::string_view peer) {
    entries_.erase(key_of(name, peer));
}

void LoginThrottle::make_room() {
    if (entries_.size() < most_entries_) return;
    entries_.erase(
        std::ranges::min_element(entries_, {}, [](auto const& pair) { return pair.second.last; }));
}

}  // namespace sycee::admin
