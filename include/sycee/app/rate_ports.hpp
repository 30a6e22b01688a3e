#pragma once

#include <sycee/base/amount.hpp>
#include <sycee/base/time.hpp>
#include <sycee/evm/address.hpp>
#include <sycee/evm/price_feed.hpp>
#include <sycee/runtime/task.hpp>

#include <stdexcept>
#include <string>

// What RateService needs of the world. All throw Unavailable for a fault that passes.
namespace sycee {

// A source is not what the configuration says that it is.
class RateMisconfigured : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// A source's newest value: counter units for one base unit of its pair, in 10^-decimals.
struct SourceValue {
    Amount value;
    unsigned decimals = 0;
    Timestamp at{};

    bool operator==(SourceValue const&) const = default;
};

// A source that has to be asked. Each call has a deadline of its own.
class RateSourcePort {
  public:
    virtual ~RateSourcePort() = default;
    // Throws RateMisconfigured.
    virtual Task<SourceValue> read() = 0;
};

// What a feed's contract says.
struct FeedAnswer {
    unsigned decimals = 0;
    std::string description;
    FeedRound round;

    bool operator==(FeedAnswer const&) const = default;
};

// Price feeds, through one node of their chain.
class FeedPort {
  public:
    virtual ~FeedPort() = default;
    // By the newest block. Throws RateMisconfigured where the contract is no feed.
    virtual Task<FeedAnswer> read_feed(Address feed) = 0;
};

}  // namespace sycee
