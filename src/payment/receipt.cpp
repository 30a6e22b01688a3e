#include <sycee/payment/receipt.hpp>

#include <set>
#include <string>

namespace sycee {
namespace {

// Says the first thing that does not hold.
class Checks {
  public:
    void require(bool holds, std::string field, std::string message) {
        if (!holds && !error_) error_ = Error{std::move(field), std::move(message)};
    }
    Result<void> result() const {
        if (error_) return std::unexpected(*error_);
        return {};
    }

  private:
    std::optional<Error> error_;
};

void check_place(Checks& checks, std::string const& name, JournalEntry const& entry,
                 RecordKind kind, JournalInterval const& interval) {
    checks.require(kind_of(entry.record) == kind, name + ".kind",
                   "must be " + std::string(to_string(kind)));
    checks.require(entry.hash == hash_of(entry), name, "has another hash than its fields give");
    checks.require(entry.merchant_id == interval.merchant_id, name + ".merchant_id",
                   "is not that of the interval");
    checks.require(entry.chain_id == interval.chain_id, name + ".chain_id",
                   "is not that of the interval");
}

void check_life(Checks& checks, ReceiptTransfer const& transfer) {
    auto const& authorization = std::get<Authorization>(transfer.authorization.record);
    auto const& clearing = std::get<Clearing>(transfer.clearing.record);
    auto const& settlement = std::get<Settlement>(transfer.settlement.record);
    std::uint64_t const first = transfer.authorization.sequence;
    checks.require(clearing.authorization_hash == transfer.authorization.hash,
                   "clearing.authorization_hash", "is not the hash of the authorization");
    checks.require(settlement.clearing_hash == transfer.clearing.hash, "settlement.clearing_hash",
                   "is not the hash of the clearing");
    checks.require(clearing.authorization_sequence == first, "clearing.authorization_sequence",
                   "is not that of the authorization");
    checks.require(settlement.authorization_sequence == first, "settlement.authorization_sequence",
                   "is not that of the authorization");
    checks.require(first < transfer.clearing.sequence, "clearing.sequence",
                   "is not after the authorization");
    checks.require(transfer.clearing.sequence < transfer.settlement.sequence, "settlement.sequence",
                   "is not after the clearing");
    checks.require(clearing.payment_id == authorization.payment_id, "clearing.payment_id",
                   "is not that of the authorization");
    checks.require(settlement.payment_id == authorization.payment_id, "settlement.payment_id",
                   "is not that of the authorization");
    checks.require(clearing.token == authorization.transfer.key.token, "clearing.token",
                   "is not that of the authorization");
    checks.require(clearing.fee <= clearing.gross && clearing.net == clearing.gross - clearing.fee,
                   "clearing.net", "is not gross less fee");
    Amount const amount = authorization.transfer.amount;
    checks.require(clearing.gross <= amount && clearing.excess == amount - clearing.gross,
                   "clearing.excess", "is not what arrived less gross");
    checks.require(settlement.net == clearing.net, "settlement.net", "is not that of the clearing");
    checks.require(authorization.transfer.block_number <= settlement.finalized_block,
                   "settlement.finalized_block", "is below the block of the transfer");
}

void check_paths(Checks& checks, ReceiptTransfer const& transfer) {
    JournalInterval const& interval = transfer.interval;
    std::uint64_t const sequence = transfer.settlement.sequence;
    bool const is_inside = interval.first_sequence >= 1 && interval.first_sequence <= sequence &&
                           sequence <= interval.last_sequence;
    checks.require(is_inside, "settlement.sequence", "is not within the interval");
    if (!is_inside) return;
    auto const root =
        root_by_path(interval_leaf(transfer.settlement.hash), sequence - interval.first_sequence,
                     interval.size(), transfer.interval_path);
    checks.require(root == interval.root, "interval.path",
                   "does not lead from the settlement to the interval's root");
    checks.require(sequence != interval.last_sequence || transfer.settlement.hash == interval.head,
                   "interval.head", "is not the hash of the last record");
    Checkpoint const& checkpoint = transfer.checkpoint;
    auto const whole = root_by_path(checkpoint_leaf(interval), transfer.leaf_index,
                                    checkpoint.journal_count, transfer.checkpoint_path);
    checks.require(whole == checkpoint.root, "leaf.path",
                   "does not lead from the interval to the checkpoint's root");
}

}  // namespace

Result<void> check_transfer(ReceiptTransfer const& transfer) {
    Checks checks;
    JournalInterval const& interval = transfer.interval;
    check_place(checks, "authorization", transfer.authorization, RecordKind::authorization,
                interval);
    check_place(checks, "clearing", transfer.clearing, RecordKind::clearing, interval);
    check_place(checks, "settlement", transfer.settlement, RecordKind::settlement, interval);
    if (!checks.result()) return checks.result();
    check_life(checks, transfer);
    check_paths(checks, transfer);
    if (!checks.result()) return checks.result();
    if (auto const signed_by = check_checkpoint(transfer.checkpoint); !signed_by) {
        return refuse("checkpoint." + signed_by.error().field, signed_by.error().message);
    }
    return {};
}

Result<void> check_payment_receipt(PaymentReceipt const& receipt) {
    if (receipt.transfers.empty()) return refuse("transfers", "must hold at least one");
    std::set<std::pair<ChainId, std::uint64_t>> seen;
    for (std::size_t i = 0; i < receipt.transfers.size(); ++i) {
        ReceiptTransfer const& transfer = receipt.transfers[i];
        std::string const name = "transfers[" + std::to_string(i) + "].";
        if (auto const checked = check_transfer(transfer); !checked) {
            return refuse(name + checked.error().field, checked.error().message);
        }
        Checks checks;
        auto const& settlement = std::get<Settlement>(transfer.settlement.record);
        checks.require(transfer.settlement.merchant_id == receipt.merchant_id,
                       name + "settlement.merchant_id", "is not that of the receipt");
        checks.require(settlement.payment_id == receipt.payment_id, name + "settlement.payment_id",
                       "is not that of the receipt");
        checks.require(
            seen.emplace(transfer.settlement.chain_id, settlement.authorization_sequence).second,
            name + "settlement", "stands there twice");
        if (!checks.result()) return checks.result();
    }
    return {};
}

}  // namespace sycee
