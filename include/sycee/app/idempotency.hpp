#pragma once

#include <sycee/base/bytes.hpp>
#include <sycee/base/id.hpp>
#include <sycee/base/time.hpp>
#include <sycee/payment/payment.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/task.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>

namespace sycee {

// A shop may give a request a key of its own (Idempotency-Key,
// draft-ietf-httpapi-idempotency-key-header-07): sent again, it does nothing anew and gets the same
// answer. Keys are the merchant's, whichever of its API keys it calls with.

constexpr std::chrono::days kIdempotencyKeysAreKept{30};

// What an answer is built of that is kept.
struct KeptAnswer {
    unsigned status = 0;
    std::string location;  // empty: none
    std::string body;
};

// Goes with what a request does into its transaction, if doing it twice would be twice the effect.
struct IdempotencyClaim {
    std::string key;         // 1 to 255 bytes
    Bytes32 request_hash{};  // of method, path and body
    // What is answered to the one that made this payment. Called on any thread.
    std::function<KeptAnswer(Payment const&)> answer;
    // What the request made, where the answer is told of it afterwards: "1_42", the record 42 of
    // chain 1, or the id of a request that waits for a second operator. So an answer that a crash
    // cut off is told later.
    std::string subject;
};
std::string subject_of(ChainId chain_id, std::uint64_t sequence);
std::string subject_of(RequestId request);

// A request with this key has done its work already. Nothing was done for this one.
class KeyWasUsed : public std::runtime_error {
  public:
    KeyWasUsed() : std::runtime_error("the idempotency key was used before") {}
};

struct UsedKey {
    Bytes32 request_hash{};
    std::string subject;
    std::optional<KeptAnswer>
        answer;  // nothing: what the request did is there, and was not answered yet
};

class IdempotencyPort {
  public:
    virtual ~IdempotencyPort() = default;
    virtual Task<std::optional<UsedKey>> find(MerchantId merchant_id, std::string key) = 0;
    // Keeps the answer to a request that has done its work, before it is given. One that is kept
    // already stays.
    virtual Task<void> keep(MerchantId merchant_id, IdempotencyClaim claim, KeptAnswer answer,
                            Timestamp now) = 0;
    // Forgets the oldest that were used before `time`, at most `limit` of them, and says how many.
    virtual Task<std::size_t> forget(Timestamp time, std::size_t limit) = 0;
};

// Forgets keys that are older than they are kept, for as long as the service runs.
Task<void> forget_old_keys(IdempotencyPort& keys, Clock& clock);

}  // namespace sycee
