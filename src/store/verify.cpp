#include <sycee/base/assert.hpp>
#include <sycee/store/verify.hpp>

#include "journal_check.hpp"
#include "months.hpp"
#include "session.hpp"
#include "values.hpp"
#include "verify_snapshot.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace sycee {
namespace {

using Journal = std::pair<MerchantId, ChainId>;

// Every table with rows of a journal: a head that was deleted must not hide its records, and a row
// that was put under another merchant or chain must not hide itself.
constexpr auto kTables = std::to_array<char const*>({"journal_heads",
                                                     "authorizations",
                                                     "clearings",
                                                     "settlements",
                                                     "settlement_batches",
                                                     "unapplied_receipts",
                                                     "withdrawals",
                                                     "reversals",
                                                     "resolutions",
                                                     "resolution_reasons",
                                                     "refunds",
                                                     "refund_payments",
                                                     "refund_cancellations",
                                                     "token_losses",
                                                     "fee_payments",
                                                     "cancellations",
                                                     "postings",
                                                     "live_credits",
                                                     "live_withdrawals",
                                                     "account_balances"});

// From one journal to the next by the primary key, without reading the rows in between.
std::string journals_in(std::string const& table) {
    auto const one = [&table](std::string const& after) {
        return "(SELECT merchant_id, chain_id FROM " + table + after + " ORDER BY 1, 2 LIMIT 1)";
    };
    return "(WITH RECURSIVE j AS (" + one("") + " UNION ALL SELECT n.* FROM j, LATERAL " +
           one(" WHERE (merchant_id, chain_id) > (j.merchant_id, j.chain_id)") +
           " n) SELECT merchant_id, chain_id FROM j)";
}

struct Journals {
    std::vector<Journal> all;
    std::string stray;  // a row of a chain that can't be; empty: none
};

Journals find_journals(pqxx::transaction_base& tx) {
    std::string query;
    for (std::string const table : kTables) {
        query += (query.empty() ? "SELECT *, '" : " UNION ALL SELECT *, '") + table + "' FROM " +
                 journals_in(all_of(table)) + " AS " + table;
    }
    Journals journals;
    for (auto const& row : tx.exec(query + " ORDER BY 1, 2")) {
        if (row[1].as<std::int64_t>() < 0) {
            journals.stray = std::string(row[2].c_str()) + " has a row of chain " + row[1].c_str() +
                             ", merchant " + to_string(id_of<MerchantTag>(row[0]));
            continue;
        }
        Journal const journal{id_of<MerchantTag>(row[0]), number_of(row[1])};
        if (journals.all.empty() || journals.all.back() != journal) journals.all.push_back(journal);
    }
    return journals;
}

// Nothing of what was seen is kept to find a transfer that is live twice, or what two merchants
// could not both have used: the key must be unique.
void check_unique(pqxx::transaction_base& tx) {
    struct Key {
        std::string table;
        char const* columns;
        char const* twice;
    };
    for (auto const& [table, columns, twice] :
         {Key{"live_credits", "(merchant_id, chain_id, tx_hash, token, ordinal)",
              "a transfer could be live in it twice"},
          Key{"live_withdrawals", "(merchant_id, chain_id, tx_hash, token, ordinal)",
              "a transfer could be live in it twice"},
          Key{"refund_payments", "(chain_id, tx_hash, token, ordinal)",
              "a transfer could keep two promises"},
          Key{"token_losses", "(difference_id)", "a difference could be booked twice"},
          Key{"fee_payments", "(invoice_merchant_id, invoice_payment_id, chain_id, token)",
              "an invoice could pay two fees"},
          Key{"cancellations", "(merchant_id, payment_id)", "a payment could be canceled twice"}}) {
        auto const keys = tx.exec_params(
            "SELECT 1 FROM pg_index WHERE indrelid = $1::regclass AND indisunique AND indisvalid"
            " AND right(pg_get_indexdef(indexrelid), length($2) + 1) = ' ' || $2",
            table, columns);
        if (keys.empty()) {
            throw WrongRow(table + " has lost its unique key: " + twice);
        }
    }
}

void read_for_long(pqxx::transaction_base& tx) {
    tx.exec(
        "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;"
        " SET LOCAL cursor_tuple_fraction = 1; SET LOCAL work_mem = '32MB'");
}

// Of each journal, what of it is to be verified.
class Spans {
  public:
    explicit Spans(VerifyOptions const& options) {
        if (options.from != nullptr) {
            ensure(options.from->state.has_value(), "verify: from a checkpoint without a state");
            made_at_ = options.from->checkpoint.made_at;
            for (JournalState const& state : options.from->state->journals)
                from_.emplace(Journal(state.merchant_id, state.chain_id), &state);
        }
        if (options.states_at != nullptr) states_at_ = heads_of(*options.states_at);
    }

    JournalSpan of(Journal const& journal) const {
        JournalSpan span{.from = nullptr, .checkpoint_at = made_at_, .state_at = {}};
        if (auto const found = from_.find(journal); found != from_.end()) span.from = found->second;
        if (auto const found = states_at_.find(journal); found != states_at_.end())
            span.state_at = found->second;
        return span;
    }
    bool is_new(Journal const& journal) const { return made_at_ && !from_.contains(journal); }

    // Those that must be there, whether any row says so or not.
    void add_expected(std::vector<Journal>& journals) const {
        for (auto const& [journal, state] : from_)
            journals.push_back(journal);
        for (auto const& [journal, head] : states_at_)
            journals.push_back(journal);
        std::ranges::sort(journals);
        auto const twice = std::ranges::unique(journals);
        journals.erase(twice.begin(), twice.end());
    }
    std::uint64_t records_before() const {
        std::uint64_t records = 0;
        for (auto const& [journal, state] : from_)
            records += state->head.sequence;
        return records;
    }

  private:
    std::optional<Timestamp> made_at_;
    std::map<Journal, JournalState const*> from_;
    std::map<Journal, JournalHead> states_at_;
};

// The journals of one verification, taken by several threads.
class Verification {
  public:
    Verification(std::vector<Journal> journals, Spans const& spans, std::uint64_t all_records,
                 VerifyOptions& options)
        : journals_(std::move(journals)),
          spans_(spans),
          options_(options),
          states_(journals_.size()) {
        progress_.journals = journals_.size();
        progress_.all_records = all_records;
    }

    // Takes journals until none is left. Never throws.
    void work(pqxx::transaction_base& tx) noexcept {
        try {
            while (auto const index = take()) {
                try {
                    auto const [merchant_id, chain_id] = journals_[*index];
                    auto found =
                        check_journal(tx, merchant_id, chain_id, spans_.of(journals_[*index]),
                                      [this](JournalCounts const& more) { add(more, false); });
                    found_right(*index, std::move(found));
                    add({}, true);
                } catch (WrongRow const& wrong) {
                    found_wrong(*index, wrong.what());
                }
            }
        } catch (...) {
            fail(std::current_exception());
        }
    }
    // On a connection of its own, of the same moment.
    void work_beside(std::string const& connect_to, std::string const& snapshot) noexcept {
        try {
            pqxx::connection connection(connect_to);
            SnapshotTransaction tx(connection);
            tx.exec("SET TRANSACTION SNAPSHOT " + tx.quote(snapshot));
            read_for_long(tx);
            work(tx);
        } catch (...) {
            fail(std::current_exception());
        }
    }

    // Throws what any of the threads could not go on for.
    VerifyResult result() const {
        if (failure_) std::rethrow_exception(failure_);
        VerifyResult result{.chains = progress_.journals_done,
                            .records = progress_.records,
                            .postings = progress_.postings,
                            .first_wrong = {},
                            .new_journals = {},
                            .states = {}};
        if (wrong_ != kNothing) {
            result.first_wrong = first_wrong_;
            return result;
        }
        result.fees_left_out = fees_left_out_;
        std::ranges::copy_if(journals_, std::back_inserter(result.new_journals),
                             [this](Journal const& one) { return spans_.is_new(one); });
        for (auto const& state : states_) {
            if (state) result.states.push_back(*state);
        }
        return result;
    }

  private:
    static constexpr std::size_t kNothing = std::numeric_limits<std::size_t>::max();

    // Those before a wrong one are still looked at: which one is named must not depend on chance.
    std::optional<std::size_t> take() {
        std::scoped_lock const lock(mutex_);
        if (failure_ || next_ >= journals_.size() || next_ > wrong_) return std::nullopt;
        return next_++;
    }
    void add(JournalCounts const& more, bool done) {
        std::scoped_lock const lock(mutex_);
        progress_.records += more.records;
        progress_.postings += more.postings;
        if (done) ++progress_.journals_done;
        if (options_.progress) options_.progress(progress_);
    }
    void found_right(std::size_t index, JournalFound found) {
        std::scoped_lock const lock(mutex_);
        states_[index] = std::move(found.state);
        fees_left_out_ += found.fees_left_out;
    }
    void found_wrong(std::size_t index, std::string what) {
        std::scoped_lock const lock(mutex_);
        if (index > wrong_) return;
        wrong_ = index;
        first_wrong_ = std::move(what);
    }
    void fail(std::exception_ptr failure) {
        std::scoped_lock const lock(mutex_);
        if (!failure_) failure_ = std::move(failure);
    }

    std::vector<Journal> journals_;
    Spans const& spans_;
    VerifyOptions& options_;
    std::vector<std::optional<JournalState>> states_;
    std::uint64_t fees_left_out_ = 0;
    std::mutex mutex_;
    std::size_t next_ = 0;
    std::size_t wrong_ = kNothing;  // the first journal with a wrong row
    std::string first_wrong_;
    std::exception_ptr failure_;
    VerifyProgress progress_;
};

void verify_all(Verification& verification, SnapshotTransaction& tx, std::string const& connect_to,
                std::size_t connections) {
    std::vector<std::jthread> beside;
    if (connections > 1) {
        std::string const snapshot = tx.exec1("SELECT pg_export_snapshot()")[0].c_str();
        for (std::size_t i = 1; i < connections; ++i) {
            beside.emplace_back([&verification, &connect_to, snapshot] {
                verification.work_beside(connect_to, snapshot);
            });
        }
    }
    verification.work(tx);
}

}  // namespace

VerifyResult verify_snapshot(SnapshotTransaction& tx, std::string const& connect_to,
                             VerifyOptions& options) {
    read_for_long(tx);
    // What was booked before a checkpoint may have been archived and taken out of the database.
    if (!options.from) require_all_present(tx);
    try {
        check_unique(tx);
    } catch (WrongRow const& wrong) {
        return {.first_wrong = wrong.what()};
    }
    std::uint64_t const all_records = number_of(tx.exec1(
        "SELECT least(coalesce(sum(greatest(seq, 0)), 0), 1e18)::bigint FROM journal_heads")[0]);
    Journals journals = find_journals(tx);
    Spans const spans(options);
    spans.add_expected(journals.all);
    if (options.merchant_id) {
        std::erase_if(journals.all,
                      [&](Journal const& one) { return one.first != *options.merchant_id; });
        journals.stray.clear();
    }
    std::uint64_t const before = std::min(spans.records_before(), all_records);
    Verification verification(std::move(journals.all), spans, all_records - before, options);
    verify_all(verification, tx, connect_to, options.connections);
    VerifyResult result = verification.result();
    if (!result.first_wrong && !journals.stray.empty()) result.first_wrong = journals.stray;
    return result;
}

Task<VerifyResult> verify_books(Database& database, VerifyOptions options) {
    auto work = [&database, &options](SnapshotTransaction& tx) {
        return verify_snapshot(tx, database.state().connect_to, options);
    };
    co_return co_await transact<SnapshotTransaction>(database, work);
}

}  // namespace sycee
