// Pins: what the words of nodes and providers mean for us.
#include "../../../src/node/rpc_error.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sycee {
namespace {

using namespace std::chrono_literals;

struct Case {
    std::int64_t code;
    char const* message;
    RpcFault fault;
};

TEST(RpcError, MeansWhatItsWordsSay) {
    std::vector<Case> const cases{
        // geth, Anvil, Erigon, Nethermind
        {-32000, "unknown block", RpcFault::unknown_block},
        {-32000, "header not found", RpcFault::unknown_block},
        {-32000, "header for hash not found", RpcFault::unknown_block},
        {-32001, "Resource not found", RpcFault::unknown_block},
        {-32000, "Block 0xabc could not be found", RpcFault::unknown_block},
        {-32601, "the method eth_getBlockReceipts does not exist/is not available",
         RpcFault::no_such_method},
        {-32004, "Method eth_getBlockReceipts is not supported", RpcFault::no_such_method},
        {-32700, "Method eth_getBlockReceipts not supported.", RpcFault::no_such_method},
        {-32000, "method eth_getBlockReceipts not found", RpcFault::no_such_method},
        {-32602, "exceed maximum block range 5000", RpcFault::too_much},
        {-32003, "response too large", RpcFault::too_much},
        {-32002, "request timed out", RpcFault::too_much},
        {3, "execution reverted", RpcFault::reverted},
        {-32000, "VM Exception: revert", RpcFault::reverted},
        // providers
        {-32005, "query returned more than 10000 results", RpcFault::too_much},
        {-32005, "query returned more than 10000 results. Try with this block range [0x1, 0x2].",
         RpcFault::too_much},
        {-32602, "Log response size exceeded. You can make eth_getLogs requests with up to 2K",
         RpcFault::too_much},
        {-32000, "query timeout exceeded", RpcFault::too_much},
        {-32600, "Too many requests in one batch, maximum is 10", RpcFault::too_much},
        {-32600, "Batch of more than 3 requests are not allowed", RpcFault::too_much},
        {429,
         "Your app has exceeded its compute units per second capacity. Check out "
         "https://docs.example/throughput",
         RpcFault::rate_limited},
        {-32005, "daily request count exceeded, request rate limited", RpcFault::rate_limited},
        {-32016, "over rate limit", RpcFault::rate_limited},
        {-32007, "25/second request limit reached - reduce calls per second: too many requests",
         RpcFault::rate_limited},
        {-32005, "limit exceeded", RpcFault::rate_limited},
        {-32005, "", RpcFault::rate_limited},
        // neither
        {-32000, "finalized block does not exist yet", RpcFault::unknown_block},
        {-32603, "Internal error", RpcFault::other},
        {-32602, "invalid argument 0: hex string without 0x prefix", RpcFault::other},
        {0, "", RpcFault::other},
    };
    for (auto const& [code, message, fault] : cases)
        EXPECT_EQ(make_error(code, message).fault, fault) << code << " " << message;
}

TEST(RpcError, IsThrownAsWhatItMeans) {
    try {
        throw_error("eth_x", make_error(-32005, "over rate limit"));
    } catch (RateLimited const& limited) {
        EXPECT_EQ(limited.retry_after(), 1s);
        EXPECT_STREQ(limited.what(), "eth_x: error -32005: over rate limit");
    }
    try {
        throw_error("eth_x", make_error(-32000, "unknown block"));
    } catch (NodeFault const& fault) {
        EXPECT_EQ(fault.fault(), RpcFault::unknown_block);
    }
    // Judged by all of it, shown without the key.
    auto const error = make_error(-32000, "rate limit: see https://node/v2/key");
    EXPECT_EQ(error.fault, RpcFault::rate_limited);
    EXPECT_FALSE(error.message.contains("key"));
    EXPECT_LE(make_error(1, std::string(100'000, 'x')).message.size(), 200u);
}

TEST(RetryAfter, ReadsSecondsAndDates) {
    Timestamp const now = timestamp_from_seconds(784'111'777);  // Sun, 06 Nov 1994 08:49:37 GMT
    struct Row {
        char const* value;
        std::chrono::milliseconds pause;
    };
    for (auto const& [value, pause] : std::vector<Row>{{"0", 0s},
                                                       {"7", 7s},
                                                       {"60", 60s},
                                                       {"61", 60s},
                                                       {"99999999999999999999999999", 60s},
                                                       {"Sun, 06 Nov 1994 08:49:47 GMT", 10s},
                                                       {"Sun, 06 Nov 1994 08:49:37 GMT", 0s},
                                                       {"Sun, 06 Nov 1994 08:49:36 GMT", 0s},
                                                       {"Mon, 07 Nov 1994 08:49:37 GMT", 60s},
                                                       {"Fri, 31 Dec 9999 23:59:59 GMT", 60s},
                                                       {"", 1s},
                                                       {"-1", 1s},
                                                       {"1.5", 1s},
                                                       {"soon", 1s},
                                                       {" 7", 1s},
                                                       {"Sun, 06 Nov 1994 08:49:47 CET", 1s},
                                                       {"Sun, 31 Feb 1994 08:49:47 GMT", 1s},
                                                       {"Sun, 06 Nox 1994 08:49:47 GMT", 1s},
                                                       {"Sun, 06 Nov 1994 24:49:47 GMT", 1s},
                                                       {"Sun, +6 Nov 1994 08:49:47 GMT", 1s},
                                                       {"Sunday, 06-Nov-94 08:49:37 GMT", 1s}}) {
        EXPECT_EQ(parse_retry_after(value, now), pause) << value;
    }
}

}  // namespace
}  // namespace sycee
