#include "journal_check.hpp"

#include <sycee/base/assert.hpp>

#include "journal_reader.hpp"
#include "months.hpp"
#include "payment_rows.hpp"
#include "record_rows.hpp"
#include "values.hpp"
#include "verify_fees.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <set>

namespace sycee {
namespace {

constexpr std::uint64_t kCountedAtOnce = 4'096;
constexpr std::size_t kOlderAtOnce = 1'000;
constexpr std::size_t kMostOlder = 10'000;
// By so much the clocks of those who book may differ from the clock of who made a checkpoint.
constexpr std::chrono::hours kClocksDiffer{1};

// What a walk asks about, in the same moment as its records.
class StoredContext final : public JournalContext {
  public:
    StoredContext(pqxx::transaction_base& tx, MerchantId merchant_id, ChainId chain_id,
                  JournalState const* from)
        : tx_(tx),
          merchant_id_(merchant_id),
          chain_id_(chain_id),
          from_(from),
          schedules_(load_fee_schedules(tx, merchant_id)) {
        for (auto const& row :
             tx.exec_params("SELECT version FROM finality_rules WHERE chain_id = $1", chain_id))
            rules_.insert(number_of(row[0]));
    }

    // They are asked for one by one, mostly in their order: the next ones are read with it.
    OlderRecords older_records(std::uint64_t authorization) override {
        if (!older_.contains(authorization)) read_older(authorization);
        return std::move(older_.extract(authorization).mapped());
    }
    // A reorg takes back several records of a payment, one after the other.
    // All records of a payment are read at once, those that are not checked yet as well.
    std::span<JournalEntry const> records_of(PaymentId payment_id) override {
        if (loaded_ == payment_id) return records_;
        loaded_.reset();
        records_.clear();
        PaymentKey const key{merchant_id_, payment_id};
        try {
            auto of_payment = load_payment_entries(tx_, {key});
            for (JournalEntry& entry : of_payment.at(key)) {
                if (entry.chain_id == chain_id_) records_.push_back(std::move(entry));
            }
        } catch (InvariantViolation const& violation) {
            throw WrongRow(journal_name(merchant_id_, chain_id_) + ": " + violation.what());
        }
        loaded_ = payment_id;
        return records_;
    }
    std::optional<Amount> tolerance_of(PaymentId payment_id, Address const& token) override {
        auto const rows = tx_.exec_params(
            "SELECT options FROM payments WHERE merchant_id = $1 AND payment_id = $2",
            to_sql(merchant_id_), to_sql(payment_id));
        if (rows.empty()) return std::nullopt;
        Payment payment;
        payment.options = parse_options(rows[0][0].c_str());
        auto const* option = payment.option_for(chain_id_, token);
        if (option == nullptr) return std::nullopt;
        return option->tolerance;
    }
    bool has_rule(std::uint64_t version) override { return rules_.contains(version); }
    FeeSchedule const* fees(std::uint64_t version) override {
        auto const found = schedules_.find(version);
        return found == schedules_.end() ? nullptr : &found->second;
    }
    FeeSchedules const& schedules() const { return schedules_; }

  private:
    void read_older(std::uint64_t authorization) {
        if (older_.size() > kMostOlder) older_.clear();
        std::vector<std::uint64_t> sequences;
        auto const& open = from_->open;
        for (auto at = std::ranges::lower_bound(open, authorization, {},
                                                &JournalState::Open::authorization);
             at != open.end() && sequences.size() < kOlderAtOnce; ++at)
            sequences.push_back(at->authorization);
        for (auto& [sequence, records] :
             read_authorizations(tx_, merchant_id_, chain_id_, sequences))
            older_.insert_or_assign(sequence, std::move(records));
        older_.try_emplace(authorization);  // with nothing where it is gone
    }

    pqxx::transaction_base& tx_;
    MerchantId merchant_id_;
    ChainId chain_id_;
    JournalState const* from_;
    FeeSchedules schedules_;
    std::set<std::uint64_t> rules_;
    std::map<std::uint64_t, OlderRecords> older_;
    std::optional<PaymentId> loaded_;  // whose records_ are
    std::vector<JournalEntry> records_;
};

// The words of a decision, where they are kept, are those that its record holds the hash of.
class ReasonCheck {
  public:
    ReasonCheck(std::string const& where, JournalReader& reader)
        : where_(where), reader_(reader), next_(reader.next_reason()) {}

    void decided(RecordKind kind, std::uint64_t sequence, Bytes32 const& reason_hash) {
        if (next_ && next_->sequence < sequence) refuse("decision");
        if (!next_ || next_->sequence != sequence) return;
        if (next_->hash != reason_hash) refuse(to_string(kind));
        next_ = reader_.next_reason();
    }
    void finish() const {
        if (next_) refuse("decision");
    }

  private:
    [[noreturn]] void refuse(std::string_view kind) const {
        throw WrongRow(where_ + ": " + std::string(kind) + " " + std::to_string(next_->sequence) +
                       " was given another reason than the one that it holds the hash of");
    }

    std::string const& where_;
    JournalReader& reader_;
    std::optional<JournalReader::Reason> next_;
};

class JournalCheck {
  public:
    // `since`: of books without an index by number, what was booked before is not looked at.
    JournalCheck(pqxx::transaction_base& tx, MerchantId merchant_id, ChainId chain_id,
                 JournalSpan const& span, std::optional<Timestamp> since)
        : tx_(tx),
          merchant_id_(merchant_id),
          chain_id_(chain_id),
          span_(span),
          since_(since),
          after_(span.from == nullptr ? 0 : span.from->head.sequence),
          where_(journal_name(merchant_id, chain_id)),
          context_(tx, merchant_id, chain_id, span.from),
          walk_(span.from == nullptr ? JournalWalk(merchant_id, chain_id, context_)
                                     : JournalWalk(*span.from, context_)) {}

    JournalFound run(std::function<void(JournalCounts const&)> const& counted) {
        if (span_.from != nullptr) check_not_shortened();
        take_state();
        walk_all(counted);
        walk_.finish();
        if (span_.state_at && !found_.state) {
            throw WrongRow(where_ + ": it ends at number " + std::to_string(walk_.head().sequence) +
                           ", and had number " + std::to_string(span_.state_at->sequence) +
                           " at the checkpoint");
        }
        check_fees();
        check_losses();
        check_fee_payments();
        check_refund_recipients();
        check_head();
        check_balances();
        return std::move(found_);
    }

  private:
    void walk_all(std::function<void(JournalCounts const&)> const& counted) {
        JournalReader reader(tx_, merchant_id_, chain_id_, after_, since_);
        LiveIndexWalk credits(where_, "live_credits", [&] { return reader.next_live_credit(); });
        LiveIndexWalk withdrawals(where_, "live_withdrawals",
                                  [&] { return reader.next_live_withdrawal(); });
        ReasonCheck reasons(where_, reader);
        std::vector<PostedLine> postings;
        JournalCounts counts;
        while (auto entry = reader.next(postings)) {
            std::uint64_t const sequence = entry->sequence;
            Record const& record = entry->record;
            RecordKind const kind = kind_of(record);
            // What the indexes say is looked at after the record itself has been found right.
            std::optional<TransferKey> credit;
            std::optional<TransferKey> withdrawal;
            std::optional<Bytes32> reason;
            std::optional<std::pair<RecordKind, std::uint64_t>> reversed;
            if (auto const* authorized = std::get_if<Authorization>(&record)) {
                credit = authorized->transfer.key;
            } else if (auto const* withdrawn = std::get_if<Withdrawal>(&record)) {
                withdrawal = withdrawn->transfer.key;
            } else if (auto const* reversal = std::get_if<Reversal>(&record)) {
                reversed = {reversal->reversed_kind, reversal->reversed_sequence};
            }
            std::visit(
                [&reason](auto const& one) {
                    if constexpr (requires { one.reason_hash; }) reason = one.reason_hash;
                },
                record);
            Month const month = posting_month(record);
            Timestamp const booked_at = entry->booked_at;
            walk_.pass(std::move(*entry), postings);
            reader.require_month(sequence, month, postings);
            if (sequence == 1) check_is_new(booked_at);
            if (credit) credits.booked(sequence, *credit);
            if (withdrawal) withdrawals.booked(sequence, *withdrawal);
            if (reason) reasons.decided(kind, sequence, *reason);
            // Of what is older than the checkpoint, the rows are counted.
            if (reversed && reversed->second > after_) {
                if (reversed->first == RecordKind::authorization)
                    credits.reversed(reversed->second);
                if (reversed->first == RecordKind::withdrawal)
                    withdrawals.reversed(reversed->second);
            } else if (reversed) {
                if (reversed->first == RecordKind::authorization) ++older_credits_reversed_;
                if (reversed->first == RecordKind::withdrawal) ++older_withdrawals_reversed_;
            }
            take_state();
            ++counts.records;
            counts.postings += postings.size();
            if (counts.records == kCountedAtOnce) counted(std::exchange(counts, {}));
        }
        counted(counts);
        credits.finish();
        withdrawals.finish();
        reasons.finish();
        if (span_.from == nullptr) return;
        check_older_rows("live_credits", "authorization_seq",
                         span_.from->live_credits - older_credits_reversed_);
        check_older_rows("live_withdrawals", "withdrawal_seq",
                         span_.from->live_withdrawals - older_withdrawals_reversed_);
    }

    // How the journal stands, where it is the moment that is asked for.
    void take_state() {
        if (!span_.state_at || walk_.head().sequence != span_.state_at->sequence) return;
        if (walk_.head().hash != span_.state_at->hash) {
            throw WrongRow(where_ + ": number " + std::to_string(walk_.head().sequence) +
                           " is not the record of the checkpoint");
        }
        found_.state = walk_.state();
    }

    void check_not_shortened() {
        std::string const had = ", but had number " + std::to_string(after_) + " at the checkpoint";
        auto const rows = tx_.exec_params(
            "SELECT seq FROM journal_heads WHERE merchant_id = $1 AND chain_id = $2",
            to_sql(merchant_id_), chain_id_);
        if (rows.empty()) throw WrongRow(where_ + ": the journal has no journal_heads row" + had);
        if (rows[0][0].as<std::int64_t>() < static_cast<std::int64_t>(after_)) {
            throw WrongRow(where_ + ": journal_heads says that the journal ends at number " +
                           rows[0][0].c_str() + had);
        }
    }

    // A journal that the checkpoint does not have must have begun after it.
    void check_is_new(Timestamp first_booked_at) const {
        if (!span_.checkpoint_at || first_booked_at >= *span_.checkpoint_at - kClocksDiffer) return;
        throw WrongRow(where_ +
                       ": the checkpoint does not have this journal, though its record 1 "
                       "was booked before it, at " +
                       to_rfc3339(first_booked_at));
    }

    void check_older_rows(std::string const& table, std::string const& number,
                          std::uint64_t expected) {
        auto const rows = tx_.exec_params("SELECT count(*) FROM " + table +
                                              " WHERE merchant_id = $1 AND chain_id = $2 AND " +
                                              number + " <= $3",
                                          to_sql(merchant_id_), chain_id_, after_);
        if (number_of(rows[0][0]) == expected) return;
        throw WrongRow(where_ + ": " + table + " has " + rows[0][0].c_str() +
                       " row(s) for numbers up to " + std::to_string(after_) + ", and must have " +
                       std::to_string(expected));
    }

    void check_fees() {
        auto const fees = find_wrong_fees(tx_, merchant_id_, chain_id_, context_.schedules(),
                                          after_, span_.checkpoint_at);
        if (fees.wrong) throw WrongRow(where_ + ": " + *fees.wrong);
        found_.fees_left_out = fees.left_out;
    }

    // A loss is what was found, in the block in which it was, and the difference is closed by it
    // alone.
    void check_losses() {
        auto const wrong = tx_.exec_params(
            "SELECT t.seq FROM token_losses t LEFT JOIN balance_differences d"
            " ON (d.difference_id, d.merchant_id, d.payment_id, d.chain_id, d.token, "
            "d.block_number,"
            "     d.block_hash) = (t.difference_id, t.merchant_id, t.payment_id, t.chain_id, "
            "t.token,"
            "     t.block_number, t.block_hash)"
            " WHERE t.merchant_id = $1 AND t.chain_id = $2 AND (d.difference_id IS NULL"
            "   OR d.booked - d.on_chain <> t.amount OR d.closed_at IS NULL OR d.accepted)"
            " ORDER BY t.seq LIMIT 1",
            to_sql(merchant_id_), chain_id_);
        if (wrong.empty()) return;
        throw WrongRow(where_ + ": token_loss " + wrong[0][0].c_str() +
                       " is not what its difference says, or that one is not closed by it");
    }

    // What was paid was invoiced, and the invoice was paid with what the record names. Other
    // merchants' journals are checked by themselves.
    void check_fee_payments() {
        auto const wrong = tx_.exec_params(
            "SELECT f.seq, i.amount IS NULL, f.invoice_merchant_id, f.invoice_payment_id"
            " FROM fee_payments f LEFT JOIN fee_invoices i"
            " ON (i.merchant_id, i.invoice_merchant_id, i.invoice_payment_id, i.chain_id, i.token,"
            "     i.amount) = (f.merchant_id, f.invoice_merchant_id, f.invoice_payment_id, "
            "f.chain_id,"
            "     f.token, f.amount)"
            " WHERE f.merchant_id = $1 AND f.chain_id = $2 AND f.seq > $3"
            " AND (i.amount IS NULL OR NOT EXISTS ("
            "   SELECT FROM all_authorizations a JOIN all_settlements s"
            "     ON (s.merchant_id, s.chain_id, s.authorization_seq)"
            "      = (a.merchant_id, a.chain_id, a.seq) AND s.payment_id = a.payment_id"
            "     WHERE (a.merchant_id, a.payment_id) = (f.invoice_merchant_id, "
            "f.invoice_payment_id)"
            "     AND s.hash = f.settlement_hash"
            "   UNION ALL SELECT FROM resolutions r WHERE (r.merchant_id, r.target_payment_id)"
            "     = (f.invoice_merchant_id, f.invoice_payment_id) AND r.hash = f.settlement_hash))"
            " ORDER BY f.seq LIMIT 1",
            to_sql(merchant_id_), chain_id_, after_);
        if (wrong.empty()) return;
        require_present(tx_, {{id_of<MerchantTag>(wrong[0][2]), id_of<PaymentTag>(wrong[0][3])}});
        throw WrongRow(where_ + ": fee_payment " + wrong[0][0].c_str() +
                       (wrong[0][1].as<bool>()
                            ? " is of an invoice that is not there, or says another amount"
                            : " names a settlement by which its invoice was not paid"));
    }

    // Of a promise that names nobody: it was paid to whom was named later.
    void check_refund_recipients() {
        auto const wrong = tx_.exec_params(
            "SELECT y.seq FROM refund_payments y JOIN refund_recipients n"
            " USING (merchant_id, chain_id, promise_seq)"
            " WHERE y.merchant_id = $1 AND y.chain_id = $2 AND y.seq > $3"
            " AND y.recipient <> n.recipient ORDER BY y.seq LIMIT 1",
            to_sql(merchant_id_), chain_id_, after_);
        if (wrong.empty()) return;
        throw WrongRow(where_ + ": refund_payment " + wrong[0][0].c_str() +
                       " went to another recipient than the one that was named for its promise");
    }

    void check_head() {
        auto const rows = tx_.exec_params(
            "SELECT seq, encode(hash, 'hex'), last_batch_number FROM journal_heads"
            " WHERE merchant_id = $1 AND chain_id = $2",
            to_sql(merchant_id_), chain_id_);
        JournalHead const head = walk_.head();
        std::string const last = "the last record, number " + std::to_string(head.sequence);
        if (rows.empty()) {
            if (head.sequence == 0) return;
            throw WrongRow(where_ + ": journal_heads has no row, but " + last + ", is there");
        }
        if (head.sequence == 0) throw WrongRow(where_ + ": journal_heads has a row, but no record");
        std::string const batch = std::to_string(walk_.last_batch());
        auto const require = [&](int column, std::string const& expected, std::string const& what) {
            if (rows[0][column].c_str() == expected) return;
            throw WrongRow(
                where_ + ": journal_heads is not " + last + ": it says " + what + " " +
                rows[0][column].c_str() + ", not " + expected +
                (column == 0 ? ": records are missing at the end, or it was changed" : ""));
        };
        require(0, std::to_string(head.sequence), "number");
        require(1, to_hex(head.hash), "hash");
        require(2, batch, "batch");
    }

    void check_balances() {
        std::map<BalanceSheet::Key, std::string> expected;
        for (auto const& [key, balance] : walk_.sheet().balances())
            expected[key] = (balance.negative ? "-" : "") + to_string(balance.magnitude);
        for (auto const& row :
             tx_.exec_params("SELECT token, account, balance FROM account_balances"
                             " WHERE merchant_id = $1 AND chain_id = $2 ORDER BY token, account",
                             to_sql(merchant_id_), chain_id_)) {
            auto const token = byte_vector_of(row[0]);
            auto const account = parse_account(row[1].c_str());
            ensure(account.has_value(), "store: an unknown account in account_balances");
            std::string const name =
                where_ + ": account " + row[1].c_str() + " of token " + to_hex0x(token) + " ";
            BalanceSheet::Key key{{}, *account};
            bool const is_token = token.size() == key.first.size();
            if (is_token) std::copy(token.begin(), token.end(), key.first.begin());
            auto const found = is_token ? expected.find(key) : expected.end();
            if (found == expected.end()) {
                throw WrongRow(name + "has a balance row, but no posting");
            }
            if (row[2].c_str() != found->second) {
                throw WrongRow(name + "stands at " + row[2].c_str() + ", its postings sum up to " +
                               found->second);
            }
            expected.erase(found);
        }
        if (expected.empty()) return;
        auto const& [token, account] = expected.begin()->first;
        throw WrongRow(where_ + ": account " + std::string(to_string(account)) + " of token " +
                       to_hex0x(token) + " has no balance row");
    }

    pqxx::transaction_base& tx_;
    MerchantId merchant_id_;
    ChainId chain_id_;
    JournalSpan const& span_;
    std::optional<Timestamp> since_;
    std::uint64_t after_;
    std::string where_;
    StoredContext context_;
    JournalWalk walk_;
    std::uint64_t older_credits_reversed_ = 0;
    std::uint64_t older_withdrawals_reversed_ = 0;
    JournalFound found_;
};

}  // namespace

JournalFound check_journal(pqxx::transaction_base& tx, MerchantId merchant_id, ChainId chain_id,
                           JournalSpan const& span,
                           std::function<void(JournalCounts const&)> const& counted) {
    try {
        if (span.from != nullptr && span.checkpoint_at) {
            // What was booked after the checkpoint has a later time, but for clocks that differ or
            // were set back: where something is wrong so, all is looked through.
            JournalCounts told;
            auto const count = [&](JournalCounts const& more) {
                told.records += more.records;
                told.postings += more.postings;
                counted(more);
            };
            try {
                return JournalCheck(tx, merchant_id, chain_id, span,
                                    *span.checkpoint_at - kClocksDiffer)
                    .run(count);
            } catch (WrongRow const&) {
                return JournalCheck(tx, merchant_id, chain_id, span, std::nullopt)
                    .run([&](JournalCounts const& more) {
                        // What was told once is not told again.
                        JournalCounts const again{std::min(told.records, more.records),
                                                  std::min(told.postings, more.postings)};
                        told.records -= again.records;
                        told.postings -= again.postings;
                        counted({more.records - again.records, more.postings - again.postings});
                    });
            }
        }
        return JournalCheck(tx, merchant_id, chain_id, span, std::nullopt).run(counted);
    } catch (InvariantViolation const& violation) {
        throw WrongRow(journal_name(merchant_id, chain_id) + ": " + violation.what());
    }
}

}  // namespace sycee
