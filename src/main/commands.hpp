#pragma once

#include <sycee/runtime/task.hpp>

#include "config.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace sycee {

// The commands of the program beside `serve`. Each prints to stdout for a person, or one JSON
// document with `json`, and gives its exit code: 0 done, 1 failed, 2 refused for what was given.

Task<int> migrate(Config config);

struct FeeInput {
    std::uint32_t basis_points = 0;
    std::string rounding = "down";
    std::string fixed = "0";  // minor units, as the two below
    std::string minimum = "0";
    std::string maximum;  // empty: none
};

struct MerchantInput {
    std::string name;
    std::string xpub;
    FeeInput fees;
    std::string webhook_url;
    std::filesystem::path webhook_secret_file;
    bool json = false;
};
Task<int> create_merchant(Config config, MerchantInput input);
struct TestMerchantInput {
    std::string live;  // whose twin it is
    std::string webhook_url;
    std::filesystem::path webhook_secret_file;
    bool json = false;
};
Task<int> create_test_merchant(Config config, TestMerchantInput input);
Task<int> set_fees(Config config, std::string merchant, FeeInput input, bool json);
Task<int> list_fees(Config config, std::string merchant, bool json);
// The merchant that fees are paid to: named anew, or shown where `merchant` is empty.
Task<int> fee_recipient(Config config, std::string merchant, bool json);
// `period`: a day or a month; empty: all time, with the invoices and what could be invoiced now.
Task<int> show_fee_statement(Config config, std::string merchant, std::string period, bool json);
struct FeeInvoiceInput {
    std::string merchant;
    std::uint64_t chain_id = 0;  // 0: of each
    std::string token;           // its symbol or its contract; empty: each
    bool json = false;
};
Task<int> invoice_fees(Config config, FeeInvoiceInput input);
Task<int> list_merchants(Config config, bool json);

Task<int> list_webhooks(Config config, std::string merchant, bool json);

Task<int> create_operator(Config config, std::string name, std::filesystem::path password_file);

// `all`: also addresses that no transfer is booked for.
Task<int> export_addresses(Executor executor, Config config, std::string merchant,
                           std::string format, bool all);
Task<int> show_payment(Config config, std::string id);
// `at`: as parse_moment() reads it; empty: now.
Task<int> show_trial_balance(Config config, std::string at);
// A day or a month of a merchant, as text or, with `csv`, every line of it.
Task<int> show_statement(Config config, std::string merchant, std::string period, bool csv);
// By day, chain, token and stage, of a merchant or of all. Days are as parse_totals_days() reads
// them.
struct TotalsInput {
    std::string from;
    std::string to;
    std::string merchant;  // empty: all
    bool csv = false;
};
Task<int> show_totals(Config config, TotalsInput input);
// How long what is authorized and not settled has waited.
Task<int> show_waiting(Config config);
struct VerifyInput {
    std::string from;  // an exported checkpoint with a verified state; empty: from the beginning
    std::vector<std::string> public_keys;  // that may have signed it; empty: those in the database
    std::string export_to;                 // a new file for such a checkpoint; empty: none
};
Task<int> verify(Config config, VerifyInput input);
// How many journals are worth reading at once.
std::size_t verify_connections();

struct EvidenceInput {
    std::string out;       // a folder that is made
    std::string merchant;  // empty: all
    std::string period;    // a day or a month; empty: everything
    bool with_details = false;
};
// What an auditor takes away, as files with a manifest.
Task<int> export_evidence_folder(Config config, EvidenceInput input);
// Addresses that hold another balance than the books say, and nobody has looked at yet.
Task<int> list_differences(Config config, bool json);
Task<int> close_difference(Config config, std::string id, std::string reason);

struct LossInput {
    std::string difference;
    std::string reason;
    std::string operator_name;
    std::filesystem::path operator_password_file;
    std::string second_operator_name;  // empty: none
    std::filesystem::path second_password_file;
    bool json = false;
};
// What is missing at the address was destroyed by the issuer: booked, and the difference closed.
Task<int> book_difference_loss(Executor executor, Config config, LossInput input);
// Whether each address holds on the chain what the books say, at the block processed last.
Task<int> reconcile(Executor executor, Config config, bool json);
// Derives the books again into the empty database `into`, from the nodes and from what was put in,
// and says where they are not the same.
Task<int> rebuild(Executor executor, Config config, std::string into);

}  // namespace sycee
