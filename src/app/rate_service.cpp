#include <sycee/app/rate_service.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>

#include <algorithm>

namespace sycee {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kFirstRetry = 1s;
constexpr std::chrono::milliseconds kReportEvery = 5s;

}  // namespace

RateService::RateService(RateBook& book, MakeRateSource const& make, Clock& clock, Metrics& metrics)
    : book_(book), clock_(clock), metrics_(metrics) {
    auto const& rates = book.settings().rates;
    for (std::size_t i = 0; i < rates.size(); ++i) {
        for (std::size_t place = 0; place < rates[i].sources.size(); ++place) {
            RateSourceSettings const& settings = rates[i].sources[place];
            if (settings.kind == RateSourceKind::fixed) continue;
            sources_.push_back({.rate = i, .place = place, .port = make(settings)});
        }
    }
    usable_.resize(rates.size());
}

Task<std::string> RateService::read(Source& source) {
    RateSourceSettings const& settings = book_.settings().rates[source.rate].sources[source.place];
    std::string fault;
    try {
        SourceValue const read = co_await source.port->read();
        auto const rate = rate_of(read.value, read.decimals, settings.inverse);
        if (rate) {
            book_.put(source.rate, source.place, *rate, read.at);
        } else {
            fault = to_string(rate.error());
        }
    } catch (Unavailable const& unavailable) {
        fault = unavailable.what();
    } catch (RateMisconfigured const& misconfigured) {
        // Found at the start, it is the configuration's fault; later, the source's.
        if (!source.was_read) throw;
        fault = misconfigured.what();
    }
    co_return fault;
}

Task<void> RateService::watch(std::size_t index) {
    Source& source = sources_.at(index);
    RateSettings const& rate = book_.settings().rates[source.rate];
    std::string const& name = rate.sources[source.place].name;
    auto const refresh = book_.settings().refresh;
    Backoff backoff(std::min(kFirstRetry, refresh), refresh);
    for (;;) {
        std::string const fault = co_await read(source);
        if (fault.empty()) {
            if (source.failed) {
                log_info("rates", "a source answers again",
                         {{"rate", rate.subject}, {"source", name}});
            }
            source.was_read = true;
            backoff.reset();
        } else if (!source.failed) {
            log_warning("rates", "a source can't be used",
                        {{"rate", rate.subject}, {"source", name}, {"why", fault}});
        }
        source.failed = !fault.empty();
        metrics_.set("sycee_rate_source_failing", source.failed ? 1 : 0,
                     {{"rate", rate.subject}, {"source", name}});
        report();
        auto const pause = fault.empty() ? refresh : backoff.next();
        co_await clock_.sleep_for(pause);
    }
}

void RateService::report() {
    Timestamp const now = clock_.now();
    auto const& rates = book_.settings().rates;
    for (std::size_t i = 0; i < rates.size(); ++i) {
        auto const agreed = book_.agreed(i, now);
        bool const usable = agreed.has_value();
        RateSettings const& rate = rates[i];
        metrics_.set(rate.is_peg ? "sycee_token_offered" : "sycee_rate_usable", usable ? 1 : 0,
                     {{rate.is_peg ? "token" : "currency", rate.subject}});
        // At the start nothing has been read yet.
        bool const is_waited_for = std::ranges::any_of(sources_, [i](Source const& source) {
            return source.rate == i && !source.was_read && !source.failed;
        });
        if (usable_[i] == usable || (!usable && is_waited_for)) continue;
        usable_[i] = usable;
        if (usable) {
            log_info("rates",
                     rate.is_peg ? "a token is offered" : "prices in a currency can be made",
                     {{"rate", rate.subject}, {"is", to_string(agreed->rate)}});
        } else {
            log_error("rates",
                      rate.is_peg ? "a token is taken out of new payments: it is not known to be "
                                    "worth one dollar"
                                  : "no prices can be made in a currency: it has no rate",
                      {{"rate", rate.subject}, {"why", to_string(agreed.error())}});
        }
    }
}

Task<void> RateService::run() {
    for (;;) {
        report();
        co_await clock_.sleep_for(kReportEvery);
    }
}

}  // namespace sycee
