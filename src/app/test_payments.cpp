#include <sycee/app/test_payments.hpp>
#include <sycee/runtime/random.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace sycee {
namespace {

// No contract of any chain is likely to have these: they read "test".
constexpr Address test_address(std::uint8_t last) {
    Address address;
    address.bytes = {0x7e, 0x57, 0x7e, 0x57, 0x7e, 0x57, 0x7e, 0x57, 0x7e, 0x57,
                     0x7e, 0x57, 0x7e, 0x57, 0x7e, 0x57, 0x7e, 0x57, 0x7e, last};
    return address;
}
constexpr Address kTestUsdt = test_address(1);
constexpr Address kTestUsdc = test_address(2);
constexpr Address kTestWallet = test_address(0xff);
constexpr unsigned kTestDecimals = 6;
// Cleared two blocks after the transfer's own.
constexpr std::uint32_t kTestConfirmations = 3;
constexpr BlockNumber kBeforeClearing = 2;
constexpr BlockNumber kAfterClearing = 4;
// Whoever simulates more in one payment tests something else.
constexpr std::size_t kMostTransfersOfPayment = 100;
// 10^13 whole tokens, as a price may be at the most: so many of them can still be added up.
constexpr Amount kMostAmount{10'000'000'000'000'000'000U};

constexpr std::array<std::pair<TestOutcome, std::string_view>, 6> kOutcomes{
    {{TestOutcome::paid, "paid"},
     {TestOutcome::underpaid, "underpaid"},
     {TestOutcome::overpaid, "overpaid"},
     {TestOutcome::late, "late"},
     {TestOutcome::reversed, "reversed"},
     {TestOutcome::cleared_reversed, "cleared_reversed"}}};

std::string symbol_of(PaymentOption const& option) {
    static ChainSettings const settings = test_chain_settings();
    auto const* token = settings.token(option.token);
    return token == nullptr ? "" : token->symbol;
}

Amount usual_amount(TestOutcome outcome, Amount due) {
    if (outcome == TestOutcome::underpaid) return multiply_divide_down(due, Amount(1), Amount(2));
    if (outcome == TestOutcome::overpaid) {
        return due + multiply_divide_up(due, Amount(1), Amount(5));
    }
    return due;
}

Error too_many_transfers() {
    return {"outcome", "has been simulated " + std::to_string(kMostTransfersOfPayment) +
                           " times for this payment, which is enough"};
}

// An outcome that its amount does not bring would test nothing.
Result<void> check_amount(TestOutcome outcome, Amount amount, PaymentOption const& option,
                          bool open_amount) {
    if (open_amount && outcome == TestOutcome::overpaid)
        return refuse("outcome", "can't be overpaid: no amount is too much for an open one");
    if (amount.is_zero()) return refuse("amount", "must be above zero");
    if (amount > kMostAmount) {
        return refuse("amount", "must be at most " + to_decimal(kMostAmount, kTestDecimals));
    }
    Amount const enough = option.amount - option.tolerance;
    if (outcome == TestOutcome::underpaid && amount >= enough) {
        return refuse("amount",
                      "must be below " + to_decimal(enough, kTestDecimals) + " to be too little");
    }
    if (outcome == TestOutcome::overpaid && amount <= option.amount) {
        return refuse("amount", "must be above " + to_decimal(option.amount, kTestDecimals) +
                                    " to be too much");
    }
    if (outcome != TestOutcome::underpaid && amount < enough) {
        return refuse("amount", "must be at least " + to_decimal(enough, kTestDecimals));
    }
    return {};
}

}  // namespace

ChainSettings test_chain_settings() {
    ChainSettings settings;
    settings.id = kTestChainId;
    settings.name = "Test network";
    settings.endpoints = {{.http_url = "test:", .ws_url = ""}};
    settings.finality.bands = {{.below = {}, .confirmations = kTestConfirmations}};
    settings.block_time = kTestBlockTime;
    settings.tokens = {{"TUSDT", kTestUsdt, kTestDecimals, {}},
                       {"TUSDC", kTestUsdc, kTestDecimals, {}}};
    return settings;
}

bool is_live(Payment const& payment) {
    return !payment.offers(kTestChainId);
}

std::optional<ExtendedPublicKey> test_key_of(ExtendedPublicKey const& live) {
    // The last child: of an account key none that a wallet uses, of a receiving key an address that
    // no payment will ever come to.
    auto const key = derive_child(live, kTestChild);
    if (!key) return std::nullopt;
    return *key;
}

std::string_view to_string(TestOutcome outcome) {
    return std::ranges::find(kOutcomes, outcome, &std::pair<TestOutcome, std::string_view>::first)
        ->second;
}

std::optional<TestOutcome> parse_test_outcome(std::string_view name) {
    for (auto const& [outcome, its_name] : kOutcomes) {
        if (its_name == name) return outcome;
    }
    return std::nullopt;
}

Result<PlannedTransfer> plan_simulation(PaymentState const& state, SimulatePayment const& input,
                                        TransactionHash const& transaction_hash) {
    Payment const& payment = state.payment;
    if (state.credits.size() >= kMostTransfersOfPayment) {
        return std::unexpected(too_many_transfers());
    }
    auto const option = std::ranges::find_if(payment.options, [&](PaymentOption const& candidate) {
        return is_test_chain(candidate.chain_id) &&
               (!input.token || symbol_of(candidate) == *input.token);
    });
    if (option == payment.options.end()) {
        return refuse("token", "the payment does not offer \"" + input.token.value_or("") + "\"");
    }
    Amount amount = usual_amount(input.outcome, option->amount);
    if (input.amount) {
        auto const given = parse_decimal(*input.amount, kTestDecimals);
        if (!given) return refuse("amount", given.error().message);
        amount = *given;
    }
    if (auto const checked = check_amount(input.outcome, amount, *option, payment.open_amount);
        !checked) {
        return std::unexpected(checked.error());
    }
    PlannedTransfer planned{.transfer = {.merchant_id = payment.merchant_id,
                                         .transaction_hash = transaction_hash,
                                         .token = option->token,
                                         .sender = kTestWallet,
                                         .recipient = payment.deposit_address,
                                         .amount = amount},
                            .moment = {}};
    if (input.outcome == TestOutcome::late) planned.moment.after = payment.expires_at;
    if (input.outcome == TestOutcome::reversed) planned.moment.taken_back_after = kBeforeClearing;
    if (input.outcome == TestOutcome::cleared_reversed) {
        planned.moment.taken_back_after = kAfterClearing;
    }
    return planned;
}

Task<std::optional<Result<SimulatedTransfer>>> TestPayments::simulate(
    MerchantId merchant_id, PaymentId id, SimulatePayment input,
    std::optional<IdempotencyClaim> claim) {
    auto const state = co_await payments_.find(merchant_id, id);
    if (!state || is_live(state->payment)) co_return std::nullopt;
    auto const planned = plan_simulation(*state, input, random_bytes<32>());
    if (!planned) co_return std::unexpected(planned.error());
    if (claim) claim->subject = to_hex0x(planned->transfer.transaction_hash);
    auto const transfer = co_await chain_.add(planned->transfer, planned->moment,
                                              kMostTransfersOfPayment, std::move(claim));
    if (!transfer) co_return std::unexpected(too_many_transfers());
    co_return SimulatedTransfer{*transfer,
                                (co_await chain_.advance()).time_of(transfer->block_number)};
}

Task<std::optional<SimulatedTransfer>> TestPayments::find(MerchantId merchant_id,
                                                          TransactionHash hash) {
    auto const transfer = co_await chain_.find(hash);
    if (!transfer || transfer->merchant_id != merchant_id) co_return std::nullopt;
    co_return SimulatedTransfer{*transfer,
                                (co_await chain_.advance()).time_of(transfer->block_number)};
}

}  // namespace sycee
