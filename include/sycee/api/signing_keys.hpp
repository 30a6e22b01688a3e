#pragma once

#include <sycee/app/checkpoint_service.hpp>
#include <sycee/net/http_message.hpp>

#include <string_view>

namespace sycee {

// Where the public keys are that have signed checkpoints: of anybody, without an API key.
inline constexpr std::string_view kSigningKeysPath = "/.well-known/sycee-signing-keys";
Task<HttpResponse> show_signing_keys(HttpRequest const& request, CheckpointService& checkpoints);

}  // namespace sycee
