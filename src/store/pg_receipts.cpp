#include <sycee/base/assert.hpp>
#include <sycee/store/pg_checkpoints.hpp>

#include "checkpoint_rows.hpp"
#include "months.hpp"
#include "record_rows.hpp"
#include "session.hpp"
#include "values.hpp"

#include <algorithm>
#include <set>

namespace sycee {
namespace {

// A journal's records lie in the order of their times, but for clocks that differ or were set back.
constexpr char const* kClockSlack = "interval '1 hour'";

// The stretch of a journal.
struct Stretch {
    MerchantId merchant_id;
    ChainId chain_id = 0;
    std::uint64_t first = 0;
    std::uint64_t last = 0;
};

std::vector<Bytes32> hashes_where(pqxx::transaction_base& tx, Stretch const& of,
                                  std::string const& condition) {
    std::vector<Bytes32> hashes;
    for (auto const& row : tx.exec_params(
             select_record_hashes("WHERE merchant_id = $1 AND chain_id = $2 AND seq BETWEEN $3 AND "
                                  "$4" +
                                  condition) +
                 " ORDER BY seq",
             to_sql(of.merchant_id), of.chain_id, of.first, of.last)) {
        // One is missing: looked for anew, or a fault.
        if (number_of(row["seq"]) != of.first + hashes.size()) return {};
        hashes.push_back(bytes_of<32>(row["hash"]));
    }
    return hashes;
}

// The hash of each record of the stretch. Most books have no index by number: their rows are found
// by the times of the authorizations around the stretch, or else among all of the journal.
std::vector<Bytes32> hashes_of(pqxx::transaction_base& tx, Stretch const& of) {
    auto const beside = [](char const* sign, char const* place, char const* order,
                           char const* otherwise) {
        return std::string("coalesce((SELECT booked_at ") + sign + " " + kClockSlack +
               " FROM all_authorizations WHERE merchant_id = $1 AND chain_id = $2 AND seq " +
               place + " ORDER BY seq " + order + " LIMIT 1), " + otherwise + ")";
    };
    auto hashes =
        hashes_where(tx, of,
                     " AND booked_at BETWEEN " + beside("-", "<= $3", "DESC", "'-infinity'") +
                         " AND " + beside("+", ">= $4", "ASC", "'infinity'"));
    std::uint64_t const count = of.last - of.first + 1;
    if (hashes.size() != count) hashes = hashes_where(tx, of, "");
    if (hashes.size() != count) require_all_present(tx);
    ensure(hashes.size() == count, "store: a record of a checkpoint is not there");
    return hashes;
}

// The settlements that stand, with what they stand upon.
std::vector<ReceiptTransfer> settled_transfers(std::vector<JournalEntry> const& entries) {
    std::map<std::pair<ChainId, std::uint64_t>, JournalEntry const*> places;
    std::map<std::pair<ChainId, std::uint64_t>, JournalEntry const*> clearings;  // by authorization
    std::set<std::pair<ChainId, std::uint64_t>> reversed;
    for (JournalEntry const& entry : entries) {
        places[{entry.chain_id, entry.sequence}] = &entry;
        if (auto const* clearing = std::get_if<Clearing>(&entry.record))
            clearings[{entry.chain_id, clearing->authorization_sequence}] = &entry;
        if (auto const* reversal = std::get_if<Reversal>(&entry.record))
            reversed.insert({entry.chain_id, reversal->reversed_sequence});
    }
    std::vector<ReceiptTransfer> transfers;
    for (JournalEntry const& entry : entries) {
        auto const* settlement = std::get_if<Settlement>(&entry.record);
        if (settlement == nullptr || reversed.contains({entry.chain_id, entry.sequence})) continue;
        std::pair const place{entry.chain_id, settlement->authorization_sequence};
        ReceiptTransfer transfer;
        transfer.authorization = *places.at(place);
        transfer.clearing = *clearings.at(place);
        transfer.settlement = entry;
        transfers.push_back(std::move(transfer));
    }
    return transfers;
}

// The leaves of the checkpoint that stand in one part with this one.
std::vector<Bytes32> leaves_beside(pqxx::transaction_base& tx, std::uint64_t number,
                                   std::uint64_t index) {
    std::uint64_t const first = index - index % kPartLeaves;
    std::vector<Bytes32> leaves;
    for (auto const& row : tx.exec_params(
             "SELECT merchant_id, chain_id, first_seq, last_seq, head, root FROM "
             "checkpoint_journals"
             " WHERE checkpoint_number = $1 AND leaf_index BETWEEN $2 AND $3 ORDER BY leaf_index",
             number, first, first + kPartLeaves - 1)) {
        leaves.push_back(
            checkpoint_leaf({id_of<MerchantTag>(row["merchant_id"]), number_of(row["chain_id"]),
                             number_of(row["first_seq"]), number_of(row["last_seq"]),
                             bytes_of<32>(row["head"]), bytes_of<32>(row["root"])}));
    }
    return leaves;
}

// Fills in the way to the checkpoint; false where no checkpoint has the settlement yet.
bool add_proof(pqxx::transaction_base& tx, ReceiptTransfer& transfer) {
    JournalEntry const& settlement = transfer.settlement;
    auto const rows = tx.exec_params(
        "SELECT j.first_seq, j.last_seq, j.head AS interval_head, j.root AS interval_root,"
        " j.part_roots AS interval_parts, j.leaf_index, c.part_roots AS checkpoint_parts, " +
            checkpoint_columns() +
            " FROM checkpoint_journals j JOIN checkpoints c ON c.number = j.checkpoint_number"
            " WHERE j.merchant_id = $1 AND j.chain_id = $2 AND j.last_seq >= $3"
            " ORDER BY j.last_seq LIMIT 1",
        to_sql(settlement.merchant_id), settlement.chain_id, settlement.sequence);
    if (rows.empty()) return false;
    auto const& row = rows[0];
    transfer.checkpoint = checkpoint_of(row);
    transfer.interval = {settlement.merchant_id,
                         settlement.chain_id,
                         number_of(row["first_seq"]),
                         number_of(row["last_seq"]),
                         bytes_of<32>(row["interval_head"]),
                         bytes_of<32>(row["interval_root"])};
    std::uint64_t const index = settlement.sequence - transfer.interval.first_sequence;
    std::uint64_t const first = settlement.sequence - index % kPartLeaves;
    std::vector<Bytes32> leaves =
        hashes_of(tx, {settlement.merchant_id, settlement.chain_id, first,
                       std::min(first + kPartLeaves - 1, transfer.interval.last_sequence)});
    for (Bytes32& hash : leaves)
        hash = interval_leaf(hash);
    transfer.interval_path = path_in_parts(index, leaves, byte_vector_of(row["interval_parts"]));
    transfer.leaf_index = number_of(row["leaf_index"]);
    transfer.checkpoint_path = path_in_parts(
        transfer.leaf_index, leaves_beside(tx, transfer.checkpoint.number, transfer.leaf_index),
        byte_vector_of(row["checkpoint_parts"]));
    return true;
}

}  // namespace

Task<ReceiptMaterial> PgReceipts::load(PaymentKey payment, std::size_t most) {
    auto work = [&payment, most](SnapshotTransaction& tx) {
        ReceiptMaterial material;
        material.receipt.merchant_id = payment.first;
        material.receipt.payment_id = payment.second;
        auto transfers = settled_transfers(load_payment_entries(tx, {payment}).at(payment));
        if (transfers.size() > most) transfers.resize(most);
        for (ReceiptTransfer& transfer : transfers) {
            if (add_proof(tx, transfer)) {
                material.receipt.transfers.push_back(std::move(transfer));
            } else {
                ++material.uncovered;
            }
        }
        return material;
    };
    co_return co_await transact<SnapshotTransaction>(database_, work);
}

Task<std::vector<PublishedKey>> PgReceipts::signing_keys() {
    auto work = [](SnapshotTransaction& tx) {
        std::vector<PublishedKey> keys;
        for (auto const& row :
             tx.exec("SELECT public_key, " + time_column("created_at") + ", " +
                     time_column("retired_at") + " FROM signing_keys ORDER BY 2 DESC LIMIT 1000")) {
            PublishedKey key{.public_key = fixed_bytes_of<33>(row["public_key"]),
                             .created_at = time_of(row["created_at"])};
            if (!row["retired_at"].is_null()) key.retired_at = time_of(row["retired_at"]);
            keys.push_back(key);
        }
        return keys;
    };
    co_return co_await transact<SnapshotTransaction>(database_, work);
}

}  // namespace sycee
