#pragma once

#include <sycee/base/id.hpp>
#include <sycee/base/time.hpp>

#include <chrono>
#include <cstdint>
#include <map>

namespace sycee {

// How many requests each API key may make in a minute, from its first request on. On the io thread.
class RequestLimiter {
  public:
    static constexpr std::chrono::seconds kWindow{60};

    explicit RequestLimiter(std::uint32_t most) : most_(most) {}

    struct Standing {
        bool is_allowed = false;
        std::uint32_t remaining = 0;      // in this window, after this request
        std::chrono::seconds reset_in{};  // from 1 on
    };
    // Counts one request.
    Standing take(ApiKeyId key, Timestamp now);

    std::uint32_t most() const { return most_; }

  private:
    struct Window {
        Timestamp ends{};
        std::uint32_t requests = 0;
    };
    void forget_ended(Timestamp now);

    std::uint32_t most_;
    std::map<ApiKeyId, Window> windows_;
    Timestamp cleared_at_{};
};

}  // namespace sycee
