#include "pages.hpp"
#include "words.hpp"

#include <algorithm>

namespace sycee::admin {
namespace {

Html event_row(EventRow const& row, std::size_t deliveries) {
    std::string const told = row.is_waiting    ? "waiting"
                             : deliveries == 0 ? "no endpoint"
                                               : std::to_string(deliveries);
    return html("<tr>{}{}{}{}</tr>",
                {cell("Event", row.event.type),
                 cell("Id", html(R"(<code class="long">{}</code>)", {to_string(row.event.id)})),
                 cell("Created", moment(row.event.created_at)), number_cell("Endpoints", told)});
}

// The shop's URL is text: it is hostile until proved otherwise, and nobody follows it from here.
Html endpoint_name(DeliveryRow const& row) {
    std::string const& url = row.url;
    return html(R"({}<br><code class="long">{}</code>)",
                {url.empty() ? free_text("deleted") : free_text(url),
                 to_string(row.delivery.key.endpoint_id)});
}

Html delivery_row(DeliveryRow const& row) {
    WebhookDelivery const& delivery = row.delivery;
    return html(
        "<tr>{}{}{}{}{}</tr>",
        {cell("Event", delivery.event_type), cell("Endpoint", endpoint_name(row)),
         cell("State", to_string(delivery.state())), number_cell("Attempts", delivery.attempts),
         cell("Next attempt", moment_or_dash(delivery.next_attempt_at))});
}

Html attempt_row(DeliveryRow const& row, DeliveryAttempt const& attempt) {
    std::string answer = attempt.status == 0 ? "no answer" : std::to_string(attempt.status);
    if (!attempt.error.empty()) answer += ": " + attempt.error;
    if (!attempt.answer.empty()) answer += ": " + attempt.answer;
    return html("<tr>{}{}{}{}{}{}{}</tr>",
                {cell("Event", row.delivery.event_type), cell("Endpoint", endpoint_name(row)),
                 number_cell("Attempt", attempt.attempt), cell("At", moment(attempt.at)),
                 number_cell("Took", std::to_string(attempt.duration.count()) + " ms"),
                 cell("Answer", free_text(answer)),
                 cell("Result", attempt.delivered ? "delivered" : "failed")});
}

Html section_of(std::string_view title, Html const& head, Html const& rows) {
    return html(R"(<section class="card"><h2>{}</h2><table class="list"><thead><tr>{}</tr>)"
                R"(</thead><tbody>{}</tbody></table></section>)",
                {title, head, rows});
}

}  // namespace

Html deliveries_section(PaymentTimeline const& timeline) {
    if (timeline.events.empty()) {
        return html(R"(<section class="card"><h2>Webhooks</h2><p class="none">No event yet.</p>)"
                    R"(</section>)");
    }
    Html events;
    for (auto const& row : timeline.events) {
        auto const is_of = [&row](DeliveryRow const& one) {
            return one.delivery.key.event_id == row.event.id;
        };
        events += event_row(
            row, static_cast<std::size_t>(std::ranges::count_if(timeline.deliveries, is_of)));
    }
    Html section = section_of("Webhooks",
                              html(R"(<th>Event</th><th>Id</th><th>Created (UTC)</th>)"
                                   R"(<th class="number">Endpoints</th>)"),
                              events);
    if (timeline.deliveries.empty()) return section;
    Html deliveries;
    Html attempts;
    for (auto const& row : timeline.deliveries) {
        deliveries += delivery_row(row);
        for (auto const& attempt : row.attempts)
            attempts += attempt_row(row, attempt);
    }
    section += section_of("Deliveries",
                          html(R"(<th>Event</th><th>Endpoint</th><th>State</th>)"
                               R"(<th class="number">Attempts</th><th>Next attempt</th>)"),
                          deliveries);
    if (attempts.text.empty()) return section;
    section += section_of("Delivery attempts",
                          html(R"(<th>Event</th><th>Endpoint</th><th class="number">Attempt</th>)"
                               R"(<th>At (UTC)</th><th class="number">Took</th><th>Answer</th>)"
                               R"(<th>Result</th>)"),
                          attempts);
    return section;
}

}  // namespace sycee::admin
