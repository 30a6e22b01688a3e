#pragma once

#include <sycee/app/webhook_dispatcher.hpp>
#include <sycee/base/result.hpp>
#include <sycee/net/http_client.hpp>
#include <sycee/runtime/secret_box.hpp>
#include <sycee/runtime/task.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace sycee {

struct WebhookSettings {
    // For a shop on the same machine or network, and for tests: allows http and any address. A shop
    // can then reach whatever this machine can.
    bool allow_private_addresses = false;
    std::chrono::milliseconds connect_time{5'000};
    std::chrono::milliseconds total_time{15'000};
};

// Refuses what no webhook could ever be delivered to: anything but https://, and without
// `allow_private_addresses` also http:// and a private address. What a name resolves to is looked
// at when an event is sent.
Result<Url> webhook_destination(std::string const& url, bool allow_private_addresses);

// Posts events as Standard Webhooks describes it. Follows no redirects; of the answer's body, its
// first KiB is given back.
class HttpWebhookSender final : public WebhookPort {
  public:
    HttpWebhookSender(Executor executor, SecretBox const& secrets, WebhookSettings settings)
        : executor_(std::move(executor)), secrets_(secrets), settings_(settings) {}

    Task<WebhookAnswer> send(PendingDelivery const& delivery, std::string body, Timestamp now,
                             std::unique_ptr<Kept>& kept) override;

  private:
    struct KeptClient final : Kept {
        KeptClient(std::string to, Executor const& executor, Url const& parsed,
                   HttpClientLimits limits)
            : url(std::move(to)), client(executor, parsed, std::move(limits)) {}

        std::string url;
        HttpClient client;
    };
    HttpClient& client_for(std::unique_ptr<Kept>& kept, std::string const& url, Url const& parsed);

    Executor executor_;
    SecretBox const& secrets_;
    WebhookSettings settings_;
};

}  // namespace sycee
