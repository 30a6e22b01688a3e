#include "stream_events.hpp"

#include <sycee/app/payment_json.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>

#include <nlohmann/json.hpp>

namespace sycee {
namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kPage = 50;

// JSON has no line end inside, so that one line of data is enough.
std::string frame(std::uint64_t id, std::string_view data, std::string_view name = {}) {
    std::string text = "id: " + std::to_string(id) + "\n";
    if (!name.empty()) text.append("event: ").append(name).append("\n");
    return text.append("data: ").append(data).append("\n\n");
}

std::string frame_of(FeedGap const& gap) {
    nlohmann::ordered_json const json{
        {"from", gap.from}, {"to", gap.to}, {"reason", to_string(gap.why)}};
    return frame(gap.to, json.dump(), "missing");
}

milliseconds since(SteadyClock::time_point then) {
    return std::chrono::duration_cast<milliseconds>(SteadyClock::now() - then);
}

// One stream, for as long as its client reads it.
class EventFeedStream {
  public:
    EventFeedStream(ApiServices const& services, Caller caller, FeedQuery query, StreamPace pace,
                    HttpStream& stream)
        : services_(services),
          caller_(caller),
          query_(std::move(query)),
          pace_(pace),
          stream_(stream) {
        query_.limit = kPage;
    }

    Task<void> run() {
        Notifier& written = services_.events.written;
        co_await stream_.send("retry: 3000\n\n");
        for (;;) {
            auto const seen = written.generation();
            auto const looked = SteadyClock::now();
            if (since(checked_) >= pace_.heartbeat && !co_await may_go_on()) co_return;
            if (co_await send_page()) continue;
            if (since(sent_) >= pace_.heartbeat) co_await send(": still here\n\n");
            co_await written.wait_after(seen, std::min(pace_.poll, pace_.heartbeat));
            if (auto const early = pace_.pause - since(looked); early.count() > 0)
                co_await services_.clock.sleep_for(early);
        }
    }

  private:
    Task<void> send(std::string chunk) {
        co_await stream_.send(std::move(chunk));
        sent_ = SteadyClock::now();
    }

    // What there is after the last event that was sent; true: there is more.
    Task<bool> send_page() {
        std::optional<FeedPage> page;
        try {
            auto const last = co_await services_.events.feed.last_sequence(caller_.merchant_id);
            if (query_.after.value_or(0) < last) page = co_await services_.events.feed.read(query_);
        } catch (Unavailable const& error) {
            // For a moment: the line stays open.
            log_debug("api", "no events for a stream", {{"error", error.what()}});
        }
        if (!page) co_return false;
        auto gap = page->missing.begin();
        for (FeedEvent const& event : page->events) {
            for (; gap != page->missing.end() && gap->to < event.event.sequence; ++gap)
                co_await send(frame_of(*gap));
            co_await send(frame(event.event.sequence, event_json(event, services_.network).dump()));
        }
        for (; gap != page->missing.end(); ++gap)
            co_await send(frame_of(*gap));
        query_.after = page->next_after;
        co_return page->has_more;
    }

    // A key that was revoked reads no further, however much there is to read.
    Task<bool> may_go_on() {
        checked_ = SteadyClock::now();
        try {
            auto const key = co_await services_.api_keys.find(caller_.key_id);
            co_return key && key->is_valid(services_.clock.now());
        } catch (Unavailable const& error) {
            // As it was, until it can be asked for.
            log_debug("api", "no key for a stream", {{"error", error.what()}});
        }
        co_return true;
    }

    ApiServices services_;
    Caller caller_;
    FeedQuery query_;
    StreamPace pace_;
    HttpStream& stream_;
    SteadyClock::time_point sent_ = SteadyClock::now();
    SteadyClock::time_point checked_ = sent_;
};

Task<void> run_stream(ApiServices services, Caller caller, FeedQuery query, StreamPace pace,
                      HttpStream& stream) {
    EventFeedStream feed(services, caller, std::move(query), pace, stream);
    co_await feed.run();
}

}  // namespace

Answer stream_events(ApiCall const& call, FeedQuery query) {
    auto slot = call.streams.slots.take(call.caller.merchant_id.uuid);
    if (!slot) {
        return std::unexpected(
            Problem{.kind = kRateLimited,
                    .detail = "Too many event streams are open. Close one, or ask for pages.",
                    .headers = {{"retry-after", "30"}}});
    }
    auto response = text_response(200, "text/event-stream", "");
    response.with("x-accel-buffering", "no");
    ApiServices const& services = call;
    response.stream = [services, caller = call.caller, query = std::move(query),
                       pace = call.streams.pace, held = std::move(slot)](HttpStream& stream) {
        return run_stream(services, caller, query, pace, stream);
    };
    return response;
}

}  // namespace sycee
