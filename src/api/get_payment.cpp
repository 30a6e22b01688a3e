#include <sycee/app/payment_json.hpp>

#include "endpoints.hpp"
#include "find_payment.hpp"

#include <nlohmann/json.hpp>

namespace sycee {

Task<Answer> get_payment(ApiCall const& call, std::string_view id) {
    auto const parsed = parse_id<PaymentTag>(id);
    std::optional<PaymentState> state;
    if (parsed) state = co_await call.payments.find(call.caller.merchant_id, *parsed);
    // The same for an id that is none, one that nobody has, and one of another merchant.
    if (!state) {
        co_return std::unexpected(no_such_payment());
    }
    auto const status = call.payments.status(*state);
    co_return text_response(200, "application/json",
                            payment_json(*state, status, call.network).dump());
}

}  // namespace sycee
