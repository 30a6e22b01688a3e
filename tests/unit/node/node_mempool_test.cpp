// Pins: what a node says of pending transactions is read as far as it can be, and no further.
#include <sycee/evm/abi.hpp>
#include <sycee/net/http_server.hpp>
#include <sycee/node/node_mempool.hpp>
#include <sycee/runtime/task_group.hpp>

#include "../../../src/node/transaction.hpp"
#include "answers.hpp"
#include "run_task.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <functional>
#include <string>
#include <vector>

namespace sycee {
namespace {

using namespace std::chrono_literals;

TransactionHash hash_of(char digit) {
    return *bytes_from_hex<32>(hash_text(digit));
}

TEST(PendingTransactions, AreReadAsNodesTellThem) {
    auto told = transaction_json();
    auto const pending = decode_pending(told);
    ASSERT_TRUE(pending);
    EXPECT_EQ(pending->hash, hash_of('c'));
    EXPECT_EQ(to_string(pending->sender), told["from"].get<std::string>());
    EXPECT_EQ(to_string(*pending->recipient), told["to"].get<std::string>());
    EXPECT_EQ(pending->nonce, 31U);
    EXPECT_EQ(to_hex0x(pending->data), "0xa9059cbb");
    EXPECT_FALSE(pending->block_number);

    told["to"] = nullptr;
    told["blockNumber"] = "0x10";
    told["input"] = "0x" + std::string(200'000, 'a');
    auto const creation = decode_pending(told);
    ASSERT_TRUE(creation);
    EXPECT_FALSE(creation->recipient);
    EXPECT_EQ(creation->block_number, 16U);
    EXPECT_EQ(creation->data.size(), kLongestTransferCall);
    told.erase("blockNumber");
    EXPECT_TRUE(decode_pending(told));
}

TEST(PendingTransactions, OfOtherKindsAreNone) {
    EXPECT_FALSE(decode_pending(nullptr));
    EXPECT_FALSE(decode_pending("0x1"));
    for (auto const* name : {"hash", "from", "nonce", "to", "input", "blockNumber"}) {
        for (Json const& value : {Json(7), Json("nonsense"), Json::object()}) {
            auto told = transaction_json();
            told[name] = value;
            EXPECT_FALSE(decode_pending(told)) << told.dump();
        }
    }
}

TEST(Announcements, AreHashesOrWholeTransactions) {
    auto const hash = decode_announcement(hash_text('a'));
    ASSERT_TRUE(hash);
    EXPECT_EQ(hash->hash, hash_of('a'));
    EXPECT_FALSE(hash->transaction);
    auto const whole = decode_announcement(transaction_json());
    ASSERT_TRUE(whole);
    EXPECT_EQ(whole->hash, hash_of('c'));
    EXPECT_EQ(whole->transaction->nonce, 31U);
    for (Json const& told : {Json(), Json(1), Json("0x12"), Json(std::string(64, 'a')),
                             Json::object(), Json::array()}) {
        EXPECT_FALSE(decode_announcement(told)) << told.dump();
    }
}

// A node on the loopback that answers each call by a script.
class MempoolAnswers : public ::testing::Test {
  protected:
    MempoolAnswers() { tasks_.spawn("server", server_.run()); }
    void TearDown() override {
        tasks_.cancel();
        run_task(io_, tasks_.join(1h));
    }

    auto ask(std::vector<TransactionHash> hashes) {
        return run_task(io_, mempool_.transactions(std::move(hashes)));
    }

    std::function<Json(std::string const& hash)> script_;  // gives "result" or "error"
    unsigned status_ = 200;

  private:
    Task<HttpResponse> answer(HttpRequest const& request) {
        Json answers = Json::array();
        for (auto const& call : Json::parse(request.body)) {
            EXPECT_EQ(call["method"], "eth_getTransactionByHash");
            Json answer = script_(call["params"][0].get<std::string>());
            answer["id"] = call["id"];
            answers.push_back(std::move(answer));
        }
        co_return text_response(status_, "application/json", answers.dump());
    }
    EndpointSettings endpoint() const {
        return {.http_url = "http://127.0.0.1:" + std::to_string(server_.port()) + "/v2/key",
                .ws_url = "ws://127.0.0.1:1"};
    }

    boost::asio::io_context io_{1};
    TaskGroup tasks_{io_.get_executor(), 10};
    SystemClock clock_;
    HttpServer server_{io_.get_executor(), "127.0.0.1", 0, HttpServerLimits{},
                       [this](HttpRequest const& request) { return answer(request); }};
    NodeMempool mempool_{io_.get_executor(), ChainSettings{}, endpoint(), clock_};
};

TEST_F(MempoolAnswers, AreInTheOrderOfTheHashes) {
    script_ = [](std::string const& hash) -> Json {
        if (hash == hash_text('a')) return {{"result", nullptr}};
        if (hash == hash_text('b')) return {{"result", transaction_json()}};  // another one
        if (hash == hash_text('d')) return {{"result", "0x1"}};
        return {{"result", transaction_json()}};
    };
    auto const answers = ask({hash_of('a'), hash_of('b'), hash_of('c'), hash_of('d')});
    ASSERT_EQ(answers.size(), 4U);
    EXPECT_FALSE(answers[0]);
    EXPECT_FALSE(answers[1]);
    ASSERT_TRUE(answers[2]);
    EXPECT_EQ(answers[2]->nonce, 31U);
    EXPECT_FALSE(answers[3]);
    EXPECT_TRUE(ask({}).empty());
}

TEST_F(MempoolAnswers, ThatAreRefusalsAreFaults) {
    script_ = [](std::string const&) -> Json {
        return {{"error", {{"code", -32005}, {"message", "rate limit exceeded"}}}};
    };
    EXPECT_THROW(ask({hash_of('a')}), RateLimited);
    script_ = [](std::string const&) -> Json {
        return {{"error", {{"code", -32000}, {"message", "transaction indexing is in progress"}}}};
    };
    EXPECT_THROW(ask({hash_of('a')}), Unavailable);
    status_ = 429;
    EXPECT_THROW(ask({hash_of('a')}), RateLimited);
}

}  // namespace
}  // namespace sycee
