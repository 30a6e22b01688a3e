#include <sycee/net/http_server.hpp>
#include <sycee/node/evm_node.hpp>
#include <sycee/runtime/errors.hpp>

#include "run_task.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
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

std::string quantity(std::uint64_t value) {
    char digits[16];
    auto const written = std::to_chars(std::begin(digits), std::end(digits), value, 16);
    return "0x" + std::string(std::begin(digits), written.ptr);
}

std::uint64_t number_of(std::string const& hex) {
    std::uint64_t value = 0;
    std::from_chars(hex.data() + 2, hex.data() + hex.size(), value, 16);
    return value;
}

std::string hash_of(std::uint64_t number) {
    auto const digits = quantity(number).substr(2);
    return "0x" + std::string(64 - digits.size(), '0') + digits;
}

Json block_at(std::uint64_t number) {
    return {{"number", quantity(number)},
            {"hash", hash_of(number)},
            {"parentHash", hash_of(number - 1)},
            {"timestamp", quantity(1'700'000'000 + number)}};
}

Json rpc_error(int code, std::string const& message) {
    return {{"error", {{"code", code}, {"message", message}}}};
}

// A node on the loopback that answers by a script: for each call an object with "result" or
// "error".
class ScriptedNode {
  public:
    using Script = std::function<Json(std::string const& method, Json const& params)>;

    explicit ScriptedNode(Script script)
        : script_(std::move(script)),
          server_(io_.get_executor(), "127.0.0.1", 0, HttpServerLimits{},
                  [this](HttpRequest const& request) { return answer(request); }) {
        ChainSettings settings;
        settings.id = 31337;
        settings.name = "local";
        settings.http_url = "http://127.0.0.1:" + std::to_string(server_.port()) + "/v2/key";
        settings.tokens.push_back({.symbol = "USDT", .contract = token(), .decimals = 6});
        node_.emplace(io_.get_executor(), settings, clock_, NodeLimits{});
    }

    static Address token() { return Address{.bytes = {1, 2, 3}}; }
    EvmNode& node() { return *node_; }

    // Awaits the task beside the running server.
    template <class T>
    T run(Task<T> task) {
        if (!serving_) {
            serving_ = true;
            boost::asio::co_spawn(io_, server_.run(), [](std::exception_ptr) {});
        }
        return run_task(io_, std::move(task));
    }

    unsigned status = 200;
    std::uint64_t id_offset = 0;
    bool backwards = false;
    std::vector<std::size_t> batches;  // their sizes

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
        if (calls.is_array()) {
            batches.push_back(calls.size());
            body = Json::array();
            for (auto const& call : calls)
                body.push_back(answer_call(call));
            if (backwards) std::reverse(body.begin(), body.end());
        } else {
            body = answer_call(calls);
        }
        co_return text_response(status, "application/json", body.dump());
    }

    boost::asio::io_context io_;
    SystemClock clock_;
    Script script_;
    HttpServer server_;
    std::optional<EvmNode> node_;
    bool serving_ = false;
};

// A chain of 100 blocks with one log in each.
Json healthy(std::string const& method, Json const& params) {
    if (method == "eth_getBlockByNumber") {
        if (params[0] == "latest") return {{"result", block_at(100)}};
        if (params[0] == "finalized") return {{"result", block_at(98)}};
        auto const number = number_of(params[0].get<std::string>());
        return {{"result", number <= 100 ? block_at(number) : Json()}};
    }
    if (method == "eth_chainId") return {{"result", "0x7a69"}};
    if (method == "eth_call") return {{"result", hash_of(6)}};
    auto const& filter = params[0];
    auto const block = filter["blockHash"].get<std::string>();
    Json log = {{"address", filter["address"][0]},
                {"topics", Json::array({filter["topics"][0]})},
                {"data", "0x"},
                {"blockNumber", quantity(number_of(block))},
                {"blockHash", block},
                {"transactionHash", hash_of(7)},
                {"logIndex", "0x0"}};
    return {{"result", Json::array({log})}};
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

TEST(EvmNode, ReadsBlocksInBatchesOfAtMost32Calls) {
    ScriptedNode scripted(healthy);
    auto const blocks = scripted.run(scripted.node().blocks(10, 50));
    ASSERT_EQ(blocks.size(), 41u);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        EXPECT_EQ(blocks[i].header.number, 10 + i);
        ASSERT_EQ(blocks[i].logs.size(), 1u);
        EXPECT_EQ(blocks[i].logs[0].block_hash, blocks[i].header.hash);
        EXPECT_EQ(blocks[i].logs[0].topics.at(0), transfer_topic());
        EXPECT_EQ(blocks[i].logs[0].contract, ScriptedNode::token());
    }
    EXPECT_EQ(scripted.batches, (std::vector<std::size_t>{32, 32, 9, 9}));
}

TEST(EvmNode, StopsBeforeABlockThatTheNodeNoLongerHas) {
    ScriptedNode scripted([](std::string const& method, Json const& params) {
        if (method == "eth_getLogs" && params[0]["blockHash"] == hash_of(13)) {
            return rpc_error(-32000, "unknown block");
        }
        return healthy(method, params);
    });
    auto const blocks = scripted.run(scripted.node().blocks(10, 60));
    ASSERT_EQ(blocks.size(), 3u);
    EXPECT_EQ(blocks.back().header.number, 12u);
    EXPECT_EQ(scripted.batches.size(), 2u);
}

TEST(EvmNode, StopsAtTheFirstNullBlock) {
    ScriptedNode scripted(healthy);
    EXPECT_EQ(scripted.run(scripted.node().blocks(99, 105)).size(), 2u);
    EXPECT_TRUE(scripted.run(scripted.node().blocks(101, 105)).empty());
}

TEST(EvmNode, AnErrorIsNeverNoLogs) {
    ScriptedNode scripted([](std::string const& method, Json const& params) {
        if (method == "eth_getLogs") return rpc_error(-32005, "limit exceeded");
        return healthy(method, params);
    });
    EXPECT_EQ(fault_of([&] { scripted.run(scripted.node().blocks(1, 2)); }),
              "eth_getLogs: error -32005: limit exceeded");
}

TEST(EvmNode, AStatusOtherThan200IsAFaultThatPasses) {
    ScriptedNode scripted(healthy);
    scripted.status = 429;
    EXPECT_EQ(fault_of([&] { scripted.run(scripted.node().tips()); }),
              "eth_getBlockByNumber: HTTP status 429");
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

TEST(EvmNode, NamesTheSettingOfAUrlThatCannotBeOne) {
    boost::asio::io_context io;
    SystemClock clock;
    ChainSettings settings;
    settings.name = "local";
    settings.http_url = "ws://127.0.0.1/key";
    EXPECT_THROW(EvmNode(io.get_executor(), settings, clock, NodeLimits{}), std::runtime_error);
    settings.http_url = "http://127.0.0.1/key";
    settings.ws_url = "https://127.0.0.1/key";
    EXPECT_THROW(EvmNode(io.get_executor(), settings, clock, NodeLimits{}), std::runtime_error);
}

}  // namespace
}  // namespace sycee
