#include "../../../src/node/json_rpc.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sycee {
namespace {

std::string answer(int id, std::string const& rest = R"("result":"0x1")") {
    return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + "," + rest + "}";
}

TEST(JsonRpcEncode, NumbersTheCallsOfABatch) {
    std::vector<RpcCall> const calls{{"eth_a", Json::array()}, {"eth_b", Json::array({"0x1"})}};
    auto const batch = Json::parse(encode_batch(calls, 7));
    ASSERT_EQ(batch.size(), 2u);
    EXPECT_EQ(batch[0]["id"], 7);
    EXPECT_EQ(batch[0]["jsonrpc"], "2.0");
    EXPECT_EQ(batch[1]["id"], 8);
    EXPECT_EQ(batch[1]["method"], "eth_b");
    EXPECT_EQ(batch[1]["params"], Json::array({"0x1"}));
}

TEST(JsonRpcCall, TakesResultAndError) {
    EXPECT_EQ(decode_call(answer(3), 3), Json("0x1"));
    EXPECT_EQ(decode_call(answer(3, R"("result":null,"error":null)"), 3), Json());
    auto const error = decode_call(answer(3, R"("error":{"code":-32005,"message":"slow"})"), 3);
    ASSERT_FALSE(error);
    EXPECT_EQ(error.error().code, -32005);
    EXPECT_EQ(error.error().message, "slow");
    EXPECT_THROW(result_of(error, "eth_x"), Unavailable);
}

TEST(JsonRpcCall, RefusesWhatIsNotItsAnswer) {
    for (auto const& body :
         {answer(4), answer(-3), answer(3, R"("x":1)"), std::string("[]"), std::string("null"),
          std::string("{}"), std::string("7"), "[" + answer(3) + "]",
          std::string(R"({"id":"3","result":1})"), std::string(R"({"id":3.0,"result":1})"),
          std::string(R"({"id":99999999999999999999999,"result":1})"), answer(3, R"("error":"no")"),
          answer(3, R"("error":{"code":"x"})")}) {
        EXPECT_THROW(decode_call(body, 3), BadAnswer) << body;
    }
}

TEST(JsonRpcCall, AnErrorWithoutAnIdIsItsAnswer) {
    auto const error =
        decode_call(R"({"id":null,"error":{"code":-32600,"message":"too large"}})", 3);
    ASSERT_FALSE(error);
    EXPECT_EQ(error.error().code, -32600);
}

TEST(JsonRpcBatch, CanBeRefusedAsAWhole) {
    auto const refuse = [] {
        return decode_batch(R"({"id":null,"error":{"code":-32600,"message":"batch too large"}})",
                            10, 2);
    };
    try {
        refuse();
        FAIL();
    } catch (Refused const& refused) {
        EXPECT_EQ(refused.error().fault, RpcFault::too_much);
    }
    try {
        decode_answer("eth_x", refuse);
        FAIL();
    } catch (NodeFault const& fault) {
        EXPECT_EQ(fault.fault(), RpcFault::too_much);
        EXPECT_STREQ(fault.what(), "eth_x: error -32600: batch too large");
    }
}

TEST(JsonRpcBatch, PutsAnswersInTheOrderOfTheCalls) {
    auto const body = "[" + answer(12, R"("result":"c")") + "," + answer(10, R"("result":"a")") +
                      "," + answer(11, R"("error":{"code":-32000,"message":"unknown block"})") +
                      "]";
    auto const answers = decode_batch(body, 10, 3);
    ASSERT_EQ(answers.size(), 3u);
    EXPECT_EQ(answers[0], Json("a"));
    EXPECT_FALSE(answers[1]);
    EXPECT_EQ(answers[2], Json("c"));
}

TEST(JsonRpcBatch, RefusesAMismatch) {
    struct Case {
        char const* what;
        std::string body;
    };
    std::vector<Case> const cases{
        {"one missing", "[" + answer(10) + "]"},
        {"one too many", "[" + answer(10) + "," + answer(11) + "," + answer(12) + "]"},
        {"one twice", "[" + answer(10) + "," + answer(10) + "]"},
        {"id below", "[" + answer(10) + "," + answer(9) + "]"},
        {"id above", "[" + answer(10) + "," + answer(12) + "]"},
        {"id of text", "[" + answer(10) + R"(,{"id":"11","result":1}])"},
        {"id null", "[" + answer(10) + R"(,{"id":null,"result":1}])"},
        {"no id", "[" + answer(10) + R"(,{"result":1}])"},
        {"no result", "[" + answer(10) + R"(,{"id":11}])"},
        {"no object", "[" + answer(10) + ",11]"},
        {"no array", answer(10)},
        {"empty", "[]"},
        {"null", "null"},
    };
    for (auto const& [what, body] : cases) {
        EXPECT_THROW(decode_batch(body, 10, 2), BadAnswer) << what;
    }
}

TEST(JsonRpcError, KeepsUrlsAndControlCharactersOutOfMessages) {
    auto const url =
        decode_call(answer(3, R"("error":{"code":1,"message":"see https://x/v2/key"})"), 3);
    EXPECT_FALSE(url.error().message.contains("key"));
    auto const control = decode_call(answer(3, R"("error":{"code":1,"message":"a\nb"})"), 3);
    EXPECT_EQ(control.error().message, "a?b");
}

}  // namespace
}  // namespace sycee
