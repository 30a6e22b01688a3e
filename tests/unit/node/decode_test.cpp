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
            {"logsBloom", "0x" + std::string(510, '0') + "08"},
            {"transactions", Json::array()}};
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

TEST(DecodeOutline, ReadsBloomAndTransactions) {
    auto block = block_json();
    block["transactions"] = {hash_text('1'), hash_text('2')};
    auto const outline = decode_outline(block);
    ASSERT_TRUE(outline);
    EXPECT_EQ(outline->header.number, 436u);
    EXPECT_EQ(outline->bloom[255], 8);
    ASSERT_EQ(outline->transactions.size(), 2u);
    EXPECT_EQ(to_hex0x(outline->transactions[1]), hash_text('2'));
    EXPECT_EQ(decode_outline(Json()), std::nullopt);
}

TEST(DecodeOutline, RefusesWrongMembers) {
    for (auto const& [name, wrong] : std::vector<std::pair<char const*, Json>>{
             {"logsBloom", nullptr},  // a pending block
             {"logsBloom", "0x"},
             {"logsBloom", hash_text('0')},
             {"transactions", nullptr},
             {"transactions", Json::object()},
             {"transactions", hash_text('1')},
             {"transactions", Json::array({1})},
             {"transactions", Json::array({"0x12"})},
             {"transactions", Json::array({{{"hash", hash_text('1')}}})}}) {
        auto block = block_json();
        block[name] = wrong;
        EXPECT_THROW(decode_outline(block), BadAnswer) << name << " " << wrong.dump();
        block.erase(name);
        EXPECT_THROW(decode_outline(block), BadAnswer) << name << " is missing";
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
        decode_answer("eth_x", [] { return text_of(Json(1), "size"); });
        FAIL();
    } catch (Unavailable const& unavailable) {
        EXPECT_STREQ(unavailable.what(), "eth_x: size is not a string");
    }
}

TEST(SubscriptionMessage, TellsWhatWasAskedForFromTheRest) {
    using enum SubscriptionMessage::Kind;
    auto const decode = [](char const* text) { return decode_subscription_message(text, 1); };
    EXPECT_EQ(decode(R"({"jsonrpc":"2.0","id":1,"result":"0x9ce5"})").kind, confirmed);
    auto const empty = decode(R"({"method":"eth_subscription","params":{"subscription":"0x1"}})");
    EXPECT_EQ(empty.kind, told);
    EXPECT_TRUE(empty.told.is_null());
    EXPECT_EQ(decode(R"({"method":"eth_subscription","params":{"result":"0xab"}})").told, "0xab");
    EXPECT_EQ(decode(R"({"method":"eth_subscription","params":[]})").kind, told);
    EXPECT_EQ(decode(R"({"method":"other"})").kind, other);
    EXPECT_EQ(decode(R"({"id":2,"result":"0x1"})").kind, other);
    EXPECT_THROW(decode(R"({"id":1,"error":{"code":-32601,"message":"no"}})"), BadAnswer);
    EXPECT_THROW(decode(R"({"id":1,"result":false})"), BadAnswer);
    EXPECT_THROW(decode("[]"), BadAnswer);
}

}  // namespace
}  // namespace sycee
