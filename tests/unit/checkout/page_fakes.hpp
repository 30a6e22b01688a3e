#pragma once

#include <sycee/app/detected_transfers.hpp>
#include <sycee/app/payment_feed.hpp>
#include <sycee/app/payment_service.hpp>
#include <sycee/runtime/errors.hpp>

#include "finder_fakes.hpp"
#include "run_task.hpp"

#include <map>
#include <string>

namespace sycee {

class FakeClock final : public Clock {
  public:
    Timestamp now() const override { return time; }
    Task<void> sleep_for(std::chrono::milliseconds duration) override {
        time += duration;
        co_return;
    }

    Timestamp time = timestamp_from_seconds(1'790'000'000);
};

class FakePayments final : public PaymentPort {
  public:
    Task<Payment> create(NewPayment, DeriveAddress) override { co_return Payment{}; }
    Task<std::optional<PaymentState>> find(MerchantId, PaymentId id) override {
        co_return co_await find_public(id);
    }
    Task<std::optional<PaymentState>> find_public(PaymentId id) override {
        if (down) throw Unavailable("the database is away");
        auto const found = states.find(id);
        if (found == states.end()) co_return std::nullopt;
        co_return found->second;
    }
    Task<PaymentPage> list(std::optional<MerchantId>, std::optional<PaymentId> after,
                           std::size_t limit) override {
        PaymentPage page;
        for (auto entry = states.rbegin(); entry != states.rend(); ++entry) {
            if (after && entry->first >= *after) continue;
            page.has_more = page.payments.size() == limit;
            if (page.has_more) break;
            page.payments.push_back(entry->second);
        }
        co_return page;
    }

    std::map<PaymentId, PaymentState> states;
    bool down = false;
};

inline Address test_address(std::uint8_t fill) {
    Address address;
    address.bytes.fill(fill);
    return address;
}

constexpr ChainId kTestChain = 11155111;
constexpr ChainId kOtherChain = 8453;
inline Address const kTestToken = test_address(0xaa);
inline Address const kOtherToken = test_address(0xbb);

inline Network test_network() {
    Network network;
    network.public_url = "https://pay.example";
    ChainSettings chain;
    chain.id = kTestChain;
    chain.name = "Sepolia";
    chain.tokens = {{.symbol = "USDT", .contract = kTestToken, .decimals = 6}};
    network.chains.push_back(chain);
    chain.id = kOtherChain;
    chain.name = "Base";
    chain.tokens = {{.symbol = "USDC", .contract = kOtherToken, .decimals = 18}};
    network.chains.push_back(chain);
    return network;
}

constexpr Uint128 kWholeToken = 1'000'000;

// An order of 50 dollars with a quarter of an hour to pay, and what the pages need around it.
struct PageWorld {
    PageWorld() {
        follow(kTestChain, clock.time);
        follow(kOtherChain, clock.time);
        Payment& payment = state.payment;
        payment.merchant_id = {make_uuid_v7(clock.time, {1})};
        payment.id = {make_uuid_v7(clock.time, {2})};
        payment.deposit_address =
            parse_address("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed").value();
        payment.currency = "USD";
        payment.price = Amount(5000);
        payment.options = {
            {kTestChain, kTestToken, Amount(50 * kWholeToken), Amount{}},
            {kOtherChain, kOtherToken, Amount(50 * kWholeToken * 1'000'000'000'000), Amount{}}};
        payment.reference = "order-1001";
        payment.description = "Tea for two";
        payment.success_url = "https://shop.example/thanks";
        payment.created_at = clock.time;
        payment.expires_at = clock.time + std::chrono::minutes{15};
        store();
        books.addresses.push_back({payment.deposit_address, {payment.merchant_id, payment.id}});
        transaction.fill(0x7a);
    }

    // What the test chain has of the transaction, in a block of now.
    FakeChain::Transaction& include_transaction(BlockNumber number = 105) {
        auto& included = chain.transactions[transaction];
        included.receipt.header = found_block(number, clock.time);
        included.receipt.succeeded = true;
        return included;
    }
    // A transfer of it to the payment's address.
    void send(Address const& token, std::optional<Amount> amount) {
        auto& receipt = include_transaction().receipt;
        receipt.logs.push_back(
            transfer_log(receipt, transaction, token, state.payment.deposit_address, amount));
    }
    // That transfer, as the books have it.
    Credit& book(Uint128 tokens, CreditStage stage) {
        credit(tokens, stage);
        Credit& booked = state.credits.back();
        booked.transfer.key.transaction_hash = transaction;
        booked.stage_sequence = 40 + state.credits.size();
        store();
        return booked;
    }
    void process(BlockNumber to) {
        FollowedChain& followed = books.processed[kTestChain];
        followed.blocks.clear();
        for (BlockNumber number = 100; number <= to; ++number)
            followed.blocks.push_back({.header = found_block(number, clock.time)});
    }

    void follow(ChainId chain_id, Timestamp head_time) {
        chains.set(chain_id, {.head_time = head_time, .agreed = 110, .finalized = 100, .rule = {}});
    }

    void store() { payments.states[state.payment.id] = state; }
    std::string id() const { return to_string(state.payment.id); }

    void credit(Uint128 tokens, CreditStage stage) {
        Credit credit;
        credit.transfer.key.chain_id = kTestChain;
        credit.transfer.key.token = kTestToken;
        credit.transfer.amount = Amount(tokens * kWholeToken);
        credit.transfer.recipient = state.payment.deposit_address;
        credit.transfer.block_time = credit.first_seen_time = clock.time;
        credit.stage = stage;
        if (stage == CreditStage::unapplied) credit.excess = credit.transfer.amount;
        if (stage == CreditStage::cleared || stage == CreditStage::settled)
            credit.gross = credit.transfer.amount;
        state.credits.push_back(credit);
        store();
    }

    DetectedTransfer announced(Uint128 tokens, std::uint8_t number = 1) {
        DetectedTransfer transfer;
        transfer.place.chain_id = kTestChain;
        transfer.place.nonce = number;
        transfer.transaction_hash.fill(number);
        transfer.payment_id = state.payment.id;
        transfer.token = kTestToken;
        transfer.amount = Amount(tokens * kWholeToken);
        transfer.seen_at = clock.time;
        return transfer;
    }

    void lose_a_transfer() {
        TransferKey key;
        key.chain_id = kTestChain;
        key.token = kTestToken;
        key.ordinal = 99;
        state.reversed_transfers.emplace_back(key, clock.time);
        store();
    }

    boost::asio::io_context io{1};
    FakeClock clock;
    Network network = test_network();
    FakePayments payments;
    ChainRegistry chains{network};
    PaymentService service{payments, network, chains, clock};
    PaymentFeed feed{io.get_executor()};
    DetectedTransfers detected{feed};
    FakeChain chain;
    FakeChain other_chain;
    FinderBooks books;
    TransferFinder finder{
        io.get_executor(), network, {{kTestChain, &chain}, {kOtherChain, &other_chain}}, books,
        payments,          chains};
    PaymentState state;
    TransactionHash transaction{};
};

}  // namespace sycee
