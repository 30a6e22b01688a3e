// Pins: GET /v1/rates says what a payment would cost, and a price that can't be made is a 503 that
// names the currency.
#include "api_fixture.hpp"

namespace sycee {
namespace {

class RatesTest : public MerchantApiTest {
  protected:
    static RateBook euro_until(Timestamp end) {
        return RateBook({.rates = {{.subject = "EUR",
                                    .spread_basis_points = 50,
                                    .sources = {{.kind = RateSourceKind::fixed,
                                                 .name = "fixed",
                                                 .rate = parse_rate("0.92").value(),
                                                 .valid_until = end}}}}});
    }

    RateBook book_ = euro_until(kNow);
    PaymentService priced_{payments_, network_, registry_, clock_, book_};
    MerchantApi rates_api_{services_with(priced_, checkpoint_service_), metrics_};

    HttpResponse ask(std::string query) {
        return run_task(rates_api_.handle(request("GET", "/v1/rates", std::move(query))));
    }
};

TEST_F(RatesTest, SaysWhatAPaymentWouldCostInEachToken) {
    auto const response = ask("currency=EUR&amount=50.00");
    ASSERT_EQ(response.status, 200U) << response.body;
    EXPECT_EQ(Json::parse(response.body), Json::parse(R"({
        "object": "rate", "currency": "EUR", "amount": "50.00",
        "quote": {"rate": "0.92", "spread_basis_points": 50, "sources": [
            {"name": "fixed", "rate": "0.92", "at": "2027-01-15T08:00:00Z"}]},
        "options": [{"chain_id": 31337, "network": "Test chain", "token": "USDT",
            "contract": "0x2200000000000000000000000000000000000000", "decimals": 6,
            "amount": "54.619566", "amount_base_units": "54619566"}],
        "at": "2027-01-15T08:00:00Z"})"));
    EXPECT_TRUE(payments_.states.empty());
}

TEST_F(RatesTest, IsOfOneUnitWhereNoAmountIsGiven) {
    auto const json = Json::parse(ask("currency=USD").body);
    EXPECT_EQ(json.at("amount"), "1.00");
    EXPECT_EQ(json.at("quote"), nullptr);
    EXPECT_EQ(json.at("options")[0].at("amount"), "1.000000");
}

TEST_F(RatesTest, NamesTheParameterThatIsWrong) {
    for (auto const& [query, field] :
         {std::pair{"", "currency"}, std::pair{"currency=", "currency"},
          std::pair{"currency=GBP", "currency"}, std::pair{"currency=eur", "currency"},
          std::pair{"currency=EUR&amount=1.001", "amount"},
          std::pair{"currency=EUR&amount=0", "amount"}, std::pair{"currency=EUR&amount=", "amount"},
          std::pair{"currency=EUR&price=1", "price"},
          std::pair{"currency=EUR&currency=USD", "currency"}}) {
        auto const response = ask(query);
        EXPECT_EQ(response.status, 400U) << query;
        EXPECT_EQ(problem(response).at("errors")[0].at("field"), field) << query;
    }
}

TEST_F(RatesTest, LocksTheRateInThePayment) {
    auto const made =
        run_task(rates_api_.handle(post(R"({"amount": "50.00", "currency": "EUR"})")));
    ASSERT_EQ(made.status, 201U) << made.body;
    auto const json = Json::parse(made.body);
    EXPECT_EQ(json.at("amount"), "50.00");
    EXPECT_EQ(json.at("options")[0].at("amount"), "54.619566");
    EXPECT_EQ(json.at("quote").at("rate"), "0.92");
    EXPECT_EQ(json.at("quote").at("sources")[0].at("name"), "fixed");
}

TEST_F(RatesTest, IsLockedByAQuoteFromWhichAPaymentIsMade) {
    auto const ask_for = [this](std::string path, Json const& body) {
        auto made = post(body.dump());
        made.path = std::move(path);
        return run_task(rates_api_.handle(made));
    };
    auto const given = ask_for("/v1/quotes", {{"amount", "50.00"}, {"currency", "EUR"}});
    ASSERT_EQ(given.status, 201U) << given.body;
    auto const quote = Json::parse(given.body);
    EXPECT_EQ(quote.at("object"), "quote");
    EXPECT_EQ(quote.at("livemode"), true);
    EXPECT_EQ(quote.at("amount"), "50.00");
    EXPECT_EQ(quote.at("options")[0].at("amount"), "54.619566");
    EXPECT_EQ(quote.at("created_at"), "2027-01-15T08:00:00Z");
    EXPECT_EQ(quote.at("expires_at"), "2027-01-15T08:15:00Z");

    // The source is silent by now, and the promise holds.
    clock_.time += std::chrono::minutes(15) - std::chrono::milliseconds(1);
    Json const body{{"quote", quote.at("id")}, {"reference", "order-7"}};
    auto const made = ask_for("/v1/payments", body);
    ASSERT_EQ(made.status, 201U) << made.body;
    auto const payment = Json::parse(made.body);
    EXPECT_EQ(payment.at("amount"), "50.00");
    EXPECT_EQ(payment.at("currency"), "EUR");
    EXPECT_EQ(payment.at("quote"), quote.at("quote"));
    EXPECT_EQ(payment.at("options")[0].at("amount"), "54.619566");

    clock_.time += std::chrono::milliseconds(1);
    auto const late = ask_for("/v1/payments", body);
    EXPECT_EQ(late.status, 409U);
    EXPECT_EQ(problem(late).at("code"), "quote_expired");
    auto const wrong = [&](Json const& sent) {
        auto const refused = ask_for("/v1/payments", sent);
        EXPECT_EQ(refused.status, 400U) << refused.body;
        return problem(refused).at("errors")[0].at("field").get<std::string>();
    };
    EXPECT_EQ(wrong({{"quote", "quo_x"}}), "quote");
    EXPECT_EQ(wrong({{"quote", 1}}), "quote");
    EXPECT_EQ(wrong({{"quote", quote.at("id")}, {"amount", "1.00"}}), "amount");
    EXPECT_EQ(wrong({{"quote", quote.at("id")}, {"currency", "EUR"}}), "currency");
    key_ = add_key(7, other_merchant_);
    EXPECT_EQ(wrong({{"quote", quote.at("id")}}), "quote");
}

TEST_F(RatesTest, IsA503ThatNamesTheCurrencyWhereThereIsNoRate) {
    clock_.time += std::chrono::milliseconds(1);
    auto const made =
        run_task(rates_api_.handle(post(R"({"amount": "50.00", "currency": "EUR"})")));
    for (HttpResponse const& response : {made, ask("currency=EUR")}) {
        EXPECT_EQ(response.status, 503U);
        EXPECT_EQ(header(response, "retry-after"), "10");
        auto const json = problem(response);
        EXPECT_EQ(json.at("code"), "rate_unavailable");
        EXPECT_NE(json.at("detail").get<std::string>().find("EUR"), std::string::npos);
    }
    EXPECT_TRUE(payments_.states.empty());
    EXPECT_EQ(ask("currency=USD").status, 200U);
}

TEST_F(RatesTest, AnswersARepetitionAsBeforeAlsoWithoutARate) {
    auto claimed = post(R"({"amount": "50.00", "currency": "EUR"})");
    claimed.headers.emplace_back("idempotency-key", "order-7");
    auto const first = run_task(rates_api_.handle(claimed));
    ASSERT_EQ(first.status, 201U) << first.body;
    clock_.time += std::chrono::milliseconds(1);
    auto const again = run_task(rates_api_.handle(claimed));
    EXPECT_EQ(again.status, 201U);
    EXPECT_EQ(again.body, first.body);
    claimed.headers.back().second = "order-8";
    EXPECT_EQ(run_task(rates_api_.handle(claimed)).status, 503U);
    EXPECT_EQ(payments_.states.size(), 1U);
}

TEST_F(RatesTest, AnswersARepetitionAsBeforeWhereTheCurrencyIsTakenNoLonger) {
    auto claimed = post(R"({"amount": "50.00", "currency": "EUR"})");
    claimed.headers.emplace_back("idempotency-key", "order-7");
    auto const first = run_task(rates_api_.handle(claimed));
    ASSERT_EQ(first.status, 201U) << first.body;
    auto const again = send(claimed);
    EXPECT_EQ(again.status, 201U) << again.body;
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(header(again, "idempotent-replayed"), "true");
    claimed.headers.back().second = "order-8";
    EXPECT_EQ(send(claimed).status, 400U);
}

}  // namespace
}  // namespace sycee
