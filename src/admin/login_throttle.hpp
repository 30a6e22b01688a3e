#pragma once

#include <sycee/base/bytes.hpp>
#include <sycee/base/time.hpp>

#include <chrono>
#include <map>
#include <string_view>

namespace sycee::admin {

// Slows down guessing. For each pair of name and peer: after five failures every further one
// doubles the wait, up to a quarter of an hour. And for each peer, whatever names it tries: after
// twenty, up to a minute, since several people may share an address. In memory and bounded: where
// it is full, whoever tried longest ago is forgotten.
class LoginThrottle {
  public:
    explicit LoginThrottle(std::size_t most_entries = 10'000);

    // Zero: may try now.
    std::chrono::seconds wait(std::string_view name, std::string_view peer, Timestamp now) const;
    // Counts an attempt as failed before its password is looked at, so that attempts made at the
    // same time count too.
    void begin(std::string_view name, std::string_view peer, Timestamp now);
    void succeeded(std::string_view name, std::string_view peer, Timestamp now);
    std::size_t size() const { return by_pair_.size() + by_peer_.size(); }

  private:
    using Key = Bytes32;  // a hash: names are as long as their senders like

    struct Limits {
        unsigned free_failures;
        std::chrono::seconds longest_wait;
        std::size_t most_entries;
    };

    class Failures {
      public:
        explicit Failures(Limits limits) : limits_(limits) {}

        std::chrono::seconds wait(Key const& key, Timestamp now) const;
        void add(Key const& key, Timestamp now);
        // The last one was none.
        void take_back(Key const& key, Timestamp now);
        void forget(Key const& key) { entries_.erase(key); }
        std::size_t size() const { return entries_.size(); }

      private:
        struct Entry {
            unsigned failures = 0;
            Timestamp last{};
            Timestamp blocked_until{};
        };

        std::chrono::seconds wait_after(unsigned failures) const;
        void make_room();

        Limits limits_;
        std::map<Key, Entry> entries_;
    };

    Failures by_pair_;
    Failures by_peer_;
};

}  // namespace sycee::admin
