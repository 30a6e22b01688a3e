#pragma once

#include <sycee/app/payment_feed.hpp>
#include <sycee/base/amount.hpp>
#include <sycee/base/id.hpp>
#include <sycee/base/time.hpp>
#include <sycee/evm/address.hpp>
#include <sycee/evm/block.hpp>

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace sycee {

// The place of a transaction among those of its sender. Of all that have the same one, a chain ever
// has one.
struct TransactionPlace {
    ChainId chain_id = 0;
    Address sender;
    std::uint64_t nonce = 0;

    auto operator<=>(TransactionPlace const&) const = default;
};

// A transfer to a payment that a node has in its mempool. It may never happen, its amount may be
// anything: it is shown, and nothing is decided by it.
struct DetectedTransfer {
    TransactionPlace place;
    TransactionHash transaction_hash{};
    PaymentId payment_id;
    Address token;
    Amount amount;
    Timestamp seen_at{};  // when the node had it last

    // Not shown from then on. Until then the node is asked for it again and again.
    Timestamp expires_at() const { return seen_at + std::chrono::minutes{10}; }
};

// The detected transfers of all payments, in memory alone: a restart forgets them. Tells the open
// checkout pages what changes.
class DetectedTransfers {
  public:
    explicit DetectedTransfers(PaymentFeed& feed, std::size_t most = 1'000)
        : feed_(feed), most_(most) {}

    // In place of what had the same place. Where there are too many, those seen longest ago go.
    void add(DetectedTransfer const& transfer);
    // That transaction stands in this place: any other one is gone.
    void take_place(TransactionPlace const& place, TransactionHash const& by);
    // The node has it still; not counted as a change.
    void see_again(DetectedTransfer const& transfer, Timestamp now);
    // It is booked, or gone.
    void remove(DetectedTransfer const& transfer);
    void forget_expired(Timestamp now);

    std::vector<DetectedTransfer> of(PaymentId id, Timestamp now) const;
    // Those of a chain that were seen at that time or before, longest ago first; at most so many.
    std::vector<DetectedTransfer> seen_before(ChainId chain_id, Timestamp time,
                                              std::size_t most) const;
    std::size_t count(ChainId chain_id) const;

  private:
    using ByPlace = std::map<TransactionPlace, DetectedTransfer>;

    ByPlace::iterator find(DetectedTransfer const& transfer);
    ByPlace::iterator erase(ByPlace::iterator entry);

    PaymentFeed& feed_;
    std::size_t most_;
    ByPlace by_place_;
};

}  // namespace sycee
