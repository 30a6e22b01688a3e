#include <sycee/app/payment_json.hpp>

#include "endpoints.hpp"
#include "json_input.hpp"

#include <nlohmann/json.hpp>

namespace sycee {

Task<Answer> create_quote(ApiCall const& call) {
    auto const json = read_json_body(call.request);
    if (!json) co_return std::unexpected(json.error());
    FieldReader fields(*json);
    CreateQuote input{.livemode = call.caller.livemode,
                      .amount = fields.required_text("amount", "50.00"),
                      .currency = fields.required_text("currency", "EUR"),
                      .expires_in = fields.integer("expires_in")};
    auto errors = fields.take_errors();
    if (!errors.empty()) co_return std::unexpected(invalid_fields(std::move(errors)));
    auto const given = call.quotes.give(call.caller.merchant_id, input);
    if (!given)
        co_return std::unexpected(invalid_field(given.error().field, given.error().message));
    co_return text_response(201, "application/json",
                            given_quote_json(*given, input.livemode, call.network).dump());
}

}  // namespace sycee
