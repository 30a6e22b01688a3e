#pragma once

#include <sycee/app/ports.hpp>

#include <cstdint>
#include <map>
#include <set>
#include <vector>

namespace sycee {

// A set of 64-bit keys without pointers: 8 bytes a key and at most as much again of room. A
// question costs the same with a thousand keys or with a million.
class KeySet {
  public:
    void add(std::uint64_t key);
    bool contains(std::uint64_t key) const;
    std::size_t size() const { return size_; }
    std::vector<std::uint64_t> keys() const;

  private:
    std::size_t place_of(std::uint64_t key) const;

    std::vector<std::uint64_t> places_;  // zero: free
    std::size_t size_ = 0;
};

// A Bloom filter that grows: about 1.5 bytes a key, and one wrong "perhaps" in some two hundred
// questions. Never a wrong "no".
class KeyFilter {
  public:
    void add(std::uint64_t key);
    bool may_contain(std::uint64_t key) const;
    std::size_t size() const { return size_; }

  private:
    struct Layer {
        std::vector<std::uint64_t> words;
        std::size_t room = 0;
    };
    std::vector<Layer> layers_;
    std::size_t size_ = 0;
};

// Which of a block's addresses may be deposit addresses: the books then say which are. Every
// address that was ever given out is watched, on every chain, for ever; only those of payments that
// are open or expired lately live in memory by their last eight bytes, the others in a filter of a
// byte and a half each. On the io thread only.
class AddressIndex {
  public:
    // Adds what was given out since the last time, by whichever process. Called after a block was
    // read and before it is matched: whoever paid an address learned it from a committed payment.
    Task<void> refresh(AddressPort& books, Timestamp now);

    void add(Address const& address, Timestamp expires_at);
    bool may_contain(Address const& address) const;
    // Moves the addresses of payments that expired long ago out of memory.
    void archive(Timestamp now);

    std::size_t in_memory() const;
    std::size_t archived() const { return archive_.size(); }

  private:
    std::map<std::int64_t, KeySet> by_day_;  // of expiry
    KeyFilter archive_;
    std::map<MerchantId, std::uint64_t> next_index_;
};

// Which of these are deposit addresses, by the books, and whose.
Task<std::map<Address, PaymentKey>> find_watched(AddressPort& books, std::set<Address> addresses);

}  // namespace sycee
