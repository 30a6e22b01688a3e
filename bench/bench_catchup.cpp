// What catching up costs one core: all of it, and its two largest parts.
#include "busy_blocks.hpp"

#include <benchmark/benchmark.h>

namespace sycee::bench {
namespace {

constexpr std::uint64_t kAddresses = 100'000;

void count_transfers(benchmark::State& state) {
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBlocks * kTransfers));
}

void decode_answers(benchmark::State& state) {
    Answers const answers = make_answers();
    for (auto _ : state)
        benchmark::DoNotOptimize(decode(answers));
    count_transfers(state);
}
BENCHMARK(decode_answers);

void prove_complete(benchmark::State& state) {
    auto const blocks = decode(make_answers());
    for (auto _ : state) {
        for (BlockWithLogs const& block : blocks)
            ensure(check_complete(block).has_value(), "bench: a block is not complete");
    }
    count_transfers(state);
}
BENCHMARK(prove_complete);

void transfers(benchmark::State& state) {
    Answers const answers = make_answers();
    AddressIndex index;
    add_addresses(index, kAddresses);
    for (auto _ : state)
        benchmark::DoNotOptimize(read_and_match(answers, index));
    count_transfers(state);
}
BENCHMARK(transfers);

}  // namespace
}  // namespace sycee::bench

BENCHMARK_MAIN();
