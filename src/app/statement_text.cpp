#include <sycee/app/csv.hpp>
#include <sycee/app/statement_text.hpp>
#include <sycee/app/token_text.hpp>

#include "book_number.hpp"
#include "token_json.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <nlohmann/json.hpp>

#include <stdexcept>

namespace sycee {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kLinePrefix = "lin_";
constexpr std::string_view kBatchPrefix = "bat_";
constexpr std::string_view kValueSource = "locked_price";
constexpr std::size_t kCsvPage = 1000;

std::string signed_text(bool negative, std::string text) {
    return negative ? "-" + text : text;
}

// The amounts of a reversal and of a refund count below zero; zero has no sign.
bool is_negative(StatementLine const& line, Amount amount) {
    bool const is_less =
        line.kind == StatementLineKind::reversal || line.kind == StatementLineKind::refund;
    return is_less && !amount.is_zero();
}

bool has_transfer(StatementLine const& line) {
    return line.transaction_hash != TransactionHash{};
}

std::string decimal(StatementLine const& line, Amount amount, unsigned decimals) {
    return signed_text(is_negative(line, amount), to_decimal(amount, decimals));
}

std::string base_units(StatementLine const& line, Amount amount) {
    return signed_text(is_negative(line, amount), to_string(amount));
}

Json sum_json(StatementSum const& sum, unsigned decimals) {
    Json json{{"count", sum.count}, {"decimals", decimals}};
    add_amount(json, "gross", sum.gross);
    add_amount(json, "fees", sum.fees);
    add_amount(json, "net", sum.net);
    json.erase("decimals");
    return json;
}

Json unapplied_json(StatementAccount const& account, unsigned decimals) {
    Json json{{"decimals", decimals}};
    add_amount(json, "opening", account.unapplied_opening);
    add_amount(json, "received", account.unapplied_received);
    add_amount(json, "applied", account.unapplied_applied);
    add_amount(json, "refunds_promised", account.refunds_promised);
    add_amount(json, "reversed", account.unapplied_reversed);
    add_amount(json, "refunds_canceled", account.promises_canceled);
    add_amount(json, "closing", account.unapplied_closing);
    json.erase("decimals");
    return json;
}

Json account_json(StatementAccount const& account, Network const& network) {
    Json json = token_json(account.chain_id, account.token, network);
    auto const decimals = json["decimals"].get<unsigned>();
    add_amount(json, "opening", account.opening);
    json["settlements"] = sum_json(account.settlements, decimals);
    json["accepted"] = sum_json(account.accepted, decimals);
    json["credited"] = sum_json(account.credited, decimals);
    json["written_off"] = sum_json(account.written_off, decimals);
    json["reversed"] = sum_json(account.reversed, decimals);
    json["refunded"] = sum_json(account.refunded, decimals);
    json["refunds_canceled"] = sum_json(account.refunds_canceled, decimals);
    add_amount(json, "closing", account.closing);
    json["unapplied"] = unapplied_json(account, decimals);
    json["batches"] = {{"count", account.batch_count}, {"first", nullptr}, {"last", nullptr}};
    if (account.batch_count > 0) {
        json["batches"]["first"] = account.first_batch;
        json["batches"]["last"] = account.last_batch;
    }
    return json;
}

std::string cursor_text(std::string_view prefix, ChainId chain_id, std::uint64_t number) {
    return std::string(prefix) + std::to_string(chain_id) + "_" + std::to_string(number);
}

std::optional<StatementCursor> parse_cursor(std::string_view prefix, std::string_view text) {
    if (!text.starts_with(prefix)) return std::nullopt;
    text.remove_prefix(prefix.size());
    auto const line = text.find('_');
    if (line == std::string_view::npos) return std::nullopt;
    auto const chain_id = parse_book_number(text.substr(0, line));
    auto const number = parse_book_number(text.substr(line + 1));
    if (!chain_id || !number) return std::nullopt;
    return StatementCursor{*chain_id, *number};
}

std::string value_text(StatementLine const& line) {
    Amount const amount = line.value->amount;
    return decimal(line, amount, currency_decimals(line.value->currency).value_or(0));
}

Task<void> send_pages(StatementPort& statements, StatementQuery const& query,
                      Network const& network, SendText const& send) {
    std::string text = statement_csv_header();
    std::optional<StatementCursor> after;
    for (;;) {
        auto const page = co_await statements.lines(query, after, kCsvPage);
        for (auto const& line : page.lines)
            text += statement_csv_row(line, network);
        co_await send(std::move(text));
        if (!page.has_more || page.lines.empty()) co_return;
        text.clear();
        after = {page.lines.back().chain_id, page.lines.back().sequence};
    }
}

}  // namespace

Json statement_json(Statement const& statement, Network const& network) {
    StatementPeriod const& period = statement.query.period;
    Json json{{"object", "statement"},
              {"period", period.name},
              {"begins_at", to_rfc3339(period.begin)},
              {"ends_at", to_rfc3339(period.end)},
              {"complete", statement.complete()},
              {"read_at", to_rfc3339(statement.read_at)},
              {"merchant", to_string(statement.query.merchant_id)},
              {"accounts", Json::array()}};
    for (auto const& account : statement.accounts)
        json["accounts"].push_back(account_json(account, network));
    return json;
}

Json statement_line_json(StatementLine const& line, Network const& network) {
    Json json{{"object", "statement_line"}, {"type", to_string(line.kind)}};
    add_token(json, line.chain_id, line.token, network);
    auto const decimals = json["decimals"].get<unsigned>();
    json["record"] = line.sequence;
    json["batch"] = nullptr;
    if (line.batch_number) json["batch"] = *line.batch_number;
    json["payment"] = to_string(line.payment_id);
    json["reference"] = nullptr;
    if (!line.reference.empty()) json["reference"] = line.reference;
    for (auto const* name : {"transaction_hash", "log_index", "block_number"})
        json[name] = nullptr;
    if (has_transfer(line)) {
        json["transaction_hash"] = to_hex0x(line.transaction_hash);
        json["log_index"] = line.log_index;
        json["block_number"] = line.block_number;
    }
    json["value_date"] = to_rfc3339(line.block_time);
    json["booked_at"] = to_rfc3339(line.booked_at);
    json["gross"] = decimal(line, line.gross, decimals);
    json["gross_base_units"] = base_units(line, line.gross);
    json["fee"] = decimal(line, line.fee, decimals);
    json["fee_base_units"] = base_units(line, line.fee);
    json["net"] = decimal(line, line.net, decimals);
    json["net_base_units"] = base_units(line, line.net);
    json["value"] = nullptr;
    if (line.value) {
        json["value"] = {{"amount", value_text(line)},
                         {"currency", line.value->currency},
                         {"source", kValueSource}};
    }
    return json;
}

Json statement_batch_json(StatementBatch const& batch, Network const& network) {
    Json json{{"object", "settlement_batch"}, {"number", batch.batch.batch_number}};
    add_token(json, batch.chain_id, batch.batch.token, network);
    json["record"] = batch.sequence;
    json["first_record"] = batch.batch.first_sequence;
    json["last_record"] = batch.batch.last_sequence;
    json["count"] = batch.batch.settlement_count;
    add_amount(json, "gross", batch.gross);
    add_amount(json, "fees", batch.fees);
    add_amount(json, "net", batch.batch.net);
    json["finalized_block"] = batch.batch.finalized_block;
    json["first_block"] = batch.first_block;
    json["last_block"] = batch.last_block;
    json["booked_at"] = to_rfc3339(batch.booked_at);
    return json;
}

std::string line_cursor(StatementLine const& line) {
    return cursor_text(kLinePrefix, line.chain_id, line.sequence);
}

std::string batch_cursor(StatementBatch const& batch) {
    return cursor_text(kBatchPrefix, batch.chain_id, batch.batch.batch_number);
}

std::optional<StatementCursor> parse_line_cursor(std::string_view text) {
    return parse_cursor(kLinePrefix, text);
}

std::optional<StatementCursor> parse_batch_cursor(std::string_view text) {
    return parse_cursor(kBatchPrefix, text);
}

std::string statement_csv_header() {
    return csv_line({"type",       "chain_id",         "network",        "token",
                     "contract",   "record",           "batch",          "payment",
                     "reference",  "transaction_hash", "log_index",      "block_number",
                     "value_date", "booked_at",        "gross",          "fee",
                     "net",        "gross_base_units", "fee_base_units", "net_base_units",
                     "value",      "value_currency",   "value_source"});
}

std::string statement_csv_row(StatementLine const& line, Network const& network) {
    ChainSettings const* const chain = network.chain(line.chain_id);
    TokenSettings const* const token = network.token(line.chain_id, line.token);
    unsigned const decimals = token_decimals(network, line.chain_id, line.token);
    return csv_line({std::string(to_string(line.kind)),
                     std::to_string(line.chain_id),
                     csv_field(chain == nullptr ? "" : chain->name),
                     csv_field(token == nullptr ? "" : token->symbol),
                     to_string(line.token),
                     std::to_string(line.sequence),
                     line.batch_number ? std::to_string(*line.batch_number) : "",
                     to_string(line.payment_id),
                     csv_field(line.reference),
                     has_transfer(line) ? to_hex0x(line.transaction_hash) : "",
                     has_transfer(line) ? std::to_string(line.log_index) : "",
                     has_transfer(line) ? std::to_string(line.block_number) : "",
                     to_rfc3339(line.block_time),
                     to_rfc3339(line.booked_at),
                     decimal(line, line.gross, decimals),
                     decimal(line, line.fee, decimals),
                     decimal(line, line.net, decimals),
                     base_units(line, line.gross),
                     base_units(line, line.fee),
                     base_units(line, line.net),
                     line.value ? value_text(line) : "",
                     line.value ? csv_field(line.value->currency) : "",
                     line.value ? std::string(kValueSource) : ""});
}

std::string statement_file_name(StatementPeriod const& period) {
    return "sycee-statement-" + period.name + ".csv";
}

Task<void> send_statement_csv(StatementPort& statements, StatementQuery query,
                              Network const& network, SendText send) {
    bool cut_off = false;
    try {
        co_await send_pages(statements, query, network, send);
    } catch (boost::system::system_error const& error) {
        // A stream that is cancelled would end like one that is whole.
        if (error.code() != boost::asio::error::operation_aborted) throw;
        cut_off = true;
    }
    if (cut_off) throw std::runtime_error("a statement was cut off before its end");
}

}  // namespace sycee
