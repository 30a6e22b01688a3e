// Pins: the page that checks receipts may send nothing anywhere, knows the published keys, and
// serves its scripts.
#include <sycee/checkout/receipt_page.hpp>

#include "page_fakes.hpp"

#include <gtest/gtest.h>

#include <receipt_fixture.hpp>
#include <run_task.hpp>

namespace sycee {
namespace {

class ReceiptPageTest : public ::testing::Test, protected TestReceipt, protected ReceiptPort {
  protected:
    class NoCheckpoints final : public CheckpointPort {
      public:
        Task<Checkpoint> make(SigningKey, Timestamp) override { throw Unavailable("away"); }
        Task<std::optional<Checkpoint>> newest() override { throw Unavailable("away"); }
    };
    Task<ReceiptMaterial> load(PaymentKey, std::size_t) override { co_return ReceiptMaterial{}; }
    Task<std::vector<PublishedKey>> signing_keys() override {
        co_return std::vector<PublishedKey>{{key->public_key(), kReceiptTime, std::nullopt}};
    }

    HttpResponse get(std::string path, std::string method = "GET") {
        HttpRequest request;
        request.method = std::move(method);
        request.path = std::move(path);
        return run_task(page.handle(request));
    }
    static std::string header(HttpResponse const& response, std::string_view name) {
        for (auto const& [field, value] : response.headers)
            if (field == name) return value;
        return "";
    }

    FakeClock clock;
    Metrics metrics;
    NoCheckpoints none;
    CheckpointService service{none, *this, {}, clock, metrics};
    Network network{{}, "https://pay.example/pay"};
    ReceiptPage page{service, network};
};

TEST_F(ReceiptPageTest, may_send_nothing_and_has_the_published_keys) {
    auto const response = get("/receipt");
    EXPECT_EQ(response.status, 200U);
    auto const policy = header(response, "content-security-policy");
    EXPECT_TRUE(policy.starts_with("default-src 'none'; ")) << policy;
    EXPECT_EQ(policy.find("connect-src"), std::string::npos);
    EXPECT_NE(policy.find("form-action 'none'"), std::string::npos);
    EXPECT_NE(response.body.find(to_hex(key->public_key())), std::string::npos);
    EXPECT_NE(response.body.find("src=\"/pay/receipt/assets/receipt.js?v="), std::string::npos);
}

TEST_F(ReceiptPageTest, serves_its_scripts_and_nothing_else) {
    for (std::string const name : {"receipt.js", "receipt_check.js", "noble_secp256k1.js"}) {
        auto const response = get("/receipt/assets/" + name);
        EXPECT_EQ(response.status, 200U) << name;
        EXPECT_EQ(header(response, "content-type"), "text/javascript; charset=utf-8") << name;
    }
    EXPECT_EQ(get("/receipt/assets/none.js").status, 404U);
    EXPECT_EQ(get("/receipt/more").status, 404U);
    EXPECT_EQ(get("/receipt", "POST").status, 405U);
}

}  // namespace
}  // namespace sycee
