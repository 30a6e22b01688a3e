// Pins: lists of logs and receipts are read strictly, whatever a node answers.
#include "../../../src/node/list_reader.hpp"

#include "../../../src/node/json_rpc.hpp"
#include "answers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace sycee {
namespace {

Log log_of(Json const& log) {
    auto const answers = decode_logs(batch_text({Json::array({log})}), 1, 1);
    return answers.at(0).value().at(0);
}

Receipt receipt_of(Json const& receipt) {
    return decode_receipt(batch_text({receipt}), 1, 1).at(0).value().value();
}

TEST(DecodeLogs, ReadsALog) {
    Log const log = log_of(log_json());
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

TEST(DecodeLogs, RemovedMayBeLeftOutAndDataMayBeEmpty) {
    auto json = log_json();
    json.erase("removed");
    json["data"] = "0x";
    json["topics"] = Json::array();
    Log const log = log_of(json);
    EXPECT_FALSE(log.removed);
    EXPECT_TRUE(log.data.empty());
    EXPECT_TRUE(log.topics.empty());
    json["removed"] = true;
    EXPECT_TRUE(log_of(json).removed);
}

TEST(DecodeLogs, SkipsWhatItDoesNotKnow) {
    auto json = log_json();
    for (auto const& value :
         {Json(), Json(1), Json(-1), Json(1.5), Json(true), Json("x"), Json::array({1, {2}}),
          Json{{"address", 1}, {"topics", {{"data", Json::array()}}}}}) {
        json["other"] = value;
        EXPECT_EQ(log_of(json).log_index, 7u) << value.dump();
    }
    auto answer = Json::parse(batch_text({Json::array({log_json()})}));
    answer[0]["extension"] = {{"result", 1}, {"id", Json::array()}};
    EXPECT_EQ(decode_logs(answer.dump(), 1, 1).at(0)->size(), 1u);
}

TEST(DecodeLogs, RefusesWrongMembers) {
    struct Case {
        char const* name;
        Json value;
    };
    auto const hash = hash_text('1');
    std::vector<Case> const cases{
        {"address", "0x12"},
        {"address", nullptr},
        {"address", Json::array()},
        {"address", std::string(42, 'a')},
        {"topics", hash},
        {"topics", nullptr},
        {"topics", Json::object()},
        {"topics", Json::array({1})},
        {"topics", Json::array({nullptr})},
        {"topics", Json::array({Json::array({hash})})},
        {"topics", Json::array({Json::object()})},
        {"topics", Json::array({"0x12"})},
        {"topics", Json::array({hash, hash, hash, hash, hash})},
        {"data", "0x123"},
        {"data", "0x0g"},
        {"data", "1234"},
        {"data", 5},
        {"data", nullptr},
        {"blockNumber", nullptr},  // a pending log
        {"blockNumber", 436},
        {"blockNumber", "0x8000000000000000"},
        {"blockNumber", "0x01"},
        {"blockHash", nullptr},
        {"transactionHash", "0x"},
        {"logIndex", "0x100000000"},
        {"logIndex", 7},
        {"logIndex", 7.0},
        {"logIndex", -7},
        {"removed", "false"},
        {"removed", 0},
        {"removed", nullptr},
    };
    for (auto const& [name, value] : cases) {
        auto json = log_json();
        json[name] = value;
        EXPECT_THROW(log_of(json), BadAnswer) << name << " " << value.dump();
    }
    for (auto const* name :
         {"address", "topics", "data", "blockNumber", "blockHash", "transactionHash", "logIndex"}) {
        auto json = log_json();
        json.erase(name);
        EXPECT_THROW(log_of(json), BadAnswer) << name << " is missing";
    }
}

TEST(DecodeLogs, RefusesAMemberThatIsThereTwice) {
    auto const text = batch_text({Json::array({log_json()})});
    for (std::string const member :
         {R"("data":"0x0102",)", R"("logIndex":"0x7",)", R"("removed":false,)", R"("id":1,)"}) {
        auto twice = text;
        auto const place = twice.find(member.substr(0, member.size() - 1));
        ASSERT_NE(place, std::string::npos) << member;
        twice.insert(place, member);
        EXPECT_THROW(decode_logs(twice, 1, 1), BadAnswer) << member;
    }
}

TEST(DecodeLogs, RefusesWhatIsNoList) {
    EXPECT_TRUE(decode_logs(batch_text({Json::array()}), 1, 1).at(0)->empty());
    for (auto const& wrong :
         {Json(), Json::object(), Json("[]"), Json(1), Json(true), log_json(),
          Json::array({Json::array({log_json()})}), Json::array({"x"}), Json::array({nullptr})}) {
        EXPECT_THROW(decode_logs(batch_text({wrong}), 1, 1), BadAnswer) << wrong.dump();
    }
}

TEST(DecodeLogs, PutsAnswersInTheOrderOfTheCalls) {
    auto batch = Json::parse(batch_text({Json::array({log_json()}), Json::array()}));
    batch.push_back({{"id", 3}, {"error", {{"code", -32000}, {"message", "unknown block"}}}});
    std::reverse(batch.begin(), batch.end());
    auto const answers = decode_logs(batch.dump(), 1, 3);
    ASSERT_EQ(answers.size(), 3u);
    EXPECT_EQ(answers[0]->size(), 1u);
    EXPECT_TRUE(answers[1]->empty());
    EXPECT_EQ(answers[2].error().fault, RpcFault::unknown_block);
    EXPECT_EQ(answers[2].error().message, "unknown block");
}

TEST(DecodeLogs, RefusesAMismatch) {
    std::string const one = R"({"id":1,"result":[]})";
    for (std::string const& body : {"[" + one + "]",
                                    "[" + one + "," + one + "]",
                                    "[" + one + R"(,{"id":2,"result":[]},{"id":3,"result":[]}])",
                                    "[" + one + R"(,{"id":0,"result":[]}])",
                                    "[" + one + R"(,{"id":3,"result":[]}])",
                                    "[" + one + R"(,{"id":"2","result":[]}])",
                                    "[" + one + R"(,{"id":null,"result":[]}])",
                                    "[" + one + R"(,{"id":2.0,"result":[]}])",
                                    "[" + one + R"(,{"id":-2,"result":[]}])",
                                    "[" + one + R"(,{"result":[]}])",
                                    "[" + one + R"(,{"id":2}])",
                                    "[" + one + R"(,{"id":2,"error":null}])",
                                    "[" + one + R"(,{"id":2,"error":"no"}])",
                                    "[" + one + R"(,{"id":2,"error":{}}])",
                                    "[" + one + R"(,{"id":2,"error":{"code":"1"}}])",
                                    "[" + one + R"(,{"id":2,"error":{"code":1.5}}])",
                                    "[" + one + R"(,{"id":2,"error":[1]}])",
                                    "[" + one + ",2]",
                                    "[" + one + ",[]]",
                                    std::string("[]"),
                                    std::string("7"),
                                    std::string("null"),
                                    std::string("\"x\""),
                                    std::string("{}"),
                                    one,
                                    std::string(),
                                    std::string("[[]]"),
                                    "[" + one + "]x",
                                    std::string(100'000, '['),
                                    "[" + one + R"(,{"id":2,"x":)" + std::string(100'000, '[')}) {
        EXPECT_THROW(decode_answer("eth_getLogs", [&] { return decode_logs(body, 1, 2); }),
                     Unavailable)
            << body.substr(0, 200);
    }
    EXPECT_THROW(decode_logs(R"( {"error":{"code":-32005,"message":"over rate limit"}})", 1, 2),
                 Refused);
}

TEST(DecodeReceipts, ReadsReceipts) {
    auto failed = receipt_json();
    failed["status"] = "0x0";
    failed["logs"] = Json::array();
    auto ancient = receipt_json();
    ancient.erase("status");
    ancient["root"] = hash_text('d');
    auto const answers = decode_receipts(
        batch_text({Json::array({receipt_json(), failed, ancient}), Json(), Json::array()}), 1, 3);
    ASSERT_EQ(answers.size(), 3u);
    auto const& receipts = answers[0]->value();
    ASSERT_EQ(receipts.size(), 3u);
    EXPECT_EQ(receipts[0].succeeded, true);
    EXPECT_EQ(receipts[0].block_number, 436u);
    EXPECT_EQ(receipts[0].transaction_index, 0u);
    EXPECT_EQ(to_hex0x(receipts[0].transaction_hash), hash_text('c'));
    EXPECT_EQ(to_hex0x(receipts[0].block_hash), hash_text('a'));
    ASSERT_EQ(receipts[0].logs.size(), 1u);
    EXPECT_EQ(receipts[0].logs[0].log_index, 7u);
    EXPECT_EQ(receipts[1].succeeded, false);
    EXPECT_EQ(receipts[2].succeeded, std::nullopt);
    EXPECT_EQ(receipts[2].logs.size(), 1u);
    EXPECT_EQ(*answers[1], std::nullopt);
    EXPECT_TRUE(answers[2]->value().empty());
}

TEST(DecodeReceipts, RefusesWrongMembers) {
    struct Case {
        char const* name;
        Json value;
    };
    std::vector<Case> const cases{
        {"transactionHash", nullptr},
        {"transactionIndex", 0},
        {"transactionIndex", "0x100000000"},
        {"blockHash", "0x12"},
        {"blockNumber", nullptr},
        {"status", "0x2"},
        {"status", 1},
        {"status", true},
        {"status", Json::array()},
        {"logs", nullptr},
        {"logs", Json::object()},
        {"logs", Json::array({1})},
        {"logs", Json::array({receipt_json()})},
        {"logs", "0x"},
    };
    for (auto const& [name, value] : cases) {
        auto receipt = receipt_json();
        receipt[name] = value;
        EXPECT_THROW(receipt_of(receipt), BadAnswer) << name << " " << value.dump();
        EXPECT_THROW(decode_receipts(batch_text({Json::array({receipt})}), 1, 1), BadAnswer)
            << name << " " << value.dump();
    }
    for (auto const* name :
         {"transactionHash", "transactionIndex", "blockHash", "blockNumber", "logs"}) {
        auto receipt = receipt_json();
        receipt.erase(name);
        EXPECT_THROW(receipt_of(receipt), BadAnswer) << name << " is missing";
    }
    EXPECT_THROW(receipt_of(Json::array({receipt_json()})), BadAnswer);
    EXPECT_THROW(decode_receipts(batch_text({receipt_json()}), 1, 1), BadAnswer);
    EXPECT_EQ(decode_receipt(batch_text({Json()}), 1, 1).at(0).value(), std::nullopt);
}

// Two transactions, the second of which failed.
struct Block {
    BlockOutline outline;
    std::vector<Receipt> receipts;

    Block() {
        outline.header.number = 436;
        outline.header.hash.fill(0xaa);
        for (std::uint8_t i = 0; i < 3; ++i) {
            Receipt receipt;
            receipt.transaction_hash.fill(i);
            receipt.transaction_index = i;
            receipt.block_hash = outline.header.hash;
            receipt.block_number = 436;
            receipt.succeeded = i != 1;
            if (i != 1) {
                Log log;
                log.transaction_hash = receipt.transaction_hash;
                log.block_hash = receipt.block_hash;
                log.block_number = 436;
                receipt.logs.push_back(log);
            }
            outline.transactions.push_back(receipt.transaction_hash);
            receipts.push_back(receipt);
        }
    }
};

TEST(LogsOfReceipts, AreThoseOfAllOfTheBlocksTransactions) {
    Block block;
    auto const logs = logs_of(block.outline, block.receipts);
    ASSERT_TRUE(logs);
    ASSERT_EQ(logs->size(), 2u);
    EXPECT_EQ((*logs)[1].transaction_hash, block.outline.transactions[2]);
    block.receipts[2].succeeded.reset();  // from before receipts had a status
    EXPECT_TRUE(logs_of(block.outline, block.receipts));
    EXPECT_TRUE(logs_of(BlockOutline{}, {}));
}

TEST(LogsOfReceipts, AreRefusedWhereReceiptsContradict) {
    std::vector<std::function<void(Block&)>> const lies{
        [](Block& block) { block.receipts.pop_back(); },
        [](Block& block) { block.receipts.clear(); },
        [](Block& block) { block.receipts.push_back(block.receipts.back()); },
        [](Block& block) { block.receipts[1] = block.receipts[0]; },
        [](Block& block) { std::swap(block.receipts[0], block.receipts[1]); },
        [](Block& block) { block.receipts[1].transaction_index = 2; },
        [](Block& block) { block.receipts[1].transaction_hash[0] ^= 1; },
        [](Block& block) { block.receipts[1].block_hash[0] ^= 1; },
        [](Block& block) { block.receipts[1].block_number = 437; },
        [](Block& block) { block.receipts[1].logs = block.receipts[0].logs; },
        [](Block& block) { block.receipts[0].succeeded = false; },
        [](Block& block) { block.receipts[0].logs[0].transaction_hash[0] ^= 1; },
        [](Block& block) { block.receipts[0].logs[0].block_hash[0] ^= 1; },
        [](Block& block) { block.receipts[0].logs[0].block_number = 435; },
        [](Block& block) { block.outline.transactions.pop_back(); },
    };
    for (std::size_t i = 0; i < lies.size(); ++i) {
        Block block;
        lies[i](block);
        EXPECT_FALSE(logs_of(block.outline, block.receipts)) << i;
    }
}

// Damages an answer at random, but the same way in each run.
std::string damaged(std::string text, std::mt19937& random) {
    static constexpr std::string_view kBytes = "{}[]\",:0x1\\\xff\n ntfe-+.9";
    auto const place = [&] { return random() % (text.size() + 1); };
    for (unsigned changes = 1 + random() % 3; changes > 0 && !text.empty(); --changes) {
        auto const at = place();
        switch (random() % 6) {
            case 0:
                text.resize(at);
                break;
            case 1:
                text.erase(at, 1 + random() % 40);
                break;
            case 2:
                text.insert(at, 1, kBytes[random() % kBytes.size()]);
                break;
            case 3:
                if (at < text.size()) text[at] = kBytes[random() % kBytes.size()];
                break;
            case 4:  // a piece of it once more
                text.insert(at, text.substr(place(), random() % 200));
                break;
            default:
                if (at < text.size()) text[at] = static_cast<char>(random() % 256);
                break;
        }
    }
    return text;
}

TEST(DamagedAnswers, AreFaultsThatPassOrAnswers) {
    auto const logs = batch_text({Json::array({log_json(), log_json()}), Json::array()});
    auto const receipts = batch_text({Json::array({receipt_json(), receipt_json()}), Json()});
    std::mt19937 random(20261124);  // NOLINT: the same damages in each run
    std::size_t faults = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::vector<std::function<void()>> const reads{
            [body = damaged(logs, random)] { decode_logs(body, 1, 2); },
            [body = damaged(receipts, random)] { decode_receipts(body, 1, 2); },
            [body = damaged(receipts, random)] { decode_receipt(body, 1, 2); },
            [body = damaged(logs, random)] {
                for (auto const& answer : decode_batch(body, 1, 2)) {
                    if (answer) decode_outline(*answer);
                }
            },
        };
        for (auto const& read : reads) {
            try {
                decode_answer("eth_x", read);
            } catch (Unavailable const&) {
                ++faults;
            }  // anything else ends the test
        }
    }
    EXPECT_GT(faults, 60'000u);
}

}  // namespace
}  // namespace sycee
