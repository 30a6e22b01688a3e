#pragma once

#include <sycee/app/rate_ports.hpp>
#include <sycee/app/rate_settings.hpp>
#include <sycee/base/result.hpp>
#include <sycee/net/http_client.hpp>
#include <sycee/runtime/clock.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace sycee {

// Refuses a URL that no rate may come from: anything but https://, and with `allow_loopback`
// http:// to this machine.
Result<Url> rate_source_url(std::string const& url, bool allow_loopback);

// Refuses what is no JSON pointer (RFC 6901) to a value inside a document.
Result<void> check_rate_pointer(std::string_view pointer);

struct HttpRateLimits {
    std::chrono::milliseconds connect_time{5'000};
    std::chrono::milliseconds total_time{10'000};
    std::size_t answer_bytes = std::size_t{256} * 1024;
};

// A rate in a JSON document, a number or a text of one: read digit by digit, as it stands there.
// Follows no redirects.
class HttpRateSource final : public RateSourcePort {
  public:
    // Throws std::runtime_error for a URL that can't be one.
    HttpRateSource(Executor executor, RateSourceSettings settings, Clock& clock,
                   HttpRateLimits limits = {});

    Task<SourceValue> read() override;

  private:
    RateSourceSettings settings_;
    Clock& clock_;
    HttpClient client_;
};

}  // namespace sycee
