// Pins: a merchant sees the invoices over its own fees, newest first, page by page, and nobody
// else's.
#include "api_fixture.hpp"

namespace sycee {
namespace {

class FeeInvoicesApi : public MerchantApiTest {
  protected:
    // The merchant owes one dollar more and is sent an invoice.
    void invoice() {
        fees_.operator_merchant = other_merchant_;
        fees_.account.chain_id = 31'337;
        fees_.account.token = Address{{0x22}};
        fees_.account.owed += Amount(1'000'000);
        clock_.time += std::chrono::seconds(1);
        auto const made =
            run_task(io_, fee_service_.invoice(merchant_, std::nullopt, std::nullopt));
        ASSERT_TRUE(made) << to_string(made.error());
        ASSERT_EQ(made->size(), 1U);
    }
    HttpResponse get(std::string query = "") {
        return send(request("GET", "/v1/fee-invoices", std::move(query)));
    }
};

TEST_F(FeeInvoicesApi, ShowsWhatIsAskedForAndWhereToPayIt) {
    EXPECT_EQ(Json::parse(get().body).at("data").size(), 0U);
    invoice();
    auto const response = get();
    EXPECT_EQ(response.status, 200U);
    Json const page = Json::parse(response.body);
    EXPECT_EQ(page.at("has_more"), false);
    EXPECT_EQ(page.at("next_cursor"), nullptr);
    Json const& one = page.at("data").at(0);
    EXPECT_EQ(one.at("object"), "fee_invoice");
    EXPECT_EQ(one.at("stage"), "open");
    EXPECT_EQ(one.at("amount"), "1.000000");
    EXPECT_EQ(one.at("amount_base_units"), "1000000");
    EXPECT_EQ(one.at("token"), "USDT");
    EXPECT_EQ(one.at("checkout_url"),
              "https://pay.example/checkout/" + one.at("id").get<std::string>());
    EXPECT_EQ(one.at("paid_record"), nullptr);
    fees_.all.at(0).paid_sequence = 41;
    Json const paid = Json::parse(get().body).at("data").at(0);
    EXPECT_EQ(paid.at("stage"), "paid");
    EXPECT_EQ(paid.at("paid_record"), 41);
}

TEST_F(FeeInvoicesApi, ListsNewestFirstPageByPage) {
    for (int i = 0; i < 3; ++i)
        invoice();
    Json const first = Json::parse(get("limit=2").body);
    EXPECT_EQ(first.at("data").size(), 2U);
    EXPECT_EQ(first.at("has_more"), true);
    EXPECT_EQ(first.at("next_cursor"), first.at("data").at(1).at("id"));
    Json const second =
        Json::parse(get("limit=2&after=" + first.at("next_cursor").get<std::string>()).body);
    ASSERT_EQ(second.at("data").size(), 1U);
    EXPECT_EQ(second.at("has_more"), false);
    EXPECT_EQ(second.at("data").at(0).at("id"), to_string(fees_.all.at(0).payment.second));
}

TEST_F(FeeInvoicesApi, ShowsNobodyAnotherMerchantsInvoices) {
    invoice();
    fees_.all.at(0).merchant_id = other_merchant_;
    EXPECT_EQ(Json::parse(get().body).at("data").size(), 0U);
}

TEST_F(FeeInvoicesApi, ReadsThePageParametersStrictly) {
    for (std::string const query : {"limit=0", "limit=101", "after=inv_1", "status=open"})
        EXPECT_EQ(get(query).status, 400U) << query;
    auto const refused = send(request("POST", "/v1/fee-invoices"));
    EXPECT_EQ(refused.status, 405U);
    EXPECT_EQ(header(refused, "allow"), "GET, HEAD");
}

}  // namespace
}  // namespace sycee
