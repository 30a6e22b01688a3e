#include "synthetic_node.hpp"

#include <sycee/net/http_server.hpp>
#include <sycee/runtime/task_group.hpp>

#include "busy_blocks.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <mutex>
#include <thread>
#include <utility>

namespace sycee::bench {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using tcp = asio::ip::tcp;
using Peer = beast::websocket::stream<tcp::socket>;

constexpr char const* kHead =
    R"({"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"0x1","result":{}}})";

struct Texts {
    std::string block;
    std::string logs;
    std::string receipts;
};

std::string receipts_json(std::uint64_t number, std::vector<Log> const& logs) {
    std::string list;
    for (Log const& log : logs) {
        list += (list.empty() ? "" : ",") + std::string(R"({"transactionHash":")") +
                to_hex0x(log.transaction_hash) + R"(","transactionIndex":")" +
                quantity(log.log_index) + R"(","blockHash":")" + to_hex0x(log.block_hash) +
                R"(","blockNumber":")" + quantity(number) + R"(","status":"0x1","logs":[)" +
                to_json(log) + "]}";
    }
    return "[" + list + "]";
}

Texts make_texts(std::uint64_t number, std::uint32_t transfers) {
    auto const logs = transfers_of(number, transfers);
    return {block_json(number, logs), logs_json(logs), receipts_json(number, logs)};
}

std::string word(std::uint8_t value) {
    std::string text = quantity(value).substr(2);
    return "0x" + std::string(64 - text.size(), '0') + text;
}

// "USDT" as a string of the ABI: where it begins, how long it is, its bytes.
std::string symbol_result() {
    return word(0x20) + word(4).substr(2) + "55534454" + std::string(56, '0');
}

}  // namespace

struct SyntheticNode::State {
    State(std::uint64_t first_block, std::uint64_t blocks_to_finality)
        : first(first_block),
          finality(blocks_to_finality),
          head(first_block),
          server(io.get_executor(), "127.0.0.1", 0, {},
                 [this](HttpRequest const& request) { return answer(request); }),
          acceptor(io, {asio::ip::address_v4::loopback(), 0}),
          tasks(io.get_executor(), 16) {
        add(first, make_texts(first, 0));
    }

    void add(std::uint64_t number, Texts texts) {
        std::lock_guard const lock(mutex);
        numbers.emplace(to_hex0x(keccak256(as_bytes("block " + std::to_string(number)))), number);
        blocks.emplace(number, std::move(texts));
    }

    Task<HttpResponse> answer(HttpRequest const& request) {
        auto const asked = Json::parse(request.body);
        std::lock_guard const lock(mutex);
        if (!asked.is_array()) co_return text_response(200, "application/json", answer_one(asked));
        std::string body;
        for (auto const& call : asked)
            body += (body.empty() ? "[" : ",") + answer_one(call);
        co_return text_response(200, "application/json", body + "]");
    }

    std::string answer_one(Json const& call) const {
        return R"({"jsonrpc":"2.0","id":)" + call.at("id").dump() + R"(,"result":)" +
               result(call.at("method"), call.at("params")) + "}";
    }

    std::string result(std::string const& method, Json const& params) const {
        if (method == "eth_chainId") return "\"" + quantity(kChainId) + "\"";
        if (method == "eth_call") {
            bool const decimals = params.at(0).at("data") == "0x313ce567";
            return "\"" + (decimals ? word(6) : symbol_result()) + "\"";
        }
        if (method == "eth_getBlockByNumber") return text(number_of(params.at(0)), &Texts::block);
        if (method == "eth_getBlockByHash") return text(with_hash(params.at(0)), &Texts::block);
        if (method == "eth_getBlockReceipts")
            return text(with_hash(params.at(0)), &Texts::receipts);
        ensure(method == "eth_getLogs", "bench: the node is asked for " + method);
        return text(with_hash(params.at(0).at("blockHash")), &Texts::logs);
    }

    std::string text(std::uint64_t number, std::string Texts::* part) const {
        auto const found = blocks.find(number);
        return found == blocks.end() || number > head ? "null" : found->second.*part;
    }

    std::uint64_t number_of(std::string const& which) const {
        if (which == "latest") return head;
        if (which == "finalized") return std::max(first, head - std::min(head, finality));
        return std::stoull(which.substr(2), nullptr, 16);
    }

    std::uint64_t with_hash(std::string const& hash) const {
        auto const found = numbers.find(hash);
        return found == numbers.end() ? 0 : found->second;
    }

    // Each subscriber is served by a task of its own, which sleeps until a head is there.
    Task<void> accept() {
        for (;;) {
            auto socket = co_await acceptor.async_accept(asio::use_awaitable);
            tasks.spawn("subscriber", serve(std::move(socket)));
        }
    }

    Task<void> serve(tcp::socket socket) {
        Peer peer(std::move(socket));
        co_await peer.async_accept(asio::use_awaitable);
        beast::flat_buffer request;
        co_await peer.async_read(request, asio::use_awaitable);
        co_await send(peer, R"({"jsonrpc":"2.0","id":1,"result":"0x1"})");
        auto told = heads.generation();
        for (;;) {
            co_await heads.wait_after(told, std::chrono::hours(1));
            told = heads.generation();
            co_await send(peer, kHead);
        }
    }

    static Task<void> send(Peer& peer, std::string text) {
        co_await peer.async_write(asio::buffer(text), asio::use_awaitable);
    }

    std::mutex mutex;
    std::uint64_t first;
    std::uint64_t finality;
    std::uint64_t head;
    std::map<std::uint64_t, Texts> blocks;
    std::map<std::string, std::uint64_t> numbers;  // by block hash

    asio::io_context io{1};
    HttpServer server;
    tcp::acceptor acceptor;
    Notifier heads{io.get_executor()};
    TaskGroup tasks;
    std::thread thread;
};

SyntheticNode::SyntheticNode(std::uint64_t first, std::uint64_t finality)
    : state_(std::make_unique<State>(first, finality)) {
    State& state = *state_;
    state.tasks.spawn("http", state.server.run());
    state.tasks.spawn("subscribers", state.accept());
    state.thread = std::thread([&state] {
        auto const work = asio::make_work_guard(state.io);
        state.io.run();
    });
}

SyntheticNode::~SyntheticNode() {
    state_->io.stop();
    state_->thread.join();
}

std::string SyntheticNode::http_url() const {
    return "http://127.0.0.1:" + std::to_string(state_->server.port());
}

std::string SyntheticNode::ws_url() const {
    return "ws://127.0.0.1:" + std::to_string(state_->acceptor.local_endpoint().port());
}

void SyntheticNode::prepare(std::uint32_t transfers) {
    std::uint64_t const next = state_->head + 1;
    state_->add(next, make_texts(next, transfers));
}

void SyntheticNode::announce() {
    {
        std::lock_guard const lock(state_->mutex);
        ++state_->head;
    }
    asio::post(state_->io, [this] { state_->heads.notify(); });
}

}  // namespace sycee::bench
