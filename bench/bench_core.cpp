// What the core costs: address derivation, and one payment through all three stages with its hash
// chain, as the follower asks for it.
#include <sycee/app/payment_service.hpp>
#include <sycee/payment/advance.hpp>

#include <benchmark/benchmark.h>

namespace sycee {
namespace {

void derive_address(benchmark::State& state) {
    auto const key = parse_extended_public_key(
        "xpub6DyUKdwoLWmUJ4Tn9Bbsdtx7B5Ws18mEN19e5HT52ikE53FiUheSQXrZUNPovqfyKmw4579A1Mm3GXXKM39N64"
        "u"
        "ooBfJ4tNAzFsEbodRTx4");
    std::uint64_t index = 0;
    for (auto _ : state)
        benchmark::DoNotOptimize(derive_deposit_address(key.value(), index++));
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(derive_address);

MerchantView view_of(std::uint32_t payments) {
    MerchantView view;
    for (std::uint32_t i = 0; i < payments; ++i) {
        PaymentState payment;
        payment.payment.id.uuid.bytes[0] = static_cast<std::uint8_t>(i);
        payment.payment.id.uuid.bytes[1] = static_cast<std::uint8_t>(i >> 8);
        payment.payment.price = Amount(5000);
        payment.payment.options = {{1, Address{}, Amount(50'000'000), Amount{}}};
        payment.payment.expires_at = timestamp_from_seconds(1'000);
        view.payments.push_back(std::move(payment));
    }
    return view;
}

void settle_payments(benchmark::State& state) {
    auto const count = static_cast<std::uint32_t>(state.range(0));
    MerchantView const view = view_of(count);
    std::vector<MatchedTransfer> transfers;
    for (std::uint32_t i = 0; i < count; ++i) {
        Transfer transfer;
        transfer.key.chain_id = 1;
        transfer.key.ordinal = i;
        transfer.amount = Amount(50'000'000);
        transfer.block_number = 1;
        transfers.push_back({view.payments[i].payment.id, transfer, true});
    }
    FinalityRule const rule{.version = 1, .bands = {{std::nullopt, 1}}};
    ChainStep const step{.chain_id = 1,
                         .head = 1,
                         .tokens = {{1, Address{}, 6}},
                         .chains = {{1, ChainProgress{Timestamp{}, 1, 1, rule}}}};
    for (auto _ : state) {
        benchmark::DoNotOptimize(advance_merchant(view, transfers, step, Timestamp{}));
    }
    state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(settle_payments)->Arg(1)->Arg(100);

}  // namespace
}  // namespace sycee

BENCHMARK_MAIN();
