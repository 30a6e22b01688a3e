#pragma once

#include <sycee/app/ports.hpp>

#include <unordered_map>

namespace sycee {

// Every deposit address that was ever given out, in memory: matching a transfer costs the same with
// a thousand or a million payments. An expired payment's address stays.
class AddressBook {
  public:
    void add(WatchedAddress const& entry) { payments_[entry.address] = entry.payment; }
    PaymentKey const* find(Address const& address) const {
        auto const found = payments_.find(address);
        return found == payments_.end() ? nullptr : &found->second;
    }
    std::size_t size() const { return payments_.size(); }

  private:
    std::unordered_map<Address, PaymentKey> payments_;
};

}  // namespace sycee
