#include <sycee/store/verify.hpp>

#include "commands.hpp"
#include "verify_progress.hpp"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <thread>
#include <unistd.h>

namespace sycee {
namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
// PostgreSQL works as much as we do, and may be on the same machine: more connections than cores
// are of no use.
constexpr unsigned kMostConnections = 16;

}  // namespace

Task<int> verify(Config config) {
    using Clock = std::chrono::steady_clock;
    Database database(config.database_url, 1);
    VerifyMeter meter(::isatty(STDERR_FILENO) == 1, Clock::now(),
                      [](std::string const& text) { std::cerr << text << std::flush; });
    VerifyOptions options;
    options.connections = std::clamp(std::thread::hardware_concurrency(), 1U, kMostConnections);
    options.progress = [&meter](VerifyProgress const& progress) {
        meter.show(progress, Clock::now());
    };
    auto const result = co_await verify_books(database, std::move(options));
    meter.end();
    if (result.first_wrong) {
        std::cout << "WRONG: " << *result.first_wrong << "\n";
        co_return kFailed;
    }
    std::cout << "Right: " << result.records << " record(s) and " << result.postings
              << " posting(s) in " << result.chains << " journal(s).\n";
    co_return kDone;
}

}  // namespace sycee
