#include <sycee/base/assert.hpp>
#include <sycee/crypto/hash.hpp>
#include <sycee/store/verify.hpp>

#include "payment_rows.hpp"
#include "record_rows.hpp"
#include "session.hpp"
#include "values.hpp"
#include "verify_fees.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace sycee {
namespace {

// Thrown at the first wrong row; its text names the row.
class WrongRow : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// Walks one hash chain from its first record to its head.
class ChainVerifier {
  public:
    ChainVerifier(MerchantId merchant_id, ChainId chain_id, FeeSchedules schedules)
        : schedules_(std::move(schedules)),
          where_("merchant " + to_string(merchant_id) + ", chain " + std::to_string(chain_id)) {}

    void check(JournalEntry const& entry, Postings const& stored) {
        entry_ = &entry;
        require(entry.sequence == head_.sequence + 1, "follows number " +
                                                          std::to_string(head_.sequence) +
                                                          ": a record is missing, or stands twice");
        require(entry.previous_hash == head_.hash,
                "does not hold the hash of the record before it");
        require(stored == postings_of(entry.record), "has other postings than the record says");
        require(entry.hash == hash_of(entry),
                "has been changed: its hash is not that of its content");
        require_fall();
        std::visit(*this, entry.record);
        try {
            for (Posting const& posting : stored)
                sheet_.post(posting);
        } catch (InvariantViolation const& violation) {
            require(false, violation.what());
        }
        hashes_[entry.sequence] = entry.hash;
        kinds_[entry.sequence] = kind_of(entry.record);
        postings_[entry.sequence] = stored;
        head_ = {entry.sequence, entry.hash};
    }

    void operator()(Authorization const& record) {
        require(credits_.emplace(record.transfer.key, entry_->sequence).second,
                "authorizes a transfer that has a live authorization already");
        receipts_[entry_->sequence] = {record.payment_id, record.transfer.key,
                                       record.transfer.amount};
    }
    void operator()(Clearing const& record) {
        Receipt const& receipt = require_live(record.authorization_sequence);
        require(record.authorization_hash == hashes_[record.authorization_sequence],
                "does not hold the hash of its authorization");
        require_same(receipt, record.payment_id, record.token);
        require_fee(record.fee_version, record.fee_basis_points, record.gross, record.fee);
        require(record.net + record.fee == record.gross &&
                    record.gross + record.excess == receipt.amount,
                "does not claim every base unit of its transfer exactly once");
        require(record.shortfall.is_zero() || record.excess.is_zero(),
                "forgives what is missing and puts something on the desk");
        book_upon(record.authorization_sequence);
        nets_[record.authorization_sequence] = record.net;
        put_on_desk(record.payment_id, record.token, record.excess);
    }
    void operator()(Settlement const& record) {
        auto const cleared = upon_.find(record.authorization_sequence);
        require(cleared != upon_.end() && kinds_[cleared->second] == RecordKind::clearing,
                "settles what is not cleared");
        require(record.clearing_hash == hashes_[cleared->second],
                "does not hold the hash of its clearing");
        require(record.net == nets_[record.authorization_sequence], "settles another net amount");
        require(settled_.insert(record.authorization_sequence).second, "settles a second time");
        below_[entry_->sequence] = record.authorization_sequence;
        open_batch_net_ += record.net;
        ++open_batch_count_;
    }
    void operator()(SettlementBatch const& record) {
        require(record.batch_number == last_batch_ + 1, "does not follow the batch before it");
        require(record.settlement_count == open_batch_count_ && record.net == open_batch_net_ &&
                    record.first_sequence == head_.sequence + 1 - open_batch_count_ &&
                    record.last_sequence == head_.sequence,
                "does not sum up its settlements");
        last_batch_ = record.batch_number;
        open_batch_count_ = 0;
        open_batch_net_ = Amount{};
    }
    void operator()(Unapplied const& record) {
        Receipt const& receipt = require_live(record.authorization_sequence);
        require(record.authorization_hash == hashes_[record.authorization_sequence],
                "does not hold the hash of its authorization");
        require_same(receipt, record.payment_id, record.token);
        require(record.amount == receipt.amount,
                "does not claim every base unit of its transfer exactly once");
        book_upon(record.authorization_sequence);
        put_on_desk(record.payment_id, record.token, record.amount);
    }
    void operator()(Withdrawal const& record) {
        require(withdrawals_.emplace(record.transfer.key, entry_->sequence).second,
                "books a withdrawal that is live already");
        receipts_[entry_->sequence] = {record.payment_id, record.transfer.key,
                                       record.transfer.amount};
        put_on_desk(record.payment_id, record.transfer.key.token, record.unexplained);
    }
    void operator()(Reversal const& record) {
        auto const found = hashes_.find(record.reversed_sequence);
        require(found != hashes_.end() && found->second == record.reversed_hash &&
                    kinds_[record.reversed_sequence] == record.reversed_kind,
                "reverses a record that is not there");
        require(reversed_.insert(record.reversed_sequence).second,
                "reverses a record a second time");
        require(record.postings == mirror(effect_of(record)),
                "does not mirror the postings that it reverses");
        require(!decided_.contains(record.reversed_sequence),
                "reverses what was decided upon at the desk");
        take_back(record.reversed_kind, record.reversed_sequence);
    }
    void operator()(Resolution const& record) {
        auto const found = exceptions_.find(record.exception_sequence);
        require(found != exceptions_.end() && !reversed_.contains(record.exception_sequence) &&
                    hashes_[record.exception_sequence] == record.exception_hash,
                "decides about a record that is not on the desk");
        Exception const& exception = found->second;
        require(record.payment_id == exception.payment_id && record.token == exception.token,
                "is of another payment or token than its exception");
        Amount& decided = decided_[record.exception_sequence];
        decided += record.amount;
        require(!record.amount.is_zero() && decided <= exception.amount,
                "decides about more than its exception holds");
        if (pays(record.kind)) {
            require_fee(record.fee_version, record.fee_basis_points, record.amount, record.fee);
        } else {
            require(record.fee.is_zero(), "charges a fee though it pays no payment");
        }
        require(
            record.kind == ResolutionKind::credit || record.target_payment_id == record.payment_id,
            "pays a payment that its kind can't pay");
        require(!record.decided_by.empty() && record.approved_by != record.decided_by,
                "was not decided by one operator, or by two");
        reasons_[entry_->sequence] = record.reason_hash;
    }

    // After the last record.
    void finish() const {
        if (!falls_) return;
        throw WrongRow(where_ + ": number " + std::to_string(*falls_) +
                       " stands, though what was booked upon it was reversed");
    }

    JournalHead head() const { return head_; }
    std::uint64_t last_batch() const { return last_batch_; }
    BalanceSheet const& sheet() const { return sheet_; }
    std::map<TransferKey, std::uint64_t> const& credits() const { return credits_; }
    std::map<TransferKey, std::uint64_t> const& withdrawals() const { return withdrawals_; }
    // Of each resolution, the hash of its reason.
    std::map<std::uint64_t, Bytes32> const& reasons() const { return reasons_; }
    std::string const& where() const { return where_; }

  private:
    struct Receipt {  // or a withdrawal
        PaymentId payment_id;
        TransferKey key;
        Amount amount;
    };
    struct Exception {
        PaymentId payment_id;
        Address token;
        Amount amount;
    };

    void require(bool holds, std::string const& what) const {
        if (holds) return;
        throw WrongRow(where_ + ": " + std::string(to_string(kind_of(entry_->record))) + " " +
                       std::to_string(entry_->sequence) + " " + what);
    }
    // A fee that has parts for the whole payment is checked by a replay of the payment.
    void require_fee(std::uint64_t version, std::uint32_t basis_points, Amount gross,
                     Amount fee) const {
        FeeSchedule schedule{.basis_points = basis_points};
        if (version != 0) {
            auto const found = schedules_.find(version);
            require(found != schedules_.end() && found->second.basis_points == basis_points,
                    "names version " + std::to_string(version) +
                        " of the fees, which is not there or has other basis points");
            schedule = found->second;
        }
        if (!schedule.is_proportional()) return;
        require(fee == proportional_fee(schedule, gross),
                "charges another fee than its basis points give");
    }
    Receipt const& require_live(std::uint64_t authorization) const {
        auto const kind = kinds_.find(authorization);
        require(kind != kinds_.end() && kind->second == RecordKind::authorization &&
                    !reversed_.contains(authorization),
                "is booked upon an authorization that is not live");
        return receipts_.at(authorization);
    }
    void require_same(Receipt const& receipt, PaymentId payment_id, Address const& token) const {
        require(receipt.payment_id == payment_id && receipt.key.token == token,
                "is of another payment or token than its authorization");
    }
    void book_upon(std::uint64_t authorization) {
        require(upon_.emplace(authorization, entry_->sequence).second,
                "is booked upon an authorization that is cleared or on the desk already");
        below_[entry_->sequence] = authorization;
    }
    void put_on_desk(PaymentId payment_id, Address const& token, Amount amount) {
        if (!amount.is_zero()) exceptions_[entry_->sequence] = {payment_id, token, amount};
    }

    // What a reversal has begun goes on to the authorization without a pause.
    void require_fall() {
        if (!falls_) return;
        auto const* reversal = std::get_if<Reversal>(&entry_->record);
        require(reversal != nullptr && reversal->reversed_sequence == *falls_,
                "does not reverse number " + std::to_string(*falls_) +
                    ", upon which the record before it left nothing");
        falls_.reset();
    }
    // A settlement's postings stand with its batch.
    Postings effect_of(Reversal const& record) const {
        if (record.reversed_kind != RecordKind::settlement) {
            return postings_.at(record.reversed_sequence);
        }
        std::uint64_t const authorization = below_.at(record.reversed_sequence);
        return settlement_postings(receipts_.at(authorization).key.token.bytes,
                                   nets_.at(authorization));
    }
    // The settlement first, then the clearing, then the authorization.
    void take_back(RecordKind kind, std::uint64_t sequence) {
        switch (kind) {
            case RecordKind::settlement: {
                std::uint64_t const authorization = below_.at(sequence);
                settled_.erase(authorization);
                falls_ = upon_.at(authorization);
                return;
            }
            case RecordKind::clearing:
            case RecordKind::unapplied:
                require(!settled_.contains(below_.at(sequence)), "reverses what is settled");
                falls_ = below_.at(sequence);
                upon_.erase(*falls_);
                return;
            case RecordKind::authorization:
                require(!upon_.contains(sequence),
                        "reverses an authorization whose clearing still stands");
                credits_.erase(receipts_.at(sequence).key);
                return;
            case RecordKind::withdrawal:
                withdrawals_.erase(receipts_.at(sequence).key);
                return;
            case RecordKind::settlement_batch:
            case RecordKind::reversal:
            case RecordKind::resolution:
                break;
        }
        require(false, "reverses a record of a kind that is never reversed");
    }

    FeeSchedules schedules_;
    std::string where_;
    JournalEntry const* entry_ = nullptr;
    JournalHead head_;
    BalanceSheet sheet_;
    std::map<std::uint64_t, Bytes32> hashes_;
    std::map<std::uint64_t, RecordKind> kinds_;
    std::map<std::uint64_t, Postings> postings_;
    std::map<std::uint64_t, Receipt> receipts_;
    std::map<std::uint64_t, Amount> nets_;  // by authorization
    std::map<std::uint64_t, std::uint64_t>
        upon_;  // authorization → its clearing or unapplied record
    std::map<std::uint64_t, std::uint64_t> below_;  // what is booked upon one → that authorization
    std::optional<std::uint64_t> falls_;            // must be reversed next
    std::set<std::uint64_t> settled_;
    std::set<std::uint64_t> reversed_;
    std::map<std::uint64_t, Exception> exceptions_;
    std::map<std::uint64_t, Amount> decided_;  // of an exception
    std::map<std::uint64_t, Bytes32> reasons_;
    std::map<TransferKey, std::uint64_t> credits_;
    std::map<TransferKey, std::uint64_t> withdrawals_;
    std::uint64_t last_batch_ = 0;
    std::uint64_t open_batch_count_ = 0;
    Amount open_batch_net_;
};

void check_head(pqxx::transaction_base& tx, ChainVerifier const& verifier, MerchantId merchant_id,
                ChainId chain_id) {
    auto const rows = tx.exec_params(
        "SELECT seq, hash, last_batch_number FROM journal_heads WHERE merchant_id = $1 AND "
        "chain_id = $2",
        to_sql(merchant_id), chain_id);
    bool const right = !rows.empty() && number_of(rows[0][0]) == verifier.head().sequence &&
                       bytes_of<32>(rows[0][1]) == verifier.head().hash &&
                       number_of(rows[0][2]) == verifier.last_batch();
    if (!right) {
        throw WrongRow(verifier.where() + ": journal_heads is not the last record, number " +
                       std::to_string(verifier.head().sequence) +
                       ": records are missing at the end");
    }
}

void check_live(pqxx::transaction_base& tx, ChainVerifier const& verifier, MerchantId merchant_id,
                ChainId chain_id, std::string const& table, std::string const& column,
                std::map<TransferKey, std::uint64_t> const& expected) {
    std::map<TransferKey, std::uint64_t> stored;
    for (auto const& row : tx.exec_params("SELECT tx_hash, token, ordinal, " + column + " FROM " +
                                              table + " WHERE merchant_id = $1 AND chain_id = $2",
                                          to_sql(merchant_id), chain_id)) {
        stored[{chain_id, bytes_of<32>(row[0]), address_in(row[1]), row[2].as<std::uint32_t>()}] =
            number_of(row[3]);
    }
    std::string const at = verifier.where() + ": " + table + " ";
    for (auto const& [key, sequence] : expected) {
        auto const found = stored.find(key);
        if (found == stored.end()) {
            throw WrongRow(at + "has no row for number " + std::to_string(sequence));
        }
        if (found->second != sequence) {
            throw WrongRow(at + "says number " + std::to_string(found->second) + " where number " +
                           std::to_string(sequence) + " is live");
        }
        stored.erase(found);
    }
    if (!stored.empty()) {
        auto const& [key, sequence] = *stored.begin();
        throw WrongRow(at + "has a row for number " + std::to_string(sequence) +
                       ", which is not live: transaction " + to_hex0x(key.transaction_hash));
    }
}

// What the books refer to outside of themselves.
void check_rule_versions(pqxx::transaction_base& tx, ChainVerifier const& verifier,
                         MerchantId merchant_id, ChainId chain_id) {
    auto const rows = tx.exec_params(
        "SELECT a.seq, a.rule_version FROM authorizations a"
        " LEFT JOIN finality_rules f ON (f.chain_id, f.version) = (a.chain_id, a.rule_version)"
        " WHERE a.merchant_id = $1 AND a.chain_id = $2 AND f.version IS NULL"
        " ORDER BY a.seq LIMIT 1",
        to_sql(merchant_id), chain_id);
    if (rows.empty()) return;
    throw WrongRow(verifier.where() + ": authorization " + rows[0][0].c_str() + " names version " +
                   rows[0][1].c_str() + " of the finality rule, which is not there");
}

void check_shortfalls(pqxx::transaction_base& tx, ChainVerifier const& verifier,
                      MerchantId merchant_id, ChainId chain_id) {
    auto const rows = tx.exec_params(
        "SELECT c.seq, c.token, c.shortfall, p.options FROM clearings c"
        " JOIN payments p USING (merchant_id, payment_id)"
        " WHERE c.merchant_id = $1 AND c.chain_id = $2 AND c.shortfall > 0 ORDER BY c.seq",
        to_sql(merchant_id), chain_id);
    for (auto const& row : rows) {
        Payment payment;
        payment.options = parse_options(row["options"].c_str());
        auto const* option = payment.option_for(chain_id, address_in(row["token"]));
        if (option != nullptr && amount_of(row["shortfall"]) <= option->tolerance) continue;
        throw WrongRow(verifier.where() + ": clearing " + row["seq"].c_str() +
                       " forgives more than the payment's tolerance");
    }
}

void check_reasons(pqxx::transaction_base& tx, ChainVerifier const& verifier,
                   MerchantId merchant_id, ChainId chain_id) {
    auto const rows = tx.exec_params(
        "SELECT seq, reason FROM resolution_reasons WHERE merchant_id = $1 AND chain_id = $2"
        " ORDER BY seq",
        to_sql(merchant_id), chain_id);
    for (auto const& row : rows) {
        auto const hash = verifier.reasons().find(number_of(row[0]));
        bool const right = hash != verifier.reasons().end() &&
                           hash->second == sha256(as_bytes(std::string_view(row[1].c_str())));
        if (right) continue;
        throw WrongRow(verifier.where() + ": resolution " + row[0].c_str() +
                       " was given another reason than the one that it holds the hash of");
    }
}

void check_balances(pqxx::transaction_base& tx, ChainVerifier const& verifier,
                    MerchantId merchant_id, ChainId chain_id) {
    std::map<BalanceSheet::Key, std::string> expected;
    for (auto const& [key, balance] : verifier.sheet().balances()) {
        expected[key] = (balance.negative ? "-" : "") + to_string(balance.magnitude);
    }
    for (auto const& row : tx.exec_params("SELECT token, account, balance FROM account_balances "
                                          "WHERE merchant_id = $1 AND chain_id = $2",
                                          to_sql(merchant_id), chain_id)) {
        auto const account = parse_account(row[1].c_str());
        auto const found = expected.find({bytes_of<20>(row[0]), account.value()});
        std::string const right = found == expected.end() ? "0" : found->second;
        if (row[2].c_str() != right) {
            throw WrongRow(verifier.where() + ": account " + row[1].c_str() + " stands at " +
                           row[2].c_str() + ", its postings sum up to " + right);
        }
        if (found != expected.end()) expected.erase(found);
    }
    for (auto const& [key, balance] : expected) {
        if (balance != "0") {
            throw WrongRow(verifier.where() + ": account " + std::string(to_string(key.second)) +
                           " has no balance row");
        }
    }
}

void verify_chain(pqxx::transaction_base& tx, MerchantId merchant_id, ChainId chain_id,
                  VerifyResult& result) {
    std::map<std::uint64_t, Postings> postings;
    for (auto& stored : load_postings(tx, merchant_id, chain_id)) {
        postings[stored.sequence].push_back(stored.posting);
        ++result.postings;
    }
    auto const schedules = load_fee_schedules(tx, merchant_id);
    ChainVerifier verifier(merchant_id, chain_id, schedules);
    for (JournalEntry const& entry : load_chain_entries(tx, merchant_id, chain_id)) {
        verifier.check(entry, postings[entry.sequence]);
        postings.erase(entry.sequence);
        ++result.records;
    }
    for (auto const& [sequence, orphans] : postings) {
        if (!orphans.empty()) {
            throw WrongRow(verifier.where() + ": postings of number " + std::to_string(sequence) +
                           " have no record");
        }
    }
    verifier.finish();
    check_head(tx, verifier, merchant_id, chain_id);
    check_rule_versions(tx, verifier, merchant_id, chain_id);
    check_shortfalls(tx, verifier, merchant_id, chain_id);
    check_reasons(tx, verifier, merchant_id, chain_id);
    if (auto const wrong = find_wrong_fees(tx, merchant_id, chain_id, schedules)) {
        throw WrongRow(verifier.where() + ": " + *wrong);
    }
    check_live(tx, verifier, merchant_id, chain_id, "live_credits", "authorization_seq",
               verifier.credits());
    check_live(tx, verifier, merchant_id, chain_id, "live_withdrawals", "withdrawal_seq",
               verifier.withdrawals());
    check_balances(tx, verifier, merchant_id, chain_id);
    ++result.chains;
}

// Every (merchant, chain) that any table knows: a head that was deleted must not hide its records.
constexpr char const* kJournals =
    "SELECT merchant_id, chain_id FROM journal_heads"
    " UNION SELECT merchant_id, chain_id FROM authorizations"
    " UNION SELECT merchant_id, chain_id FROM withdrawals"
    " UNION SELECT merchant_id, chain_id FROM resolutions"
    " UNION SELECT merchant_id, chain_id FROM postings"
    " UNION SELECT merchant_id, chain_id FROM account_balances"
    " UNION SELECT merchant_id, chain_id FROM live_credits"
    " UNION SELECT merchant_id, chain_id FROM live_withdrawals ORDER BY 1, 2";

}  // namespace

Task<VerifyResult> verify_books(Database& database) {
    auto work = [](SnapshotTransaction& tx) {
        tx.exec("SET LOCAL statement_timeout = 0");
        tx.exec("SET LOCAL idle_in_transaction_session_timeout = 0");
        VerifyResult result;
        try {
            for (auto const& row : tx.exec(kJournals)) {
                verify_chain(tx, id_of<MerchantTag>(row[0]), number_of(row[1]), result);
            }
        } catch (WrongRow const& wrong) {
            result.first_wrong = wrong.what();
        } catch (InvariantViolation const& violation) {
            result.first_wrong = violation.what();
        }
        return result;
    };
    co_return co_await transact<SnapshotTransaction>(database, work);
}

}  // namespace sycee
