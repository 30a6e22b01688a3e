#pragma once

#include <sycee/app/ports.hpp>

#include <pqxx/pqxx>

#include <expected>
#include <string>
#include <vector>

namespace sycee {

// Journal positions in a column of type bigint[]: a chain, then its sequence, then the next chain.
std::string journals_to_sql(JournalPositions const& positions);

// The columns of outbox_events that event_of() reads, of the table named.
std::string event_columns(std::string const& table);
OutboxEvent event_of(pqxx::row const& row);

// With what their words are made of; in the same order. In the place of one whose payment or record
// is not there, or whose records contradict each other: why it can't be told.
std::vector<std::expected<ToldEvent, std::string>> tell_all(pqxx::transaction_base& tx,
                                                            std::vector<OutboxEvent> events);

}  // namespace sycee
