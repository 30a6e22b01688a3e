#include <sycee/app/payment_json.hpp>

#include "endpoints.hpp"
#include "page_query.hpp"

#include <nlohmann/json.hpp>

namespace sycee {

Task<Answer> get_rate(ApiCall const& call) {
    std::string currency;
    std::optional<std::string> amount;
    auto const take = [&](std::string_view name,
                          std::string_view value) -> std::optional<std::string> {
        if (name == "currency") {
            currency = value;
        } else if (name == "amount") {
            amount = value;
        } else {
            return std::nullopt;
        }
        return value.empty() ? "must not be empty" : "";
    };
    auto const read = read_query(call.request.query, take);
    if (!read) co_return std::unexpected(read.error());
    auto const refused = [](std::string field, std::string detail) {
        return std::unexpected(invalid_fields(
            {{.field = std::move(field), .pointer = std::nullopt, .detail = std::move(detail)}}));
    };
    if (currency.empty()) co_return refused("currency", "is missing; for example \"EUR\"");
    auto const offer = call.payments.offer(currency, amount, call.caller.livemode);
    if (!offer) co_return refused(offer.error().field, offer.error().message);
    co_return text_response(200, "application/json", offer_json(*offer, call.network).dump());
}

}  // namespace sycee
