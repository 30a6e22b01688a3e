#include <sycee/api/signing_keys.hpp>
#include <sycee/app/receipt_json.hpp>

#include <nlohmann/json.hpp>

namespace sycee {

Task<HttpResponse> show_signing_keys(HttpRequest const& request, CheckpointService& checkpoints) {
    if (request.method != "GET" && request.method != "HEAD") {
        auto refused = text_response(405, "text/plain; charset=utf-8", "Only GET\n");
        refused.with("allow", "GET, HEAD");
        co_return refused;
    }
    auto response = text_response(200, "application/json",
                                  keys_json(co_await checkpoints.signing_keys()).dump());
    // No secret: any page may read it.
    response.with("cache-control", "public, max-age=60")
        .with("access-control-allow-origin", "*")
        .with("x-content-type-options", "nosniff");
    co_return response;
}

}  // namespace sycee
