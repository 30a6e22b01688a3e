#pragma once

#include <sycee/app/ports.hpp>

#include <pqxx/pqxx>

#include <map>
#include <string>
#include <utility>
#include <vector>

// What the two writers of the books share, the chains and the exceptions desk: the steps of one
// transaction, in this order.
namespace sycee {

// Throws InvariantViolation where an entry is of another chain.
void check_entries(ChainId chain_id, std::vector<JournalEntry> const& entries);

// Holds these merchants until the end of the transaction against every other writer that decides
// across chains. Before any row of the books is locked; in one order, whoever calls, so that two
// can't lock each other out.
void lock_merchants(pqxx::work& tx, std::vector<MerchantId> const& merchants);

// Locks the merchants of these payments, then throws Unavailable where foreign_fingerprint(state,
// chain_id) of one is no longer what it was. A merchant is not looked at whose journals of the
// other chains are where `journals` says: nothing else could have changed a payment of it.
void check_foreign(pqxx::work& tx, ChainId chain_id,
                   std::vector<std::pair<PaymentKey, Bytes32>> const& foreign,
                   std::map<MerchantId, JournalPositions> const& journals);

// By compare-and-set, in the order of the merchants, as every writer does, so that two can't lock
// each other out. Throws Unavailable where one is not where it was.
void move_heads(pqxx::work& tx, ChainId chain_id, std::vector<HeadMove> heads,
                std::vector<JournalEntry> const& entries);

// One row an account, however many postings moved it. The database refuses a balance below zero.
void update_balances(pqxx::work& tx, ChainId chain_id, std::vector<JournalEntry> const& entries);

// Numbers the events in their merchants' feeds and writes them: due at once where the merchant has
// a webhook; kept all the same where it has none. Throws InvariantViolation for an event of no
// merchant. The last step of a transaction: no other writer of these merchants gets past it before
// the commit.
void write_events(pqxx::work& tx, std::vector<OutboxEvent> const& events);

// SQL for a moment.
std::string timestamp_literal(Timestamp time);

}  // namespace sycee
