#include "stored_rows.hpp"

#include <algorithm>
#include <string_view>

namespace sycee::simulation {
namespace {

std::string text(std::string_view value) {
    return std::string(value);
}
std::string text(std::integral auto value) {
    return std::to_string(value);
}
std::string text(Amount value) {
    return to_string(value);
}
std::string text(Timestamp value) {
    return std::to_string(to_unix_milliseconds(value));
}
std::string text(Bytes20 const& value) {
    return to_hex(value);
}
std::string text(Bytes32 const& value) {
    return to_hex(value);
}
std::string text(Address const& value) {
    return to_hex(value.bytes);
}
template <class Tag>
std::string text(Id<Tag> const& value) {
    return to_string(value.uuid);
}
std::string text(BalanceSheet::Balance const& value) {
    return (value.negative ? "-" : "") + to_string(value.magnitude);
}
template <class T>
std::string text(std::optional<T> const& value) {
    return value ? text(*value) : "-";
}

class Rows {
  public:
    template <class... Values>
    void add(std::string_view table, Values const&... values) {
        std::string& row = rows_.emplace_back(table);
        ((row += "|" + text(values)), ...);
    }
    std::string sorted() {
        std::sort(rows_.begin(), rows_.end());
        std::string all;
        for (std::string const& row : rows_)
            all += row + "\n";
        return all;
    }

  private:
    std::vector<std::string> rows_;
};

void add_records(Rows& rows, SimStore const& model) {
    for (JournalEntry const& entry : model.entries()) {
        rows.add(to_string(kind_of(entry.record)), entry.merchant_id, entry.chain_id,
                 entry.sequence, entry.previous_hash, entry.hash, entry.booked_at);
        int line = 0;
        for (Posting const& posting : postings_of(entry.record)) {
            rows.add("posting", entry.merchant_id, entry.chain_id, entry.sequence, line++,
                     posting.token, to_string(posting.debit), to_string(posting.credit),
                     posting.amount);
        }
    }
}

void add_indexes(Rows& rows, SimStore const& model) {
    auto const add_live = [&rows](std::string_view table, auto const& live) {
        for (auto const& [key, sequence] : live) {
            auto const& [merchant, transfer] = key;
            rows.add(table, merchant, transfer.chain_id, transfer.transaction_hash, transfer.token,
                     transfer.ordinal, sequence);
        }
    };
    add_live("live credit", model.live_credits());
    add_live("live withdrawal", model.live_withdrawals());
    for (auto const& [key, balance] : model.balances()) {
        auto const& [merchant, chain, token, account] = key;
        rows.add("balance", merchant, chain, token, to_string(account), balance);
    }
    for (auto const& [key, head] : model.heads()) {
        auto const batch = model.last_batches().find(key);
        rows.add("head", key.first, key.second, head.sequence, head.hash,
                 batch == model.last_batches().end() ? 0 : batch->second);
    }
}

void add_chains(Rows& rows, SimStore const& model) {
    for (auto const& [id, chain] : model.chains()) {
        rows.add("cursor", id, chain.head.number, chain.head.hash, chain.finalized, chain.agreed,
                 chain.oldest_open, chain.stopped_reason);
        for (auto const& [number, block] : chain.blocks) {
            rows.add("block", id, number, block.header.hash, block.header.parent_hash,
                     block.header.time, block.logs_digest);
        }
    }
    for (auto const& [id, lease] : model.leases())
        rows.add("lease", id, lease.holder, lease.token, lease.ends);
    for (auto const& [id, versions] : model.rules()) {
        for (FinalityRule const& rule : versions)
            rows.add("rule", id, rule.version, to_string(rule.bands), rule.most_not_final);
    }
}

void add_payments(Rows& rows, SimStore const& model) {
    for (auto const& [merchant_id, last] : model.feeds())
        rows.add("feed", merchant_id, last);
    for (auto const& [id, stored] : model.merchants())
        rows.add("merchant", id, stored.next_index);
    for (auto const& [key, payment] : model.payments()) {
        rows.add("payment", key.first, key.second, payment.derivation_index,
                 payment.deposit_address, payment.price, payment.expires_at);
    }
    for (auto const& [id, stored] : model.events()) {
        OutboxEvent const& event = stored.event;
        std::string journals;
        for (auto const& [chain_id, sequence] : event.positions) {
            journals += (journals.empty() ? "" : ",") + std::to_string(chain_id) + "," +
                        std::to_string(sequence);
        }
        rows.add("event", event.merchant_id, id, event.payment_id, event.type,
                 to_string(event.status), event.chain_id, event.record_sequence,
                 "{" + journals + "}", event.goods_may_be_released ? "true" : "false",
                 event.created_at, event.sequence, stored.next_attempt_at);
        if (!stored.delivery) continue;
        rows.add("delivery", event.merchant_id, id, stored.delivery->attempts,
                 stored.delivery->failures, stored.delivery->next_attempt_at,
                 stored.delivery->delivered_at);
    }
}

std::string hex(std::string const& column) {
    return "encode(" + column + ", 'hex')";
}

std::string millis(std::string const& column) {
    return "coalesce((extract(epoch FROM " + column + ") * 1000)::bigint::text, '-')";
}

std::string row_query(std::string_view table, std::vector<std::string> const& columns,
                      std::string_view from) {
    std::string query = "SELECT '" + std::string(table) + "'";
    for (std::string const& column : columns)
        query += " || '|' || " + column;
    return query + " FROM " + std::string(from);
}

std::string record_query(std::string_view kind, std::string_view table) {
    return row_query(
        kind,
        {"merchant_id", "chain_id", "seq", hex("previous_hash"), hex("hash"), millis("booked_at")},
        table);
}

std::string all_rows_query() {
    std::vector<std::string> const queries{
        record_query("authorization", "authorizations"),
        record_query("clearing", "clearings"),
        record_query("settlement", "settlements"),
        record_query("settlement_batch", "settlement_batches"),
        record_query("unapplied", "unapplied_receipts"),
        record_query("withdrawal", "withdrawals"),
        record_query("reversal", "reversals"),
        record_query("resolution", "resolutions"),
        record_query("refund", "refunds"),
        record_query("refund_payment", "refund_payments"),
        record_query("refund_cancellation", "refund_cancellations"),
        record_query("token_loss", "token_losses"),
        record_query("fee_payment", "fee_payments"),
        record_query("cancellation", "cancellations"),
        row_query(
            "posting",
            {"merchant_id", "chain_id", "seq", "line", hex("token"), "debit", "credit", "amount"},
            "postings"),
        row_query("live credit",
                  {"merchant_id", "chain_id", hex("tx_hash"), hex("token"), "ordinal",
                   "authorization_seq"},
                  "live_credits"),
        row_query(
            "live withdrawal",
            {"merchant_id", "chain_id", hex("tx_hash"), hex("token"), "ordinal", "withdrawal_seq"},
            "live_withdrawals"),
        row_query("balance", {"merchant_id", "chain_id", hex("token"), "account", "balance"},
                  "account_balances"),
        row_query("head", {"merchant_id", "chain_id", "seq", hex("hash"), "last_batch_number"},
                  "journal_heads"),
        row_query("cursor",
                  {"chain_id", "head_number", hex("head_hash"), "finalized_number", "agreed_number",
                   "oldest_open", "coalesce(stopped_reason, '')"},
                  "chain_cursors"),
        row_query("block",
                  {"chain_id", "number", hex("hash"), hex("parent_hash"), millis("block_time"),
                   hex("logs_digest")},
                  "chain_blocks JOIN chain_cursors USING (chain_id)"
                  " WHERE number >= finalized_number"),
        row_query("lease", {"chain_id", "holder", "token", millis("expires_at")}, "chain_leases"),
        row_query("rule", {"chain_id", "version", "bands", "coalesce(most_not_final::text, '-')"},
                  "finality_rules"),
        row_query("merchant", {"merchant_id", "next_derivation_index"}, "merchants"),
        row_query("payment",
                  {"merchant_id", "payment_id", "derivation_index", hex("deposit_address"), "price",
                   millis("expires_at")},
                  "payments"),
        row_query("event",
                  {"merchant_id", "event_id", "payment_id", "type", "status", "chain_id",
                   "record_seq", "journals::text", "goods_may_be_released::text",
                   millis("created_at"), "sequence", millis("next_attempt_at")},
                  "outbox_events"),
        row_query("delivery",
                  {"merchant_id", "event_id", "attempts", "failures", millis("next_attempt_at"),
                   millis("delivered_at")},
                  "webhook_deliveries"),
        row_query("feed", {"merchant_id", "last_sequence"}, "event_feeds")};
    std::string all;
    for (std::string const& query : queries)
        all += (all.empty() ? "" : " UNION ALL ") + query;
    return all;
}

}  // namespace

std::string rows_of(SimStore const& model) {
    Rows rows;
    add_records(rows, model);
    add_indexes(rows, model);
    add_chains(rows, model);
    add_payments(rows, model);
    return rows.sorted();
}

std::string rows_of(TestDatabase& database) {
    static std::string const query = all_rows_query();
    Rows rows;
    for (std::string const& line : database.lines(query))
        rows.add(line);
    return rows.sorted();
}

}  // namespace sycee::simulation
