#include <sycee/net/http_client.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>
#include <sycee/webhook/http_webhook_sender.hpp>
#include <sycee/webhook/public_address.hpp>
#include <sycee/webhook/signature.hpp>

#include <utility>

namespace sycee {
namespace {

constexpr std::size_t kLongestAnswer = std::size_t{64} * 1024;

WebhookAnswer not_sent(std::string why) {
    return {.status = 0, .error = std::move(why)};
}

Result<Url> destination(std::string const& text, bool allow_private_addresses) {
    auto url = parse_url(text);
    if (!url) return refuse("url", url.error().message);
    bool const allowed =
        url->scheme == "https" || (url->scheme == "http" && allow_private_addresses);
    if (!allowed) return refuse("url", "must begin with https://");
    return url;
}

Result<std::string> signature_of(SecretBox const& secrets, PendingDelivery const& delivery,
                                 Timestamp now) {
    auto const secret = secrets.open(delivery.sealed_secret);
    if (!secret) return std::unexpected(secret.error());
    return sign_webhook(*secret, to_string(delivery.event.id), now, delivery.event.payload);
}

}  // namespace

Task<WebhookAnswer> HttpWebhookSender::send(PendingDelivery const& delivery, Timestamp now) {
    auto const url = destination(delivery.url, settings_.allow_private_addresses);
    if (!url) co_return not_sent(to_string(url.error()));
    auto const signature = signature_of(secrets_, delivery, now);
    if (!signature) {
        // Ours to repair, not the shop's: the key of the secret box may have changed.
        log_error("webhook", "the signing secret can't be used",
                  {{"merchant", to_string(delivery.event.merchant_id)},
                   {"why", to_string(signature.error())}});
        co_return not_sent("the signing secret can't be used");
    }

    HttpClientLimits limits{.connect_time = settings_.connect_time,
                            .total_time = settings_.total_time,
                            .answer_bytes = kLongestAnswer};
    if (!settings_.allow_private_addresses) limits.allow_address = is_public_address;
    HttpHeaders headers{{"content-type", "application/json"},
                        {"user-agent", "Sycee/0.1"},
                        {"webhook-id", to_string(delivery.event.id)},
                        {"webhook-timestamp", std::to_string(to_unix_seconds(now))},
                        {"webhook-signature", *signature}};
    std::string body = delivery.event.payload;
    // A client of its own: a kept connection would be one more thing that a shop can hold on to.
    HttpClient client(executor_, *url, std::move(limits));
    try {
        HttpAnswer const answer = co_await client.post(std::move(headers), std::move(body));
        co_return WebhookAnswer{.status = answer.status, .error = {}};
    } catch (Unavailable const& unavailable) {
        co_return not_sent(unavailable.what());
    }
}

}  // namespace sycee
