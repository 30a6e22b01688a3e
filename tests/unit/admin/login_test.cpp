#include "../../../src/admin/login_throttle.hpp"
#include "admin_fixture.hpp"

namespace sycee {
namespace {

using namespace std::chrono_literals;

TEST_F(AdminPagesTest, NothingIsShownWithoutASession) {
    for (auto const* path :
         {"/admin", "/admin/", "/admin/payments/x", "/admin/trial-balance", "/admin/chains",
          "/admin/exceptions", "/admin/exceptions/x/y", "/admin/nothing"}) {
        auto const response = get(path);
        EXPECT_EQ(response.status, 303U) << path;
        EXPECT_EQ(header(response, "location"), "/admin/login");
        EXPECT_EQ(response.body, "");
    }
    cookie_ = std::string(kCookieName) + "=" + std::string(64, 'a');
    EXPECT_EQ(get("/admin").status, 303U);
    EXPECT_EQ(get("/administrator").status, 404U);
}

TEST_F(AdminPagesTest, ALoginBeginsASessionThatEnds) {
    auto const response = log_in();
    EXPECT_EQ(response.status, 303U);
    EXPECT_EQ(header(response, "location"), "/admin");
    std::string const cookie = header(response, "set-cookie");
    for (auto const* part : {"__Host-sycee_session=", "; Path=/;", "HttpOnly", "SameSite=Strict",
                             "Secure", "Max-Age=43200"}) {
        EXPECT_TRUE(cookie.contains(part)) << cookie;
    }
    EXPECT_EQ(get("/admin").status, 200U);
    EXPECT_EQ(header(get("/admin/login"), "location"), "/admin");
    world_.clock.time += 12h;
    EXPECT_EQ(get("/admin").status, 303U);
}

TEST_F(AdminPagesTest, OnlyTheTokensHashIsKept) {
    log_in();
    ASSERT_EQ(access_.sessions.size(), 1U);
    auto const token = bytes_from_hex<32>(cookie_.substr(cookie_.find('=') + 1));
    ASSERT_TRUE(token);
    EXPECT_EQ(access_.sessions.begin()->first, sha256(*token));
    EXPECT_NE(access_.sessions.begin()->first, *token);
}

TEST_F(AdminPagesTest, EachLoginIsANewSessionAndEndsTheOldOne) {
    log_in();
    std::string const old = cookie_;
    log_in();
    EXPECT_NE(cookie_, old);
    EXPECT_EQ(access_.sessions.size(), 1U);
    cookie_ = old;
    EXPECT_EQ(get("/admin").status, 303U);
}

TEST_F(AdminPagesTest, AWrongNameAndAWrongPasswordLookTheSame) {
    auto const password = post("/admin/login", "name=ops&password=wrong");
    auto const name = post("/admin/login", "name=spo&password=wrong");
    EXPECT_EQ(password.status, 403U);
    EXPECT_EQ(name.status, 403U);
    std::string same = name.body;
    same.replace(same.find("value=\"spo\""), 11, "value=\"ops\"");
    EXPECT_EQ(same, password.body);
    EXPECT_EQ(header(password, "set-cookie"), "");
}

TEST_F(AdminPagesTest, ANameThatTheDatabaseCouldNotReadIsUnknown) {
    for (auto const* name : {"", "a%00b", "a%ff", "%ed%a0%80", "%c0%80", "%e2%82", "a%0a"}) {
        EXPECT_EQ(post("/admin/login", std::string("password=x&name=") + name).status, 403U);
    }
    EXPECT_EQ(access_.lookups, 0);
    post("/admin/login", "password=x&name=%ea%b9%80");
    EXPECT_EQ(access_.lookups, 1);
}

TEST_F(AdminPagesTest, APostFromElsewhereIsRefused) {
    std::string const form = "name=ops&password=correct+horse+battery";
    std::vector<HttpHeaders> const refused{
        {},
        {{"origin", "https://evil.example"}},
        {{"origin", "http://pay.example"}},
        {{"origin", "https://pay.example:8443"}},
        {{"origin", "https://pay.example.evil.example"}},
        {{"origin", "null"}, {"sec-fetch-site", "same-origin"}},
        {{"sec-fetch-site", "cross-site"}, {"referer", "https://pay.example/admin"}},
        {{"sec-fetch-site", "same-site"}},
        {{"referer", "https://evil.example/https://pay.example/"}},
        {{"host", "pay.example"}}};
    for (auto const& headers : refused) {
        EXPECT_EQ(post("/admin/login", form, headers).status, 403U);
        EXPECT_EQ(post("/admin/logout", "", headers).status, 403U);
    }
    EXPECT_EQ(access_.lookups, 0);
    std::vector<HttpHeaders> const taken{{{"origin", "https://pay.example"}},
                                         {{"origin", "https://pay.example:443"}},
                                         {{"sec-fetch-site", "same-origin"}},
                                         {{"referer", "https://pay.example/admin/login"}}};
    for (auto const& headers : taken)
        EXPECT_EQ(post("/admin/login", form, headers).status, 303U);
}

TEST_F(AdminPagesTest, LoggingOutNeedsTheFormsTokenAndEndsTheSession) {
    log_in();
    EXPECT_EQ(post("/admin/logout", "").status, 403U);
    EXPECT_EQ(post("/admin/logout", "token=" + std::string(64, '0')).status, 403U);
    EXPECT_EQ(get("/admin").status, 200U);

    std::string const body = get("/admin").body;
    std::string const before = "name=\"token\" value=\"";
    std::string const token = body.substr(body.find(before) + before.size(), 64);
    EXPECT_FALSE(cookie_.contains(token));
    auto const response = post("/admin/logout", "token=" + token);
    EXPECT_EQ(response.status, 303U);
    EXPECT_TRUE(header(response, "set-cookie").contains("Max-Age=0"));
    EXPECT_TRUE(access_.sessions.empty());
    EXPECT_EQ(get("/admin").status, 303U);
}

TEST_F(AdminPagesTest, GuessingIsSlowedDown) {
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(post("/admin/login", "name=ops&password=guess").status, 403U);
    }
    auto const blocked = post("/admin/login", "name=ops&password=correct+horse+battery");
    EXPECT_EQ(blocked.status, 429U);
    EXPECT_EQ(header(blocked, "retry-after"), "2");
    EXPECT_EQ(access_.lookups, 5);
    EXPECT_EQ(post("/admin/login", "name=other&password=x").status, 403U);
    world_.clock.time += 2s;
    EXPECT_EQ(log_in().status, 303U);
    EXPECT_TRUE(metrics_.text().contains("result=\"throttled\""));
}

TEST_F(AdminPagesTest, ManyNamesFromOnePeerAreSlowedDownToo) {
    for (int i = 0; i < 20; ++i) {
        std::string const form = "password=guess&name=name" + std::to_string(i);
        EXPECT_EQ(post("/admin/login", form).status, 403U);
    }
    auto const blocked = post("/admin/login", "name=ops&password=correct+horse+battery");
    EXPECT_EQ(blocked.status, 429U);
    EXPECT_EQ(access_.lookups, 20) << "and no password is looked at";
    peer_ = "192.0.2.2";
    EXPECT_EQ(log_in().status, 303U);
}

TEST_F(AdminPagesTest, PagesMayNotBeFramedOrKept) {
    auto const page = get("/admin/login");
    std::string const policy = header(page, "content-security-policy");
    EXPECT_TRUE(policy.contains("default-src 'none'"));
    EXPECT_TRUE(policy.contains("form-action 'self'"));
    EXPECT_TRUE(policy.contains("frame-ancestors 'none'"));
    EXPECT_FALSE(policy.contains("script-src"));
    EXPECT_EQ(header(page, "cache-control"), "no-store");
    // Under no-referrer browsers would send "Origin: null" with our own forms.
    EXPECT_EQ(header(page, "referrer-policy"), "same-origin");
}

TEST(LoginThrottle, DoublesUpToAQuarterOfAnHour) {
    admin::LoginThrottle throttle;
    Timestamp now = timestamp_from_seconds(1'000'000);
    std::vector<std::int64_t> waits;
    for (int i = 0; i < 16; ++i) {
        throttle.begin("ops", "peer", now);
        auto const wait = throttle.wait("ops", "peer", now);
        waits.push_back(wait.count());
        now += wait;
    }
    EXPECT_EQ(waits, (std::vector<std::int64_t>{0, 0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900,
                                                900, 900}));
    EXPECT_EQ(throttle.wait("ops", "another peer", now).count(), 0);
    now += 25h;
    throttle.begin("ops", "peer", now);
    EXPECT_EQ(throttle.wait("ops", "peer", now).count(), 0);
}

TEST(LoginThrottle, CountsAPeerWithAllTheNamesThatItTries) {
    admin::LoginThrottle throttle;
    Timestamp now = timestamp_from_seconds(1'000'000);
    for (int i = 0; i < 19; ++i)
        throttle.begin(std::to_string(i), "peer", now);
    throttle.begin("ops", "peer", now);
    throttle.succeeded("ops", "peer", now);
    EXPECT_EQ(throttle.wait("new", "peer", now), 0s) << "a login is no failure";
    throttle.begin("20", "peer", now);
    EXPECT_EQ(throttle.wait("new", "peer", now), 2s);
    EXPECT_EQ(throttle.wait("new", "another peer", now), 0s);
    for (int i = 0; i < 20; ++i)
        throttle.begin(std::to_string(100 + i), "peer", now);
    EXPECT_EQ(throttle.wait("new", "peer", now), 60s);
}

TEST(LoginThrottle, TakesAnIPv6NetworkForOnePeer) {
    admin::LoginThrottle throttle;
    Timestamp const now = timestamp_from_seconds(1'000'000);
    for (int i = 0; i < 5; ++i)
        throttle.begin("ops", "2001:db8:1:2::" + std::to_string(i), now);
    EXPECT_EQ(throttle.wait("ops", "2001:db8:1:2:ffff::1", now), 2s);
    EXPECT_EQ(throttle.wait("ops", "2001:db8:1:3::1", now), 0s);
}

TEST(LoginThrottle, ForgetsWhoTriedLongestAgoWhenFull) {
    admin::LoginThrottle throttle(3);
    Timestamp now = timestamp_from_seconds(1'000'000);
    for (int i = 0; i < 6; ++i)
        throttle.begin("first", "peer", now);
    for (auto const* name : {"second", "third", "fourth"}) {
        now += 1s;
        EXPECT_GT(throttle.wait("first", "peer", now).count(), 0);
        throttle.begin(name, "peer", now);
    }
    EXPECT_EQ(throttle.size(), 3U + 1U) << "the names, and the peer";
    EXPECT_EQ(throttle.wait("first", "peer", now).count(), 0);
}

}  // namespace
}  // namespace sycee
