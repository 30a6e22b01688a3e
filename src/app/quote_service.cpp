#include <sycee/app/quote_service.hpp>
#include <sycee/app/quote_text.hpp>
#include <sycee/crypto/base64.hpp>
#include <sycee/crypto/equal_texts.hpp>
#include <sycee/crypto/hash.hpp>

#include <nlohmann/json.hpp>

#include <utility>

namespace sycee {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kPrefix = "quo_";
constexpr std::size_t kLongestId = 4'000;
constexpr std::int64_t kDefaultLock = 900;
constexpr std::int64_t kShortestLock = 60;
// Who may choose later whether to pay at a rate has an option on it, for nothing.
constexpr std::int64_t kLongestLock = 3'600;

std::string text_of(LockedPrice const& price) {
    return Json{{"currency", price.currency},
                {"price", to_string(price.price)},
                {"quote", quote_text(price.quote.get())},
                {"until", to_unix_milliseconds(price.expires_at)}}
        .dump();
}

// Of a text that was signed, which is ours.
LockedPrice read_text(std::string const& text) {
    auto const json = Json::parse(text);
    return {
        .currency = json.at("currency").get<std::string>(),
        .price = parse_base_units(json.at("price").get<std::string>()).value(),
        .quote = parse_quote(json.at("quote").get<std::string>()),
        .expires_at = Timestamp{std::chrono::milliseconds{json.at("until").get<std::int64_t>()}}};
}

std::string signature_of(Bytes32 const& key, MerchantId merchant_id, std::string_view text) {
    return to_base64url(hmac_sha256(
        key, as_bytes("sycee.quote.1\n" + to_string(merchant_id) + "\n" + std::string(text))));
}

}  // namespace

Result<GivenQuote> QuoteService::give(MerchantId merchant_id, CreateQuote const& input) const {
    std::int64_t const expires_in = input.expires_in.value_or(kDefaultLock);
    if (expires_in < kShortestLock || expires_in > kLongestLock) {
        return refuse("expires_in", "must be from " + std::to_string(kShortestLock) + " to " +
                                        std::to_string(kLongestLock) + " seconds, not " +
                                        std::to_string(expires_in));
    }
    auto offer = payments_.offer(input.currency, input.amount, input.livemode);
    if (!offer) return std::unexpected(offer.error());
    Timestamp const end = offer->at + std::chrono::seconds{expires_in};
    std::string const text = text_of({.currency = offer->currency,
                                      .price = offer->price,
                                      .quote = offer->quote,
                                      .expires_at = end});
    std::string id = std::string(kPrefix) + to_base64url(as_bytes(std::string_view(text))) + "." +
                     signature_of(key_, merchant_id, text);
    return GivenQuote{.id = std::move(id), .offer = std::move(*offer), .expires_at = end};
}

std::optional<LockedPrice> QuoteService::open(MerchantId merchant_id, std::string_view id) const {
    if (!id.starts_with(kPrefix) || id.size() > kLongestId) return std::nullopt;
    id.remove_prefix(kPrefix.size());
    auto const dot = id.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    auto const bytes = from_base64url(id.substr(0, dot));
    if (!bytes) return std::nullopt;
    std::string const text(bytes->begin(), bytes->end());
    if (!equal_texts(id.substr(dot + 1), signature_of(key_, merchant_id, text)))
        return std::nullopt;
    return read_text(text);
}

}  // namespace sycee
