#pragma once

#include <sycee/app/checkpoint_ports.hpp>
#include <sycee/base/result.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/metrics.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <vector>

namespace sycee {

// Reads the key anew each time, so that one that was exchanged is used without a restart. Empty: no
// key is configured, and no checkpoints are made.
using LoadSigningKey = std::function<Result<SigningKey>()>;

// A receipt, or why there is none.
struct ReceiptOutcome {
    enum class State : std::uint8_t {
        ready,
        none_settled,  // no transfer of the payment has been settled
        off,           // no signing key is configured
        pending,       // no checkpoint has all of it yet
    };
    State state = State::ready;
    PaymentReceipt receipt;
    std::chrono::seconds retry_after{};  // pending: when it is worth asking again
};

// Makes a checkpoint every day (UTC), and more of them where receipts wait for one, at most one a
// minute over all processes.
class CheckpointService {
  public:
    CheckpointService(CheckpointPort& checkpoints, ReceiptPort& receipts, LoadSigningKey load_key,
                      Clock& clock, Metrics& metrics)
        : checkpoints_(checkpoints),
          receipts_(receipts),
          load_key_(std::move(load_key)),
          clock_(clock),
          metrics_(metrics) {}

    bool makes_checkpoints() const { return load_key_ != nullptr; }
    // Until it is cancelled. A checkpoint that can't be made is tried again, logged and shown by
    // the metric sycee_checkpoint_failed.
    Task<void> run();

    // The hundred earliest settled transfers of the payment.
    Task<ReceiptOutcome> receipt(PaymentKey payment);
    Task<std::vector<PublishedKey>> signing_keys() { return receipts_.signing_keys(); }

  private:
    Task<void> make();
    // How long until one may be made on demand; zero: now.
    Task<std::chrono::seconds> wait_for_turn();

    CheckpointPort& checkpoints_;
    ReceiptPort& receipts_;
    LoadSigningKey load_key_;
    Clock& clock_;
    Metrics& metrics_;
    bool making_ = false;
    std::optional<Timestamp> last_attempt_;
};

}  // namespace sycee
