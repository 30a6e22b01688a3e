#pragma once

#include <sycee/base/id.hpp>
#include <sycee/base/result.hpp>
#include <sycee/base/time.hpp>
#include <sycee/crypto/merkle.hpp>
#include <sycee/crypto/signing.hpp>
#include <sycee/payment/journal_state.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace sycee {

// A checkpoint fixes how all journals stood at one moment, in 32 bytes that are signed and may
// leave the database (docs/decisions/0012). Of each journal that has moved since the checkpoint
// before, it holds the records that were added: the root of a Merkle tree over their hashes.

// The records that one checkpoint has of the journal of a merchant and chain.
struct JournalInterval {
    MerchantId merchant_id;
    ChainId chain_id = 0;
    std::uint64_t first_sequence = 0;  // 1, or one above the interval of the checkpoint before
    std::uint64_t last_sequence = 0;   // at least first_sequence
    Bytes32 head{};                    // the hash of the last record
    Bytes32 root{};                    // over interval_leaf() of every record

    std::uint64_t size() const { return last_sequence - first_sequence + 1; }
    bool operator==(JournalInterval const&) const = default;
};

// The leaf of a record in its interval's tree.
Bytes32 interval_leaf(Bytes32 const& record_hash);
// The leaf of an interval in the checkpoint's tree. From it alone nobody learns whose it is.
Bytes32 checkpoint_leaf(JournalInterval const& interval);

struct Checkpoint {
    std::uint64_t number = 0;  // from 1, without a gap
    Timestamp made_at{};
    Bytes32 previous_hash{};          // of the checkpoint before; zeros for the first
    std::uint64_t journal_count = 0;  // that have moved; 0: nothing was booked since
    Bytes32 root{};  // over checkpoint_leaf() of each, in the order of merchant and chain
    CompressedPublicKey public_key{};
    Signature signature{};  // of hash_of()

    bool operator==(Checkpoint const&) const = default;
};

// SHA-256 over everything but the signature.
Bytes32 hash_of(Checkpoint const& checkpoint);
// Fills public key and signature.
void sign(Checkpoint& checkpoint, SigningKey const& key);

// Refused, with the field: a signature that is not by the checkpoint's own key, or a first
// checkpoint that has one before it. Whether the key is to be trusted is for the caller.
Result<void> check_checkpoint(Checkpoint const& checkpoint);

// The end of a journal, as of a checkpoint.
struct CheckpointedHead {
    MerchantId merchant_id;
    ChainId chain_id = 0;
    std::uint64_t sequence = 0;
    Bytes32 hash{};

    bool operator==(CheckpointedHead const&) const = default;
};

// What a verification found that had read every record up to a checkpoint, so that a later one may
// go on from there (docs/decisions/0014).
struct VerifiedState {
    Timestamp verified_at{};
    std::vector<JournalState> journals;  // all of them, in the order of merchant and chain
    CompressedPublicKey public_key{};
    Signature signature{};  // of hash_of()

    bool operator==(VerifiedState const&) const = default;
};

// SHA-256 over everything but the signature, and the checkpoint's hash.
Bytes32 hash_of(Checkpoint const& checkpoint, VerifiedState const& state);
// Fills public key and signature.
void sign(VerifiedState& state, Checkpoint const& checkpoint, SigningKey const& key);

// A checkpoint to be kept outside of the database.
struct CheckpointExport {
    Checkpoint checkpoint;
    std::vector<JournalInterval> intervals;  // in the order of merchant and chain
    std::vector<CheckpointedHead>
        heads;  // of the journals that have not moved since the one before
    std::optional<VerifiedState> state;
};

// The ends of all journals, by merchant and chain.
std::map<std::pair<MerchantId, ChainId>, JournalHead> heads_of(CheckpointExport const& exported);

// check_checkpoint(), and that the intervals are those of the checkpoint. Of a verified state, that
// it is signed by its own key, and is of exactly these journals where they end.
Result<void> check_export(CheckpointExport const& exported);

}  // namespace sycee
