#include <sycee/evm/abi.hpp>
#include <sycee/evm/price_feed.hpp>
#include <sycee/node/evm_node.hpp>
#include <sycee/runtime/errors.hpp>

#include "block_reader.hpp"
#include "node_url.hpp"
#include "subscription.hpp"
#include "transaction.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

namespace sycee {
namespace {

using namespace std::chrono_literals;

constexpr char const* kCall = "eth_call";
constexpr char const* kChainId = "eth_chainId";
constexpr std::size_t kMostCalls = 100;    // of one batch
constexpr std::size_t kMostDecimals = 77;  // of which 2^256 has
constexpr int kSilentBlocks = 10;

BlockHeader tip_of(RpcAnswer const& answer, char const* tag) {
    auto const header = header_of(answer);
    if (!header) throw Unavailable(std::string(kBlockByNumber) + ": no " + tag + " block yet");
    return *header;
}

// `block`: a tag, or a block by its hash (EIP-1898).
RpcCall token_call(Address const& token, std::vector<std::uint8_t> const& data, Json block) {
    Json transaction = Json::object();
    transaction["to"] = to_hex0x(token.bytes);
    transaction["data"] = to_hex0x(data);
    Json params = Json::array();
    params.push_back(std::move(transaction));
    params.push_back(std::move(block));
    return {kCall, std::move(params)};
}

}  // namespace

struct EvmNode::State {
    State(Executor io, ChainSettings const& chain, EndpointSettings const& endpoint, Clock& time,
          NodeLimits node_limits)
        : executor(io),
          chain_id(chain.id),
          block_time(chain.block_time),
          clock(time),
          limits(std::move(node_limits)),
          url(parse_node_url(chain.name, "http_url", endpoint.http_url, "http")),
          rpc(io, url, limits.http, clock),
          reader(rpc, clock),
          heads(io) {
        if (!endpoint.ws_url.empty())
            socket_url = parse_node_url(chain.name, "ws_url", endpoint.ws_url, "ws");
    }

    SubscriptionSettings heads_subscription() const;
    // What the contract answers. Throws std::runtime_error where it refuses.
    Task<std::vector<std::uint8_t>> call_token(Address token, std::vector<std::uint8_t> data,
                                               char const* function);
    Task<Amount> ask_amount(Address token, std::vector<std::uint8_t> data, char const* function);
    std::vector<std::uint8_t> data_in(RpcAnswer const& answer, Address const& token,
                                      char const* function) const;
    Amount amount_in(RpcAnswer const& answer, Address const& token, char const* function) const;
    Amount amount_of(std::vector<std::uint8_t> const& bytes, Address const& token,
                     char const* function) const;
    std::string where(Address const& token, char const* function) const {
        return "contract " + to_string(token) + " on chain " + std::to_string(chain_id) + ": " +
               function;
    }

    Executor executor;
    ChainId chain_id;
    std::chrono::milliseconds block_time;
    Clock& clock;
    NodeLimits limits;
    Url url;
    JsonRpc rpc;
    BlockReader reader;
    Notifier heads;
    std::uint64_t seen = 0;  // of the notifications: what happened before has been looked at
    std::optional<Url> socket_url;
    bool subscribed = false;
};

EvmNode::EvmNode(Executor executor, ChainSettings const& chain, EndpointSettings const& endpoint,
                 Clock& clock, NodeLimits limits)
    : state_(std::make_unique<State>(std::move(executor), chain, endpoint, clock,
                                     std::move(limits))) {}

EvmNode::~EvmNode() = default;

std::string EvmNode::name() const {
    return state_->url.origin();
}

Task<void> EvmNode::run_subscription() {
    State& state = *state_;
    while (!state.socket_url)
        co_await state.clock.sleep_for(1h);
    SubscriptionEvents events{.on_confirmed =
                                  [&state] {
                                      state.subscribed = true;
                                      // There may have been some while nobody listened.
                                      state.heads.notify();
                                  },
                              .on_told = [&state](Json const&) { state.heads.notify(); },
                              .on_lost = [&state] { state.subscribed = false; }};
    Subscription subscription(state.executor, state.clock, state.heads_subscription(),
                              std::move(events));
    co_await subscription.run();
}

SubscriptionSettings EvmNode::State::heads_subscription() const {
    return {.chain_id = chain_id,
            .url = *socket_url,
            .topic = "newHeads",
            .otherwise = "heads by polling",
            .longest_silence = std::max(limits.shortest_silence, kSilentBlocks * block_time),
            .limits = limits};
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
    return state_->reader.blocks(first, last);
}

Task<std::vector<std::optional<BlockWithLogs>>> EvmNode::blocks_again(
    std::vector<BlockHash> hashes) {
    return state_->reader.blocks_again(std::move(hashes));
}

Task<std::optional<ReceiptLogs>> EvmNode::receipt(TransactionHash hash) {
    return state_->reader.receipt(hash);
}

Task<LogRange> EvmNode::transfer_logs(std::vector<Address> contracts, BlockNumber first,
                                      BlockNumber last) {
    return state_->reader.transfer_logs(std::move(contracts), first, last);
}

Task<std::optional<NativeTransfer>> EvmNode::native_transfer(TransactionHash hash) {
    auto call = transaction_call(hash);
    auto const answer = co_await state_->rpc.call(std::move(call));
    auto const& result = result_of(answer, kTransactionByHash);
    co_return decode_answer(kTransactionByHash, [&] { return decode_native_transfer(result); });
}

Task<void> EvmNode::wait_for_head(std::chrono::milliseconds limit) {
    State& state = *state_;
    auto const seen = state.seen;
    auto const longest = state.subscribed ? limit : std::min(limit, state.block_time);
    co_await state.heads.wait_after(seen, longest);
}

Task<ChainId> EvmNode::chain_id() {
    RpcCall call{kChainId, Json::array()};
    auto const answer = co_await state_->rpc.call(std::move(call));
    auto const& result = result_of(answer, kChainId);
    co_return decode_answer(kChainId,
                            [&] { return read_quantity(text_of(result, "chain id"), "chain id"); });
}

Task<std::vector<std::uint8_t>> EvmNode::State::call_token(Address token,
                                                           std::vector<std::uint8_t> data,
                                                           char const* function) {
    auto call = token_call(token, data, "latest");
    auto const answer = co_await rpc.call(std::move(call));
    co_return data_in(answer, token, function);
}

std::vector<std::uint8_t> EvmNode::State::data_in(RpcAnswer const& answer, Address const& token,
                                                  char const* function) const {
    if (!answer && answer.error().fault == RpcFault::reverted)
        throw std::runtime_error(where(token, function) + " reverts");
    auto const& result = result_of(answer, kCall);
    return decode_answer(kCall, [&] { return read_data(text_of(result, "result"), "result"); });
}

Amount EvmNode::State::amount_in(RpcAnswer const& answer, Address const& token,
                                 char const* function) const {
    return amount_of(data_in(answer, token, function), token, function);
}

Amount EvmNode::State::amount_of(std::vector<std::uint8_t> const& bytes, Address const& token,
                                 char const* function) const {
    auto const amount = decode_amount(bytes);
    if (!amount)
        throw std::runtime_error(where(token, function) + ": " + to_string(amount.error()));
    return *amount;
}

Task<Amount> EvmNode::State::ask_amount(Address token, std::vector<std::uint8_t> data,
                                        char const* function) {
    auto const bytes = co_await call_token(token, std::move(data), function);
    co_return amount_of(bytes, token, function);
}

Task<unsigned> EvmNode::token_decimals(Address token) {
    constexpr char const* kFunction = "decimals()";
    auto const decimals = co_await state_->ask_amount(token, decimals_call(), kFunction);
    if (decimals > Amount(kMostDecimals)) {
        throw std::runtime_error(state_->where(token, kFunction) + " answers " +
                                 to_string(decimals));
    }
    co_return static_cast<unsigned>(decimals.base_units());
}

Task<std::string> EvmNode::token_symbol(Address token) {
    constexpr char const* kFunction = "symbol()";
    auto const bytes = co_await state_->call_token(token, symbol_call(), kFunction);
    auto const symbol = decode_symbol(bytes);
    if (!symbol)
        throw std::runtime_error(state_->where(token, kFunction) + ": " +
                                 to_string(symbol.error()));
    co_return *symbol;
}

Task<Amount> EvmNode::token_balance(Address token, Address holder) {
    return state_->ask_amount(token, balance_of_call(holder), "balanceOf(address)");
}

Task<std::vector<Amount>> EvmNode::token_balances(std::vector<TokenHolder> holders, BlockHash at) {
    constexpr char const* kFunction = "balanceOf(address)";
    std::vector<Amount> balances;
    std::size_t most = kMostCalls;
    while (balances.size() < holders.size()) {
        std::size_t const first = balances.size();
        std::size_t const count = std::min(most, holders.size() - first);
        std::vector<RpcCall> calls;
        for (std::size_t i = first; i < first + count; ++i) {
            Json block{{"blockHash", to_hex0x(at)}, {"requireCanonical", true}};
            calls.push_back(
                token_call(holders[i].token, balance_of_call(holders[i].holder), std::move(block)));
        }
        std::vector<RpcAnswer> answers;
        try {
            answers = co_await state_->rpc.batch(std::move(calls));
        } catch (NodeFault const& fault) {
            if (fault.fault() != RpcFault::too_much || count == 1) throw;
            most = count / 2;
            continue;
        }
        for (std::size_t i = 0; i < answers.size(); ++i) {
            balances.push_back(state_->amount_in(answers[i], holders[first + i].token, kFunction));
        }
    }
    co_return balances;
}

Task<FeedAnswer> EvmNode::read_feed(Address feed) {
    State const& state = *state_;
    std::vector<RpcCall> calls;
    calls.push_back(token_call(feed, decimals_call(), "latest"));
    calls.push_back(token_call(feed, description_call(), "latest"));
    calls.push_back(token_call(feed, latest_round_call(), "latest"));
    auto const answers = co_await state_->rpc.batch(std::move(calls));
    auto const misread = [&](char const* function, Error const& error) {
        return state.where(feed, function) + ": " + to_string(error);
    };
    auto const data_of = [&](std::size_t call, char const* function) {
        bool const reverts = !answers[call] && answers[call].error().fault == RpcFault::reverted;
        if (reverts) throw RateMisconfigured(state.where(feed, function) + " reverts");
        return state.data_in(answers[call], feed, function);
    };
    FeedAnswer answer;
    auto const decimals = decode_amount(data_of(0, "decimals()"));
    if (!decimals) throw RateMisconfigured(misread("decimals()", decimals.error()));
    if (*decimals > Amount(kMostDecimals)) {
        throw RateMisconfigured(state.where(feed, "decimals()") + " answers " +
                                to_string(*decimals));
    }
    answer.decimals = static_cast<unsigned>(decimals->base_units());
    auto const description = decode_symbol(data_of(1, "description()"));
    if (!description) throw RateMisconfigured(misread("description()", description.error()));
    answer.description = *description;
    // A feed without a round, or with one that is no price, may have one later.
    auto const round = decode_round(data_of(2, "latestRoundData()"));
    if (!round) throw Unavailable(misread("latestRoundData()", round.error()));
    answer.round = *round;
    co_return answer;
}

}  // namespace sycee
