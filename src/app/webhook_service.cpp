#include <sycee/app/event_feed.hpp>
#include <sycee/app/webhook_service.hpp>
#include <sycee/base/assert.hpp>
#include <sycee/crypto/base64.hpp>
#include <sycee/runtime/random.hpp>

#include <algorithm>
#include <array>
#include <string_view>

namespace sycee {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kLongestUrl = 2'000;
constexpr std::size_t kLongestDescription = 500;
constexpr std::size_t kMostEventTypes = 50;
constexpr std::size_t kMostRedelivered = 10'000;
constexpr std::chrono::seconds kUsualOverlap = 24h;
constexpr std::chrono::seconds kLongestOverlap = 7 * 24h;

// Everything that a shop is told; an unknown one is most likely a typing error.
std::string all_event_types() {
    std::string text;
    for (auto const type : kEventTypes)
        text += (text.empty() ? "" : ", ") + std::string(type);
    return text;
}

bool is_printable(std::string_view text) {
    return std::ranges::none_of(text, [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; });
}

std::optional<Error> wrong_types(std::vector<std::string> const& types) {
    if (types.empty())
        return Error{"events", "must name at least one event, or be [\"*\"] for all"};
    if (types.size() > kMostEventTypes)
        return Error{"events", "must name at most " + std::to_string(kMostEventTypes) + " events"};
    for (std::string const& type : types) {
        if (type != kEveryEvent && !is_event_type(type)) {
            return Error{"events", "\"" + type.substr(0, 100) + "\" is no event; there are: " +
                                       all_event_types() + "; and \"*\" for all"};
        }
        if (std::ranges::count(types, type) > 1)
            return Error{"events", "\"" + type + "\" is named twice"};
    }
    if (types.size() > 1 && std::ranges::find(types, kEveryEvent) != types.end())
        return Error{"events", "\"*\" stands alone: it means all of them"};
    return std::nullopt;
}

}  // namespace

Secret make_webhook_secret() {
    return Secret("whsec_" + to_base64(random_bytes<kSecretBytes>()));
}

std::vector<Error> check_endpoint(EndpointChange const& input,
                                  WebhookService::CheckUrl const& check_url) {
    std::vector<Error> errors;
    if (input.url) {
        if (input.url->size() > kLongestUrl) {
            errors.push_back(
                {"url", "must have at most " + std::to_string(kLongestUrl) + " characters"});
        } else if (auto const checked = check_url(*input.url); !checked) {
            errors.push_back({"url", checked.error().message});
        }
    }
    if (input.event_types) {
        if (auto wrong = wrong_types(*input.event_types)) errors.push_back(std::move(*wrong));
    }
    if (input.description && input.description->size() > kLongestDescription) {
        errors.push_back(
            {"description", "must have at most " + std::to_string(kLongestDescription) + " bytes"});
    } else if (input.description && !is_printable(*input.description)) {
        errors.push_back({"description", "must not hold control characters"});
    }
    return errors;
}

Task<Result<EndpointWithSecret>> WebhookService::create(MerchantId merchant_id,
                                                        EndpointChange input,
                                                        std::optional<IdempotencyClaim> claim) {
    auto const errors = check_endpoint(input, check_url_);
    if (!errors.empty()) co_return std::unexpected(errors.front());
    if (!input.url) co_return refuse("url", "is required");
    Timestamp const now = clock_.now();
    EndpointWithSecret created{
        .endpoint = {.merchant_id = merchant_id,
                     .id = new_id<WebhookEndpointTag>(now),
                     .url = std::move(*input.url),
                     .event_types = std::move(input.event_types)
                                        .value_or(std::vector{std::string(kEveryEvent)}),
                     .description = std::move(input.description).value_or(""),
                     .created_at = now},
        .secret = make_webhook_secret()};
    NewWebhookEndpoint stored{created.endpoint, secrets_.seal(created.secret)};
    if (claim) claim->subject = to_string(created.endpoint.id);
    if (!co_await endpoints_.create(std::move(stored), kMostEndpoints, std::move(claim))) {
        co_return refuse("endpoint", "there are " + std::to_string(kMostEndpoints) +
                                         " endpoints already, the most that a merchant may have");
    }
    co_return created;
}

Task<std::vector<WebhookEndpoint>> WebhookService::list(MerchantId merchant_id) {
    return endpoints_.list(merchant_id);
}

Task<std::optional<WebhookEndpoint>> WebhookService::find(MerchantId merchant_id,
                                                          WebhookEndpointId id) {
    return endpoints_.find(merchant_id, id);
}

Task<std::optional<EndpointWithSecret>> WebhookService::find_with_secret(MerchantId merchant_id,
                                                                         WebhookEndpointId id) {
    auto found = co_await endpoints_.find_sealed(merchant_id, id);
    if (!found) co_return std::nullopt;
    auto secret = secrets_.open(found->sealed_secret);
    if (!secret)
        throw InvariantViolation("a webhook secret can't be opened: " + secret.error().message);
    co_return EndpointWithSecret{std::move(found->endpoint), std::move(*secret)};
}

Task<Result<std::optional<WebhookEndpoint>>> WebhookService::change(MerchantId merchant_id,
                                                                    WebhookEndpointId id,
                                                                    EndpointChange input) {
    auto const errors = check_endpoint(input, check_url_);
    if (!errors.empty()) co_return std::unexpected(errors.front());
    if (!co_await endpoints_.change(merchant_id, id, std::move(input), clock_.now()))
        co_return std::optional<WebhookEndpoint>();
    co_return co_await endpoints_.find(merchant_id, id);
}

Task<bool> WebhookService::remove(MerchantId merchant_id, WebhookEndpointId id) {
    return endpoints_.remove(merchant_id, id);
}

Task<Result<std::optional<EndpointWithSecret>>> WebhookService::rotate(
    MerchantId merchant_id, WebhookEndpointId id, std::optional<std::int64_t> overlap,
    std::optional<IdempotencyClaim> claim) {
    std::int64_t const seconds = overlap.value_or(kUsualOverlap.count());
    if (seconds < 0 || seconds > kLongestOverlap.count()) {
        co_return refuse("overlap_seconds", "must be from 0 to " +
                                                std::to_string(kLongestOverlap.count()) + ", not " +
                                                std::to_string(seconds));
    }
    Secret secret = make_webhook_secret();
    std::optional<Timestamp> until;
    Timestamp const now = clock_.now();
    if (seconds > 0) until = now + std::chrono::seconds{seconds};
    if (claim) claim->subject = to_string(id);
    std::optional<EndpointWithSecret> rotated;
    if (co_await endpoints_.rotate(merchant_id, id, secrets_.seal(secret), until, now,
                                   std::move(claim))) {
        if (auto endpoint = co_await endpoints_.find(merchant_id, id))
            rotated = EndpointWithSecret{std::move(*endpoint), std::move(secret)};
    }
    co_return rotated;
}

Task<DeliveryPage> WebhookService::deliveries(MerchantId merchant_id, WebhookEndpointId id,
                                              DeliveryFilter filter, std::optional<EventId> after,
                                              std::size_t limit) {
    return endpoints_.deliveries(merchant_id, id, filter, after, limit);
}

Task<std::optional<DeliveryDetail>> WebhookService::find_delivery(DeliveryKey key) {
    return endpoints_.find_delivery(key);
}

Task<std::optional<DeliveryKey>> WebhookService::send_test(MerchantId merchant_id,
                                                           WebhookEndpointId id,
                                                           std::optional<IdempotencyClaim> claim) {
    Timestamp const now = clock_.now();
    DeliveryKey const key{merchant_id, id, new_id<EventTag>(now)};
    if (claim) claim->subject = to_string(key.event_id);
    if (!co_await endpoints_.add_test(key, now, std::move(claim))) co_return std::nullopt;
    wake_.notify();
    co_return key;
}

Task<Redelivered> WebhookService::redeliver(DeliveryKey key) {
    Redelivered const done = co_await endpoints_.redeliver(key, clock_.now());
    if (done == Redelivered::yes) wake_.notify();
    co_return done;
}

Task<std::optional<RedeliveredMany>> WebhookService::redeliver_failed(MerchantId merchant_id,
                                                                      WebhookEndpointId id,
                                                                      Timestamp since) {
    auto const done = co_await endpoints_.redeliver_failed(merchant_id, id, since, clock_.now(),
                                                           kMostRedelivered);
    if (done && done->count > 0) wake_.notify();
    co_return done;
}

}  // namespace sycee
