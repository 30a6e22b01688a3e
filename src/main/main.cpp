#include <sycee/runtime/log.hpp>

#include "application.hpp"
#include "archive_commands.hpp"
#include "chain_commands.hpp"
#include "checkpoint_commands.hpp"
#include "commands.hpp"
#include "key_commands.hpp"

#include <CLI/CLI.hpp>

#include <iostream>

namespace sycee {
namespace {

constexpr int kRefused = 2;

// What the command line chose to do, once the configuration is read.
using Command = std::function<Task<int>(Executor, Config)>;

struct CommandLine {
    CLI::App app{"Sycee: a self-hosted gateway that is paid in stablecoins.", "sycee"};
    std::string config_file = "sycee.toml";
    Command command;
    std::function<int()> offline;  // instead of it: needs no configuration
    MerchantInput merchant;
    TestMerchantInput test_merchant;
    RepairInput repair;
    LossInput loss;
    FeeInvoiceInput invoice;
    KeyInput key;
    RotationInput rotation;
    std::string merchant_id;
    std::string id;
    std::string reason;
    std::string moment;
    std::string name;
    FeeInput fees;
    VerifyInput verify;
    EvidenceInput evidence;
    TotalsInput totals;
    std::string password_file;
    std::string file;
    std::string keys_file;
    std::string into;
    std::uint64_t number = 0;
    std::string format = "csv";
    bool json = false;
    bool csv = false;
    bool all = false;
};

void add_fee_options(CLI::App& command, FeeInput& fees, std::string const& prefix) {
    command
        .add_option(prefix + "basis-points", fees.basis_points,
                    "Operator's fee in hundredths of a percent")
        ->check(CLI::Range(0, 10'000));
    command
        .add_option(prefix + "rounding", fees.rounding, "Of the basis points: down, half_up or up")
        ->check(CLI::IsMember({"down", "half_up", "up"}));
    command.add_option(prefix + "fixed", fees.fixed, "Besides, for each payment, in minor units");
    command.add_option(prefix + "minimum", fees.minimum, "Of each payment, in minor units");
    command.add_option(prefix + "maximum", fees.maximum, "Of each payment, in minor units");
}

void add_fees(CommandLine& line) {
    auto* group =
        line.app.add_subcommand("fee", "What the operator is due of a merchant's payments");
    group->require_subcommand(1);
    auto* set = group->add_subcommand("set", "Makes a new version of a merchant's fees");
    set->add_option("merchant", line.merchant_id, "The merchant's id, mer_…")->required();
    add_fee_options(*set, line.fees, "--");
    set->add_flag("--json", line.json, "Print JSON");
    set->callback([&line] {
        line.command = [&line](Executor, Config config) {
            return set_fees(std::move(config), line.merchant_id, line.fees, line.json);
        };
    });
    auto* list = group->add_subcommand("list", "Shows all versions of a merchant's fees");
    list->add_option("merchant", line.merchant_id, "The merchant's id, mer_…")->required();
    list->add_flag("--json", line.json, "Print JSON");
    list->callback([&line] {
        line.command = [&line](Executor, Config config) {
            return list_fees(std::move(config), line.merchant_id, line.json);
        };
    });
    auto* recipient = group->add_subcommand(
        "recipient", "Names the operator's own merchant, to whom fees are paid; or shows it");
    recipient->add_option("merchant", line.merchant_id, "The merchant's id, mer_…");
    recipient->add_flag("--json", line.json, "Print JSON");
    recipient->callback([&line] {
        line.command = [&line](Executor, Config config) {
            return fee_recipient(std::move(config), line.merchant_id, line.json);
        };
    });
    auto* statement = group->add_subcommand(
        "statement", "Shows what fees a merchant was charged, has paid and still owes");
    statement->add_option("merchant", line.merchant_id, "The merchant's id, mer_…")->required();
    statement->add_option("period", line.moment,
                          "A day (2026-11-25) or a month (2026-11) of UTC; without it, all time");
    statement->add_flag("--json", line.json, "Print JSON");
    statement->callback([&line] {
        line.command = [&line](Executor, Config config) {
            return show_fee_statement(std::move(config), line.merchant_id, line.moment, line.json);
        };
    });
    auto* invoice = group->add_subcommand(
        "invoice",
        "Asks a merchant for its settled fees: a payment of the recipient's, to be paid from any "
        "wallet");
    invoice->add_option("merchant", line.invoice.merchant, "The merchant's id, mer_…")->required();
    invoice->add_option("--chain", line.invoice.chain_id, "Only fees of this chain");
    invoice->add_option("--token", line.invoice.token,
                        "Only fees in this token: its symbol or its contract");
    invoice->add_flag("--json", line.invoice.json, "Print JSON");
    invoice->callback([&line] {
        line.command = [&line](Executor, Config config) {
            return invoice_fees(std::move(config), line.invoice);
        };
    });
}

void add_merchant(CommandLine& line) {
    auto* group = line.app.add_subcommand("merchant", "Who is paid");
    group->require_subcommand(1);
    auto* create = group->add_subcommand(
        "create",
        "Adds a merchant and shows its first deposit address, to compare with the wallet");
    create->add_option("--name", line.merchant.name, "Shown to payers and operators")->required();
    create
        ->add_option("--xpub", line.merchant.xpub,
                     "Extended public key of an account of its own (m/44'/60'/N'); make one with "
                     "tools/xpub")
        ->required();
    add_fee_options(*create, line.merchant.fees, "--fee-");
    create->add_option("--webhook-url", line.merchant.webhook_url, "Where events are posted");
    create->add_option("--webhook-secret-file", line.merchant.webhook_secret_file,
                       "File with a whsec_ secret; without it one is made and shown once");
    create->add_flag("--json", line.merchant.json, "Print JSON");
    create->callback([&line] {
        line.command = [&line](Executor, Config config) {
            return create_merchant(std::move(config), line.merchant);
        };
    });
    auto* twin = group->add_subcommand(
        "test-mode", "Adds the test merchant of a merchant: its payments are paid by simulations");
    twin->add_option("merchant", line.test_merchant.live, "The live merchant's id, mer_…")
        ->required();
    twin->add_option("--webhook-url", line.test_merchant.webhook_url,
                     "Where its events are posted");
    twin->add_option("--webhook-secret-file", line.test_merchant.webhook_secret_file,
                     "File with a whsec_ secret; without it one is made and shown once");
    twin->add_flag("--json", line.test_merchant.json, "Print JSON");
    twin->callback([&line] {
        line.command = [&line](Executor, Config config) {
            return create_test_merchant(std::move(config), line.test_merchant);
        };
    });
    auto* list = group->add_subcommand("list", "Shows the merchants with their first addresses");
    list->add_flag("--json", line.json, "Print JSON");
    list->callback([&line] {
        line.command = [&line](Executor, Config config) {
            return list_merchants(std::move(config), line.json);
        };
    });
}

void add_webhook(CommandLine& line) {
    auto* group = line.app.add_subcommand("webhook", "Where merchants' events are posted to");
    group->require_subcommand(1);
    auto* list = group->add_subcommand("list", "Shows a merchant's endpoints and their state");
    list->add_option("--merchant", line.merchant_id, "The merchant's id, mer_…")->required();
    list->add_flag("--json", line.json, "Print JSON");
    list->callback([&line] {
        line.command = [&line](Executor, Config config) {
            return list_webhooks(std::move(config), line.merchant_id, line.json);
        };
    });
}

void add_key(CommandLine& line) {
    auto* group = line.app.add_subcommand("key", "API keys of merchants");
    group->require_subcommand(1);
    auto* create = group->add_subcommand("create", "Makes an API key and shows it, once");
    create->add_option("--merchant", line.key.merchant, "The merchant's id, mer_…")->required();
    create->add_option("--label", line.key.label, "What the key is for");
    create->add_option("--scope", line.key.scopes,
                       "What the key may do, such as payments:write; may be given again. Without "
                       "it, everything");
    create->add_option("--address", line.key.addresses,
                       "From where: an IP address or a network (192.0.2.0/24); may be given "
                       "again. Without it, from anywhere");
    create->add_option("--expires", line.key.expires,
                       "Until then: 2026-11-26 (the day's end) or 2026-11-26T10:00:00Z, in UTC");
    create->add_flag("--json", line.json, "Print JSON");
    create->callback([&line] {
        line.command = [&line](Executor, Config config) {
            return create_key(std::move(config), line.key, line.json);
        };
    });
    auto* list = group->add_subcommand("list", "Shows the API keys, never their secrets");
    list->add_option("--merchant", line.merchant_id, "Only this merchant's, mer_…");
    list->add_flag("--json", line.json, "Print JSON");
    list->callback([&line] {
        line.command = [&line](Executor, Config config) {
            return list_keys(std::move(config), line.merchant_id, line.json);
        };
    });
    auto* rotate = group->add_subcommand(
        "rotate",
        "Makes a new API key that may do the same, and lets the old one end after the overlap");
    rotate->add_option("key", line.rotation.key, "The old key's id, key_…")->required();
    rotate
        ->add_option("--overlap", line.rotation.overlap,
                     "How long both are valid: 0, 30m, 24h, at most 7d")
        ->capture_default_str();
    rotate->add_option("--expires", line.rotation.expires,
                       "Until when the new key is valid; without it, as long as the old one was "
                       "to be");
    rotate->add_flag("--json", line.json, "Print JSON");
    rotate->callback([&line] {
        line.command = [&line](Executor, Config config) {
            return rotate_key(std::move(config), line.rotation, line.json);
        };
    });
    auto* revoke = group->add_subcommand("revoke", "Makes an API key useless at once");
    revoke->add_option("key", line.id, "The key's id, key_…")->required();
    revoke->callback([&line] {
        line.command = [&line](Executor, Config config) {
            return revoke_key(std::move(config), line.id);
        };
    });
}

void add_people(CommandLine& line) {
    auto* group = line.app.add_subcommand("operator", "Who may open the dashboard");
    group->require_subcommand(1);
    auto* create = group->add_subcommand("create", "Adds an operator");
    create->add_option("--name", line.name, "Name to log in with")->required();
    create
        ->add_option("--password-file", line.password_file,
                     "File whose first line is the password, at least 12 characters")
        ->required();
    create->callback([&line] {
        line.command = [&line](Executor, Config config) {
            return create_operator(std::move(config), line.name, line.password_file);
        };
    });
}

void add_reports(CommandLine& line) {
    auto* addresses = line.app.add_subcommand("addresses", "Where the money is");
    addresses->require_subcommand(1);
    auto* exported = addresses->add_subcommand(
        "export",
        "Every address that was paid, with its derivation path and its balances on chain");
    exported->add_option("--merchant", line.merchant_id, "Only this merchant's");
    exported->add_option("--format", line.format, "csv or json")
        ->check(CLI::IsMember({"csv", "json"}));
    exported->add_flag("--all", line.all,
                       "Also addresses that no transfer is booked for, one query to the node each");
    exported->callback([&line] {
        line.command = [&line](Executor executor, Config config) {
            return export_addresses(executor, std::move(config), line.merchant_id, line.format,
                                    line.all);
        };
    });
    auto* payment =
        line.app.add_subcommand("payment", "Shows a payment's records, postings and events");
    payment->add_option("id", line.id, "The payment's id, pay_…")->required();
    payment->callback([&line] {
        line.command = [&line](Executor, Config config) {
            return show_payment(std::move(config), line.id);
        };
    });
    auto* trial_balance = line.app.add_subcommand(
        "trial-balance", "Shows every account of every merchant, and that they balance");
    trial_balance->add_option("--at", line.moment,
                              "As the books stood then: 2026-11-26 (the day's end) or "
                              "2026-11-26T10:00:00Z, in UTC");
    trial_balance->callback([&line] {
        line.command = [&line](Executor, Config config) {
            return show_trial_balance(std::move(config), line.moment);
        };
    });
    auto* statement = line.app.add_subcommand(
        "statement", "Shows what a day or a month brought a merchant, and that it adds up");
    statement->add_option("merchant", line.merchant_id, "The merchant's id, mer_…")->required();
    statement->add_option("period", line.moment, "A day (2026-11-25) or a month (2026-11) of UTC")
        ->required();
    statement->add_flag("--csv", line.csv, "Print every line as CSV");
    statement->callback([&line] {
        line.command = [&line](Executor, Config config) {
            return show_statement(std::move(config), line.merchant_id, line.moment, line.csv);
        };
    });
    auto* totals = line.app.add_subcommand(
        "totals", "Shows what was booked on each day, by network, token and stage");
    totals->add_option("--from", line.totals.from,
                       "The first day (2026-11-01) of UTC; else 29 days before the last");
    totals->add_option("--to", line.totals.to, "The last day; else today");
    totals->add_option("--merchant", line.totals.merchant, "Only this merchant's, mer_…");
    totals->add_flag("--csv", line.totals.csv, "Print CSV");
    totals->callback([&line] {
        line.command = [&line](Executor, Config config) {
            return show_totals(std::move(config), line.totals);
        };
    });
    line.app
        .add_subcommand("waiting", "Shows what has arrived and is not settled, and for how long")
        ->callback([&line] {
            line.command = [](Executor, Config config) { return show_waiting(std::move(config)); };
        });
    auto* verified = line.app.add_subcommand(
        "verify", "Re-adds the books and names the first row that is wrong");
    verified->add_option("--from", line.verify.from,
                         "Go on from this checkpoint, which `verify --export` wrote");
    verified->add_option("--public-key", line.verify.public_keys,
                         "The key that signed it, as you know it; may be given again");
    verified->add_option("--export", line.verify.export_to,
                         "Make a checkpoint, and write it with what was verified to this new file");
    verified->callback([&line] {
        line.command = [&line](Executor, Config config) {
            return verify(std::move(config), line.verify);
        };
    });
    auto* evidence = line.app.add_subcommand(
        "evidence",
        "Writes the books with their hashes, checkpoints and statements as files for an auditor");
    evidence->add_option("folder", line.evidence.out, "A folder that is made")->required();
    evidence->add_option("--merchant", line.evidence.merchant, "Only this merchant's, mer_…");
    evidence->add_option("--period", line.evidence.period,
                         "Only what was booked on a day (2026-11-25) or in a month (2026-11) of "
                         "UTC, with its statements");
    evidence->add_flag("--with-details", line.evidence.with_details,
                       "Also descriptions, metadata, reasons and the names of operators");
    evidence->callback([&line] {
        line.command = [&line](Executor, Config config) {
            return export_evidence_folder(std::move(config), line.evidence);
        };
    });
    auto* differences = line.app.add_subcommand(
        "difference", "Addresses whose balance on the chain is not what the books say");
    differences->require_subcommand(1);
    auto* open = differences->add_subcommand("list", "Shows those that nobody has closed yet");
    open->add_flag("--json", line.json, "Print JSON");
    open->callback([&line] {
        line.command = [&line](Executor, Config config) {
            return list_differences(std::move(config), line.json);
        };
    });
    auto* close = differences->add_subcommand("close", "Frees an address again");
    close->add_option("difference", line.id, "Its id, dif_…")->required();
    close->add_option("--reason", line.reason, "What was found out; kept")->required();
    close->callback([&line] {
        line.command = [&line](Executor, Config config) {
            return close_difference(std::move(config), line.id, line.reason);
        };
    });
    auto* loss = differences->add_subcommand(
        "book-loss",
        "Books what is missing as destroyed by the token's issuer, and frees the address again");
    loss->add_option("difference", line.loss.difference, "Its id, dif_…")->required();
    loss->add_option("--reason", line.loss.reason, "What was found out; kept")->required();
    loss->add_option("--operator", line.loss.operator_name, "Who decides it")->required();
    loss->add_option("--password-file", line.loss.operator_password_file,
                     "File whose first line is the operator's password")
        ->required();
    loss->add_option("--second-operator", line.loss.second_operator_name,
                     "Who approves it: needed above desk.second_operator_above");
    loss->add_option("--second-password-file", line.loss.second_password_file,
                     "File whose first line is the second operator's password");
    loss->add_flag("--json", line.loss.json, "Print JSON");
    loss->callback([&line] {
        line.command = [&line](Executor executor, Config config) {
            return book_difference_loss(executor, std::move(config), line.loss);
        };
    });
    auto* reconciled = line.app.add_subcommand(
        "reconcile",
        "Asks each token what every deposit address holds, and compares it with the books");
    reconciled->add_flag("--json", line.json, "Print JSON");
    reconciled->callback([&line] {
        line.command = [&line](Executor executor, Config config) {
            return reconcile(executor, std::move(config), line.json);
        };
    });
    auto* rebuilt = line.app.add_subcommand(
        "rebuild",
        "Derives the books again from the nodes' final logs, the payments and the decisions of "
        "persons, and names each difference");
    rebuilt
        ->add_option("--into", line.into,
                     "Connection string of an empty database for the new books, of a role that "
                     "may make tables there. A password in it could be read by whoever lists "
                     "processes: name passfile= or service= instead")
        ->required();
    rebuilt->callback([&line] {
        line.command = [&line](Executor executor, Config config) {
            return rebuild(executor, std::move(config), line.into);
        };
    });
}

void add_chain(CommandLine& line) {
    auto* find = line.app.add_subcommand(
        "find", "Says what a transaction did to any deposit address, on every chain");
    find->add_option("transaction", line.id, "Its hash, 0x…, or a link with it")->required();
    find->add_flag("--json", line.json, "Print JSON");
    find->callback([&line] {
        line.command = [&line](Executor executor, Config config) {
            return find_transaction(executor, std::move(config), line.id, line.json);
        };
    });
    auto* group = line.app.add_subcommand("chain", "The chains that are followed");
    group->require_subcommand(1);
    auto* repair = group->add_subcommand(
        "repair",
        "The way out after a chain took back blocks that it had called final: shows what would be "
        "undone, and undoes it where two operators order it");
    repair->add_option("chain", line.repair.chain_id, "The chain's id")->required();
    repair->add_flag("--carry-out", line.repair.carry_out, "Do it; without this, show the plan");
    repair->add_option("--operator", line.repair.operator_name, "Who orders it");
    repair->add_option("--password-file", line.repair.operator_password_file,
                       "File whose first line is the operator's password");
    repair->add_option("--second-operator", line.repair.second_operator_name, "Who approves it");
    repair->add_option("--second-password-file", line.repair.second_password_file,
                       "File whose first line is the second operator's password");
    repair->add_option("--reason", line.repair.reason, "Why; kept with the repair");
    repair->callback([&line] {
        line.command = [&line](Executor executor, Config config) {
            return repair_chain(executor, std::move(config), line.repair);
        };
    });
}

void add_checkpoints(CommandLine& line) {
    auto* keys = line.app.add_subcommand("signing-key", "The key that signs checkpoints");
    keys->require_subcommand(1);
    keys->add_subcommand("new",
                         "Makes one, publishes its public part, and retires the one before it")
        ->callback([&line] {
            line.command = [](Executor, Config config) {
                return new_signing_key(std::move(config));
            };
        });
    auto* checkpoint = line.app.add_subcommand(
        "checkpoint",
        "Makes a signed checkpoint of all journals and exports it, to be kept outside");
    checkpoint->add_option("--out", line.file, "A new file to write; without it, stdout");
    checkpoint->add_option("--number", line.number, "Export this one, and make none")
        ->check(CLI::Range(std::int64_t{1}, INT64_MAX));
    auto* verified = checkpoint->add_subcommand(
        "verify", "Compares an exported checkpoint with the database, record by record");
    verified->add_option("file", line.file, "What was exported")->required();
    checkpoint->callback([&line, verified] {
        bool const verifies = verified->parsed();
        line.command = [&line, verifies](Executor, Config config) {
            return verifies ? verify_checkpoint_file(std::move(config), line.file)
                            : export_checkpoint(std::move(config), line.number, line.file);
        };
    });
    auto* receipt = line.app.add_subcommand("receipt", "Receipts of settled payments");
    receipt->require_subcommand(1);
    auto* checked = receipt->add_subcommand(
        "verify", "Checks a receipt, offline and without a configuration, and says what it proves");
    checked->add_option("file", line.file, "The receipt, as the API gave it")->required();
    checked->add_option("--keys", line.keys_file,
                        "The gateway's published keys: /.well-known/sycee-signing-keys");
    checked->callback([&line] {
        line.offline = [&line] { return verify_receipt_file(line.file, line.keys_file); };
    });
}

void add_archive(CommandLine& line) {
    auto* group = line.app.add_subcommand(
        "archive", "Months of the books, and those that are kept elsewhere (docs/scale.md)");
    group->require_subcommand(1);
    auto* list = group->add_subcommand("list", "Shows each month, where it is and its size");
    list->add_flag("--json", line.json, "Print JSON");
    list->callback([&line] {
        line.command = [&line](Executor, Config config) {
            return list_months(std::move(config), line.json);
        };
    });
    auto* detach = group->add_subcommand(
        "detach",
        "Takes a month of which nothing is open out of the tables, into the schema \"archive\"");
    detach->add_option("month", line.moment, "As 2026-11")->required();
    detach->callback([&line] {
        line.command = [&line](Executor, Config config) {
            return detach_month(std::move(config), line.moment);
        };
    });
    auto* attach = group->add_subcommand("attach", "Puts it back");
    attach->add_option("month", line.moment, "As 2026-11")->required();
    attach->callback([&line] {
        line.command = [&line](Executor, Config config) {
            return attach_month(std::move(config), line.moment);
        };
    });
}

void add_service(CommandLine& line) {
    line.app.add_subcommand("serve", "Runs the gateway until SIGTERM or Ctrl-C")->callback([&line] {
        line.command = [](Executor executor, Config config) -> Task<int> {
            auto const key = load_sealing_key(config.key_file);
            if (!key) {
                std::cerr << "sycee: " << to_string(key.error()) << "\n";
                co_return kRefused;
            }
            co_return co_await serve(executor, std::move(config), *key);
        };
    });
    line.app.add_subcommand("migrate", "Brings the database to this program's schema")
        ->callback([&line] {
            line.command = [](Executor, Config config) { return migrate(std::move(config)); };
        });
}

int run(int argc, char** argv) {
    CommandLine line;
    line.app.add_option("-c,--config", line.config_file, "Configuration file")
        ->capture_default_str();
    line.app.require_subcommand(1);
    add_service(line);
    add_merchant(line);
    add_fees(line);
    add_webhook(line);
    add_key(line);
    add_people(line);
    add_reports(line);
    add_chain(line);
    add_checkpoints(line);
    add_archive(line);
    try {
        line.app.parse(argc, argv);
    } catch (CLI::ParseError const& error) {
        int const code = line.app.exit(error);
        return code == 0 ? 0 : kRefused;
    }
    if (line.offline) return line.offline();
    auto config = load_config(line.config_file);
    if (!config) {
        std::cerr << "sycee: " << to_string(config.error()) << "\n";
        return kRefused;
    }
    set_log_level(config->log_level);
    return run_task(
        [&line, &config](Executor executor) { return line.command(executor, std::move(*config)); });
}

}  // namespace
}  // namespace sycee

int main(int argc, char** argv) {
    try {
        return sycee::run(argc, argv);
    } catch (std::exception const& error) {
        std::cerr << "sycee: " << error.what() << "\n";
        return 1;
    }
}
