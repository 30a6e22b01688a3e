#include <sycee/app/payment_service.hpp>
#include <sycee/app/test_chain.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/random.hpp>

#include "payment_input.hpp"

#include <algorithm>

namespace sycee {
namespace {

constexpr std::size_t kReferenceBytes = 200;
constexpr std::size_t kDescriptionBytes = 500;
constexpr std::size_t kUrlBytes = 2000;
constexpr std::size_t kMetadataEntries = 50;
constexpr std::size_t kMetadataKeyBytes = 40;
constexpr std::size_t kMetadataValueBytes = 500;
constexpr std::int64_t kDefaultExpiry = 900;
constexpr std::int64_t kShortestExpiry = 60;
constexpr std::int64_t kLongestExpiry = 86'400;
// Of a token's units that the least of an open amount is rounded up to: by at most one of so many.
constexpr Amount kFewestUnitsOfRate{10'000};
constexpr std::uint8_t kAccountDepth = 3;
constexpr std::uint8_t kExternalChainDepth = 4;

Result<void> check_text(std::string const& field, std::string const& text, std::size_t most_bytes) {
    if (text.size() > most_bytes) {
        return refuse(field, "must have at most " + std::to_string(most_bytes) + " bytes, not " +
                                 std::to_string(text.size()));
    }
    // PostgreSQL can't hold a zero character, and no text of ours has a use for control characters.
    if (std::any_of(text.begin(), text.end(), [](char c) {
            return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
        })) {
        return refuse(field, "must not contain control characters");
    }
    return {};
}

Result<void> check_url(std::string const& url) {
    if (auto checked = check_text("success_url", url, kUrlBytes); !checked) return checked;
    bool const web = url.starts_with("https://") || url.starts_with("http://");
    bool const clean = std::none_of(url.begin(), url.end(), [](char c) {
        return static_cast<unsigned char>(c) <= 0x20 || c == '"' || c == '<' || c == '>' ||
               c == '\\';
    });
    if (!web || !clean) return refuse("success_url", "must be an http or https URL");
    return {};
}

Result<unsigned> check_currency(std::string const& currency, RateBook const& rates) {
    std::string const shown = "\"" + currency.substr(0, 20) + "\"";
    auto const decimals = currency_decimals(currency);
    if (decimals && rates.has(currency)) return *decimals;
    if (!decimals) {
        return refuse("currency", "must be " + rates.currencies() + ", not " + shown +
                                      ", which is no currency of ISO 4217");
    }
    return refuse("currency", "must be " + rates.currencies() + ", not " + shown +
                                  ", for which there is no rate");
}

Result<Amount> check_price(CreatePayment const& input, unsigned decimals) {
    std::string const field = input.open_amount ? "minimum_amount" : "amount";
    auto const price = parse_decimal(input.amount, decimals);
    if (!price) return refuse(field, price.error().message);
    if (price->is_zero()) return refuse(field, "must be above zero");
    Amount const least = least_open_amount(decimals);
    if (input.open_amount && *price < least)
        return refuse(field, "must be at least " + to_decimal(least, decimals));
    // 10^15 cents: far above any order, and far below where 18 decimals would not fit.
    if (*price > Amount(1'000'000'000'000'000)) return refuse(field, "is too large");
    return *price;
}

// By what a price is made into tokens; null: one to one.
std::shared_ptr<PriceQuote const> quote_of(std::string const& currency, RateBook const& rates,
                                           Timestamp now) {
    if (currency == kPeggedCurrency) return nullptr;
    auto quote = rates.quote(currency, now);
    if (!quote) throw RateUnavailable("no rate for " + currency + ": " + to_string(quote.error()));
    return std::make_shared<PriceQuote const>(std::move(*quote));
}

struct AskedPrice {
    std::string currency;
    Amount price;
};

Result<AskedPrice> asked_price(CreatePayment const& input, RateBook const& rates, Timestamp now) {
    if (auto const& locked = input.locked) {
        if (now >= locked->expires_at)
            return refuse("quote", "expired at " + to_rfc3339(locked->expires_at));
        return AskedPrice{locked->currency, locked->price};
    }
    auto const decimals = check_currency(input.currency, rates);
    if (!decimals) return std::unexpected(decimals.error());
    auto const price = check_price(input, *decimals);
    if (!price) return std::unexpected(price.error());
    return AskedPrice{input.currency, *price};
}

// The price in every token of every chain; of test mode, in those of its own chain.
Result<std::vector<PaymentOption>> priced_options(NewPayment const& payment, Network const& network,
                                                  bool livemode) {
    Amount const price = payment.price;
    unsigned const decimals = currency_decimals(payment.currency).value();
    PriceQuote const* quote = payment.quote.get();
    std::vector<PaymentOption> options;
    for (auto const& chain : network.chains) {
        if (is_test_chain(chain.id) == livemode) continue;
        for (auto const& token : chain.tokens) {
            Result<Amount> const due = quote == nullptr
                                           ? pegged_amount(price, decimals, token.decimals)
                                           : quoted_amount(price, decimals, token.decimals, *quote);
            if (!due) return std::unexpected(due.error());
            bool const exact = quote == nullptr && token.decimals >= decimals;
            if (payment.open_amount && !exact && *due < kFewestUnitsOfRate) {
                return refuse(
                    "minimum_amount",
                    "is too little to tell by it what " + token.symbol + " is worth: " +
                        to_decimal(multiply_divide_up(price, kFewestUnitsOfRate, *due), decimals) +
                        " is enough");
            }
            Amount const tolerance =
                payment.open_amount ? Amount{} : tolerance_of(*due, token.tolerance);
            options.push_back({chain.id, token.contract, *due, tolerance});
        }
    }
    return options;
}

}  // namespace

Result<void> check_description(std::string const& description) {
    return check_text("description", description, kDescriptionBytes);
}

Result<void> check_metadata(std::vector<std::pair<std::string, std::string>> const& metadata) {
    if (metadata.size() > kMetadataEntries) {
        return refuse("metadata", "must have at most " + std::to_string(kMetadataEntries) +
                                      " entries, not " + std::to_string(metadata.size()));
    }
    for (auto const& [key, value] : metadata) {
        if (key.empty()) return refuse("metadata", "must not have an empty key");
        if (auto const checked = check_text("metadata", key, kMetadataKeyBytes); !checked) {
            return refuse("metadata", "a key " + checked.error().message);
        }
        if (auto checked = check_text("metadata/" + key, value, kMetadataValueBytes); !checked) {
            return checked;
        }
    }
    return {};
}

Result<NewPayment> check_new_payment(CreatePayment const& input, Network const& network,
                                     Timestamp now, RateBook const& rates) {
    auto const asked = asked_price(input, rates, now);
    if (!asked) return std::unexpected(asked.error());
    NewPayment payment;
    payment.currency = asked->currency;
    payment.price = asked->price;
    payment.open_amount = input.open_amount;
    payment.reference = input.reference.value_or("");
    payment.description = input.description.value_or("");
    payment.success_url = input.success_url.value_or("");
    payment.metadata = input.metadata;
    if (auto ok = check_text("reference", payment.reference, kReferenceBytes); !ok) {
        return std::unexpected(ok.error());
    }
    if (auto ok = check_description(payment.description); !ok) {
        return std::unexpected(ok.error());
    }
    if (auto ok = check_metadata(payment.metadata); !ok) return std::unexpected(ok.error());
    if (input.success_url) {
        if (auto ok = check_url(payment.success_url); !ok) return std::unexpected(ok.error());
    }
    std::int64_t const expires_in = input.expires_in.value_or(kDefaultExpiry);
    if (expires_in < kShortestExpiry || expires_in > kLongestExpiry) {
        return refuse("expires_in", "must be from " + std::to_string(kShortestExpiry) + " to " +
                                        std::to_string(kLongestExpiry) + " seconds, not " +
                                        std::to_string(expires_in));
    }
    payment.created_at = now;
    // Whole seconds, as block times are.
    payment.expires_at = timestamp_from_seconds(to_unix_seconds(now) + expires_in);
    payment.quote = input.locked ? input.locked->quote : quote_of(payment.currency, rates, now);
    auto options = priced_options(payment, network, input.livemode);
    if (!options) return std::unexpected(options.error());
    payment.options = std::move(*options);
    return payment;
}

std::optional<ExtendedPublicKey> receiving_key(ExtendedPublicKey const& key) {
    if (key.depth != kAccountDepth) return key;
    auto const external = derive_child(key, 0);
    if (!external) return std::nullopt;
    return *external;
}

std::optional<Address> derive_deposit_address(ExtendedPublicKey const& key, std::uint64_t index) {
    if (index > 0x7fffffff) return std::nullopt;
    auto const parent = receiving_key(key);
    if (!parent) return std::nullopt;
    auto const point = derive_child_point(*parent, static_cast<std::uint32_t>(index));
    if (!point) return std::nullopt;
    return address_of(*point);
}

Result<ExtendedPublicKey> check_merchant_key(std::string_view xpub) {
    auto key = parse_extended_public_key(xpub);
    if (key && key->depth != kAccountDepth && key->depth != kExternalChainDepth) {
        return refuse("xpub", "is of depth " + std::to_string(key->depth) +
                                  "; give the account's key (m/44'/60'/0', depth 3) or its "
                                  "receiving chain's (m/44'/60'/0'/0, depth 4)");
    }
    return key;
}

std::vector<PaymentOption> PaymentService::open_options(std::vector<PaymentOption> options,
                                                        Timestamp now) const {
    std::erase_if(options, [this](PaymentOption const& option) {
        return !chains_.followed(option.chain_id);
    });
    if (options.empty()) {
        throw Unavailable("no chain is being followed yet: is the node reachable?");
    }
    std::string why;
    std::erase_if(options, [&](PaymentOption const& option) {
        auto const& symbol = network_.token(option.chain_id, option.token)->symbol;
        auto const peg = rates_.check_peg(symbol, now);
        if (!peg && !why.contains(symbol + ": "))
            why += (why.empty() ? "" : "; ") + symbol + ": " + to_string(peg.error());
        return !peg;
    });
    if (options.empty()) {
        throw RateUnavailable("no token is known to be worth one USD at the moment: " + why);
    }
    return options;
}

Result<PriceOffer> PaymentService::offer(std::string const& currency,
                                         std::optional<std::string> const& amount,
                                         bool livemode) const {
    CreatePayment input;
    input.livemode = livemode;
    input.currency = currency;
    input.amount = amount.value_or("1");
    PriceOffer offer{.currency = currency, .at = clock_.now()};
    auto checked = check_new_payment(input, network_, offer.at, rates_);
    if (!checked) return std::unexpected(checked.error());
    offer.price = checked->price;
    offer.quote = std::move(checked->quote);
    offer.options = open_options(std::move(checked->options), offer.at);
    return offer;
}

Task<Result<PaymentState>> PaymentService::create(MerchantId merchant_id, CreatePayment input,
                                                  std::optional<IdempotencyClaim> claim) {
    Timestamp const now = clock_.now();
    auto checked = check_new_payment(input, network_, now, rates_);
    if (!checked) co_return std::unexpected(checked.error());
    checked->options = open_options(std::move(checked->options), now);
    checked->merchant_id = merchant_id;
    checked->id = new_id<PaymentTag>(now);
    checked->claim = std::move(claim);
    Payment payment = co_await payments_.create(std::move(*checked), derive_deposit_address);
    PaymentState state;
    state.payment = std::move(payment);
    co_return state;
}

Task<std::optional<PaymentState>> PaymentService::find(MerchantId merchant_id, PaymentId id) {
    co_return co_await payments_.find(merchant_id, id);
}

Task<std::optional<PaymentState>> PaymentService::find_public(PaymentId id) {
    co_return co_await payments_.find_public(id);
}

Task<PaymentPage> PaymentService::list(std::optional<MerchantId> merchant_id,
                                       std::optional<PaymentId> after, std::size_t limit) {
    co_return co_await payments_.list(merchant_id, after, limit);
}

}  // namespace sycee
