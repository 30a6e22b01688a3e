#pragma once

#include <sycee/app/checkpoint_ports.hpp>
#include <sycee/store/database.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace sycee {

class PgCheckpoints final : public CheckpointPort {
  public:
    explicit PgCheckpoints(Database& database) : database_(database) {}

    Task<Checkpoint> make(SigningKey key, Timestamp now) override;
    Task<std::optional<Checkpoint>> newest() override;

    // Puts a new key in the place of the one in use, which is retired.
    Task<void> add_signing_key(CompressedPublicKey key, Timestamp now);
    // Nothing where there is no checkpoint of that number.
    Task<std::optional<CheckpointExport>> load_export(std::uint64_t number);

  private:
    Database& database_;
};

struct CheckpointVerifyResult {
    std::uint64_t checkpoints = 0;
    std::uint64_t journals = 0;
    std::uint64_t records = 0;
    std::optional<std::string> first_wrong;  // names the journal or the checkpoint
};

// Compares a checkpoint that was kept outside, and was checked by check_export(), with the
// database: every record of every journal up to the checkpoint, the checkpoints before it, and
// their signatures. It takes the stored hashes as they are: that they are those of what the records
// say is for verify_books(). Reads one consistent moment; changes nothing.
Task<CheckpointVerifyResult> verify_checkpoint(Database& database, CheckpointExport exported);

class PgReceipts final : public ReceiptPort {
  public:
    explicit PgReceipts(Database& database) : database_(database) {}

    Task<ReceiptMaterial> load(PaymentKey payment, std::size_t most) override;
    Task<std::vector<PublishedKey>> signing_keys() override;

  private:
    Database& database_;
};

}  // namespace sycee
