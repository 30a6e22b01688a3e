#pragma once

#include <sycee/app/payment_service.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/net/http_message.hpp>

#include "problem.hpp"

#include <expected>
#include <string_view>

namespace sycee {

// An authenticated request and what it may reach.
struct ApiCall {
    PaymentService& payments;
    Network const& network;
    HttpRequest const& request;
    MerchantId merchant_id;
};

using Answer = std::expected<HttpResponse, Problem>;

Task<Answer> create_payment(ApiCall const& call);                    // POST /v1/payments
Task<Answer> get_payment(ApiCall const& call, std::string_view id);  // GET /v1/payments/{id}
Task<Answer> list_payments(ApiCall const& call);                     // GET /v1/payments

}  // namespace sycee
