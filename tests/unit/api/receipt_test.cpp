// Pins: the answers of GET /v1/payments/{id}/receipt and of the published keys, each problem by its
// code.
#include <sycee/api/signing_keys.hpp>

#include "api_fixture.hpp"

#include <receipt_fixture.hpp>

namespace sycee {
namespace {

class ReceiptApi : public MerchantApiTest {
  protected:
    ReceiptApi() {
        payment_ = add_payment(1, merchant_);
        checkpoints_.materials = {{made_.receipt, 0}};
    }
    // Its one transfer, of the whole price.
    void settle() {
        Credit credit;
        credit.transfer.key.chain_id = 31'337;
        credit.transfer.key.token = Address{{0x22}};
        credit.transfer.amount = Amount(50'000'000);
        credit.gross = Amount(50'000'000);
        credit.stage = CreditStage::settled;
        auto& state = payments_.states.back();
        state.payment.options = {{31'337, Address{{0x22}}, Amount(50'000'000), Amount{}}};
        state.credits = {credit};
    }
    HttpResponse ask(PaymentId id) {
        return send(request("GET", "/v1/payments/" + to_string(id) + "/receipt"));
    }

    TestReceipt made_;
    PaymentId payment_;
};

TEST_F(ReceiptApi, is_given_for_a_settled_payment) {
    settle();
    auto const response = ask(payment_);
    ASSERT_EQ(response.status, 200U) << response.body;
    EXPECT_EQ(Json::parse(response.body).at("object"), "receipt");
    EXPECT_EQ(Json::parse(response.body).at("transfers").size(), 1U);
}

TEST_F(ReceiptApi, is_refused_by_code_for_what_is_not_settled_or_not_there) {
    EXPECT_EQ(problem(ask(payment_)).at("code"), "not_settled");
    settle();
    checkpoints_.materials = {{}};
    auto const none = ask(payment_);
    EXPECT_EQ(none.status, 409U);
    EXPECT_EQ(problem(none).at("code"), "not_settled");
    EXPECT_EQ(ask(id_of<PaymentId>(9)).status, 404U);
    EXPECT_EQ(ask(add_payment(2, other_merchant_)).status, 404U);
    EXPECT_EQ(send(request("POST", "/v1/payments/" + to_string(payment_) + "/receipt")).status,
              405U);
}

TEST_F(ReceiptApi, that_waits_says_when_to_ask_again) {
    settle();
    checkpoints_.materials = {{{}, 1}};
    checkpoints_.fault = std::make_exception_ptr(Unavailable("another process"));
    auto const response = ask(payment_);
    EXPECT_EQ(response.status, 503U);
    EXPECT_EQ(problem(response).at("code"), "receipt_pending");
    EXPECT_EQ(header(response, "retry-after"), "60");
    CheckpointService off(checkpoints_, checkpoints_, {}, clock_, metrics_);
    MerchantApi api(services_with(service_, off), metrics_);
    auto const without =
        run_task(api.handle(request("GET", "/v1/payments/" + to_string(payment_) + "/receipt")));
    EXPECT_EQ(without.status, 501U);
    EXPECT_EQ(problem(without).at("code"), "receipts_off");
}

TEST_F(ReceiptApi, is_checked_with_keys_that_anybody_may_read) {
    checkpoints_.keys = {{made_.key->public_key(), kNow, std::nullopt}};
    HttpRequest made;
    made.method = "GET";
    auto const response = run_task(show_signing_keys(made, checkpoint_service_));
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(Json::parse(response.body).at("keys").at(0).at("public_key"),
              to_hex(made_.key->public_key()));
    EXPECT_EQ(header(response, "access-control-allow-origin"), "*");
    made.method = "POST";
    EXPECT_EQ(run_task(show_signing_keys(made, checkpoint_service_)).status, 405U);
}

}  // namespace
}  // namespace sycee
