#include <sycee/base/assert.hpp>
#include <sycee/store/verify.hpp>

#include "record_rows.hpp"
#include "session.hpp"
#include "values.hpp"

#include <map>
#include <set>
#include <sstream>

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
    ChainVerifier(MerchantId merchant_id, ChainId chain_id)
        : where_("merchant " + to_string(merchant_id) + ", chain " + std::to_string(chain_id)) {}

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
        amounts_[entry_->sequence] = record.transfer.amount;
    }
    void operator()(Clearing const& record) {
        require_live(record.authorization_sequence);
        require(record.authorization_hash == hashes_[record.authorization_sequence],
                "does not hold the hash of its authorization");
        require(record.fee == multiply_divide_down(record.gross, Amount(record.fee_basis_points),
                                                   Amount(10'000)),
                "charges another fee than its basis points give");
        require(record.net + record.fee == record.gross &&
                    record.gross + record.excess == amounts_[record.authorization_sequence],
                "does not claim every base unit of its transfer exactly once");
        book_upon(record.authorization_sequence);
        nets_[record.authorization_sequence] = record.net;
    }
    void operator()(Settlement const& record) {
        auto const cleared = upon_.find(record.authorization_sequence);
        require(cleared != upon_.end() && kinds_[cleared->second] == RecordKind::clearing,
                "settles what is not cleared");
        require(record.clearing_hash == hashes_[cleared->second],
                "does not hold the hash of its clearing");
        require(record.net == nets_[record.authorization_sequence], "settles another net amount");
        require(settled_.insert(record.authorization_sequence).second, "settles a second time");
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
        require_live(record.authorization_sequence);
        require(record.amount == amounts_[record.authorization_sequence],
                "does not claim every base unit of its transfer exactly once");
        book_upon(record.authorization_sequence);
    }
    void operator()(Withdrawal const& record) {
        require(withdrawals_.emplace(record.transfer.key, entry_->sequence).second,
                "books a withdrawal that is live already");
    }
    void operator()(Reversal const& record) {
        auto const found = hashes_.find(record.reversed_sequence);
        require(found != hashes_.end() && found->second == record.reversed_hash &&
                    kinds_[record.reversed_sequence] == record.reversed_kind,
                "reverses a record that is not there");
        require(record.postings == mirror(postings_[record.reversed_sequence]),
                "does not mirror the postings that it reverses");
        require(reversed_.insert(record.reversed_sequence).second,
                "reverses a record a second time");
        if (record.reversed_kind == RecordKind::authorization) {
            require(!upon_.contains(record.reversed_sequence),
                    "reverses an authorization whose clearing still stands");
        }
        for (auto const& [authorization, sequence] : upon_) {
            require(sequence != record.reversed_sequence || !settled_.contains(authorization),
                    "reverses what is settled");
        }
        std::erase_if(upon_,
                      [&](auto const& entry) { return entry.second == record.reversed_sequence; });
        std::erase_if(credits_,
                      [&](auto const& entry) { return entry.second == record.reversed_sequence; });
        std::erase_if(withdrawals_,
                      [&](auto const& entry) { return entry.second == record.reversed_sequence; });
    }

    JournalHead head() const { return head_; }
    std::uint64_t last_batch() const { return last_batch_; }
    BalanceSheet const& sheet() const { return sheet_; }
    std::map<TransferKey, std::uint64_t> const& credits() const { return credits_; }
    std::map<TransferKey, std::uint64_t> const& withdrawals() const { return withdrawals_; }
    std::string const& where() const { return where_; }

  private:
    void require(bool holds, std::string const& what) const {
        if (holds) return;
        throw WrongRow(where_ + ": " + std::string(to_string(kind_of(entry_->record))) + " " +
                       std::to_string(entry_->sequence) + " " + what);
    }
    void require_live(std::uint64_t authorization) const {
        auto const kind = kinds_.find(authorization);
        require(kind != kinds_.end() && kind->second == RecordKind::authorization &&
                    !reversed_.contains(authorization),
                "is booked upon an authorization that is not live");
    }
    void book_upon(std::uint64_t authorization) {
        require(upon_.emplace(authorization, entry_->sequence).second,
                "is booked upon an authorization that is cleared or on the desk already");
    }

    std::string where_;
    JournalEntry const* entry_ = nullptr;
    JournalHead head_;
    BalanceSheet sheet_;
    std::map<std::uint64_t, Bytes32> hashes_;
    std::map<std::uint64_t, RecordKind> kinds_;
    std::map<std::uint64_t, Postings> postings_;
    std::map<std::uint64_t, Amount> amounts_;
    std::map<std::uint64_t, Amount> nets_;
    std::map<std::uint64_t, std::uint64_t>
        upon_;  // authorization → its clearing or unapplied record
    std::set<std::uint64_t> settled_;
    std::set<std::uint64_t> reversed_;
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
    if (stored != expected) {
        throw WrongRow(verifier.where() + ": " + table + " does not hold exactly the live records");
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
    ChainVerifier verifier(merchant_id, chain_id);
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
    check_head(tx, verifier, merchant_id, chain_id);
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
