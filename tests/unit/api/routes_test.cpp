#include "../../../src/api/routes.hpp"

#include <gtest/gtest.h>

namespace sycee {
namespace {

std::string_view name_of(Route const& route) {
    return route.endpoint == nullptr ? "" : route.endpoint->name;
}

TEST(ApiRoutes, AnEndpointIsFoundByMethodAndPath) {
    EXPECT_EQ(name_of(find_route("GET", "/v1/payments")), "list_payments");
    EXPECT_EQ(name_of(find_route("HEAD", "/v1/payments")), "list_payments");
    EXPECT_EQ(name_of(find_route("POST", "/v1/payments")), "create_payment");
    auto const receipt = find_route("GET", "/v1/payments/pay_1/receipt");
    EXPECT_EQ(name_of(receipt), "get_receipt");
    EXPECT_EQ(receipt.id, "pay_1");
    auto const refund = find_route("GET", "/v1/refunds/ref_1");
    EXPECT_EQ(name_of(refund), "get_refund");
    EXPECT_EQ(refund.id, "ref_1");
}

TEST(ApiRoutes, AMethodThatAPathHasNotIsToldWhichItHas) {
    auto const route = find_route("DELETE", "/v1/payments");
    EXPECT_EQ(route.endpoint, nullptr);
    EXPECT_EQ(route.allow, "GET, HEAD, POST");
    EXPECT_EQ(find_route("GET", "/v1/refunds/ref_1/cancel").allow, "POST");
    // Only reading has a HEAD.
    EXPECT_EQ(find_route("HEAD", "/v1/refunds/ref_1/cancel").endpoint, nullptr);
}

TEST(ApiRoutes, AnIdIsOneSegment) {
    for (std::string_view const path :
         {"/v1", "/v1/", "/v1/payment", "/v1/payments/a/b", "/v1/payments/a/receipt/",
          "/v1/payments//a/receipt", "/v2/payments", "/v1/totals/a"}) {
        EXPECT_EQ(find_route("GET", path).allow, "") << path;
    }
    EXPECT_EQ(find_route("GET", "/v1/payments/receipt").id, "receipt");
    // An empty id is none that anything has; the endpoint says so.
    EXPECT_EQ(name_of(find_route("GET", "/v1/payments/")), "get_payment");
}

}  // namespace
}  // namespace sycee
