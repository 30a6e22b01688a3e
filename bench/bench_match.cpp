// What a million open payments cost: time for each transfer against a thousand of them, and memory.
#include "busy_blocks.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <unistd.h>

namespace sycee::bench {
namespace {

constexpr std::uint64_t kFew = 1'000;
constexpr std::uint64_t kMany = 1'000'000;
constexpr int kRounds = 41;

double resident_mb() {
    std::ifstream pages("/proc/self/statm");
    std::uint64_t size = 0;
    std::uint64_t resident = 0;
    pages >> size >> resident;
    return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

double seconds_of(Answers const& answers, AddressIndex const& index) {
    auto const start = std::chrono::steady_clock::now();
    std::size_t const candidates = read_and_match(answers, index);
    auto const end = std::chrono::steady_clock::now();
    ensure(candidates < kTransfers, "bench: strangers' addresses are taken for ours");
    return std::chrono::duration<double>(end - start).count();
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

int run() {
    double const empty = resident_mb();
    AddressIndex many;
    add_addresses(many, kMany);
    double const memory = resident_mb() - empty;

    AddressIndex few;
    add_addresses(few, kFew);
    Answers const answers = make_answers();
    std::vector<double> with_few;
    std::vector<double> with_many;
    // In turns, so that what else the machine does weighs on both alike.
    for (int round = 0; round < kRounds; ++round) {
        with_few.push_back(seconds_of(answers, few));
        with_many.push_back(seconds_of(answers, many));
    }
    std::printf("{\"cost_ratio\": %.3f, \"memory_mb\": %.1f}\n",
                median(with_many) / median(with_few), memory);
    return 0;
}

}  // namespace
}  // namespace sycee::bench

int main() {
    return sycee::bench::run();
}
