// Pins how a payer says where a refund goes: by a link of ours alone, once, after being asked
// twice.
#include <sycee/checkout/claim_page.hpp>

#include "page_fakes.hpp"

#include <gtest/gtest.h>

#include <desk_fakes.hpp>
#include <refund_fakes.hpp>

namespace sycee {
namespace {

constexpr char const* kShopper = "0x52908400098527886E0F7030069857D2E4169EE7";

MerchantId some_merchant() {
    MerchantId id;
    id.uuid.bytes[0] = 1;
    return id;
}

class ClaimPageTest : public testing::Test {
  protected:
    ClaimPageTest() {
        refunds_.refunds.push_back({.key = key_,
                                    .kind = RecordKind::refund,
                                    .payment_id = {},
                                    .token = kTestToken,
                                    .amount = Amount(20 * kWholeToken),
                                    .recipient = {},
                                    .given_by = "",
                                    .reason = "it did not fit",
                                    .decided_by = "key_1",
                                    .approved_by = "",
                                    .created_at = {},
                                    .report = std::nullopt,
                                    .payment = std::nullopt,
                                    .cancellation = std::nullopt});
        std::string const url = service_.claim_url(refunds_.refunds[0]);
        path_ = url.substr(world_.network.public_url.size());
    }

    HttpResponse get(std::string const& path) {
        HttpRequest request;
        request.method = "GET";
        request.path = path;
        return run_task(world_.io, page_.handle(request));
    }
    HttpResponse post(std::string const& body) {
        HttpRequest request;
        request.method = "POST";
        request.path = path_;
        request.body = body;
        return run_task(world_.io, page_.handle(request));
    }
    Address recipient() const { return refunds_.refunds[0].recipient; }

    RefundKey key_{some_merchant(), kTestChain, 42};
    PageWorld world_;
    MemoryDesk desk_;
    MemoryRefunds refunds_;
    EmptyBooks books_;
    Notifier wake_{world_.io.get_executor()};
    DeskService desk_service_{desk_,        books_, world_.network, world_.chains, wake_,
                              world_.clock, {}};
    RefundService service_{refunds_,       desk_service_, books_,
                           world_.network, world_.chains, {},
                           wake_,          world_.clock,  {.claim_key = Bytes32{9}}};
    ClaimPage page_{service_, world_.network};
    std::string path_;
};

TEST_F(ClaimPageTest, AsksTwiceAndThenTakesTheAddressForGood) {
    auto const asked = get(path_);
    EXPECT_EQ(asked.status, 200U);
    EXPECT_TRUE(asked.body.contains("20.00 USDT on Sepolia")) << asked.body;
    EXPECT_FALSE(asked.body.contains("it did not fit"));  // between the merchant and its books
    auto const again = post(std::string("address=+") + kShopper + "%0A");
    EXPECT_EQ(again.status, 200U);
    EXPECT_TRUE(again.body.contains("Send it there"));
    EXPECT_TRUE(again.body.contains(kShopper));
    EXPECT_EQ(recipient(), Address{});
    auto const taken = post(std::string("address=") + kShopper + "&confirm=yes");
    EXPECT_EQ(taken.status, 303U) << taken.body;
    EXPECT_EQ(to_string(recipient()), kShopper);
    auto const shown = get(path_).body;
    EXPECT_TRUE(shown.contains("The shop will send 20.00 USDT on Sepolia to")) << shown;
    EXPECT_FALSE(shown.contains("<form"));
    EXPECT_TRUE(post("address=0x8617E340B3D01FA5F11F306F4090FD50E238070D&confirm=yes")
                    .body.contains(kShopper));
    EXPECT_EQ(to_string(recipient()), kShopper);
}

TEST_F(ClaimPageTest, SaysWhatIsWrongWithAnAddress) {
    for (std::string const& wrong : {std::string(""), std::string("0x12"), std::string(300, 'x'),
                                     to_string(Address{}), to_string(kTestToken),
                                     // One letter of the checksum is another.
                                     std::string("0x52908400098527886e0F7030069857D2E4169EE7")}) {
        auto const response = post("address=" + wrong + "&confirm=yes");
        EXPECT_EQ(response.status, 400U) << wrong;
        EXPECT_TRUE(response.body.contains(R"(role="alert")")) << wrong;
    }
    EXPECT_TRUE(post("address=%3Cscript%3E").body.contains("&lt;script&gt;"));
    EXPECT_EQ(recipient(), Address{});
}

TEST_F(ClaimPageTest, KnowsItsOwnLinksAlone) {
    std::string const missing = get("/refund/x").body;
    auto changed = path_;
    changed.back() = changed.back() == 'A' ? 'B' : 'A';
    auto other = path_;
    other.replace(other.find("_42/"), 4, "_43/");
    std::string const signed_for_nobody =
        "/refund/" + RefundClaims(Bytes32{9}).path_of({some_merchant(), kTestChain, 7});
    std::string const of_another_key = "/refund/" + RefundClaims(Bytes32{8}).path_of(key_);
    for (std::string const& path :
         {changed, other, signed_for_nobody, of_another_key, path_ + "/", path_.substr(0, 40),
          std::string("/refund"), std::string("/refund/"), std::string("/refund///")}) {
        auto const response = get(path);
        EXPECT_EQ(response.status, 404U) << path;
        EXPECT_EQ(response.body, missing) << path;
    }
}

TEST_F(ClaimPageTest, TellsWhatBecameOfTheRefund) {
    refunds_.refunds[0].cancellation = RefundDetail::Cancellation{};
    EXPECT_TRUE(get(path_).body.contains("has taken this refund back"));
    EXPECT_EQ(post(std::string("address=") + kShopper + "&confirm=yes").status, 200U);
    EXPECT_EQ(recipient(), Address{});
    refunds_.refunds[0].cancellation.reset();
    refunds_.refunds[0].recipient = parse_address(kShopper).value();
    refunds_.refunds[0].payment = RefundDetail::Payment{};
    EXPECT_TRUE(get(path_).body.contains("were sent to"));
}

}  // namespace
}  // namespace sycee
