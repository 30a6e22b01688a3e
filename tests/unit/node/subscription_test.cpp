// Pins: heads wake whoever waits, and a connection that has gone silent is given up.
#include <sycee/node/evm_node.hpp>
#include <sycee/runtime/task_group.hpp>

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
    int heads_each = 0;  // sent after each subscription
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
        for (int i = 0; i < node.heads_each; ++i)
            co_await send(peer, R"({"jsonrpc":"2.0","method":"eth_subscription","params":{}})");
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
    void start(std::chrono::milliseconds block_time) {
        NodeLimits limits;
        limits.subscribe_time = 50ms;
        limits.shortest_silence = 30ms;
        limits.first_reconnect = 1ms;
        limits.longest_reconnect = 1ms;
        chain.id = 31337;
        chain.name = "local";
        chain.block_time = block_time;
        EndpointSettings const endpoint{
            .http_url = "http://127.0.0.1:1",
            .ws_url = "ws://127.0.0.1:" + std::to_string(node.acceptor.local_endpoint().port())};
        evm.emplace(io.get_executor(), chain, endpoint, clock, limits);
        tasks.spawn("server", serve(node));
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
    ChainSettings chain;
    std::optional<EvmNode> evm;
};

TEST_F(Subscription, WakesWhoeverWaits) {
    node.heads_each = 1;
    start(1h);
    // Neither the limit nor the time of a block: this ends by being woken alone.
    run_task(io, evm->wait_for_head(1h));
    EXPECT_TRUE(node.asked.contains(R"("eth_subscribe")")) << node.asked;
    EXPECT_TRUE(node.asked.contains(R"(["newHeads"])")) << node.asked;
}

TEST_F(Subscription, IsMadeAnewWhereNoHeadComes) {
    node.heads_each = 1;
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

}  // namespace
}  // namespace sycee
