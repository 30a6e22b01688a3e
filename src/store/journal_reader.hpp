#pragma once

#include <sycee/payment/journal_walk.hpp>

#include "months.hpp"

#include <pqxx/pqxx>

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sycee {

// Reads the rows of a query one after the other, a few hundred at a time, in PostgreSQL's binary
// format: text costs several times as much to write and to read.
class RowStream {
  public:
    // `name` names a cursor that is declared already, and the rows in errors.
    RowStream(pqxx::transaction_base& tx, std::string name) : tx_(&tx), name_(std::move(name)) {}

    // What declares a cursor for it; several may be sent in one question.
    static std::string declare(std::string const& name, std::string const& query);

    // The row that comes next, until advance(); nullptr after the last one.
    pqxx::row const* peek();
    void advance();
    std::string const& name() const { return name_; }

  private:
    pqxx::transaction_base* tx_;
    std::string name_;
    pqxx::result rows_;
    pqxx::result::size_type index_ = 0;
    std::optional<pqxx::row> row_;
    bool ended_ = false;
};

// Reads every record of one journal with its postings, in the order of their numbers, and the rows
// of the indexes beside them. Memory is bounded: PostgreSQL sorts, on its disk where it has to.
class JournalReader {
  public:
    // One at a time in a transaction. Only what has a number above `after`; `since`: of the books
    // that have no index by number, only what was booked since then.
    JournalReader(pqxx::transaction_base& tx, MerchantId merchant_id, ChainId chain_id,
                  std::uint64_t after = 0, std::optional<Timestamp> since = std::nullopt);
    JournalReader(JournalReader const&) = delete;
    JournalReader& operator=(JournalReader const&) = delete;

    // The next record; nothing after the last one. Throws WrongRow where a row holds what no record
    // can hold, two records have one number, or postings have no record.
    std::optional<JournalEntry> next(std::vector<PostedLine>& postings);

    // Of the postings that next() gave: in another month's partition they would come and go with
    // other records than their own. Throws WrongRow.
    void require_month(std::uint64_t sequence, Month month,
                       std::vector<PostedLine> const& postings) const;

    // The next row of live_credits and live_withdrawals, by number.
    std::optional<LiveIndexWalk::Row> next_live_credit() { return next_live(live_credits_); }
    std::optional<LiveIndexWalk::Row> next_live_withdrawal() {
        return next_live(live_withdrawals_);
    }
    // The next reason of a resolution, by number.
    struct Reason {
        std::uint64_t sequence = 0;
        Bytes32 hash{};
    };
    std::optional<Reason> next_reason();

  private:
    static constexpr std::size_t kKinds = std::variant_size_v<Record>;

    std::uint64_t sequence_of(RowStream& stream) const;
    void take_postings(std::uint64_t sequence, std::vector<PostedLine>& postings);
    std::optional<LiveIndexWalk::Row> next_live(RowStream& stream) const;

    std::string where_;
    MerchantId merchant_id_;
    ChainId chain_id_;
    std::vector<RowStream> books_;  // in the order of the kinds of record
    std::array<std::uint64_t, kKinds> next_of_{};
    RowStream postings_;
    std::vector<std::uint64_t> months_;  // of the postings of the next record
    RowStream live_credits_;
    RowStream live_withdrawals_;
    RowStream reasons_;
};

// Those of these authorizations that are there, each with its clearing where there is one.
std::map<std::uint64_t, JournalContext::OlderRecords> read_authorizations(
    pqxx::transaction_base& tx, MerchantId merchant_id, ChainId chain_id,
    std::vector<std::uint64_t> const& sequences);

}  // namespace sycee
