#include <sycee/app/event_feed.hpp>

#include <algorithm>

namespace sycee {

bool is_event_type(std::string_view name) {
    return std::ranges::find(kEventTypes, name) != kEventTypes.end();
}

std::string_view to_string(Untold why) {
    return why == Untold::archived ? "archived" : "contradiction";
}

PlannedPage plan_page(FeedQuery const& query, std::vector<ScannedEvent> const& scanned,
                      bool scanned_all, std::uint64_t last_sequence) {
    PlannedPage page;
    std::uint64_t const first_kept = scanned.empty() ? last_sequence : scanned[0].sequence - 1;
    page.next_after = query.after.value_or(first_kept);
    for (ScannedEvent const& event : scanned) {
        bool const is_shown = query.types.empty() || query.types.contains(event.type);
        if (is_shown && page.events.size() == query.limit) {
            page.has_more = true;
            return page;
        }
        if (event.sequence > page.next_after + 1)
            page.missing.push_back({page.next_after + 1, event.sequence - 1});
        if (is_shown) page.events.push_back(event);
        page.next_after = event.sequence;
    }
    page.has_more = !scanned_all;
    if (scanned_all && page.next_after < last_sequence) {
        page.missing.push_back({page.next_after + 1, last_sequence});
        page.next_after = last_sequence;
    }
    return page;
}

}  // namespace sycee
