#pragma once

#include <sycee/app/settings.hpp>
#include <sycee/app/statement.hpp>

#include <nlohmann/json_fwd.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

// Statements as the API, the dashboard and the command line give them (api/openapi.yaml).
namespace sycee {

nlohmann::ordered_json statement_json(Statement const& statement, Network const& network);
nlohmann::ordered_json statement_line_json(StatementLine const& line, Network const& network);
nlohmann::ordered_json statement_batch_json(StatementBatch const& batch, Network const& network);

// "lin_31337_42", "bat_31337_7": where a page went to. Nothing for what is no such name.
std::string line_cursor(StatementLine const& line);
std::string batch_cursor(StatementBatch const& batch);
std::optional<StatementCursor> parse_line_cursor(std::string_view text);
std::optional<StatementCursor> parse_batch_cursor(std::string_view text);

// One row for each line. The columns of gross, fee and net are numbers that may be summed for each
// token: net adds up to closing less opening. What a reversal takes away stands below zero.
std::string statement_csv_header();
std::string statement_csv_row(StatementLine const& line, Network const& network);

// "sycee-statement-2026-11.csv"
std::string statement_file_name(StatementPeriod const& period);

// Reads all lines of a statement page by page and sends them as CSV, so that a file of any length
// takes the memory of a page. Throws a std::runtime_error where it is cut off before its end, so
// that what was received is not taken for a whole file.
using SendText = std::function<Task<void>(std::string)>;
Task<void> send_statement_csv(StatementPort& statements, StatementQuery query,
                              Network const& network, SendText send);

}  // namespace sycee
