// Pins: a quote is what was promised, to whom and for how long; nobody can make one up or change
// it.
#include <sycee/app/quote_service.hpp>
#include <sycee/app/quote_text.hpp>
#include <sycee/crypto/base64.hpp>

#include "run_task.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace sycee {
namespace {

using namespace std::chrono_literals;

Timestamp const kStart = timestamp_from_seconds(1'800'000'000);
constexpr ChainId kChain = 31'337;

class StillClock final : public Clock {
  public:
    Timestamp time = kStart;
    Timestamp now() const override { return time; }
    Task<void> sleep_for(std::chrono::milliseconds) override { co_return; }
};

class NoPayments final : public PaymentPort {
  public:
    Task<Payment> create(NewPayment, DeriveAddress) override { co_return Payment{}; }
    Task<std::optional<PaymentState>> find(MerchantId, PaymentId) override {
        co_return std::nullopt;
    }
    Task<std::optional<PaymentState>> find_public(PaymentId) override { co_return std::nullopt; }
    Task<PaymentPage> list(std::optional<MerchantId>, std::optional<PaymentId>,
                           std::size_t) override {
        co_return PaymentPage{};
    }
};

Network one_token() {
    ChainSettings chain;
    chain.id = kChain;
    chain.tokens = {{"USDT", Address{Bytes20{1}}, 6, {}}};
    return {{chain}, "https://pay.example"};
}

MerchantId merchant(std::uint8_t number) {
    return {make_uuid_v7(kStart, {number})};
}

class Quotes : public ::testing::Test {
  protected:
    Quotes() {
        registry.set(kChain, {.head_time = kStart, .agreed = 1, .finalized = 1, .rule = {}});
    }
    static RateBook euros(std::string_view rate) {
        return RateBook({.rates = {{.subject = "EUR",
                                    .spread_basis_points = 50,
                                    .sources = {{.kind = RateSourceKind::fixed,
                                                 .name = "fixed",
                                                 .rate = parse_rate(rate).value()}}}}});
    }
    GivenQuote give(std::string amount, std::string currency) {
        return quotes.give(mine, {.amount = std::move(amount), .currency = std::move(currency)})
            .value();
    }

    Network network = one_token();
    ChainRegistry registry{network};
    StillClock clock;
    NoPayments payments;
    RateBook book = euros("0.92");
    PaymentService service{payments, network, registry, clock, book};
    QuoteService quotes{service, Bytes32{5}};
    MerchantId const mine = merchant(1);
};

TEST_F(Quotes, are_what_was_promised) {
    auto const given = give("46.00", "EUR");
    EXPECT_EQ(given.expires_at, kStart + 15min);
    EXPECT_EQ(given.offer.options[0].amount, Amount(50'250'000));
    auto const locked = quotes.open(mine, given.id);
    ASSERT_TRUE(locked);
    EXPECT_EQ(locked->currency, "EUR");
    EXPECT_EQ(locked->price, Amount(4'600));
    EXPECT_EQ(*locked->quote, *given.offer.quote);
    EXPECT_EQ(locked->expires_at, given.expires_at);
    // In dollars there is no rate, and nothing that could move.
    EXPECT_EQ(quotes.open(mine, give("1.00", "USD").id)->quote, nullptr);
}

TEST_F(Quotes, hold_while_the_rate_moves_until_they_expire) {
    auto const locked = quotes.open(mine, give("46.00", "EUR").id);
    RateBook const moved = euros("0.5");
    CreatePayment input;
    input.locked = locked;
    auto const at = [&](Timestamp now) { return check_new_payment(input, network, now, moved); };
    auto const payment = at(kStart + 15min - 1ms);
    ASSERT_TRUE(payment);
    EXPECT_EQ(payment->price, Amount(4'600));
    EXPECT_EQ(payment->currency, "EUR");
    EXPECT_EQ(payment->options[0].amount, Amount(50'250'000));
    EXPECT_EQ(to_string(payment->quote->rate), "0.92");
    // The payment's own time begins with it.
    EXPECT_EQ(payment->expires_at, timestamp_from_seconds(1'800'000'000 + 900 + 899));
    EXPECT_EQ(at(kStart + 15min).error().field, "quote");
    // The currency may be taken no longer.
    EXPECT_TRUE(check_new_payment(input, network, kStart, no_rates()));
}

TEST_F(Quotes, are_of_one_merchant_and_one_gateway) {
    auto const id = give("46.00", "EUR").id;
    EXPECT_FALSE(quotes.open(merchant(2), id));
    EXPECT_FALSE(QuoteService(service, Bytes32{6}).open(mine, id));
}

TEST_F(Quotes, can_not_be_made_up) {
    auto const id = give("46.00", "EUR").id;
    for (std::size_t at = 0; at < id.size(); ++at) {
        auto changed = id;
        changed[at] = changed[at] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(quotes.open(mine, changed)) << at;
        EXPECT_FALSE(quotes.open(mine, id.substr(0, at))) << at;
    }
    for (std::string const& other : {std::string("quo_."), id + "A", id + "=", " " + id,
                                     std::string("quo_") + std::string(100'000, 'A') + "."})
        EXPECT_FALSE(quotes.open(mine, other));
}

TEST_F(Quotes, are_locked_for_an_hour_at_the_most) {
    for (std::int64_t const seconds : {59, 3'601, 0, -1}) {
        auto const refused =
            quotes.give(mine, {.amount = "1", .currency = "EUR", .expires_in = seconds});
        EXPECT_EQ(refused.error().field, "expires_in") << seconds;
    }
    EXPECT_EQ(quotes.give(mine, {.amount = "1", .currency = "EUR", .expires_in = 60})->expires_at,
              kStart + 60s);
    EXPECT_EQ(quotes.give(mine, {.amount = "0", .currency = "EUR"}).error().field, "amount");
    EXPECT_EQ(quotes.give(mine, {.amount = "1", .currency = "GBP"}).error().field, "currency");
}

TEST(QuoteText, comes_back_as_it_was) {
    PriceQuote const quote{.rate = parse_rate("0.92").value(),
                           .spread_basis_points = 50,
                           .sources = {{"a \"name\"", parse_rate("0.000001").value(), kStart}}};
    EXPECT_EQ(*parse_quote(quote_text(&quote)), quote);
    EXPECT_EQ(parse_quote(quote_text(nullptr)), nullptr);
}

TEST(Base64Url, comes_back_and_is_refused_in_another_alphabet) {
    for (std::size_t size = 0; size < 8; ++size) {
        std::vector<std::uint8_t> const bytes(size, 0xfb);
        EXPECT_EQ(from_base64url(to_base64url(bytes)), bytes) << size;
    }
    for (char const* text : {"+w", "_w==", "A", "A A", "a.b"})
        EXPECT_FALSE(from_base64url(text)) << text;
}

}  // namespace
}  // namespace sycee
