#include "grants.hpp"

#include <array>
#include <stdexcept>

namespace sycee {
namespace {

// Everything that is added to and never changed.
constexpr std::array kAddedTo{"authorizations",
                              "clearings",
                              "settlement_batches",
                              "settlements",
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
                              "refund_recipients",
                              "postings",
                              "payments",
                              "finality_rules",
                              "fee_schedules",
                              "fee_recipients",
                              "fee_invoices",
                              "chain_repairs",
                              "extended_key_claims",
                              "operators",
                              "webhook_attempts",
                              "checkpoints",
                              "checkpoint_journals",
                              "test_chain_transfers"};

struct Changed {
    char const* table;
    char const* columns;  // that may be updated, in brackets; nullptr: all
    bool deleted = false;
};

// What is no book: cursors, leases, projections that `sycee verify` rebuilds, keys and deliveries.
constexpr std::array kChanged{
    Changed{"merchants", "(next_derivation_index)"},
    Changed{"payments", "(description, metadata)"},  // the words of a payment are no book
    Changed{"idempotency_keys", "(status, location, answer)", true},
    Changed{"api_keys", "(revoked_at, expires_at, replaced_by, last_used_at)"},
    Changed{"chain_cursors", nullptr},
    Changed{"chain_leases", nullptr},
    Changed{"chain_blocks", nullptr, true},
    Changed{"journal_heads", "(seq, hash, last_batch_number)"},
    Changed{"account_balances", "(balance)"},
    Changed{"live_credits", nullptr, true},
    Changed{"live_withdrawals", nullptr, true},
    Changed{"event_feeds", "(last_sequence)"},
    Changed{"outbox_events", "(next_attempt_at)"},
    Changed{"expiry_places", "(expires_at, payment_id)"},
    Changed{"webhook_endpoints",
            "(url, event_types, description, secret_sealed, previous_secret_sealed,"
            " previous_secret_until, disabled_at, disabled_reason)",
            true},
    Changed{"webhook_deliveries", "(attempts, failures, next_attempt_at, delivered_at)"},
    Changed{"resolution_requests", "(answered_at, resolution_seq)"},
    Changed{"refund_requests", "(answered_at, refund_seq)"},
    Changed{"refund_reports", "(reported_at, checked_at, answered_at, problem)"},
    Changed{"loss_requests", "(answered_at, loss_seq)"},
    Changed{"operator_sessions", nullptr, true},
    Changed{"reconciliations", nullptr},
    Changed{"balance_differences", "(closed_at, closed_reason, accepted)"},
    Changed{"test_chain", "(head)"},
    Changed{"signing_keys", "(retired_at)"},
};

constexpr std::array kAudited{"payments",
                              "authorizations",
                              "clearings",
                              "settlement_batches",
                              "settlements",
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
                              "refund_recipients",
                              "refund_reports",
                              "postings",
                              "live_credits",
                              "live_withdrawals",
                              "journal_heads",
                              "account_balances",
                              "chain_cursors",
                              "chain_blocks",
                              "finality_rules",
                              "fee_schedules",
                              "fee_recipients",
                              "fee_invoices",
                              "loss_requests",
                              "chain_repairs",
                              "archived_months",
                              "missing_months",
                              "all_authorizations",
                              "all_clearings",
                              "all_settlements",
                              "all_unapplied_receipts",
                              "all_postings",
                              "all_outbox_events",
                              "all_webhook_deliveries",
                              "all_webhook_attempts",
                              "outbox_events",
                              "webhook_deliveries",
                              "event_feeds",
                              "webhook_attempts",
                              "schema_migrations",
                              "reconciliations",
                              "balance_differences",
                              "checkpoints",
                              "checkpoint_journals",
                              "signing_keys"};

// Begins anew: what an earlier version granted and this one does not, is taken back.
std::string revoke_all(pqxx::work& tx, std::string const& role) {
    auto const found = tx.exec_params("SELECT 1 FROM pg_roles WHERE rolname = $1", role);
    if (found.empty()) {
        throw std::runtime_error("the database has no role \"" + role +
                                 "\": create it first (CREATE ROLE ... LOGIN)");
    }
    auto const unbound = tx.exec_params(
        "SELECT r.rolsuper OR r.rolcreaterole OR pg_has_role(r.oid, 'pg_write_all_data', 'MEMBER')"
        " OR pg_has_role(r.oid, d.datdba, 'MEMBER') OR pg_has_role(r.oid, n.nspowner, 'MEMBER')"
        " OR EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = n.oid"
        "   AND c.relkind IN ('r', 'p') AND pg_has_role(r.oid, c.relowner, 'MEMBER'))"
        " FROM pg_roles r, pg_database d, pg_namespace n WHERE r.rolname = $1"
        " AND d.datname = current_database() AND n.nspname = 'public'",
        role);
    if (unbound.empty() || unbound[0][0].as<bool>()) {
        throw std::runtime_error(
            "the role \"" + role +
            "\" owns the tables, the schema or the database, is a member of a role that does, or "
            "could make itself one: nothing that is granted or not would bind it");
    }
    std::string const name = tx.quote_name(role);
    tx.exec("REVOKE ALL ON ALL TABLES IN SCHEMA public, months, archive FROM " + name);
    tx.exec("REVOKE ALL ON SCHEMA months, archive FROM " + name);
    tx.exec("REVOKE ALL ON FUNCTION make_months(timestamptz) FROM " + name);
    return name;
}

}  // namespace

void grant_service(pqxx::work& tx, std::string const& role) {
    std::string const name = revoke_all(tx, role);
    tx.exec("GRANT SELECT ON ALL TABLES IN SCHEMA public TO " + name);
    tx.exec("GRANT EXECUTE ON FUNCTION make_months(timestamptz) TO " + name);
    for (char const* table : kAddedTo)
        tx.exec(std::string("GRANT INSERT ON ") + table + " TO " + name);
    for (Changed const& changed : kChanged) {
        tx.exec(std::string("GRANT INSERT ON ") + changed.table + " TO " + name);
        tx.exec(std::string("GRANT UPDATE ") + (changed.columns ? changed.columns : "") + " ON " +
                changed.table + " TO " + name);
        if (changed.deleted)
            tx.exec(std::string("GRANT DELETE ON ") + changed.table + " TO " + name);
    }
}

void grant_auditor(pqxx::work& tx, std::string const& role) {
    std::string const name = revoke_all(tx, role);
    for (char const* table : kAudited)
        tx.exec(std::string("GRANT SELECT ON ") + table + " TO " + name);
    tx.exec(
        "GRANT SELECT (merchant_id, name, next_derivation_index, created_at)"
        " ON merchants TO " +
        name);
    tx.exec("GRANT SELECT (operator_id, name, created_at) ON operators TO " + name);
    tx.exec(
        "GRANT SELECT (merchant_id, endpoint_id, url, event_types, description, disabled_at,"
        " disabled_reason, created_at) ON webhook_endpoints TO " +
        name);
}

}  // namespace sycee
