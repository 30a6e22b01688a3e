#include "commands.hpp"

#include <sycee/app/csv.hpp>
#include <sycee/app/payment_service.hpp>
#include <sycee/app/test_payments.hpp>
#include <sycee/app/webhook_json.hpp>
#include <sycee/app/webhook_service.hpp>
#include <sycee/runtime/password.hpp>
#include <sycee/runtime/random.hpp>
#include <sycee/runtime/secret_box.hpp>
#include <sycee/store/pg_access.hpp>
#include <sycee/store/pg_payments.hpp>
#include <sycee/store/pg_reports.hpp>
#include <sycee/store/pg_test_chain.hpp>
#include <sycee/store/pg_webhooks.hpp>
#include <sycee/webhook/http_webhook_sender.hpp>
#include <sycee/webhook/signature.hpp>

#include "chain_access.hpp"
#include "moment.hpp"
#include "report_text.hpp"
#include "secret_file.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <iostream>

namespace sycee {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kDone = 0;
constexpr int kRefused = 2;

int refused(Error const& error) {
    std::cerr << "sycee: " << to_string(error) << "\n";
    return kRefused;
}

void print(Json const& json) {
    std::cout << json.dump(2) << "\n";
}

Result<Secret> webhook_secret(std::filesystem::path const& file) {
    if (file.empty()) {
        return make_webhook_secret();
    }
    auto secret = read_secret(file);
    if (!secret) return secret;
    if (auto const checked = check_webhook_secret(*secret); !checked) {
        return std::unexpected(checked.error());
    }
    return secret;
}

// Gives the merchant, which has its id, a webhook endpoint for every event. The result is what is
// to be shown of the secret, once: to whoever created it here; one that came from a file is known
// already.
Result<std::string> set_webhook(NewMerchant& merchant, Config const& config,
                                Bytes32 const& sealing_key, std::string const& to,
                                std::filesystem::path const& secret_file) {
    if (to.empty()) return "";
    auto const url = webhook_destination(to, config.allow_private_webhook_addresses);
    if (!url) return refuse("webhook-url", url.error().message);
    auto const secret = webhook_secret(secret_file);
    if (!secret) return std::unexpected(secret.error());
    merchant.webhook = {{.merchant_id = merchant.id,
                         .id = new_id<WebhookEndpointTag>(merchant.created_at),
                         .url = to,
                         .event_types = {std::string(kEveryEvent)},
                         .created_at = merchant.created_at},
                        SecretBox(sealing_key).seal(*secret)};
    return secret_file.empty() ? secret->reveal() : "";
}

void print_secret(std::string const& secret) {
    if (secret.empty()) return;
    std::cout << "\nWebhook secret  " << secret
              << "\nShown only now. The shop verifies webhooks with it.\n";
}

std::string first_address_of(ExtendedPublicKey const& key) {
    auto const address = derive_deposit_address(key, 0);
    return address ? to_string(*address) : "";
}

Json fees_json(FeeSchedule const& fees) {
    return {{"version", fees.version},
            {"basis_points", fees.basis_points},
            {"rounding", to_string(fees.rounding)},
            {"fixed", to_string(fees.fixed)},
            {"minimum", to_string(fees.minimum)},
            {"maximum", fees.maximum ? Json(to_string(*fees.maximum)) : Json(nullptr)}};
}

Result<FeeSchedule> fees_of(FeeInput const& input) {
    FeeSchedule fees{.version = 0,
                     .basis_points = input.basis_points,
                     .rounding = {},
                     .fixed = {},
                     .minimum = {},
                     .maximum = {}};
    auto const rounding = parse_fee_rounding(input.rounding);
    if (!rounding)
        return refuse("rounding", "\"" + input.rounding + "\" is not down, half_up or up");
    fees.rounding = *rounding;
    auto const fixed = parse_base_units(input.fixed);
    auto const minimum = parse_base_units(input.minimum);
    auto const maximum = parse_base_units(input.maximum.empty() ? "0" : input.maximum);
    if (!fixed) return refuse("fixed", "\"" + input.fixed + "\" is not a whole number");
    if (!minimum) return refuse("minimum", "\"" + input.minimum + "\" is not a whole number");
    if (!maximum) return refuse("maximum", "\"" + input.maximum + "\" is not a whole number");
    fees.fixed = *fixed;
    fees.minimum = *minimum;
    if (!input.maximum.empty()) fees.maximum = *maximum;
    if (auto const checked = check_fees(fees); !checked) return std::unexpected(checked.error());
    return fees;
}

Json merchant_json(Merchant const& merchant) {
    auto const key = parse_extended_public_key(merchant.extended_public_key);
    return {{"id", to_string(merchant.id)},
            {"name", merchant.name},
            {"first_address", key ? first_address_of(*key) : ""},
            {"fees", fees_json(merchant.fees)},
            {"created_at", to_rfc3339(merchant.created_at)}};
}

Result<MerchantId> parse_merchant_id(std::string const& text) {
    auto const id = parse_id<MerchantTag>(text);
    if (!id) return refuse("merchant", "\"" + text + "\" is not a merchant's id (mer_…)");
    return *id;
}

std::string derivation_path(ExtendedPublicKey const& key, std::uint64_t index) {
    // Of a test merchant, below the key of the live one.
    if (key.child_number == kTestChild)
        return std::to_string(kTestChild) + "/" + std::to_string(index);
    // Below the account key that the wallet exported as m/44'/60'/account'.
    return (key.depth == 3 ? "0/" : "") + std::to_string(index);
}

// One row for each address, chain and token.
Task<Json> balances_of(IssuedAddress issued, ChainNode& node, ChainSettings const& chain) {
    auto const key = parse_extended_public_key(issued.merchant.extended_public_key);
    Json rows = Json::array();
    for (TokenSettings const& token : chain.tokens) {
        Amount const balance = co_await node.token_balance(token.contract, issued.address);
        rows.push_back(
            {{"merchant", to_string(issued.merchant.id)},
             {"address", to_string(issued.address)},
             {"derivation_path", key ? derivation_path(*key, issued.derivation_index) : ""},
             {"chain_id", chain.id},
             {"token", token.symbol},
             {"contract", to_string(token.contract)},
             {"balance", to_decimal(balance, token.decimals)},
             {"balance_base_units", to_string(balance)}});
    }
    co_return rows;
}

void print_csv(Json const& rows) {
    std::cout
        << "merchant,address,derivation_path,chain_id,token,contract,balance,balance_base_units\n";
    for (auto const& row : rows) {
        std::string line;
        for (auto const& [name, value] : row.items()) {
            if (!line.empty()) line += ",";
            line += value.is_string() ? csv_field(value.get<std::string>()) : value.dump();
        }
        std::cout << line << "\n";
    }
}

}  // namespace

Task<int> migrate(Config config) {
    bool const has_owner = !config.database_owner_url.empty();
    Database database(has_owner ? config.database_owner_url : config.database_url, 1);
    auto const applied = co_await database.migrate();
    for (auto const& name : applied)
        std::cout << "applied " << name << "\n";
    if (applied.empty()) std::cout << "The database is up to date.\n";
    std::optional<std::string> service;
    std::optional<std::string> auditor;
    if (has_owner) service = database_role(config.database_url);
    if (!config.database_auditor_role.empty()) auditor = config.database_auditor_role;
    if (!service && !auditor) co_return kDone;
    co_await database.grant(service, auditor);
    if (service) std::cout << "granted " << *service << " what the service needs\n";
    if (auditor) std::cout << "granted " << *auditor << " to read the books\n";
    co_return kDone;
}

Task<int> set_fees(Config config, std::string merchant, FeeInput input, bool json) {
    auto const id = parse_merchant_id(merchant);
    if (!id) co_return refused(id.error());
    auto const fees = fees_of(input);
    if (!fees) co_return refused(fees.error());
    Database database(config.database_url, 1);
    auto const set = co_await PgAccess(database).set_fees(*id, *fees, SystemClock().now());
    if (!set) co_return refused(set.error());
    if (json) {
        print(fees_json(*set));
    } else {
        std::cout << "Version " << set->version << " of the fees of " << merchant
                  << " is in force from the next clearing on: " << to_text(*set) << ".\n";
    }
    co_return kDone;
}

Task<int> list_fees(Config config, std::string merchant, bool json) {
    auto const id = parse_merchant_id(merchant);
    if (!id) co_return refused(id.error());
    Database database(config.database_url, 1);
    auto const schedules = co_await PgAccess(database).fee_schedules(*id);
    if (schedules.empty()) co_return refused({"merchant", "there is no merchant " + merchant});
    Json rows = Json::array();
    for (auto const& [fees, since] : schedules) {
        Json row = fees_json(fees);
        row["created_at"] = to_rfc3339(since);
        if (json) {
            rows.push_back(std::move(row));
        } else {
            std::cout << "version " << fees.version << "  since " << to_rfc3339(since) << "  "
                      << to_text(fees) << "\n";
        }
    }
    if (json) print(rows);
    co_return kDone;
}

Task<int> create_merchant(Config config, MerchantInput input) {
    auto const key = check_merchant_key(input.xpub);
    if (!key) co_return refused(key.error());
    if (key->child_number == kTestChild)
        co_return refused({"xpub", "is the child of a key that test mode uses"});
    auto const sealing_key = load_sealing_key(config.key_file);
    if (!sealing_key) co_return refused(sealing_key.error());
    NewMerchant merchant;
    merchant.name = input.name;
    merchant.extended_public_key = *key;
    auto const fees = fees_of(input.fees);
    if (!fees) co_return refused(fees.error());
    merchant.fees = *fees;
    merchant.created_at = SystemClock().now();
    merchant.id = new_id<MerchantTag>(merchant.created_at);
    auto const shown_secret =
        set_webhook(merchant, config, *sealing_key, input.webhook_url, input.webhook_secret_file);
    if (!shown_secret) co_return refused(shown_secret.error());

    Database database(config.database_url, 1);
    PgAccess access(database);
    auto const created = co_await access.create_merchant(merchant);
    if (!created) co_return refused(created.error());

    std::string const first = first_address_of(*key);
    if (input.json) {
        Json json{
            {"id", to_string(merchant.id)}, {"name", merchant.name}, {"first_address", first}};
        if (merchant.webhook) json["webhook_endpoint"] = to_string(merchant.webhook->endpoint.id);
        if (!shown_secret->empty()) json["webhook_secret"] = *shown_secret;
        print(json);
    } else {
        std::cout
            << "Merchant        " << to_string(merchant.id) << "  " << merchant.name
            << "\nFirst address   " << first
            << "\n\nCompare the first address with the first one that your wallet shows for this "
               "account.\nIf they differ, do not take payments: the money would go elsewhere.\n";
        print_secret(*shown_secret);
    }
    co_return kDone;
}

Task<int> create_test_merchant(Config config, TestMerchantInput input) {
    auto const live = parse_merchant_id(input.live);
    if (!live) co_return refused(live.error());
    if (config.network.chain(kTestChainId) == nullptr) {
        co_return refused({"test_mode.enabled", "is false: there is no test mode here"});
    }
    auto const sealing_key = load_sealing_key(config.key_file);
    if (!sealing_key) co_return refused(sealing_key.error());
    Database database(config.database_url, 1);
    auto const merchants = co_await PgReports(database).merchants();
    auto const found = std::ranges::find(merchants, *live, &Merchant::id);
    if (found == merchants.end())
        co_return refused({"merchant", "there is no merchant " + input.live});
    auto const live_key = parse_extended_public_key(found->extended_public_key);
    auto const key = live_key ? test_key_of(*live_key) : std::nullopt;
    if (!key) co_return refused({"merchant", "has a key that gives no other"});

    NewMerchant merchant;
    merchant.test_twin_of = *live;
    merchant.name = found->name;
    merchant.extended_public_key = *key;
    merchant.fees = found->fees;
    merchant.created_at = SystemClock().now();
    merchant.id = new_id<MerchantTag>(merchant.created_at);
    auto const shown_secret =
        set_webhook(merchant, config, *sealing_key, input.webhook_url, input.webhook_secret_file);
    if (!shown_secret) co_return refused(shown_secret.error());
    PgAccess access(database);
    auto const created = co_await access.create_merchant(merchant);
    if (!created) co_return refused(created.error());
    if (input.json) {
        Json json{
            {"id", to_string(merchant.id)}, {"name", merchant.name}, {"test_twin_of", input.live}};
        if (!shown_secret->empty()) json["webhook_secret"] = *shown_secret;
        print(json);
    } else {
        std::cout << "Test merchant   " << to_string(merchant.id) << "  " << merchant.name
                  << "\nIts keys begin with sk_test_: sycee key create --merchant "
                  << to_string(merchant.id) << "\n";
        print_secret(*shown_secret);
    }
    co_return kDone;
}

Task<int> list_merchants(Config config, bool json) {
    Database database(config.database_url, 1);
    PgReports reports(database);
    Json list = Json::array();
    for (auto const& merchant : co_await reports.merchants())
        list.push_back(merchant_json(merchant));
    if (json) {
        print(list);
        co_return kDone;
    }
    for (auto const& merchant : list) {
        std::cout << merchant["id"].get<std::string>() << "  "
                  << merchant["first_address"].get<std::string>() << "  "
                  << merchant["name"].get<std::string>() << "\n";
    }
    if (list.empty()) std::cout << "There is no merchant yet: sycee merchant create --help\n";
    co_return kDone;
}

Task<int> list_webhooks(Config config, std::string merchant, bool json) {
    auto const id = parse_merchant_id(merchant);
    if (!id) co_return refused(id.error());
    Database database(config.database_url, 1);
    PgWebhooks webhooks(database);
    Json list = Json::array();
    for (auto const& endpoint : co_await webhooks.list(*id)) {
        list.push_back(webhook_endpoint_json(endpoint, SystemClock().now()));
        if (json) continue;
        std::cout << to_string(endpoint.id) << "  "
                  << (endpoint.disabled_at
                          ? "disabled: " + std::string(to_string(endpoint.disabled_reason))
                          : "enabled")
                  << "  " << endpoint.url << "\n";
    }
    if (json) {
        print(list);
    } else if (list.empty()) {
        std::cout << "This merchant has no webhook endpoint.\n";
    }
    co_return kDone;
}

Task<int> create_operator(Config config, std::string name, std::filesystem::path password_file) {
    auto const password = read_secret(password_file);
    if (!password) co_return refused(password.error());
    if (auto const checked = check_new_password(*password); !checked) {
        co_return refused({"password", checked.error().message});
    }
    Timestamp const now = SystemClock().now();
    Operator account{new_id<OperatorTag>(now), name, hash_password(*password)};
    Database database(config.database_url, 1);
    PgAccess access(database);
    auto const created = co_await access.create_operator(account, now);
    if (!created) co_return refused(created.error());
    std::cout << "Created operator " << name << "\n";
    co_return kDone;
}

Task<int> export_addresses(Executor executor, Config config, std::string merchant,
                           std::string format, bool all) {
    std::optional<MerchantId> only;
    if (!merchant.empty()) {
        auto const id = parse_merchant_id(merchant);
        if (!id) co_return refused(id.error());
        only = *id;
    }
    Database database(config.database_url, 1);
    PgReports reports(database);
    SystemClock clock;
    PgTestChain test_chain(database);
    auto const addresses =
        all ? co_await reports.issued_addresses() : co_await reports.used_addresses();
    Json rows = Json::array();
    for (ChainSettings const& chain : config.network.chains) {
        auto const node = make_node(executor, chain, chain.endpoints.front(), clock, test_chain);
        for (IssuedAddress const& issued : addresses) {
            if (only && issued.merchant.id != *only) continue;
            for (auto& row : co_await balances_of(issued, *node, chain))
                rows.push_back(std::move(row));
        }
    }
    if (format == "json") {
        print(rows);
    } else {
        print_csv(rows);
    }
    co_return kDone;
}

Task<int> show_payment(Config config, std::string text) {
    auto const id = parse_id<PaymentTag>(text);
    if (!id) co_return refused({"payment", "\"" + text + "\" is not a payment's id (pay_…)"});
    Database database(config.database_url, 1);
    PgPayments payments(database);
    PgReports reports(database);
    auto const state = co_await payments.find_public(*id);
    if (!state) co_return refused({"payment", "there is no payment " + text});
    PaymentKey const key{state->payment.merchant_id, *id};
    auto const timeline = co_await reports.timeline(key);
    ChainRegistry registry(config.network);
    for (auto const& chain : co_await reports.chains())
        registry.set(chain.chain_id, {.head_time = chain.head.time, .finalized = chain.finalized});
    std::cout << timeline_text(*state, registry.status(*state), timeline, config.network);
    co_return kDone;
}

Task<int> show_trial_balance(Config config, std::string at) {
    std::optional<Timestamp> moment;
    if (!at.empty()) {
        auto const parsed = parse_moment(at);
        if (!parsed) co_return refused({"at", parsed.error().message});
        moment = *parsed;
    }
    Database database(config.database_url, 1);
    PgReports reports(database);
    auto const rows = moment ? co_await reports.balances_at(*moment) : co_await reports.balances();
    if (moment) std::cout << "As of " << to_rfc3339(*moment) << ":\n";
    std::cout << trial_balance_text(rows, config.network);
    co_return kDone;
}

}  // namespace sycee
