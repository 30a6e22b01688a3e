#include <sycee/app/receipt_json.hpp>
#include <sycee/base/assert.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/store/pg_checkpoints.hpp>
#include <sycee/store/verify.hpp>

#include "commands.hpp"
#include "document_file.hpp"
#include "verify_progress.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <optional>
#include <thread>
#include <unistd.h>

namespace sycee {
namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kRefused = 2;
// PostgreSQL works as much as we do, and may be on the same machine: more connections than cores
// are of no use.
constexpr unsigned kMostConnections = 16;

constexpr std::size_t kNamed = 20;

int refused(Error const& error) {
    std::cerr << "sycee: " << to_string(error) << "\n";
    return kRefused;
}

int wrong(std::string const& what) {
    std::cout << "WRONG: " << what << "\n";
    return kFailed;
}

Result<std::vector<CompressedPublicKey>> parse_public_keys(std::vector<std::string> const& texts) {
    std::vector<CompressedPublicKey> keys;
    for (std::string const& text : texts) {
        CompressedPublicKey key{};
        if (!read_hex(text, key)) {
            return refuse("--public-key",
                          "must be a compressed public key, 66 hex digits, not \"" + text + "\"");
        }
        keys.push_back(key);
    }
    return keys;
}

// Empty: right. The file's content has been compared with its signatures already.
std::string fault_of_signers(CheckpointExport const& exported,
                             std::vector<CompressedPublicKey> const& keys) {
    for (auto const& key : {exported.checkpoint.public_key, exported.state->public_key}) {
        if (std::ranges::find(keys, key) == keys.end())
            return "is signed by " + to_hex(key) + ", which is not a key that it may be signed by";
    }
    return "";
}

void print_found(VerifyResult const& result, CheckpointExport const* from) {
    std::cout << "Right: " << result.records << " record(s) and " << result.postings
              << " posting(s) in " << result.chains << " journal(s)";
    if (from == nullptr) {
        std::cout << ".\n";
        return;
    }
    std::cout << ", from checkpoint " << from->checkpoint.number << " of "
              << to_rfc3339(from->checkpoint.made_at)
              << " on. What it has was not read again, but for what later records rest on.\n";
    for (std::size_t i = 0; i < std::min(kNamed, result.new_journals.size()); ++i) {
        auto const& [merchant_id, chain_id] = result.new_journals[i];
        std::cout << "New since the checkpoint: " << journal_name(merchant_id, chain_id) << "\n";
    }
    if (result.new_journals.size() > kNamed)
        std::cout << "and " << result.new_journals.size() - kNamed << " more new journal(s).\n";
    if (result.fees_left_out > 0) {
        std::cout << "The fees of " << result.fees_left_out
                  << " payment(s) could not be worked out again: older records of them are gone.\n";
    }
}

// A checkpoint that is made now, to be completed by what the verification finds.
struct Exporting {
    SigningKey key;
    CheckpointExport exported;
};
Task<Result<Exporting>> begin_export(Config const& config, Database& database) {
    if (config.signing_key_file.empty())
        co_return refuse("secrets.signing_key_file", "is not set in the configuration");
    auto const key = load_signing_key(config.signing_key_file);
    if (!key) co_return std::unexpected(key.error());
    PgCheckpoints checkpoints(database);
    auto const made = co_await checkpoints.make(*key, SystemClock().now());
    auto exported = co_await checkpoints.load_export(made.number);
    ensure(exported.has_value(), "a checkpoint that was made is there");
    co_return Exporting{*key, std::move(*exported)};
}

Result<void> finish_export(Exporting& exporting, VerifyResult& result, std::string const& file) {
    VerifiedState state{.verified_at = SystemClock().now(), .journals = std::move(result.states)};
    sign(state, exporting.exported.checkpoint, exporting.key);
    exporting.exported.state = std::move(state);
    auto const checked = check_export(exporting.exported);
    ensure(checked.has_value(), "a verified state is that of its checkpoint");
    std::string const text = export_json(exporting.exported).dump() + "\n";
    if (text.size() > kMostDocumentBytes)
        return refuse(file, "would be larger than 64 MiB, more than is read again");
    return write_new_file(file, text, ReadableBy::all);
}

}  // namespace

std::size_t verify_connections() {
    return std::clamp(std::thread::hardware_concurrency(), 1U, kMostConnections);
}

Task<int> verify(Config config, VerifyInput input) {
    using Clock = std::chrono::steady_clock;
    auto keys = parse_public_keys(input.public_keys);
    if (!keys) co_return refused(keys.error());
    if (input.from.empty() && !keys->empty())
        co_return refused({"--public-key", "is of no use without --from"});
    Database database(config.database_url, 1);
    std::optional<CheckpointExport> from;
    if (!input.from.empty()) {
        auto read = parse_file(input.from, &parse_export);
        if (!read) co_return refused(read.error());
        if (auto const checked = check_export(*read); !checked)
            co_return wrong(input.from + ": " + to_string(checked.error()));
        if (!read->state) {
            co_return refused({input.from,
                               "has no verified state: `sycee verify --export` makes "
                               "checkpoints that verification can go on from"});
        }
        if (keys->empty()) {
            PgReceipts receipts(database);
            for (PublishedKey const& one : co_await receipts.signing_keys())
                keys->push_back(one.public_key);
        }
        if (auto const fault = fault_of_signers(*read, *keys); !fault.empty())
            co_return wrong(input.from + " " + fault);
        from = std::move(*read);
    }
    std::optional<Exporting> exporting;
    if (!input.export_to.empty()) {
        if (std::filesystem::exists(input.export_to))
            co_return refused({"--export", input.export_to + " is there already"});
        auto begun = co_await begin_export(config, database);
        if (!begun) co_return refused(begun.error());
        exporting = std::move(*begun);
        if (from && from->checkpoint.number >= exporting->exported.checkpoint.number) {
            co_return wrong(input.from + " is of checkpoint " +
                            std::to_string(from->checkpoint.number) +
                            ", and the database had fewer until now");
        }
    }
    VerifyMeter meter(::isatty(STDERR_FILENO) == 1, Clock::now(),
                      [](std::string const& text) { std::cerr << text << std::flush; });
    VerifyOptions options;
    options.connections = verify_connections();
    options.progress = [&meter](VerifyProgress const& progress) {
        meter.show(progress, Clock::now());
    };
    if (from) options.from = &*from;
    if (exporting) options.states_at = &exporting->exported;
    auto result = co_await verify_books(database, std::move(options));
    meter.end();
    if (result.first_wrong) co_return wrong(*result.first_wrong);
    print_found(result, from ? &*from : nullptr);
    if (from && input.public_keys.empty()) {
        std::cout << "The key of " << input.from
                  << " was looked up in the same database, which proves nothing against who owns "
                     "it: give the key that you know, with --public-key.\n";
    }
    if (exporting) {
        auto const written = finish_export(*exporting, result, input.export_to);
        if (!written) co_return refused(written.error());
        std::cout << "Checkpoint " << exporting->exported.checkpoint.number
                  << ", with what was verified, written to " << input.export_to << "\nsigned by "
                  << to_hex(exporting->key.public_key())
                  << "\nKeep both where whoever owns the database can't change them.\n";
    }
    co_return kDone;
}

}  // namespace sycee
