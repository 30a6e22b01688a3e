#include <sycee/crypto/hash.hpp>
#include <sycee/payment/journal_walk.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/store/pg_evidence.hpp>

#include "commands.hpp"
#include "document_file.hpp"
#include "evidence_folder.hpp"
#include "verify_progress.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <iostream>
#include <unistd.h>

namespace sycee {
namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kRefused = 2;
constexpr char const* kManifest = "manifest.json";

int refused(Error const& error) {
    std::cerr << "sycee: " << to_string(error) << "\n";
    return kRefused;
}

Result<EvidenceQuery> read_input(EvidenceInput const& input) {
    EvidenceQuery query{.merchant_id = {}, .period = {}, .with_details = input.with_details};
    if (!input.merchant.empty()) {
        query.merchant_id = parse_id<MerchantTag>(input.merchant);
        if (!query.merchant_id) {
            return refuse("merchant", "\"" + input.merchant + "\" is not a merchant's id (mer_…)");
        }
    }
    if (!input.period.empty()) {
        auto period = parse_statement_period(input.period, SystemClock().now());
        if (!period) return std::unexpected(period.error());
        query.period = std::move(*period);
    }
    return query;
}

}  // namespace

Task<int> export_evidence_folder(Config config, EvidenceInput input) {
    using Clock = std::chrono::steady_clock;
    auto const query = read_input(input);
    if (!query) co_return refused(query.error());
    EvidenceFolder folder(input.out);
    Database database(config.database_url, 1);
    VerifyMeter meter(::isatty(STDERR_FILENO) == 1, Clock::now(),
                      [](std::string const& text) { std::cerr << text << std::flush; });
    VerifyOptions options;
    options.connections = verify_connections();
    options.progress = [&meter](VerifyProgress const& progress) {
        meter.show(progress, Clock::now());
    };
    std::optional<EvidenceFound> found;
    std::string unreadable;
    try {
        found =
            co_await export_evidence(database, *query, config.network, folder, std::move(options));
    } catch (WrongRow const& wrong) {
        unreadable = wrong.what();
    }
    meter.end();
    if (!found) {
        std::cout << "WRONG: " << unreadable << "\nThe evidence ends there: " << input.out
                  << " has no manifest.\n";
        co_return kFailed;
    }
    std::string const manifest = evidence_manifest(*query, *found, folder.files()).dump(2) + "\n";
    auto const written =
        write_new_file(std::filesystem::path(input.out) / kManifest, manifest, ReadableBy::owner);
    if (!written) co_return refused(written.error());
    std::cout << (found->first_wrong
                      ? "WRONG: " + *found->first_wrong
                      : "Right: " + std::to_string(found->records) + " record(s) and " +
                            std::to_string(found->postings) + " posting(s) in " +
                            std::to_string(found->journals) + " journal(s).")
              << "\n"
              << folder.files().size() << " files as of " << found->taken_at << " in " << input.out
              << "\nSHA-256 of its " << kManifest << ": " << to_hex(sha256(as_bytes(manifest)))
              << "\n";
    co_return found->first_wrong ? kFailed : kDone;
}

}  // namespace sycee
