#pragma once

#include <sycee/app/event_feed.hpp>
#include <sycee/app/payment_service.hpp>
#include <sycee/app/ports.hpp>
#include <sycee/app/quote_service.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/payment/state.hpp>

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace sycee {

// A payment as a shop sees it, in API answers and in events alike (schema Payment in
// api/openapi.yaml). Amounts are decimal strings; base units where the name says so.
nlohmann::ordered_json payment_json(PaymentState const& state, PaymentStatus status,
                                    Network const& network);

// The rate by which a price was made into tokens, or null (schema Quote).
nlohmann::ordered_json quote_json(PriceQuote const* quote);

// A price that is locked for a while (schema GivenQuote).
nlohmann::ordered_json given_quote_json(GivenQuote const& given, bool livemode,
                                        Network const& network);

// What a payment would cost now (schema Rate).
nlohmann::ordered_json offer_json(PriceOffer const& offer, Network const& network);

// An event, as a webhook has it and as the feed lists it: {id, type, timestamp, sequence, data}.
nlohmann::ordered_json event_json(ToldEvent const& told, Network const& network);
// One that can't be told: without data, and with why.
nlohmann::ordered_json untold_json(OutboxEvent const& event, Untold why);
nlohmann::ordered_json event_json(FeedEvent const& event, Network const& network);

// The body of a webhook, as Standard Webhooks asks for.
std::string event_payload(ToldEvent const& told, Network const& network);

std::string checkout_url(PaymentId id, Network const& network);

}  // namespace sycee
