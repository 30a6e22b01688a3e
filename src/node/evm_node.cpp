#include <sycee/evm/abi.hpp>
#include <sycee/node/evm_node.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/finish_within.hpp>
#include <sycee/runtime/log.hpp>

#include "json_rpc.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string>
#include <utility>

namespace sycee {
namespace {

using namespace std::chrono_literals;

constexpr char const* kBlockByNumber = "eth_getBlockByNumber";
constexpr char const* kLogs = "eth_getLogs";
constexpr char const* kCall = "eth_call";
constexpr BlockNumber kMostCalls = 32;  // of one batch
constexpr std::uint64_t kSubscribeId = 1;
constexpr std::int64_t kReverted = 3;
constexpr std::int64_t kResourceNotFound = -32001;
constexpr std::size_t kMostDecimals = 77;  // of which 2^256 has

std::string to_quantity(std::uint64_t value) {
    char digits[16];
    auto const written = std::to_chars(std::begin(digits), std::end(digits), value, 16);
    return "0x" + std::string(std::begin(digits), written.ptr);
}

std::string lower_case(std::string text) {
    for (char& c : text) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return text;
}

RpcCall block_call(std::string which) {
    // Without the transactions' bodies.
    return {kBlockByNumber, Json::array({std::move(which), false})};
}

// By hash, so that an answer is of exactly this block whatever the node's branch does meanwhile.
RpcCall logs_call(BlockHash const& block, Json const& contracts) {
    Json filter = Json::object();
    filter["blockHash"] = to_hex0x(block);
    filter["address"] = contracts;
    filter["topics"] = Json::array({to_hex0x(transfer_topic())});
    Json params = Json::array();
    params.push_back(std::move(filter));
    return {kLogs, std::move(params)};
}

// How nodes say that they have no block of this hash, which happens when it has left their branch.
bool is_unknown_block(RpcError const& error) {
    auto const message = lower_case(error.message);
    return error.code == kResourceNotFound || message.contains("unknown block") ||
           message.contains("block not found") || message.contains("header not found");
}

bool is_revert(RpcError const& error) {
    return error.code == kReverted || lower_case(error.message).contains("revert");
}

std::optional<BlockHeader> header_of(RpcAnswer const& answer) {
    auto const& result = result_of(answer, kBlockByNumber);
    return decode_answer(kBlockByNumber, [&] { return decode_header(result); });
}

std::optional<BlockHeader> header_at(RpcAnswer const& answer, BlockNumber number) {
    auto const header = header_of(answer);
    if (header && header->number != number) {
        throw Unavailable(std::string(kBlockByNumber) + ": asked for block " +
                          std::to_string(number) + ", got " + std::to_string(header->number));
    }
    return header;
}

BlockHeader tip_of(RpcAnswer const& answer, char const* tag) {
    auto const header = header_of(answer);
    if (!header) throw Unavailable(std::string(kBlockByNumber) + ": no " + tag + " block yet");
    return *header;
}

Url parse_node_url(std::string const& chain, char const* field, std::string const& text,
                   std::string_view scheme) {
    auto url = parse_url(text);
    std::string const where = "chain " + chain + ": " + field + " ";
    if (!url) throw std::runtime_error(where + to_string(url.error()));
    if (url->scheme != scheme && url->scheme != std::string(scheme) + "s") {
        throw std::runtime_error(where + "must begin with " + std::string(scheme) + ":// or " +
                                 std::string(scheme) + "s://");
    }
    return *url;
}

Task<void> subscribe(WebSocketClient& socket) {
    Json const params = Json::array({"newHeads"});
    RpcCall const call{"eth_subscribe", params};
    co_await socket.connect();
    co_await socket.send(encode_call(call, kSubscribeId));
    for (bool confirmed = false; !confirmed;) {
        std::string const text = co_await socket.receive();
        auto const message = decode_answer(
            call.method, [&] { return decode_subscription_message(text, kSubscribeId); });
        confirmed = message == SubscriptionMessage::confirmed;
    }
}

}  // namespace

struct EvmNode::State {
    State(Executor io, ChainSettings const& settings, Clock& time, NodeLimits node_limits)
        : executor(io),
          chain(settings.id),
          clock(time),
          limits(std::move(node_limits)),
          rpc(io, parse_node_url(settings.name, "http_url", settings.http_url, "http"),
              limits.http),
          heads(io) {
        if (!settings.ws_url.empty()) {
            socket_url = parse_node_url(settings.name, "ws_url", settings.ws_url, "ws");
        }
        for (auto const& token : settings.tokens) {
            contracts.push_back(to_hex0x(token.contract.bytes));
        }
    }

    // Passes heads on until the connection is lost.
    Task<void> follow_heads(Backoff& backoff);
    // False where the node's branch changed or ended inside the chunk.
    Task<bool> read_chunk(BlockNumber first, BlockNumber last, std::vector<BlockWithLogs>& into);
    // The one word that the contract answers.
    Task<Amount> call_token(Address token, std::vector<std::uint8_t> data, char const* function);

    Executor executor;
    ChainId chain;
    Clock& clock;
    NodeLimits limits;
    JsonRpc rpc;
    Notifier heads;
    std::uint64_t seen = 0;  // of the notifications: what happened before has been looked at
    std::optional<Url> socket_url;
    Json contracts = Json::array();
};

EvmNode::EvmNode(Executor executor, ChainSettings const& settings, Clock& clock, NodeLimits limits)
    : state_(std::make_unique<State>(std::move(executor), settings, clock, std::move(limits))) {}

EvmNode::~EvmNode() = default;

Task<void> EvmNode::run_subscription() {
    State& state = *state_;
    while (!state.socket_url)
        co_await state.clock.sleep_for(1h);
    Backoff backoff(state.limits.first_reconnect, state.limits.longest_reconnect);
    for (;;) {
        std::string fault;
        try {
            co_await state.follow_heads(backoff);
        } catch (Unavailable const& unavailable) {
            fault = unavailable.what();
        }
        log_warning("node", "heads by polling until the subscription is back",
                    {{"chain", state.chain}, {"node", state.socket_url->origin()}, {"why", fault}});
        co_await state.clock.sleep_for(backoff.next());
    }
}

Task<void> EvmNode::State::follow_heads(Backoff& backoff) {
    WebSocketClient socket(executor, *socket_url, limits.web_socket);
    bool const subscribed = co_await finish_within(limits.subscribe_time, subscribe(socket));
    if (!subscribed) throw Unavailable("eth_subscribe: not confirmed in time");
    log_info("node", "subscribed to new heads", {{"chain", chain}, {"node", socket_url->origin()}});
    heads.notify();  // there may have been some while nobody listened
    for (;;) {
        std::string const text = co_await socket.receive();
        auto const message = decode_answer(
            "eth_subscription", [&] { return decode_subscription_message(text, kSubscribeId); });
        if (message != SubscriptionMessage::head) continue;
        // Not before: a node that takes a subscription and hangs up is not to be asked ever faster.
        backoff.reset();
        heads.notify();
    }
}

Task<ChainTips> EvmNode::tips() {
    state_->seen = state_->heads.generation();
    std::vector<RpcCall> calls;
    calls.push_back(block_call("latest"));
    calls.push_back(block_call("finalized"));
    auto const answers = co_await state_->rpc.batch(std::move(calls));
    co_return ChainTips{tip_of(answers[0], "latest"), tip_of(answers[1], "finalized")};
}

Task<std::optional<BlockHeader>> EvmNode::header(BlockNumber number) {
    auto call = block_call(to_quantity(number));
    auto const answer = co_await state_->rpc.call(std::move(call));
    co_return header_at(answer, number);
}

Task<std::vector<BlockWithLogs>> EvmNode::blocks(BlockNumber first, BlockNumber last) {
    std::vector<BlockWithLogs> read;
    for (BlockNumber next = first; next <= last; next += kMostCalls) {
        BlockNumber const chunk_last = next + std::min(last - next, kMostCalls - 1);
        bool const whole = co_await state_->read_chunk(next, chunk_last, read);
        if (!whole) break;
    }
    co_return read;
}

Task<bool> EvmNode::State::read_chunk(BlockNumber first, BlockNumber last,
                                      std::vector<BlockWithLogs>& into) {
    std::vector<RpcCall> header_calls;
    for (BlockNumber number = first; number <= last; ++number) {
        header_calls.push_back(block_call(to_quantity(number)));
    }
    auto const header_answers = co_await rpc.batch(std::move(header_calls));
    std::vector<BlockHeader> headers;
    for (auto const& answer : header_answers) {
        auto const header = header_at(answer, first + headers.size());
        if (!header) break;
        headers.push_back(*header);
    }
    bool whole = headers.size() == header_answers.size();

    // No token, no logs: an empty list of addresses would ask for those of every contract.
    if (contracts.empty()) {
        for (auto const& header : headers)
            into.push_back({header, {}});
        co_return whole;
    }
    std::vector<RpcCall> log_calls;
    for (auto const& header : headers)
        log_calls.push_back(logs_call(header.hash, contracts));
    auto const log_answers = co_await rpc.batch(std::move(log_calls));
    for (std::size_t i = 0; i < headers.size(); ++i) {
        auto const& answer = log_answers[i];
        if (!answer && is_unknown_block(answer.error())) co_return false;
        auto const& result = result_of(answer, kLogs);
        auto logs = decode_answer(kLogs, [&] { return decode_logs(result); });
        into.push_back({headers[i], std::move(logs)});
    }
    co_return whole;
}

Task<void> EvmNode::wait_for_head(std::chrono::milliseconds limit) {
    auto const seen = state_->seen;
    co_await state_->heads.wait_after(seen, limit);
    state_->seen = state_->heads.generation();
}

Task<ChainId> EvmNode::chain_id() {
    RpcCall call{"eth_chainId", Json::array()};
    auto const answer = co_await state_->rpc.call(std::move(call));
    auto const& result = result_of(answer, "eth_chainId");
    co_return decode_answer("eth_chainId", [&] { return decode_quantity(result, "chain id"); });
}

Task<Amount> EvmNode::State::call_token(Address token, std::vector<std::uint8_t> data,
                                        char const* function) {
    Json transaction = Json::object();
    transaction["to"] = to_hex0x(token.bytes);
    transaction["data"] = to_hex0x(data);
    Json params = Json::array();
    params.push_back(std::move(transaction));
    params.push_back("latest");
    RpcCall call{kCall, std::move(params)};
    auto const answer = co_await rpc.call(std::move(call));
    std::string const where =
        "contract " + to_string(token) + " on chain " + std::to_string(chain) + ": " + function;
    if (!answer && is_revert(answer.error())) throw std::runtime_error(where + " reverts");
    auto const& result = result_of(answer, kCall);
    auto const bytes = decode_answer(kCall, [&] { return decode_data(result, "result"); });
    auto const amount = decode_amount(bytes);
    if (!amount) throw std::runtime_error(where + ": " + to_string(amount.error()));
    co_return *amount;
}

Task<unsigned> EvmNode::token_decimals(Address token) {
    auto const decimals = co_await state_->call_token(token, decimals_call(), "decimals()");
    if (decimals > Amount(kMostDecimals)) {
        throw std::runtime_error("contract " + to_string(token) + ": decimals() answers " +
                                 to_string(decimals));
    }
    co_return static_cast<unsigned>(decimals.base_units());
}

Task<Amount> EvmNode::token_balance(Address token, Address holder) {
    return state_->call_token(token, balance_of_call(holder), "balanceOf(address)");
}

}  // namespace sycee
