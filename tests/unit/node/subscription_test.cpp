// Pins: heads wake whoever waits, and a connection that has gone silent is given up. Pending
// transactions are kept until they are taken, and not without end.
#include <sycee/node/evm_node.hpp>
#include <sycee/node/node_mempool.hpp>
#include <sycee/runtime/task_group.hpp>

#include "answers.hpp"
#include "run_task.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <gtest/gtest.h>

#include <string>

namespace sycee {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace beast = boost::beast;
using tcp = asio::ip::tcp;
using Peer = beast::websocket::stream<tcp::socket>;

// What a node over a WebSocket does.
struct Node {
    explicit Node(asio::io_context& io) : acceptor(io, {asio::ip::address_v4::loopback(), 0}) {}

    tcp::acceptor acceptor;
    bool confirms = true;
    int times = 0;  // that it tells something, after each subscription
    std::string result = "{}";
    int subscriptions = 0;
    std::string asked;
};

Task<void> send(Peer& peer, std::string text) {
    boost::system::error_code ec;
    co_await peer.async_write(asio::buffer(text), asio::redirect_error(asio::use_awaitable, ec));
}

Task<void> serve(Node& node) {
    for (;;) {
        Peer peer(co_await node.acceptor.async_accept(asio::use_awaitable));
        co_await peer.async_accept(asio::use_awaitable);
        beast::flat_buffer request;
        co_await peer.async_read(request, asio::use_awaitable);
        node.asked = beast::buffers_to_string(request.cdata());
        if (node.confirms) {
            co_await send(peer, R"({"jsonrpc":"2.0","id":1,"result":"0x9ce5"})");
            ++node.subscriptions;
        }
        for (int i = 0; i < node.times; ++i) {
            co_await send(peer,
                          R"({"jsonrpc":"2.0","method":"eth_subscription","params":{"result":)" +
                              node.result + "}}");
        }
        // Alive, and silent, until the client hangs up.
        boost::system::error_code ec;
        while (!ec) {
            beast::flat_buffer ignored;
            co_await peer.async_read(ignored, asio::redirect_error(asio::use_awaitable, ec));
        }
    }
}

class Subscription : public ::testing::Test {
  protected:
    Subscription() {
        limits.subscribe_time = 50ms;
        limits.shortest_silence = 30ms;
        limits.first_reconnect = 1ms;
        limits.longest_reconnect = 1ms;
        chain.id = 31337;
        chain.name = "local";
        tasks.spawn("server", serve(node));
    }

    EndpointSettings endpoint() const {
        return {
            .http_url = "http://127.0.0.1:1",
            .ws_url = "ws://127.0.0.1:" + std::to_string(node.acceptor.local_endpoint().port())};
    }
    void start(std::chrono::milliseconds block_time) {
        chain.block_time = block_time;
        evm.emplace(io.get_executor(), chain, endpoint(), clock, limits);
        tasks.spawn("subscription", evm->run_subscription());
    }

    void TearDown() override {
        tasks.cancel();
        run_task(io, tasks.join(1h));
    }

    asio::io_context io{1};
    TaskGroup tasks{io.get_executor(), 10};
    SystemClock clock;
    Node node{io};
    NodeLimits limits;
    ChainSettings chain;
    std::optional<EvmNode> evm;
};

TEST_F(Subscription, WakesWhoeverWaits) {
    node.times = 1;
    start(1h);
    // Neither the limit nor the time of a block: this ends by being woken alone.
    run_task(io, evm->wait_for_head(1h));
    EXPECT_TRUE(node.asked.contains(R"("eth_subscribe")")) << node.asked;
    EXPECT_TRUE(node.asked.contains(R"(["newHeads"])")) << node.asked;
}

TEST_F(Subscription, IsMadeAnewWhereNoHeadComes) {
    node.times = 1;
    start(1ms);
    run_until(io, [this] { return node.subscriptions >= 3; });
}

TEST_F(Subscription, IsTriedAgainWhereItIsNotConfirmed) {
    node.confirms = false;
    start(1ms);
    run_until(io, [this] { return !node.asked.empty(); });
    node.confirms = true;
    run_until(io, [this] { return node.subscriptions >= 1; });
}

TEST_F(Subscription, TellsOfPendingTransactions) {
    node.result = '"' + hash_text('a') + '"';
    node.times = 3;
    limits.shortest_silence = 1h;
    NodeMempool mempool(io.get_executor(), chain, endpoint(), clock, limits);
    tasks.spawn("subscription", mempool.run_subscription());
    std::size_t taken = 0;
    while (taken < 3) {
        auto const heard = run_task(io, mempool.take_announced(2, 1h));
        EXPECT_LE(heard.announced.size(), 2U);
        EXPECT_EQ(heard.forgotten, 0U);
        for (auto const& announcement : heard.announced)
            EXPECT_EQ(to_hex0x(announcement.hash), hash_text('a'));
        taken += heard.announced.size();
    }
    EXPECT_TRUE(node.asked.contains(R"(["newPendingTransactions"])")) << node.asked;
    EXPECT_TRUE(run_task(io, mempool.take_announced(2, 1ms)).announced.empty());
}

TEST_F(Subscription, ForgetsPendingTransactionsThatNobodyTakes) {
    node.result = '"' + hash_text('a') + '"';
    node.times = 600;
    limits.shortest_silence = 1h;
    NodeMempool mempool(io.get_executor(), chain, endpoint(), clock, limits);
    tasks.spawn("subscription", mempool.run_subscription());
    std::size_t forgotten = 0;
    while (forgotten < 100)
        forgotten += run_task(io, mempool.take_announced(0, 1h)).forgotten;
    auto const heard = run_task(io, mempool.take_announced(1'000, 1h));
    EXPECT_EQ(heard.announced.size(), 500U);
    EXPECT_EQ(heard.forgotten, 0U);
}

}  // namespace
}  // namespace sycee
