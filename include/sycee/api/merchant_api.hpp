#pragma once

#include <sycee/app/checkpoint_service.hpp>
#include <sycee/app/desk_service.hpp>
#include <sycee/app/payment_service.hpp>
#include <sycee/app/ports.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/app/statement.hpp>
#include <sycee/net/http_message.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/metrics.hpp>

namespace sycee {

// Everything below /v1/, for shops: api/openapi.yaml is the contract. A merchant is known by its
// API key and sees what is its own; anything else is a 404, as if it did not exist.
class MerchantApi {
  public:
    MerchantApi(PaymentService& payments, DeskService& desk, StatementPort& statements,
                CheckpointService& checkpoints, AccessPort& access, Network const& network,
                Clock& clock, Metrics& metrics)
        : payments_(payments),
          desk_(desk),
          statements_(statements),
          checkpoints_(checkpoints),
          access_(access),
          network_(network),
          clock_(clock),
          metrics_(metrics) {}

    // Throws nothing but cancellation: every fault is an answer with a request id.
    Task<HttpResponse> handle(HttpRequest const& request);

  private:
    PaymentService& payments_;
    DeskService& desk_;
    StatementPort& statements_;
    CheckpointService& checkpoints_;
    AccessPort& access_;
    Network const& network_;
    Clock& clock_;
    Metrics& metrics_;
};

}  // namespace sycee
