#include "../../../src/node/decode.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sycee {
namespace {

std::string hash_text(char digit) {
    return "0x" + std::string(64, digit);
}

Json block_json() {
    return {{"number", "0x1b4"},
            {"hash", hash_text('a')},
            {"parentHash", hash_text('b')},
            {"timestamp", "0x65f1a2c3"},
            {"transactions", Json::array()}};
}

Json log_json() {
    return {{"address", "0xdAC17F958D2ee523a2206206994597C13D831ec7"},
            {"topics", Json::array({hash_text('1'), hash_text('2')})},
            {"data", "0x0102"},
            {"blockNumber", "0x1b4"},
            {"blockHash", hash_text('a')},
            {"transactionHash", hash_text('c')},
            {"logIndex", "0x7"},
            {"removed", false}};
}

TEST(ParseQuantity, ReadsWhatNodesWrite) {
    EXPECT_EQ(parse_quantity("0x0"), 0u);
    EXPECT_EQ(parse_quantity("0x1b4"), 436u);
    EXPECT_EQ(parse_quantity("0xAb"), 171u);
    EXPECT_EQ(parse_quantity("0xffffffffffffffff"), ~std::uint64_t{0});
}

TEST(ParseQuantity, RefusesTheRest) {
    for (auto const* text :
         {"", "0", "0x", "1b4", "0X1", "0x01", "0x00", "0x 1", "0x1 ", "0x-1", "0x+1", "-0x1",
          "0xg", "0x1g", "0x10000000000000000", "0x0x1", "latest"}) {
        EXPECT_EQ(parse_quantity(text), std::nullopt) << '"' << text << '"';
    }
}

TEST(DecodeHeader, ReadsABlock) {
    auto const header = decode_header(block_json());
    ASSERT_TRUE(header);
    EXPECT_EQ(header->number, 436u);
    EXPECT_EQ(to_hex0x(header->hash), hash_text('a'));
    EXPECT_EQ(to_hex0x(header->parent_hash), hash_text('b'));
    EXPECT_EQ(to_unix_seconds(header->time), 0x65f1a2c3);
}

TEST(DecodeHeader, NullIsNoBlock) {
    EXPECT_EQ(decode_header(Json()), std::nullopt);
}

TEST(DecodeHeader, RefusesWrongMembers) {
    for (auto const* name : {"number", "hash", "parentHash", "timestamp"}) {
        for (auto const& wrong :
             {Json(), Json(7), Json(-1), Json(1e300), Json(true), Json::array(), Json::object(),
              Json(""), Json("0x"), Json("0xzz"), Json(std::string(66, 'a')),
              Json("0x8000000000000000"), Json(hash_text('a') + "aa")}) {
            auto block = block_json();
            block[name] = wrong;
            EXPECT_THROW(decode_header(block), BadAnswer) << name << " " << wrong.dump();
        }
        auto block = block_json();
        block.erase(name);
        EXPECT_THROW(decode_header(block), BadAnswer) << name << " is missing";
    }
    auto late = block_json();
    late["timestamp"] = "0x7fffffffffffffff";  // as milliseconds it would overflow
    EXPECT_THROW(decode_header(late), BadAnswer);
    for (auto const& wrong : {Json("block"), Json(1), Json::array(), Json(false)}) {
        EXPECT_THROW(decode_header(wrong), BadAnswer) << wrong.dump();
    }
}

TEST(DecodeLog, ReadsALog) {
    Log const log = decode_log(log_json());
    EXPECT_EQ(to_string(log.contract), "0xdAC17F958D2ee523a2206206994597C13D831ec7");
    ASSERT_EQ(log.topics.size(), 2u);
    EXPECT_EQ(to_hex0x(log.topics[1]), hash_text('2'));
    EXPECT_EQ(log.data, (std::vector<std::uint8_t>{1, 2}));
    EXPECT_EQ(log.block_number, 436u);
    EXPECT_EQ(to_hex0x(log.block_hash), hash_text('a'));
    EXPECT_EQ(to_hex0x(log.transaction_hash), hash_text('c'));
    EXPECT_EQ(log.log_index, 7u);
    EXPECT_FALSE(log.removed);
}

TEST(DecodeLog, RemovedMayBeLeftOutAndDataMayBeEmpty) {
    auto json = log_json();
    json.erase("removed");
    json["data"] = "0x";
    json["topics"] = Json::array();
    Log const log = decode_log(json);
    EXPECT_FALSE(log.removed);
    EXPECT_TRUE(log.data.empty());
    json["removed"] = true;
    EXPECT_TRUE(decode_log(json).removed);
}

TEST(DecodeLog, RefusesWrongMembers) {
    struct Case {
        char const* name;
        Json value;
    };
    auto const hash = hash_text('1');
    std::vector<Case> const cases{
        {"address", "0x12"},
        {"address", nullptr},
        {"topics", hash},
        {"topics", Json::array({1})},
        {"topics", Json::array({"0x12"})},
        {"topics", Json::array({hash, hash, hash, hash, hash})},
        {"data", "0x123"},
        {"data", "1234"},
        {"data", 5},
        {"blockNumber", nullptr},  // a pending log
        {"blockHash", nullptr},
        {"transactionHash", "0x"},
        {"logIndex", "0x100000000"},
        {"logIndex", 7},
        {"removed", "false"},
        {"removed", 0},
    };
    for (auto const& [name, value] : cases) {
        auto json = log_json();
        json[name] = value;
        EXPECT_THROW(decode_log(json), BadAnswer) << name << " " << value.dump();
    }
}

TEST(DecodeLogs, RefusesWhatIsNoArray) {
    EXPECT_TRUE(decode_logs(Json::array()).empty());
    for (auto const& wrong : {Json(), Json::object(), Json("[]"), log_json()}) {
        EXPECT_THROW(decode_logs(wrong), BadAnswer) << wrong.dump();
    }
}

TEST(ParseJson, RefusesDeepNesting) {
    EXPECT_THROW(parse_json(std::string(1'000'000, '[')), BadAnswer);
    EXPECT_NO_THROW(parse_json(std::string(32, '[') + std::string(32, ']')));
    EXPECT_THROW(parse_json(std::string(33, '[') + std::string(33, ']')), BadAnswer);
    // Brackets inside a string do not nest, behind an escaped quote neither.
    EXPECT_NO_THROW(parse_json("[\"\\\"" + std::string(100, '[') + "\"]"));
}

TEST(DecodeAnswer, MakesEveryFaultOneThatPasses) {
    for (auto const* text : {"", "nil", "{", "[1,", "\"\xff\"", "1e999999", "{\"a\":}", "<html>"}) {
        EXPECT_THROW(decode_answer("eth_x", [&] { return parse_json(text); }), Unavailable) << text;
    }
    try {
        decode_answer("eth_x", [] { return decode_quantity(Json(1), "size"); });
        FAIL();
    } catch (Unavailable const& unavailable) {
        EXPECT_STREQ(unavailable.what(), "eth_x: size is not a string");
    }
}

TEST(SubscriptionMessage, TellsHeadsFromTheRest) {
    auto const decode = [](char const* text) { return decode_subscription_message(text, 1); };
    EXPECT_EQ(decode(R"({"jsonrpc":"2.0","id":1,"result":"0x9ce5"})"),
              SubscriptionMessage::confirmed);
    EXPECT_EQ(decode(R"({"method":"eth_subscription","params":{"subscription":"0x9ce5"}})"),
              SubscriptionMessage::head);
    EXPECT_EQ(decode(R"({"method":"other"})"), SubscriptionMessage::other);
    EXPECT_EQ(decode(R"({"id":2,"result":"0x1"})"), SubscriptionMessage::other);
    EXPECT_THROW(decode(R"({"id":1,"error":{"code":-32601,"message":"no"}})"), BadAnswer);
    EXPECT_THROW(decode(R"({"id":1,"result":false})"), BadAnswer);
    EXPECT_THROW(decode("[]"), BadAnswer);
}

}  // namespace
}  // namespace sycee
