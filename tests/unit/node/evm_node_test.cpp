#include <sycee/crypto/hash.hpp>
#include <sycee/evm/bloom.hpp>
#include <sycee/net/http_server.hpp>
#include <sycee/node/evm_node.hpp>
#include <sycee/runtime/errors.hpp>

#include "answers.hpp"
#include "run_task.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <deque>
#include <exception>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

namespace sycee {
namespace {

using Json = nlohmann::json;
using namespace std::chrono_literals;

std::uint64_t number_of(std::string const& hex) {
    std::uint64_t value = 0;
    std::from_chars(hex.data() + 2, hex.data() + hex.size(), value, 16);
    return value;
}

std::string hash_of(std::uint64_t number) {
    auto const digits = quantity_text(number).substr(2);
    return "0x" + std::string(64 - digits.size(), '0') + digits;
}

BlockHash bytes_of(std::uint64_t number) {
    return *bytes_from_hex<32>(hash_of(number));
}

Json log_at(std::uint64_t number) {
    auto log = log_json();
    log["blockNumber"] = quantity_text(number);
    log["blockHash"] = hash_of(number);
    log["transactionHash"] = hash_of(1'000 + number);
    log["logIndex"] = "0x0";
    return log;
}

// Even blocks have one transaction with one log, odd blocks are empty.
Json block_at(std::uint64_t number) {
    bool const empty = number % 2 != 0;
    return {{"number", quantity_text(number)},
            {"hash", hash_of(number)},
            {"parentHash", hash_of(number - 1)},
            {"timestamp", quantity_text(1'700'000'000 + number)},
            {"logsBloom", "0x" + std::string(512, '0')},
            {"transactions", empty ? Json::array() : Json::array({hash_of(1'000 + number)})}};
}

Json receipt_at(std::uint64_t number) {
    auto receipt = receipt_json();
    receipt["blockNumber"] = quantity_text(number);
    receipt["blockHash"] = hash_of(number);
    receipt["transactionHash"] = hash_of(1'000 + number);
    receipt["logs"] = Json::array({log_at(number)});
    return receipt;
}

Json rpc_error(int code, std::string const& message) {
    return {{"error", {{"code", code}, {"message", message}}}};
}

// A node on the loopback that answers by a script: for each call an object with "result" or
// "error".
class ScriptedNode {
  public:
    using Script = std::function<Json(std::string const& method, Json const& params)>;

    explicit ScriptedNode(Script script, NodeLimits limits = {})
        : script_(std::move(script)),
          server_(io_.get_executor(), "127.0.0.1", 0, HttpServerLimits{},
                  [this](HttpRequest const& request) { return answer(request); }) {
        ChainSettings chain;
        chain.id = 31337;
        chain.name = "local";
        chain.block_time = 20ms;
        EndpointSettings const endpoint{.http_url = origin() + "/v2/key", .ws_url = ""};
        node_.emplace(io_.get_executor(), chain, endpoint, clock_, limits);
    }

    static Address token() { return Address{.bytes = {1, 2, 3}}; }
    std::string origin() const { return "http://127.0.0.1:" + std::to_string(server_.port()); }
    EvmNode& node() { return *node_; }

    // Awaits the task beside the running server.
    template <class Task>
    auto run(Task task) {
        if (!serving_) {
            serving_ = true;
            boost::asio::co_spawn(io_, server_.run(), [](std::exception_ptr) {});
        }
        return run_task(io_, std::move(task));
    }
    std::vector<std::size_t> sizes_of(std::string const& method) const {
        std::vector<std::size_t> sizes;
        for (auto const& [name, size] : batches) {
            if (name == method) sizes.push_back(size);
        }
        return sizes;
    }

    unsigned status = 200;
    HttpHeaders headers;
    std::size_t most_calls = 1'000;  // of a batch: more are refused by HTTP status 413
    std::uint64_t id_offset = 0;
    bool backwards = false;
    std::vector<std::pair<std::string, std::size_t>> batches;  // methods and sizes

  private:
    Json answer_call(Json const& call) const {
        Json answer = script_(call["method"], call["params"]);
        answer["jsonrpc"] = "2.0";
        answer["id"] = call["id"].get<std::uint64_t>() + id_offset;
        return answer;
    }

    Task<HttpResponse> answer(HttpRequest const& request) {
        auto const calls = Json::parse(request.body);
        Json body;
        bool refused = false;
        if (calls.is_array()) {
            batches.emplace_back(calls[0]["method"], calls.size());
            refused = calls.size() > most_calls;
            body = Json::array();
            for (auto const& call : calls)
                body.push_back(answer_call(call));
            if (backwards) std::reverse(body.begin(), body.end());
        } else {
            body = answer_call(calls);
        }
        auto response = text_response(refused ? 413 : status, "application/json", body.dump());
        for (auto const& [name, value] : headers)
            response.with(name, value);
        co_return response;
    }

    boost::asio::io_context io_;
    SystemClock clock_;
    Script script_;
    HttpServer server_;
    std::optional<EvmNode> node_;
    bool serving_ = false;
};

// A chain of 100 blocks.
Json healthy(std::string const& method, Json const& params) {
    auto const in_chain = [](std::uint64_t number, Json found) {
        return Json{{"result", number <= 100 ? std::move(found) : Json()}};
    };
    if (method == "eth_getBlockByNumber" || method == "eth_getBlockByHash") {
        if (params[0] == "latest") return {{"result", block_at(100)}};
        if (params[0] == "finalized") return {{"result", block_at(98)}};
        auto const number = number_of(params[0].get<std::string>());
        return in_chain(number, block_at(number));
    }
    if (method == "eth_chainId") return {{"result", "0x7a69"}};
    if (method == "eth_call") return {{"result", hash_of(6)}};
    if (method == "eth_getBlockReceipts") {
        auto const number = number_of(params[0].get<std::string>());
        auto const receipts = number % 2 != 0 ? Json::array() : Json::array({receipt_at(number)});
        return in_chain(number, receipts);
    }
    if (method == "eth_getTransactionReceipt") {
        auto const number = number_of(params[0].get<std::string>()) - 1'000;
        return in_chain(number, receipt_at(number));
    }
    EXPECT_EQ(method, "eth_getLogs");
    EXPECT_EQ(params[0].size(), 1u);  // no filter
    auto const number = number_of(params[0]["blockHash"].get<std::string>());
    return in_chain(number, number % 2 != 0 ? Json::array() : Json::array({log_at(number)}));
}

template <class F>
std::string fault_of(F&& call) {
    try {
        std::forward<F>(call)();
    } catch (Unavailable const& unavailable) {
        return unavailable.what();
    }
    return "";
}

TEST(EvmNode, ReadsAHealthyChain) {
    ScriptedNode scripted(healthy);
    scripted.backwards = true;  // a batch may be answered in any order
    auto const tips = scripted.run(scripted.node().tips());
    EXPECT_EQ(tips.head.number, 100u);
    EXPECT_EQ(tips.finalized.number, 98u);
    EXPECT_EQ(scripted.run(scripted.node().chain_id()), 31337u);
    EXPECT_EQ(scripted.run(scripted.node().header(7))->number, 7u);
    EXPECT_EQ(scripted.run(scripted.node().header(101)), std::nullopt);
    EXPECT_EQ(scripted.run(scripted.node().token_decimals(ScriptedNode::token())), 6u);
    EXPECT_EQ(scripted.run(scripted.node().token_balance(ScriptedNode::token(), Address{})),
              Amount(6));
}

// Each holder of another amount, asked for at a block by its hash, in batches.
TEST(EvmNode, ReadsBalancesAsOfOneBlock) {
    ScriptedNode scripted([](std::string const& method, Json const& params) -> Json {
        EXPECT_EQ(method, "eth_call");
        EXPECT_EQ(params[1]["blockHash"], hash_of(90));
        EXPECT_EQ(params[1]["requireCanonical"], true);
        auto const data = params[0]["data"].get<std::string>();
        return {{"result", "0x" + data.substr(data.size() - 64)}};  // the holder, as an amount
    });
    scripted.backwards = true;
    scripted.most_calls = 30;
    std::vector<TokenHolder> holders;
    for (std::uint8_t i = 1; i <= 130; ++i) {
        Address holder;
        holder.bytes[19] = i;
        holders.push_back({ScriptedNode::token(), holder});
    }
    auto const balances = scripted.run(scripted.node().token_balances(holders, bytes_of(90)));
    ASSERT_EQ(balances.size(), holders.size());
    for (std::size_t i = 0; i < balances.size(); ++i)
        EXPECT_EQ(balances[i], Amount(i + 1));
}

TEST(EvmNode, ABlockWhoseStateIsGoneGivesNoBalance) {
    ScriptedNode scripted([](std::string const&, Json const&) -> Json {
        return {{"error", {{"code", -32'000}, {"message", "header not found"}}}};
    });
    EXPECT_NE(fault_of([&] {
                  scripted.run(scripted.node().token_balances({{ScriptedNode::token(), Address{}}},
                                                              bytes_of(90)));
              }),
              "");
}

// The numbers of the blocks, each checked for its logs.
std::vector<std::uint64_t> numbers_of(std::vector<BlockWithLogs> const& blocks) {
    std::vector<std::uint64_t> numbers;
    for (BlockWithLogs const& block : blocks) {
        numbers.push_back(block.header.number);
        EXPECT_EQ(block.header.hash, bytes_of(block.header.number));
        EXPECT_EQ(block.logs.size(), block.header.number % 2 == 0 ? 1u : 0u);
        for (Log const& log : block.logs)
            EXPECT_EQ(log.block_hash, block.header.hash);
    }
    return numbers;
}

std::vector<std::uint64_t> from_to(std::uint64_t first, std::uint64_t last) {
    std::vector<std::uint64_t> numbers;
    for (; first <= last; ++first)
        numbers.push_back(first);
    return numbers;
}

// All of them, in as many questions as it takes.
std::vector<std::uint64_t> read_all(ScriptedNode& scripted, BlockNumber first, BlockNumber last) {
    std::vector<std::uint64_t> all;
    while (first <= last) {
        auto const read = numbers_of(scripted.run(scripted.node().blocks(first, last)));
        if (read.empty()) break;
        all.insert(all.end(), read.begin(), read.end());
        first += read.size();
    }
    return all;
}

TEST(EvmNode, AsksForMoreBlocksWhileAllGoesWell) {
    ScriptedNode scripted(healthy);
    EXPECT_EQ(read_all(scripted, 10, 90), from_to(10, 90));
    EXPECT_EQ(scripted.sizes_of("eth_getBlockByNumber"),
              (std::vector<std::size_t>{16, 17, 18, 19, 11}));
    // Empty blocks are not asked for their logs.
    EXPECT_EQ(scripted.sizes_of("eth_getLogs"), (std::vector<std::size_t>{8, 9, 9, 9, 6}));
}

TEST(EvmNode, AsksForNoMoreThan32Blocks) {
    ScriptedNode scripted(healthy);
    for (int i = 0; i < 20; ++i)
        scripted.run(scripted.node().blocks(1, 60));
    EXPECT_EQ(scripted.batches.back().second, 16u);  // the logs of half of 32 blocks
    // Few blocks say nothing about many.
    ScriptedNode another(healthy);
    for (int i = 0; i < 20; ++i)
        another.run(another.node().blocks(1, 2));
    EXPECT_EQ(another.run(another.node().blocks(1, 60)).size(), 16u);
}

TEST(EvmNode, AsksForLessWhereItWasTooMuch) {
    ScriptedNode scripted(healthy);
    scripted.most_calls = 3;
    EXPECT_EQ(read_all(scripted, 10, 30), from_to(10, 30));
    auto const sizes = scripted.sizes_of("eth_getBlockByNumber");
    ASSERT_GT(sizes.size(), 5u);
    EXPECT_EQ((std::vector<std::size_t>(sizes.begin(), sizes.begin() + 4)),
              (std::vector<std::size_t>{16, 8, 4, 2}));
}

// Of these contracts and of Transfer alone; a range that is too much is read in smaller ones.
TEST(EvmNode, ReadsTheTransferLogsOfManyBlocks) {
    ScriptedNode scripted([](std::string const& method, Json const& params) -> Json {
        EXPECT_EQ(method, "eth_getLogs");
        auto const& filter = params[0];
        EXPECT_EQ(filter["address"], Json::array({to_hex0x(ScriptedNode::token().bytes)}));
        EXPECT_EQ(filter["topics"], Json::array({to_hex0x(transfer_topic())}));
        auto const first = number_of(filter["fromBlock"].get<std::string>());
        auto const last = number_of(filter["toBlock"].get<std::string>());
        if (last - first + 1 > 300) return rpc_error(-32602, "exceed maximum block range 300");
        Json logs = Json::array();
        for (auto number = first; number <= last; ++number)
            logs.push_back(log_at(number));
        return {{"result", logs}};
    });
    BlockNumber next = 10;
    std::size_t logs = 0;
    while (next <= 1'009) {
        auto const range =
            scripted.run(scripted.node().transfer_logs({ScriptedNode::token()}, next, 1'009));
        ASSERT_EQ(range.logs.front().block_number, next);
        ASSERT_EQ(range.logs.back().block_number, range.last);
        logs += range.logs.size();
        next = range.last + 1;
    }
    EXPECT_EQ(logs, 1'000u);
    EXPECT_EQ(next, 1'010u);
}

TEST(EvmNode, TakesNoLogThatWasNotAskedFor) {
    for (auto const& answer : {Json::array({log_at(21)}), Json::array({log_at(12), log_at(11)}),
                               Json::array({log_at(12), log_at(12)})}) {
        ScriptedNode scripted(
            [&](std::string const&, Json const&) -> Json { return {{"result", answer}}; });
        EXPECT_NE(fault_of([&] {
                      scripted.run(scripted.node().transfer_logs({ScriptedNode::token()}, 10, 20));
                  }),
                  "")
            << answer.dump();
    }
}

TEST(EvmNode, HalvesForEveryWayToSayTooMuch) {
    for (auto const& error :
         {rpc_error(-32005, "query returned more than 10000 results"),
          rpc_error(-32602, "exceed maximum block range 5000"),
          rpc_error(-32003, "response too large"), rpc_error(-32000, "query timeout exceeded")}) {
        std::size_t calls = 0;
        ScriptedNode scripted([&](std::string const& method, Json const& params) {
            if (method == "eth_getLogs" && calls++ < 9) return error;
            return healthy(method, params);
        });
        EXPECT_EQ(scripted.run(scripted.node().blocks(10, 60)).size(), 4u) << error.dump();
    }
    // Where one block alone is too much, there is nothing left to try.
    ScriptedNode scripted([](std::string const& method, Json const& params) {
        if (method == "eth_getLogs") return rpc_error(-32005, "more than 10000 results");
        return healthy(method, params);
    });
    EXPECT_EQ(fault_of([&] { scripted.run(scripted.node().blocks(10, 60)); }),
              "eth_getLogs: error -32005: more than 10000 results");
    EXPECT_EQ(scripted.sizes_of("eth_getLogs"), (std::vector<std::size_t>{8, 4, 2, 1, 1}));
}

TEST(EvmNode, HalvesWhereTheAnswerIsTooLargeOrTooLate) {
    NodeLimits limits;
    limits.http.answer_bytes = 6'000;
    ScriptedNode scripted(healthy, limits);
    EXPECT_EQ(read_all(scripted, 10, 30), from_to(10, 30));
    limits = {};
    limits.http.answer_bytes = 100;
    ScriptedNode tiny(healthy, limits);
    EXPECT_TRUE(fault_of([&] { tiny.run(tiny.node().blocks(10, 60)); }).contains("too large"));
}

TEST(EvmNode, StopsBeforeABlockThatTheNodeNoLongerHas) {
    ScriptedNode scripted([](std::string const& method, Json const& params) {
        if (method == "eth_getLogs" && params[0]["blockHash"] == hash_of(14))
            return rpc_error(-32000, "unknown block");
        return healthy(method, params);
    });
    EXPECT_EQ(numbers_of(scripted.run(scripted.node().blocks(10, 60))), from_to(10, 13));
    EXPECT_TRUE(scripted.run(scripted.node().blocks(14, 60)).empty());
}

TEST(EvmNode, StopsWhereTheBranchEndsOrChanges) {
    ScriptedNode scripted(healthy);
    EXPECT_EQ(scripted.run(scripted.node().blocks(99, 105)).size(), 2u);
    EXPECT_TRUE(scripted.run(scripted.node().blocks(101, 105)).empty());
    EXPECT_TRUE(scripted.run(scripted.node().blocks(9, 8)).empty());
    ScriptedNode another([](std::string const& method, Json const& params) {
        auto answer = healthy(method, params);
        if (method == "eth_getBlockByNumber" && params[0] == "0xe")
            answer["result"]["parentHash"] = hash_of(5'000);
        return answer;
    });
    EXPECT_EQ(numbers_of(another.run(another.node().blocks(10, 60))), from_to(10, 13));
}

TEST(EvmNode, AnErrorIsNeverNoLogs) {
    for (auto const& wrong : {rpc_error(-32603, "internal error"), Json{{"result", nullptr}},
                              Json{{"result", "0x"}}, Json::object()}) {
        ScriptedNode scripted([&](std::string const& method, Json const& params) {
            if (method == "eth_getLogs" && params[0]["blockHash"] == hash_of(10)) return wrong;
            return healthy(method, params);
        });
        EXPECT_TRUE(fault_of([&] {
                        scripted.run(scripted.node().blocks(10, 12));
                    }).starts_with("eth_getLogs: "))
            << wrong.dump();
    }
}

TEST(EvmNode, KeepsWhatCameBeforeAnError) {
    ScriptedNode scripted([](std::string const& method, Json const& params) {
        if (method == "eth_getLogs" && params[0]["blockHash"] == hash_of(12))
            return rpc_error(-32603, "internal error");
        return healthy(method, params);
    });
    EXPECT_EQ(numbers_of(scripted.run(scripted.node().blocks(10, 60))), from_to(10, 11));
}

TEST(EvmNode, AsksForLogsWhereABloomIsZeroButTransactionsAreNot) {
    ScriptedNode scripted(healthy);  // its blooms are all zero
    scripted.run(scripted.node().blocks(10, 10));
    EXPECT_EQ(scripted.sizes_of("eth_getLogs"), (std::vector<std::size_t>{1}));
}

TEST(EvmNode, AStatusOtherThan200IsAFaultThatPasses) {
    ScriptedNode scripted(healthy);
    scripted.status = 502;
    EXPECT_EQ(fault_of([&] { scripted.run(scripted.node().tips()); }),
              "eth_getBlockByNumber: HTTP status 502");
    // Some providers put the errors of JSON-RPC behind one.
    ScriptedNode refusing(
        [](std::string const&, Json const&) { return rpc_error(-32603, "no such plan"); });
    refusing.status = 400;
    EXPECT_EQ(fault_of([&] { refusing.run(refusing.node().chain_id()); }),
              "eth_chainId: error -32603: no such plan");
    EXPECT_EQ(fault_of([&] { refusing.run(refusing.node().tips()); }),
              "eth_getBlockByNumber: error -32603: no such plan");
}

TEST(EvmNode, APauseIsAskedForByStatusOrByError) {
    auto const pause_of = [](ScriptedNode& scripted) -> std::chrono::milliseconds {
        try {
            scripted.run(scripted.node().blocks(10, 12));
        } catch (RateLimited const& limited) {
            return limited.retry_after();
        }
        return -1ms;
    };
    ScriptedNode scripted(healthy);
    scripted.status = 429;
    EXPECT_EQ(pause_of(scripted), 1s);
    scripted.headers = {{"retry-after", "7"}};
    EXPECT_EQ(pause_of(scripted), 7s);
    scripted.headers = {{"retry-after", "3600"}};
    EXPECT_EQ(pause_of(scripted), 60s);
    scripted.headers = {{"retry-after", "Fri, 31 Dec 9999 23:59:59 GMT"}};
    EXPECT_EQ(pause_of(scripted), 60s);
    scripted.status = 503;
    EXPECT_EQ(pause_of(scripted), 60s);
    scripted.status = 200;
    EXPECT_EQ(pause_of(scripted), -1ms);
    for (auto const& error :
         {rpc_error(429, "exceeded its compute units per second capacity, see https://x/key"),
          rpc_error(-32005, "limit exceeded"), rpc_error(-32016, "over rate limit")}) {
        ScriptedNode limited([&](std::string const& method, Json const& params) {
            return method == "eth_getLogs" ? error : healthy(method, params);
        });
        EXPECT_EQ(pause_of(limited), 1s) << error.dump();
    }
}

std::vector<BlockHash> hashes_of(std::uint64_t first, std::uint64_t last) {
    std::vector<BlockHash> hashes;
    for (; first <= last; ++first)
        hashes.push_back(bytes_of(first));
    return hashes;
}

TEST(EvmNode, ReadsBlocksAgainFromTheirReceipts) {
    ScriptedNode scripted(healthy);
    auto const again = scripted.run(scripted.node().blocks_again(hashes_of(97, 102)));
    auto const before = scripted.run(scripted.node().blocks(97, 100));
    ASSERT_EQ(again.size(), 6u);
    for (std::size_t i = 0; i < 4; ++i) {
        ASSERT_TRUE(again[i]);
        auto const digest = check_complete(*again[i]);
        ASSERT_TRUE(digest);
        EXPECT_EQ(*digest, check_complete(before[i]));
    }
    EXPECT_EQ(again[4], std::nullopt);
    EXPECT_EQ(again[5], std::nullopt);
    EXPECT_EQ(scripted.sizes_of("eth_getBlockReceipts"), (std::vector<std::size_t>{4}));
    EXPECT_TRUE(scripted.run(scripted.node().blocks_again({})).empty());
}

TEST(EvmNode, ReadsBlocksAgainByTheirLogsWhereThereAreNoReceipts) {
    for (auto const& error : {rpc_error(-32601, "the method eth_getBlockReceipts does not exist"),
                              rpc_error(-32004, "Method not supported"), rpc_error(-32700, "no")}) {
        ScriptedNode scripted([&](std::string const& method, Json const& params) {
            return method == "eth_getBlockReceipts" ? error : healthy(method, params);
        });
        for (int i = 0; i < 3; ++i) {
            auto const again = scripted.run(scripted.node().blocks_again(hashes_of(98, 101)));
            ASSERT_EQ(again.size(), 4u);
            EXPECT_EQ(again[0]->logs.size(), 1u);
            EXPECT_TRUE(again[1]->logs.empty());
            EXPECT_EQ(again[2]->logs.size(), 1u);
            EXPECT_EQ(again[3], std::nullopt);
        }
        EXPECT_EQ(scripted.sizes_of("eth_getBlockReceipts").size(), 1u) << error.dump();
    }
}

TEST(EvmNode, ABlockThatTheNodeForgotHasNothingToReadAgain) {
    for (auto const& gone : {Json{{"result", nullptr}}, rpc_error(-32000, "unknown block"),
                             rpc_error(-32001, "Resource not found")}) {
        for (auto const* forgetful : {"eth_getBlockReceipts", "eth_getBlockByHash"}) {
            ScriptedNode scripted([&](std::string const& method, Json const& params) {
                bool const is_it = method == forgetful && params[0] == hash_of(51);
                return is_it ? gone : healthy(method, params);
            });
            auto const again = scripted.run(scripted.node().blocks_again(hashes_of(50, 52)));
            ASSERT_EQ(again.size(), 3u);
            EXPECT_TRUE(again[0]);
            EXPECT_FALSE(again[1]) << gone.dump() << forgetful;
            EXPECT_TRUE(again[2]);
        }
    }
}

TEST(EvmNode, ReceiptsThatContradictAreAFault) {
    std::vector<std::function<void(Json&)>> const lies{
        [](Json& receipts) { receipts.erase(receipts.begin()); },
        [](Json& receipts) { receipts.push_back(receipts[0]); },
        [](Json& receipts) { receipts[0]["transactionHash"] = hash_of(1); },
        [](Json& receipts) { receipts[0]["transactionIndex"] = "0x1"; },
        [](Json& receipts) { receipts[0]["blockHash"] = hash_of(1); },
        [](Json& receipts) { receipts[0]["status"] = "0x0"; },
    };
    for (auto const& lie : lies) {
        ScriptedNode scripted([&](std::string const& method, Json const& params) {
            auto answer = healthy(method, params);
            if (method == "eth_getBlockReceipts") lie(answer["result"]);
            return answer;
        });
        EXPECT_TRUE(fault_of([&] {
                        scripted.run(scripted.node().blocks_again(hashes_of(50, 50)));
                    }).starts_with("eth_getBlockReceipts: receipts: "));
    }
    ScriptedNode other([](std::string const& method, Json const& params) {
        return method == "eth_getBlockByHash" ? Json{{"result", block_at(8)}}
                                              : healthy(method, params);
    });
    EXPECT_EQ(fault_of([&] { other.run(other.node().blocks_again(hashes_of(50, 50))); }),
              "eth_getBlockByHash: the answer is another block");
}

TEST(EvmNode, ReadsAReceipt) {
    ScriptedNode scripted(healthy);
    auto const receipt = scripted.run(scripted.node().receipt(bytes_of(1'050)));
    ASSERT_TRUE(receipt);
    EXPECT_EQ(receipt->header.number, 50u);
    EXPECT_TRUE(receipt->succeeded);
    ASSERT_EQ(receipt->logs.size(), 1u);
    EXPECT_EQ(receipt->logs[0].transaction_hash, bytes_of(1'050));
    EXPECT_EQ(scripted.run(scripted.node().receipt(bytes_of(1'101))), std::nullopt);
}

TEST(EvmNode, AReceiptOfABlockThatIsNotOnTheBranchIsNone) {
    ScriptedNode early([](std::string const& method, Json const& params) {
        auto answer = healthy(method, params);
        // Of a block that is not sealed yet.
        if (method == "eth_getTransactionReceipt") {
            answer["result"]["blockHash"] = hash_of(7);
            answer["result"]["logs"][0]["blockHash"] = hash_of(7);
        }
        return answer;
    });
    EXPECT_EQ(early.run(early.node().receipt(bytes_of(1'050))), std::nullopt);
    ScriptedNode behind([](std::string const& method, Json const& params) {
        return method == "eth_getBlockByNumber" ? Json{{"result", nullptr}}
                                                : healthy(method, params);
    });
    EXPECT_EQ(behind.run(behind.node().receipt(bytes_of(1'050))), std::nullopt);
}

TEST(EvmNode, RefusesAReceiptThatContradicts) {
    std::vector<std::function<void(Json&)>> const lies{
        [](Json& receipt) { receipt["transactionHash"] = hash_of(1); },
        [](Json& receipt) { receipt["status"] = "0x0"; },
        [](Json& receipt) { receipt["logs"][0]["transactionHash"] = hash_of(1); },
        [](Json& receipt) { receipt["logs"][0]["blockHash"] = hash_of(1); },
        [](Json& receipt) { receipt["blockHash"] = nullptr; },
        [](Json& receipt) { receipt = Json::array(); },
    };
    for (auto const& lie : lies) {
        ScriptedNode scripted([&](std::string const& method, Json const& params) {
            auto answer = healthy(method, params);
            if (method == "eth_getTransactionReceipt") lie(answer["result"]);
            return answer;
        });
        EXPECT_TRUE(fault_of([&] {
                        scripted.run(scripted.node().receipt(bytes_of(1'050)));
                    }).starts_with("eth_getTransactionReceipt: "));
    }
}

TEST(EvmNode, WithoutASubscriptionWaitsTheTimeOfABlock) {
    ScriptedNode scripted(healthy);
    auto const start = std::chrono::steady_clock::now();
    scripted.run(scripted.node().wait_for_head(1h));
    EXPECT_GE(std::chrono::steady_clock::now() - start, 20ms);
}

TEST(EvmNode, ReadsASymbol) {
    std::string const word = "0x55534454" + std::string(56, '0');
    ScriptedNode scripted([&](std::string const&, Json const&) { return Json{{"result", word}}; });
    EXPECT_EQ(scripted.run(scripted.node().token_symbol(ScriptedNode::token())), "USDT");
    EXPECT_EQ(scripted.node().name(), scripted.origin());
}

TEST(EvmNode, RefusesAnswersToOtherCalls) {
    ScriptedNode scripted(healthy);
    scripted.id_offset = 1;
    EXPECT_EQ(fault_of([&] { scripted.run(scripted.node().chain_id()); }),
              "eth_chainId: the answer is for another call");
    EXPECT_EQ(fault_of([&] { scripted.run(scripted.node().tips()); }),
              "eth_getBlockByNumber: an answer is for another call");
}

TEST(EvmNode, RefusesAnotherBlockThanAskedFor) {
    ScriptedNode scripted(
        [](std::string const&, Json const&) { return Json{{"result", block_at(8)}}; });
    EXPECT_EQ(fault_of([&] { scripted.run(scripted.node().header(7)); }),
              "eth_getBlockByNumber: asked for block 7, got 8");
}

TEST(EvmNode, AContractThatIsNoTokenIsNotAFaultThatPasses) {
    for (Json const& reply :
         {Json{{"result", "0x"}}, Json{{"result", "0x06"}}, Json{{"result", hash_of(200)}},
          Json{{"result", "0x" + std::string(64, 'f')}}, rpc_error(3, "execution reverted")}) {
        ScriptedNode scripted([&](std::string const&, Json const&) { return reply; });
        try {
            scripted.run(scripted.node().token_decimals(ScriptedNode::token()));
            ADD_FAILURE() << reply.dump();
        } catch (Unavailable const& unavailable) {
            ADD_FAILURE() << reply.dump() << " " << unavailable.what();
        } catch (std::runtime_error const& refused) {
            EXPECT_TRUE(std::string(refused.what()).contains(to_string(ScriptedNode::token())));
        }
    }
}

std::string words_text(std::vector<std::string> const& words) {
    std::string text = "0x";
    for (std::string const& word : words)
        text += std::string(64 - word.size(), '0') + word;
    return text;
}

// A feed of "EUR / USD" with 8 decimals; what it says of the round.
ScriptedNode::Script feed_of(Json round) {
    return [round = std::move(round)](std::string const& method, Json const& params) {
        EXPECT_EQ(method, "eth_call");
        EXPECT_EQ(params[0]["to"], to_hex0x(ScriptedNode::token().bytes));
        auto const selector = params[0]["data"].get<std::string>();
        if (selector == "0x313ce567") return Json{{"result", hash_of(8)}};
        if (selector == "0x7284e416") {
            // "EUR / USD", as a string of the ABI.
            return Json{{"result", words_text({"20", "9"}) + "455552202f20555344" +
                                       std::string(64 - 18, '0')}};
        }
        EXPECT_EQ(selector, "0xfeaf968c");
        return round;
    };
}

TEST(EvmNode, ReadsAFeedInOneBatch) {
    ScriptedNode scripted(feed_of({{"result", words_text({"50000000000000a11", "67a9d20", "1",
                                                          "69274a10", "50000000000000a11"})}}));
    auto const answer = scripted.run(scripted.node().read_feed(ScriptedNode::token()));
    EXPECT_EQ(answer.decimals, 8U);
    EXPECT_EQ(answer.description, "EUR / USD");
    EXPECT_EQ(answer.round.answer, Amount(108'698'912));
    EXPECT_EQ(answer.round.updated_at, timestamp_from_seconds(0x69274a10));
    EXPECT_EQ(scripted.sizes_of("eth_call"), (std::vector<std::size_t>{3}));
}

TEST(EvmNode, ARoundThatIsNoPriceIsAFaultThatPasses) {
    ScriptedNode scripted(
        feed_of({{"result", words_text({"1", std::string(64, 'f'), "1", "69274a10", "1"})}}));
    auto const fault =
        fault_of([&] { scripted.run(scripted.node().read_feed(ScriptedNode::token())); });
    EXPECT_TRUE(fault.ends_with("latestRoundData(): answer: is below zero")) << fault;
}

TEST(EvmNode, AContractThatIsNoFeedIsAFaultOfTheConfiguration) {
    for (Json const& reply :
         {Json{{"result", "0x"}}, Json{{"result", "0x06"}}, rpc_error(3, "execution reverted")}) {
        ScriptedNode scripted([&](std::string const&, Json const&) { return reply; });
        EXPECT_THROW(scripted.run(scripted.node().read_feed(ScriptedNode::token())),
                     RateMisconfigured)
            << reply.dump();
    }
    ScriptedNode reverting(feed_of(rpc_error(3, "execution reverted")));
    EXPECT_THROW(reverting.run(reverting.node().read_feed(ScriptedNode::token())),
                 RateMisconfigured);
}

TEST(EvmNode, NamesTheSettingOfAUrlThatCannotBeOne) {
    boost::asio::io_context io;
    SystemClock clock;
    ChainSettings chain;
    chain.name = "local";
    for (auto const& [endpoint, field] : std::vector<std::pair<EndpointSettings, char const*>>{
             {{.http_url = "ws://127.0.0.1/key", .ws_url = ""}, "http_url"},
             {{.http_url = "", .ws_url = ""}, "http_url"},
             {{.http_url = "http://127.0.0.1/key", .ws_url = "https://127.0.0.1/key"}, "ws_url"}}) {
        try {
            EvmNode const node(io.get_executor(), chain, endpoint, clock, NodeLimits{});
            FAIL() << endpoint.http_url;
        } catch (std::runtime_error const& refused) {
            EXPECT_TRUE(std::string(refused.what()).contains(field)) << refused.what();
            EXPECT_FALSE(std::string(refused.what()).contains("/key")) << refused.what();
        }
    }
}

}  // namespace
}  // namespace sycee
