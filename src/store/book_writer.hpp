#pragma once

#include <sycee/app/ports.hpp>

#include <pqxx/pqxx>

#include <cstdint>
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

enum class MakeDeliveries : std::uint8_t {
    later,  // by PgOutbox::fan_out()
    now,    // of the merchants that have one endpoint: a row for each event, no more
};

// Numbers the events in their merchants' feeds and writes them, and marks them where deliveries are
// to be made later; they are kept all the same where the merchant has no endpoint. Throws
// InvariantViolation for an event of no merchant. The last step of a transaction: no other writer
// of these merchants, and nobody who changes their endpoints, gets past it before the commit.
// Returns their numbers, in the order of the events.
std::vector<std::uint64_t> write_events(pqxx::work& tx, std::vector<OutboxEvent> const& events,
                                        MakeDeliveries make = MakeDeliveries::later);

// Waits for whoever writes events of the merchant, and holds up those who want to until the end of
// the transaction. Its first lock.
void lock_feed(pqxx::work& tx, MerchantId merchant_id);

// SQL for a moment.
std::string timestamp_literal(Timestamp time);

}  // namespace sycee
