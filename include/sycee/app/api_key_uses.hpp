#pragma once

#include <sycee/app/api_keys.hpp>
#include <sycee/runtime/clock.hpp>

#include <map>

namespace sycee {

// When each API key was used last: noted in memory by whoever serves a request, and written beside
// all requests, each key at most once a minute. What was not written when the program ends is lost.
// On the io thread.
class ApiKeyUses {
  public:
    ApiKeyUses(ApiKeyPort& keys, Clock& clock) : keys_(keys), clock_(clock) {}
    ApiKeyUses(ApiKeyUses const&) = delete;
    ApiKeyUses& operator=(ApiKeyUses const&) = delete;

    // Of a key that exists and was right.
    void note(ApiKeyId id) { uses_[id].used_at = clock_.now(); }
    // For as long as the service runs. A database that is away is tried again.
    Task<void> run();

  private:
    struct Use {
        Timestamp used_at{};
        Timestamp written{};     // the use that was written last
        Timestamp written_at{};  // when it was
    };

    Task<void> write_due();

    ApiKeyPort& keys_;
    Clock& clock_;
    std::map<ApiKeyId, Use> uses_;
};

}  // namespace sycee
