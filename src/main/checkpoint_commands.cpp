#include "checkpoint_commands.hpp"

#include <sycee/app/receipt_json.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/random.hpp>
#include <sycee/store/pg_checkpoints.hpp>

#include "document_file.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>
#include <optional>
#include <string>

namespace sycee {
namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kRefused = 2;

int refused(Error const& error) {
    std::cerr << "sycee: " << to_string(error) << "\n";
    return kRefused;
}

Error no_key_file() {
    return {"secrets.signing_key_file", "is not set in the configuration"};
}

void print_proof(PaymentReceipt const& receipt) {
    std::cout << "Right. It proves, for " << to_string(receipt.payment_id) << " of "
              << to_string(receipt.merchant_id) << ":\n";
    for (ReceiptTransfer const& proof : receipt.transfers) {
        auto const& transfer = std::get<Authorization>(proof.authorization.record).transfer;
        auto const& clearing = std::get<Clearing>(proof.clearing.record);
        std::cout << "- " << to_string(transfer.amount) << " base units of token "
                  << to_string(transfer.key.token) << " on chain " << transfer.key.chain_id
                  << ", in transaction " << to_hex0x(transfer.key.transaction_hash) << " of block "
                  << transfer.block_number << ",\n  from " << to_string(transfer.sender) << " to "
                  << to_string(transfer.recipient) << ";\n  authorized "
                  << to_rfc3339(proof.authorization.booked_at) << ", cleared "
                  << to_rfc3339(proof.clearing.booked_at) << ", settled "
                  << to_rfc3339(proof.settlement.booked_at) << " (records "
                  << proof.authorization.sequence << ", " << proof.clearing.sequence << ", "
                  << proof.settlement.sequence << ");\n  gross " << to_string(clearing.gross)
                  << ", fee " << to_string(clearing.fee) << ", net " << to_string(clearing.net)
                  << ", to the exceptions desk " << to_string(clearing.excess)
                  << " base units;\n  so booked before " << to_rfc3339(proof.checkpoint.made_at)
                  << ", when checkpoint " << proof.checkpoint.number << " was signed by "
                  << to_hex(proof.checkpoint.public_key) << ".\n";
    }
}

}  // namespace

Task<int> new_signing_key(Config config) {
    if (config.signing_key_file.empty()) co_return refused(no_key_file());
    // No more than one in some 2^128 is none.
    Bytes32 const secret = random_bytes<32>();
    auto const key = SigningKey::from_bytes(secret);
    if (!key) co_return refused(key.error());
    // Under its name only when it is published: a service that reads the file meanwhile finds the
    // one before it.
    std::filesystem::path beside = config.signing_key_file;
    beside += ".new";
    auto const written = write_new_file(beside, to_hex(secret) + "\n", ReadableBy::owner);
    if (!written) co_return refused(written.error());
    try {
        Database database(config.database_url, 1);
        PgCheckpoints checkpoints(database);
        co_await checkpoints.add_signing_key(key->public_key(), SystemClock().now());
    } catch (std::exception const&) {
        std::filesystem::remove(beside);
        throw;
    }
    std::filesystem::rename(beside, config.signing_key_file);
    std::cout << "Public key  " << to_hex(key->public_key()) << "\nWritten to  "
              << config.signing_key_file.string()
              << "\n\nThe key that was in use before, if any, is retired: it stays published, and "
                 "signs no more.\n";
    co_return kDone;
}

Task<int> export_checkpoint(Config config, std::uint64_t number, std::filesystem::path out) {
    Database database(config.database_url, 1);
    PgCheckpoints checkpoints(database);
    if (number == 0) {
        if (config.signing_key_file.empty()) co_return refused(no_key_file());
        auto const key = load_signing_key(config.signing_key_file);
        if (!key) co_return refused(key.error());
        auto const made = co_await checkpoints.make(*key, SystemClock().now());
        number = made.number;
    }
    auto const exported = co_await checkpoints.load_export(number);
    if (!exported) {
        co_return refused({"number", "there is no checkpoint " + std::to_string(number)});
    }
    std::string const text = export_json(*exported).dump(2) + "\n";
    if (out.empty()) {
        std::cout << text;
        co_return kDone;
    }
    auto const written = write_new_file(out, text, ReadableBy::all);
    if (!written) co_return refused(written.error());
    std::cout << "Checkpoint " << number << " written to " << out.string()
              << "\nKeep it where whoever owns the database can't change it.\n";
    co_return kDone;
}

Task<int> verify_checkpoint_file(Config config, std::filesystem::path file) {
    auto exported = parse_file(file, &parse_export);
    if (!exported) co_return refused(exported.error());
    if (auto const checked = check_export(*exported); !checked) {
        std::cout << "WRONG: " << file.string() << ": " << to_string(checked.error()) << "\n";
        co_return kFailed;
    }
    Database database(config.database_url, 1);
    std::uint64_t const number = exported->checkpoint.number;
    auto const result = co_await verify_checkpoint(database, std::move(*exported));
    if (result.first_wrong) {
        std::cout << "WRONG: " << *result.first_wrong << "\n";
        co_return kFailed;
    }
    std::cout << "Right: " << result.records << " record(s) in " << result.journals
              << " journal(s) are those of checkpoint " << number << ", and of the "
              << result.checkpoints - 1
              << " before it. `sycee verify` says whether the records are right in themselves.\n";
    co_return kDone;
}

int verify_receipt_file(std::filesystem::path const& file, std::filesystem::path const& keys_file) {
    std::optional<std::vector<CompressedPublicKey>> keys;
    if (!keys_file.empty()) {
        auto read = parse_file(keys_file, &parse_keys);
        if (!read) return refused(read.error());
        keys = std::move(*read);
    }
    auto const text = read_document(file);
    if (!text) return refused(text.error());
    auto const receipt = parse_receipt(*text);
    auto const checked =
        receipt ? check_payment_receipt(*receipt) : std::unexpected(receipt.error());
    if (!checked) {
        std::cout << "WRONG: " << to_string(checked.error()) << "\n";
        return kFailed;
    }
    for (ReceiptTransfer const& transfer : receipt->transfers) {
        auto const& key = transfer.checkpoint.public_key;
        if (!keys || std::ranges::find(*keys, key) != keys->end()) continue;
        std::cout << "WRONG: signed by " << to_hex(key) << ", which is not among the keys of "
                  << keys_file.string() << "\n";
        return kFailed;
    }
    print_proof(*receipt);
    if (!keys) {
        std::cout << "Whose key that is, it does not prove: compare it with those that the gateway "
                     "publishes at\n/.well-known/sycee-signing-keys, or give them with --keys.\n";
    }
    std::cout << "It proves what was booked by then. Whether the transfer is on the chain, a node "
                 "of your own says.\n";
    return kDone;
}

}  // namespace sycee
