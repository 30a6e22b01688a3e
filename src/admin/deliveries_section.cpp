#include "pages.hpp"
#include "words.hpp"

namespace sycee::admin {
namespace {

std::string delivery_state(EventRow const& row) {
    if (row.delivered) return "delivered";
    if (row.next_attempt_at) return row.attempts == 0 ? "waiting" : "retrying";
    return "given up";
}

Html event_row(EventRow const& row) {
    return html("<tr>{}{}{}{}{}{}</tr>",
                {cell("Event", row.event.type),
                 cell("Id", html(R"(<code class="long">{}</code>)", {to_string(row.event.id)})),
                 cell("Created", moment(row.event.created_at)), cell("State", delivery_state(row)),
                 number_cell("Attempts", row.attempts),
                 cell("Next attempt", moment_or_dash(row.next_attempt_at))});
}

Html attempt_row(DeliveryRow const& row) {
    auto const& attempt = row.attempt;
    std::string answer = attempt.status == 0 ? "no answer" : std::to_string(attempt.status);
    if (!attempt.error.empty()) answer += ": " + attempt.error;
    return html("<tr>{}{}{}{}{}</tr>",
                {cell("Event", row.event_type), number_cell("Attempt", attempt.attempt),
                 cell("At", moment(attempt.at)), cell("Answer", free_text(answer)),
                 cell("Result", attempt.delivered ? "delivered" : "failed")});
}

}  // namespace

Html deliveries_section(PaymentTimeline const& timeline) {
    if (timeline.events.empty()) {
        return html(R"(<section class="card"><h2>Webhooks</h2><p class="none">No event yet.</p>)"
                    R"(</section>)");
    }
    Html events;
    for (auto const& row : timeline.events)
        events += event_row(row);
    Html section =
        html(R"(<section class="card"><h2>Webhooks</h2><table class="list"><thead><tr>)"
             R"(<th>Event</th><th>Id</th>)"
             R"(<th>Created (UTC)</th><th>State</th><th class="number">Attempts</th><th>Next )"
             R"(attempt</th></tr>)"
             R"(</thead><tbody>{}</tbody></table></section>)",
             {events});
    if (timeline.deliveries.empty()) return section;
    Html attempts;
    for (auto const& row : timeline.deliveries)
        attempts += attempt_row(row);
    section +=
        html(R"(<section class="card"><h2>Delivery attempts</h2><table class="list"><thead><tr>)"
             R"(<th>Event</th>)"
             R"(<th class="number">Attempt</th><th>At (UTC)</th><th>Answer</th><th>Result</th>)"
             R"(</tr></thead>)"
             R"(<tbody>{}</tbody></table></section>)",
             {attempts});
    return section;
}

}  // namespace sycee::admin
