// Pins: what a restricted key may do, from where and how long, endpoint by endpoint.
#include "../../../src/api/routes.hpp"
#include "api_fixture.hpp"

#include <set>

namespace sycee {
namespace {

std::string path_of(Endpoint const& endpoint) {
    std::string path(endpoint.path);
    auto const at = path.find("{id}");
    if (at != std::string::npos) path.replace(at, 4, "x");
    return path;
}

class KeyScopes : public MerchantApiTest {
  protected:
    HttpResponse call(Endpoint const& endpoint, std::string const& key, std::string method = "") {
        auto made = request(method.empty() ? std::string(endpoint.method) : std::move(method),
                            path_of(endpoint));
        made.headers = {{"authorization", "Bearer " + key}, {"content-type", "application/json"}};
        made.body = "{}";
        made.peer = "192.0.2.7";
        return send(made);
    }
    ApiKey& row(std::uint8_t number) { return api_keys_.keys.at(id_of<ApiKeyId>(number)); }
};

TEST_F(KeyScopes, EveryEndpointRefusesAKeyThatHasAllScopesButItsOwn) {
    for (Endpoint const& endpoint : all_endpoints()) {
        Scopes scopes;
        for (auto const name : kScopeNames)
            scopes.add(*parse_scope(name));
        Scope const needed = endpoint.needs.scope;
        auto const key = add_key(2, merchant_, scopes.remove(needed));
        auto const response = call(endpoint, key);
        EXPECT_EQ(response.status, 403U) << endpoint.name;
        auto const json = problem(response);
        EXPECT_EQ(json.at("code"), "forbidden") << endpoint.name;
        EXPECT_EQ(json.at("detail"),
                  "This needs an API key with the scope " + std::string(to_string(needed)) + ".");
        EXPECT_EQ(header(response, "www-authenticate"),
                  "Bearer error=\"insufficient_scope\", scope=\"" + std::string(to_string(needed)) +
                      "\"");
        if (endpoint.method == "GET") {
            EXPECT_EQ(call(endpoint, key, "HEAD").status, 403U) << endpoint.name;
        }
    }
}

TEST_F(KeyScopes, EveryEndpointServesAKeyThatHasItsScopeAlone) {
    for (Endpoint const& endpoint : all_endpoints()) {
        auto const key = add_key(2, merchant_, Scopes{}.add(endpoint.needs.scope));
        auto const status = call(endpoint, key).status;
        EXPECT_TRUE(status == 200 || status == 400 || status == 404) << endpoint.name << status;
    }
}

TEST_F(KeyScopes, ReadingNeedsAScopeToReadAndWritingOneToWrite) {
    for (Endpoint const& endpoint : all_endpoints()) {
        auto const name = to_string(endpoint.needs.scope);
        EXPECT_TRUE(name.ends_with(endpoint.method == "GET" ? ":read" : ":write")) << endpoint.name;
    }
}

TEST_F(KeyScopes, AFullKeyMayDoEverything) {
    for (Endpoint const& endpoint : all_endpoints())
        EXPECT_NE(call(endpoint, key_).status, 403U) << endpoint.name;
}

TEST_F(KeyScopes, ARestrictedKeyLearnsOfPathsWhatAnyKeyDoes) {
    auto const key = add_key(2, merchant_, Scopes{}.add(Scope::events_read));
    auto const send_to = [&](std::string const& method, std::string const& path) {
        auto made = request(method, path);
        made.headers = {{"authorization", "Bearer " + key}};
        return send(made).status;
    };
    EXPECT_EQ(send_to("GET", "/v1/nothing"), 404U);
    EXPECT_EQ(send_to("DELETE", "/v1/payments"), 405U);
}

TEST_F(KeyScopes, AnAnswerThatWasGivenBeforeNeedsTheScopeToo) {
    auto made = post(R"({"amount": "1", "currency": "USD"})");
    made.headers.emplace_back("idempotency-key", "once");
    ASSERT_EQ(send(made).status, 201U);
    made.headers[0].second = "Bearer " + add_key(2, merchant_, Scopes{}.add(Scope::payments_read));
    EXPECT_EQ(send(made).status, 403U);
    made.headers[0].second = "Bearer " + add_key(3, merchant_, Scopes{}.add(Scope::payments_write));
    EXPECT_EQ(header(send(made), "idempotent-replayed"), "true");
}

TEST_F(KeyScopes, AKeyIsForItsAddressesAlone) {
    auto const from = [this](std::string peer) {
        auto made = request("GET", "/v1/payments");
        made.peer = std::move(peer);
        return send(made);
    };
    EXPECT_EQ(from("203.0.113.9").status, 200U);
    row(1).allowed_addresses = {"192.0.2.0/24", "2001:db8::/32"};
    EXPECT_EQ(from("192.0.2.255").status, 200U);
    EXPECT_EQ(from("::ffff:192.0.2.1").status, 200U);
    EXPECT_EQ(from("2001:db8::1").status, 200U);
    auto const refused = from("203.0.113.9");
    EXPECT_EQ(refused.status, 403U);
    EXPECT_EQ(problem(refused).at("code"), "address_not_allowed");
    EXPECT_NE(problem(refused).at("detail").get<std::string>().find("203.0.113.9"),
              std::string::npos);
    EXPECT_EQ(header(refused, "ratelimit"), "");  // takes nothing from those that it is for
    EXPECT_EQ(from("").status, 403U);
    // What can't be read in the database lets nobody in.
    row(1).allowed_addresses = {"everywhere"};
    EXPECT_EQ(from("192.0.2.1").status, 403U);
}

TEST_F(KeyScopes, AKeyEndsWhenItExpires) {
    row(1).expires_at = kNow + std::chrono::milliseconds(1);
    EXPECT_EQ(send(request("GET", "/v1/payments")).status, 200U);
    clock_.time += std::chrono::milliseconds(1);
    EXPECT_EQ(send(request("GET", "/v1/payments")).status, 401U);
}

TEST(Scopes, HaveNamesThatAreReadBack) {
    std::set<std::string_view> seen;
    for (auto const name : kScopeNames) {
        auto const scope = parse_scope(name);
        ASSERT_TRUE(scope) << name;
        EXPECT_EQ(to_string(*scope), name);
        EXPECT_TRUE(seen.insert(name).second) << name;
    }
    auto const two = parse_scopes({"refunds:write", "payments:read"});
    ASSERT_TRUE(two);
    EXPECT_EQ(two->names(), (std::vector<std::string_view>{"payments:read", "refunds:write"}));
    EXPECT_TRUE(two->has(Scope::refunds_write));
    EXPECT_FALSE(two->has(Scope::refunds_read));
    EXPECT_TRUE(parse_scopes({"*"})->is_everything());
    EXPECT_EQ(parse_scopes({"*"})->names(), (std::vector<std::string_view>{"*"}));
}

TEST(Scopes, RefuseWhatIsNone) {
    for (std::vector<std::string> const& names : std::vector<std::vector<std::string>>{
             {}, {""}, {"payments"}, {"payments:*"}, {"*", "payments:read"}, {"Payments:read"}}) {
        EXPECT_FALSE(parse_scopes(names));
    }
}

}  // namespace
}  // namespace sycee
