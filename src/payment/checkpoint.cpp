#include <sycee/crypto/hash.hpp>
#include <sycee/ledger/journal.hpp>
#include <sycee/payment/checkpoint.hpp>

#include <utility>

namespace sycee {
namespace {

Result<void> check_state(CheckpointExport const& exported) {
    VerifiedState const& state = *exported.state;
    if (!is_signed_by(state.public_key, hash_of(exported.checkpoint, state), state.signature)) {
        return refuse("state.signature",
                      "is not that of this state by the key " + to_hex(state.public_key));
    }
    auto const heads = heads_of(exported);
    bool same = heads.size() == state.journals.size() &&
                heads.size() == exported.intervals.size() + exported.heads.size();
    auto journal = state.journals.begin();
    for (auto head = heads.begin(); same && head != heads.end(); ++head, ++journal) {
        same = head->first == std::pair(journal->merchant_id, journal->chain_id) &&
               head->second == journal->head;
    }
    if (same) return {};
    return refuse("state.journals", "are not those of the checkpoint where they end");
}

}  // namespace

Bytes32 interval_leaf(Bytes32 const& record_hash) {
    return merkle_leaf(record_hash);
}

Bytes32 checkpoint_leaf(JournalInterval const& interval) {
    CanonicalBytes bytes("sycee.interval.1");
    bytes.bytes(interval.merchant_id.uuid.bytes)
        .number(interval.chain_id)
        .number(interval.first_sequence)
        .number(interval.last_sequence)
        .bytes(interval.head)
        .bytes(interval.root);
    return merkle_leaf(bytes.view());
}

Bytes32 hash_of(Checkpoint const& checkpoint) {
    CanonicalBytes bytes("sycee.checkpoint.1");
    bytes.number(checkpoint.number)
        .number(static_cast<std::uint64_t>(to_unix_milliseconds(checkpoint.made_at)))
        .bytes(checkpoint.previous_hash)
        .number(checkpoint.journal_count)
        .bytes(checkpoint.root)
        .bytes(checkpoint.public_key);
    return sha256(bytes.view());
}

void sign(Checkpoint& checkpoint, SigningKey const& key) {
    checkpoint.public_key = key.public_key();
    checkpoint.signature = key.sign(hash_of(checkpoint));
}

Result<void> check_checkpoint(Checkpoint const& checkpoint) {
    if (checkpoint.number == 0) return refuse("number", "must be 1 or more");
    if ((checkpoint.number == 1) != (checkpoint.previous_hash == Bytes32{})) {
        return refuse("previous_hash",
                      "must be of zeros for the first checkpoint, and for it alone");
    }
    if (!is_signed_by(checkpoint.public_key, hash_of(checkpoint), checkpoint.signature)) {
        return refuse("signature",
                      "is not that of this checkpoint by the key " + to_hex(checkpoint.public_key));
    }
    return {};
}

Bytes32 hash_of(Checkpoint const& checkpoint, VerifiedState const& state) {
    MerkleTree tree;
    for (JournalState const& journal : state.journals)
        tree.add(state_leaf(journal));
    CanonicalBytes bytes("sycee.verified_state.1");
    bytes.bytes(hash_of(checkpoint))
        .number(static_cast<std::uint64_t>(to_unix_milliseconds(state.verified_at)))
        .number(tree.size())
        .bytes(tree.root())
        .bytes(state.public_key);
    return sha256(bytes.view());
}

void sign(VerifiedState& state, Checkpoint const& checkpoint, SigningKey const& key) {
    state.public_key = key.public_key();
    state.signature = key.sign(hash_of(checkpoint, state));
}

std::map<std::pair<MerchantId, ChainId>, JournalHead> heads_of(CheckpointExport const& exported) {
    std::map<std::pair<MerchantId, ChainId>, JournalHead> heads;
    for (JournalInterval const& interval : exported.intervals) {
        heads[{interval.merchant_id, interval.chain_id}] = {interval.last_sequence, interval.head};
    }
    for (CheckpointedHead const& head : exported.heads)
        heads[{head.merchant_id, head.chain_id}] = {head.sequence, head.hash};
    return heads;
}

Result<void> check_export(CheckpointExport const& exported) {
    if (auto const checked = check_checkpoint(exported.checkpoint); !checked) {
        return refuse("checkpoint." + checked.error().field, checked.error().message);
    }
    MerkleTree tree;
    std::pair<MerchantId, ChainId> before{};
    for (std::size_t i = 0; i < exported.intervals.size(); ++i) {
        JournalInterval const& interval = exported.intervals[i];
        std::pair const journal{interval.merchant_id, interval.chain_id};
        if (i > 0 && journal <= before) {
            return refuse("journals[" + std::to_string(i) + "]",
                          "is not in the order of merchant and chain");
        }
        before = journal;
        tree.add(checkpoint_leaf(interval));
    }
    if (tree.size() != exported.checkpoint.journal_count) {
        return refuse("journals", "are " + std::to_string(tree.size()) + ", not " +
                                      std::to_string(exported.checkpoint.journal_count));
    }
    if (tree.root() != exported.checkpoint.root) {
        return refuse("journals", "are not those that were signed");
    }
    if (exported.state) return check_state(exported);
    return {};
}

}  // namespace sycee
