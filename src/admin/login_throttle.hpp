#pragma once

#include <sycee/base/bytes.hpp>
#include <sycee/base/time.hpp>

#include <chrono>
#include <map>
#include <string_view>

namespace sycee::admin {

// Slows down guessing, for each pair of name and peer: after five failures every further one
// doubles the wait, up to a quarter of an hour. In memory and bounded: where it is full, whoever
// tried longest ago is forgotten.
class LoginThrottle {
  public:
    explicit LoginThrottle(std::size_t most_entries = 10'000) : most_entries_(most_entries) {}

    // Zero: may try now.
    std::chrono::seconds wait(std::string_view name, std::string_view peer, Timestamp now) const;
    // Counts an attempt as failed before its password is looked at, so that attempts made at the
    // same time count too.
    void begin(std::string_view name, std::string_view peer, Timestamp now);
    void succeeded(std::string_view name, std::string_view peer);
    std::size_t size() const { return entries_.size(); }

  private:
    struct Entry {
        unsigned failures = 0;
        Timestamp last{};
        Timestamp blocked_until{};
    };
    using Key = Bytes32;  // a hash: names are as long as their senders like

    void make_room();

    std::size_t most_entries_;
    std::map<Key, Entry> entries_;
};

}  // namespace sycee::admin
