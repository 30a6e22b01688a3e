#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/payment/checkpoint.hpp>
#include <sycee/payment/receipt.hpp>
#include <sycee/runtime/task.hpp>

#include <cstddef>
#include <optional>
#include <vector>

namespace sycee {

struct PublishedKey {
    CompressedPublicKey public_key{};
    Timestamp created_at{};
    std::optional<Timestamp> retired_at;  // nothing: in use
};

// The checkpoints in the database.
class CheckpointPort {
  public:
    virtual ~CheckpointPort() = default;
    // Makes the next one over all journals as of one moment, signs and stores it. Throws
    // Unavailable where another process makes one at this time, and std::runtime_error where the
    // key is not the one in use, or the journals are not whole.
    virtual Task<Checkpoint> make(SigningKey key, Timestamp now) = 0;
    virtual Task<std::optional<Checkpoint>> newest() = 0;
};

struct ReceiptMaterial {
    PaymentReceipt receipt;     // with the settled transfers that a checkpoint has
    std::size_t uncovered = 0;  // settled, and in no checkpoint yet
};

class ReceiptPort {
  public:
    virtual ~ReceiptPort() = default;
    // At most so many transfers, the earliest.
    virtual Task<ReceiptMaterial> load(PaymentKey payment, std::size_t most) = 0;
    // Newest first.
    virtual Task<std::vector<PublishedKey>> signing_keys() = 0;
};

}  // namespace sycee
