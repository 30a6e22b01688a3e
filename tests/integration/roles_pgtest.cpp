// Pins: the role of the service can add to the books and never change them, an auditor can read
// them and no secret, and neither can be a role that would not be bound by it. The end-to-end tests
// run the whole service under such a role.
#include "books_fixture.hpp"

namespace sycee {
namespace {

class RolesInPostgres : public BooksInPostgres {
  protected:
    RolesInPostgres() {
        settle();
        for (std::string const role : {kService, kAuditor}) {
            query("DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '" + role +
                  "') THEN CREATE ROLE " + role + "; END IF; END $$");
        }
    }
    ~RolesInPostgres() override {
        for (std::string const role : {kService, kAuditor})
            query("DROP OWNED BY " + role + "; DROP ROLE " + role);
    }

    // True where PostgreSQL refuses the statement for want of a privilege.
    bool is_denied(std::string const& role, std::string const& statement) const {
        try {
            query("SET ROLE " + role + "; " + statement);
        } catch (pqxx::insufficient_privilege const&) {
            return true;
        } catch (pqxx::sql_error const&) {
            return false;  // a trigger or a constraint got that far
        }
        return false;
    }

    static constexpr char const* kService = "sycee_test_service";
    static constexpr char const* kAuditor = "sycee_test_auditor";
};

TEST_F(RolesInPostgres, the_service_adds_to_the_books_and_changes_nothing_in_them) {
    run(database->grant(kService, std::nullopt));
    run(database->grant(kService, std::nullopt));  // again, as each migration does
    for (std::string const table : {"authorizations",     "clearings",
                                    "settlements",        "settlement_batches",
                                    "unapplied_receipts", "withdrawals",
                                    "reversals",          "resolutions",
                                    "resolution_reasons", "refunds",
                                    "refund_payments",    "refund_cancellations",
                                    "token_losses",       "fee_payments",
                                    "cancellations",      "postings",
                                    "payments",           "finality_rules",
                                    "fee_recipients",     "fee_invoices",
                                    "chain_repairs",      "extended_key_claims",
                                    "operators",          "checkpoints",
                                    "checkpoint_journals"}) {
        EXPECT_FALSE(is_denied(kService, "SELECT count(*) FROM " + table)) << table;
        EXPECT_TRUE(is_denied(kService, "DELETE FROM " + table)) << table;
        EXPECT_TRUE(is_denied(kService, "TRUNCATE " + table)) << table;
        EXPECT_TRUE(is_denied(kService, "ALTER TABLE " + table + " DISABLE TRIGGER ALL")) << table;
        std::string const column = query("SELECT attname FROM pg_attribute WHERE attrelid = '" +
                                         table + "'::regclass AND attnum = 1");
        EXPECT_TRUE(is_denied(kService, "UPDATE " + table + " SET " + column + " = " + column))
            << table;
    }
    EXPECT_TRUE(is_denied(kService, "UPDATE payments SET options = options"));
    EXPECT_TRUE(is_denied(kService, "UPDATE payments SET expires_at = expires_at"));
    EXPECT_FALSE(is_denied(kService, "UPDATE payments SET description = 'x', metadata = '{}'"));
    EXPECT_TRUE(is_denied(kService, "UPDATE merchants SET extended_public_key = 'xpub'"));
    EXPECT_TRUE(is_denied(kService, "UPDATE outbox_events SET type = 'payment.cleared'"));
    EXPECT_TRUE(is_denied(kService, "DELETE FROM outbox_events"));
    EXPECT_TRUE(is_denied(kService, "DELETE FROM webhook_deliveries"));
    EXPECT_TRUE(is_denied(kService, "UPDATE webhook_deliveries SET event_type = 'x'"));
    EXPECT_TRUE(is_denied(kService, "UPDATE webhook_attempts SET status = 200"));
    EXPECT_TRUE(is_denied(kService, "DELETE FROM webhook_attempts"));
    EXPECT_FALSE(is_denied(kService, "UPDATE webhook_endpoints SET description = ''"));
    EXPECT_TRUE(is_denied(kService, "UPDATE outbox_events SET sequence = 1"));
    EXPECT_TRUE(is_denied(kService, "DELETE FROM event_feeds"));
    EXPECT_TRUE(
        is_denied(kService, "INSERT INTO schema_migrations (name, checksum) VALUES ('x', 'x')"));
    EXPECT_TRUE(is_denied(kService, "SET session_replication_role = replica"));
    EXPECT_TRUE(is_denied(kService, "UPDATE signing_keys SET public_key = public_key"));
    EXPECT_TRUE(is_denied(kService, "DELETE FROM signing_keys"));
    EXPECT_FALSE(is_denied(kService, "UPDATE test_chain SET head = head"));
    EXPECT_TRUE(is_denied(kService, "UPDATE test_chain SET genesis = genesis"));
    EXPECT_TRUE(is_denied(kService, "UPDATE test_chain_transfers SET amount = amount"));
    EXPECT_TRUE(is_denied(kService, "DELETE FROM test_chain_transfers"));
    EXPECT_TRUE(is_denied(kService, "UPDATE merchants SET mode = 'live'"));
    // A key can be ended, never given more.
    for (std::string const column : {"secret_hash", "scopes", "allowed_addresses", "merchant_id"})
        EXPECT_TRUE(is_denied(kService, "UPDATE api_keys SET " + column + " = " + column))
            << column;
    for (std::string const column : {"revoked_at", "expires_at", "replaced_by", "last_used_at"})
        EXPECT_FALSE(is_denied(kService, "UPDATE api_keys SET " + column + " = " + column))
            << column;
    EXPECT_TRUE(is_denied(kService, "DELETE FROM api_keys"));
    EXPECT_FALSE(is_denied(kService, "UPDATE merchants SET next_derivation_index = 7"));
    EXPECT_FALSE(is_denied(kService, "DELETE FROM live_credits"));
    // A partition is reached through its table alone, and made by the one function that makes them.
    for (std::string const book : {"authorizations", "postings", "outbox_events"}) {
        EXPECT_TRUE(is_denied(kService, "SELECT FROM months." + book + "_rest")) << book;
        EXPECT_TRUE(is_denied(kService, "INSERT INTO months." + book + "_rest DEFAULT VALUES"))
            << book;
        EXPECT_TRUE(is_denied(kService, "DELETE FROM months." + book + "_rest")) << book;
        EXPECT_TRUE(is_denied(kService, "SELECT FROM archive." + book)) << book;
        EXPECT_FALSE(is_denied(kService, "SELECT FROM all_" + book)) << book;
    }
    EXPECT_FALSE(is_denied(kService, "SELECT make_months('2023-11-14')"));
    EXPECT_TRUE(is_denied(kService, "SELECT months.make(202401)"));
    EXPECT_TRUE(is_denied(kService, "SELECT months.detach(202311)"));
    EXPECT_TRUE(is_denied(kService, "INSERT INTO months.postings_202311 DEFAULT VALUES"));
    EXPECT_TRUE(is_denied(kService, "DELETE FROM archived_months"));
}

TEST_F(RolesInPostgres, an_auditor_reads_the_books_and_no_secret) {
    run(database->grant(std::nullopt, kAuditor));
    for (std::string const table :
         {"authorizations", "clearings", "settlements", "postings", "refunds", "refund_payments",
          "refund_cancellations", "token_losses", "fee_payments", "cancellations", "journal_heads",
          "account_balances", "resolution_reasons", "checkpoints", "checkpoint_journals",
          "signing_keys", "archived_months"}) {
        EXPECT_FALSE(is_denied(kAuditor, "SELECT count(*) FROM " + table)) << table;
        EXPECT_TRUE(is_denied(kAuditor, "INSERT INTO " + table + " SELECT * FROM " + table))
            << table;
        EXPECT_TRUE(is_denied(kAuditor, "DELETE FROM " + table)) << table;
    }
    EXPECT_FALSE(is_denied(kAuditor, "SELECT name, created_at FROM merchants"));
    for (std::string const all : {"all_authorizations", "all_postings", "missing_months"})
        EXPECT_FALSE(is_denied(kAuditor, "SELECT FROM " + all)) << all;
    EXPECT_TRUE(is_denied(kAuditor, "SELECT make_months('2023-11-14')"));
    for (std::string const secret :
         {"SELECT secret_sealed FROM webhook_endpoints",
          "SELECT previous_secret_sealed FROM webhook_endpoints",
          "SELECT extended_public_key FROM merchants", "SELECT secret_hash FROM api_keys",
          "SELECT password_hash FROM operators", "SELECT token_hash FROM operator_sessions"}) {
        EXPECT_TRUE(is_denied(kAuditor, secret)) << secret;
    }
}

TEST_F(RolesInPostgres, a_role_that_nothing_binds_is_refused) {
    std::string const owner = query("SELECT current_user");
    EXPECT_THROW(run(database->grant(owner, std::nullopt)), std::runtime_error);
    EXPECT_THROW(run(database->grant(std::nullopt, owner)), std::runtime_error);
    EXPECT_THROW(run(database->grant("nobody_at_all", std::nullopt)), std::runtime_error);
    EXPECT_THROW(run(database->grant(kService, kService)), std::runtime_error);
    // Who may become the owner is bound by nothing either; nor is the owner of the database, who
    // may drop what is in it.
    query(std::string("GRANT \"") + owner + "\" TO " + kService);
    EXPECT_THROW(run(database->grant(kService, std::nullopt)), std::runtime_error);
    query(std::string("REVOKE \"") + owner + "\" FROM " + kService);
    std::string const name = query("SELECT current_database()");
    query("ALTER DATABASE " + name + " OWNER TO " + kService);
    EXPECT_THROW(run(database->grant(kService, std::nullopt)), std::runtime_error);
    query("ALTER DATABASE " + name + " OWNER TO \"" + owner + "\"");
    run(database->grant(kService, std::nullopt));
}

}  // namespace
}  // namespace sycee
