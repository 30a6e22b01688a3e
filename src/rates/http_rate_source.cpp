#include <sycee/rates/http_rate_source.hpp>
#include <sycee/runtime/errors.hpp>

#include "json_value.hpp"

#include <stdexcept>
#include <utility>
#include <vector>

namespace sycee {
namespace {

constexpr unsigned kValueDigits = 18;
constexpr std::size_t kLongestNumber = 64;

Url url_in(RateSourceSettings const& settings) {
    auto url = parse_url(settings.url);
    if (!url) throw std::runtime_error(settings.name + ": " + to_string(url.error()));
    return std::move(*url);
}

std::vector<std::string> steps_in(std::string const& pointer) {
    auto steps = parse_json_pointer(pointer);
    if (!steps) throw std::runtime_error("a rate's pointer " + to_string(steps.error()));
    return std::move(*steps);
}

// A decimal, of which 18 digits after the point count.
Result<Amount> value_in(std::string_view text) {
    if (text.size() > kLongestNumber) return refuse("", "has too many digits");
    auto const point = text.find('.');
    if (point != std::string_view::npos && text.size() - point - 1 > kValueDigits) {
        std::string_view const beyond = text.substr(point + 1 + kValueDigits);
        if (beyond.find_first_not_of("0123456789") != std::string_view::npos)
            return refuse("", "must be a decimal number");
        text = text.substr(0, point + 1 + kValueDigits);
    }
    return parse_decimal(text, kValueDigits);
}

Result<Timestamp> time_in(std::string_view text) {
    constexpr std::uint64_t kLastSecond = 253'402'300'799;  // of the year 9999
    // A fraction of a second says nothing that counts.
    auto const seconds = parse_base_units(text.substr(0, text.find('.')));
    if (!seconds) return std::unexpected(seconds.error());
    if (*seconds > Amount(kLastSecond)) return refuse("", "is no time in seconds");
    return timestamp_from_seconds(static_cast<std::int64_t>(seconds->base_units()));
}

}  // namespace

Result<Url> rate_source_url(std::string const& url, bool allow_loopback) {
    auto parsed = parse_url(url);
    if (!parsed) return parsed;
    if (parsed->scheme == "https") return parsed;
    bool const here = parsed->host == "127.0.0.1" || parsed->host == "::1";
    if (parsed->scheme == "http" && here && allow_loopback) return parsed;
    return refuse("",
                  "must begin with https://; http:// is for 127.0.0.1 and [::1], and needs "
                  "rates.allow_loopback = true");
}

Result<void> check_rate_pointer(std::string_view pointer) {
    auto const steps = parse_json_pointer(pointer);
    if (!steps) return std::unexpected(steps.error());
    return {};
}

HttpRateSource::HttpRateSource(Executor executor, RateSourceSettings settings, Clock& clock,
                               HttpRateLimits limits)
    : settings_(std::move(settings)),
      clock_(clock),
      client_(std::move(executor), url_in(settings_),
              {.connect_time = limits.connect_time,
               .total_time = limits.total_time,
               .answer_bytes = limits.answer_bytes,
               .allow_address = {}}) {}

Task<SourceValue> HttpRateSource::read() {
    HttpHeaders headers{{"accept", "application/json"}, {"user-agent", "Sycee/0.1"}};
    auto const answer = co_await client_.get(std::move(headers));
    if (answer.status != 200) {
        throw Unavailable(settings_.name + " answers with status " + std::to_string(answer.status));
    }
    std::vector<std::vector<std::string>> places{steps_in(settings_.pointer)};
    if (!settings_.time_pointer.empty()) places.push_back(steps_in(settings_.time_pointer));
    auto const values = read_json_values(answer.body, places);
    if (!values) throw Unavailable(settings_.name + ": the document " + values.error().message);
    auto const value = value_in(values->at(0));
    if (!value) throw Unavailable(settings_.name + ": the value " + value.error().message);
    SourceValue read{.value = *value, .decimals = kValueDigits, .at = clock_.now()};
    if (values->size() > 1) {
        auto const at = time_in(values->at(1));
        if (!at) throw Unavailable(settings_.name + ": the time " + at.error().message);
        read.at = *at;
    }
    co_return read;
}

}  // namespace sycee
