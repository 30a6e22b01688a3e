#include <sycee/net/retry_after.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>
#include <sycee/webhook/http_webhook_sender.hpp>
#include <sycee/webhook/public_address.hpp>
#include <sycee/webhook/signature.hpp>

#include <boost/asio/ip/address.hpp>

#include <utility>

namespace sycee {
namespace {

constexpr std::size_t kLongestAnswer = std::size_t{64} * 1024;
constexpr std::size_t kKeptOfAnswer = 1024;
constexpr std::chrono::hours kLongestRetryAfter{24};

WebhookAnswer not_sent(std::string why) {
    return {.status = 0, .error = std::move(why)};
}

bool is_address(std::string const& host) {
    boost::system::error_code ec;
    boost::asio::ip::make_address(host, ec);
    return !ec;
}

// One signature for each secret that is valid, the newest one's first, as Standard Webhooks has it
// for a rotation.
Result<std::string> signatures_of(SecretBox const& secrets, PendingDelivery const& delivery,
                                  std::string const& body, Timestamp now) {
    std::string signatures;
    for (auto const& sealed : delivery.sealed_secrets) {
        auto const secret = secrets.open(sealed);
        if (!secret) return std::unexpected(secret.error());
        auto const signature = sign_webhook(*secret, to_string(delivery.told.event.id), now, body);
        if (!signature) return signature;
        signatures += (signatures.empty() ? "" : " ") + *signature;
    }
    if (signatures.empty()) return refuse("secret", "there is none");
    return signatures;
}

// The beginning of what the shop says, for people to read: in ASCII, with a question mark for
// whatever else there is.
std::string printable(std::string_view body) {
    std::string text;
    for (char const c : body.substr(0, kKeptOfAnswer)) {
        bool const is_space = c == '\n' || c == '\t' || c == '\r';
        text += is_space ? ' ' : (c < ' ' || c > '~') ? '?' : c;
    }
    return text;
}

std::string_view header_of(HttpAnswer const& answer, std::string_view name) {
    for (auto const& [header, value] : answer.headers) {
        if (header == name) return value;
    }
    return {};
}

}  // namespace

Result<Url> webhook_destination(std::string const& url, bool allow_private_addresses) {
    auto parsed = parse_url(url);
    if (!parsed) return refuse("url", parsed.error().message);
    if (parsed->scheme != "https" && parsed->scheme != "http") {
        return refuse("url", "must begin with https://");
    }
    if (allow_private_addresses) return parsed;
    if (parsed->scheme == "http") {
        return refuse("url",
                      "must begin with https://; http:// is for a shop on the same machine or "
                      "network, and needs webhooks.allow_private_addresses = true");
    }
    if (is_address(parsed->host) && !is_public_address(parsed->host)) {
        return refuse("url",
                      "must not name a private address; a shop on the same machine or "
                      "network needs webhooks.allow_private_addresses = true");
    }
    return parsed;
}

Task<WebhookAnswer> HttpWebhookSender::send(PendingDelivery const& delivery, std::string body,
                                            Timestamp now, std::unique_ptr<Kept>& kept) {
    OutboxEvent const& event = delivery.told.event;
    auto const url = webhook_destination(delivery.url, settings_.allow_private_addresses);
    if (!url) co_return not_sent(to_string(url.error()));
    auto const signature = signatures_of(secrets_, delivery, body, now);
    if (!signature) {
        // Ours to repair, not the shop's: the key of the secret box may have changed.
        log_error(
            "webhook", "the signing secret can't be used",
            {{"merchant", to_string(event.merchant_id)}, {"why", to_string(signature.error())}});
        co_return not_sent("the signing secret can't be used");
    }

    HttpHeaders headers{{"content-type", "application/json"},
                        {"user-agent", "Sycee/0.1"},
                        {"webhook-id", to_string(event.id)},
                        {"webhook-timestamp", std::to_string(to_unix_seconds(now))},
                        {"webhook-signature", *signature}};
    HttpClient& client = client_for(kept, delivery.url, *url);
    try {
        HttpAnswer const answer = co_await client.post(std::move(headers), std::move(body));
        co_return WebhookAnswer{.status = answer.status,
                                .error = {},
                                .body = printable(answer.body),
                                .retry_after = parse_retry_after(header_of(answer, "retry-after"),
                                                                 now, kLongestRetryAfter)};
    } catch (Unavailable const& unavailable) {
        kept.reset();
        co_return not_sent(unavailable.what());
    }
}

// An endpoint has a connection for as long as there is something to send, and none that it could
// hold on to. Its address was looked at when it was connected to.
HttpClient& HttpWebhookSender::client_for(std::unique_ptr<Kept>& kept, std::string const& url,
                                          Url const& parsed) {
    auto* const before = static_cast<KeptClient*>(kept.get());
    if (before != nullptr && before->url == url) return before->client;
    HttpClientLimits limits{.connect_time = settings_.connect_time,
                            .total_time = settings_.total_time,
                            .answer_bytes = kLongestAnswer};
    if (!settings_.allow_private_addresses) limits.allow_address = is_public_address;
    auto made = std::make_unique<KeptClient>(url, executor_, parsed, std::move(limits));
    HttpClient& client = made->client;
    kept = std::move(made);
    return client;
}

}  // namespace sycee
