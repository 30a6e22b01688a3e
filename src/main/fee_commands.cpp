#include <sycee/app/fee_invoice_json.hpp>
#include <sycee/app/fee_service.hpp>
#include <sycee/app/payment_json.hpp>
#include <sycee/app/statement.hpp>
#include <sycee/app/token_text.hpp>
#include <sycee/store/pg_fees.hpp>
#include <sycee/store/pg_ledger.hpp>
#include <sycee/store/pg_payments.hpp>

#include "commands.hpp"

#include <nlohmann/json.hpp>

#include <iostream>

namespace sycee {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kDone = 0;
constexpr int kRefused = 2;
constexpr std::size_t kMostListed = 100;

int refused(Error const& error) {
    std::cerr << "sycee: " << to_string(error) << "\n";
    return kRefused;
}

Result<MerchantId> merchant_in(std::string const& text) {
    auto const id = parse_id<MerchantTag>(text);
    if (!id) return refuse("merchant", "\"" + text + "\" is not a merchant's id (mer_…)");
    return *id;
}

// The use cases without the service that runs beside.
struct Fees {
    explicit Fees(Config const& configured)
        : config(configured),
          database(config.database_url, 1),
          store(database),
          ledger(database),
          payments(database),
          registry(config.network),
          payment_service(payments, config.network, registry, clock),
          service(store, payment_service, ledger, config.network, registry, clock) {}

    // What expires, expires by the time of the chains.
    Task<void> load_progress() {
        for (ChainSettings const& chain : config.network.chains) {
            if (auto progress = co_await ledger.load_progress(chain.id))
                registry.set(chain.id, std::move(*progress));
        }
    }

    Config const& config;
    Database database;
    PgFees store;
    PgLedger ledger;
    PgPayments payments;
    SystemClock clock;
    ChainRegistry registry;
    PaymentService payment_service;
    FeeService service;
};

void print_text(InvoiceView const& view, Network const& network) {
    FeeInvoice const& invoice = view.invoice;
    std::cout << to_string(invoice.payment.second) << "  " << to_string(view.stage) << "  "
              << token_amount(network, invoice.chain_id, invoice.token, invoice.amount)
              << " on chain " << invoice.chain_id;
    if (view.stage == InvoiceStage::open) {
        std::cout << ", until " << to_rfc3339(view.payment.expires_at) << "\n  "
                  << checkout_url(view.payment.id, network);
    }
    std::cout << "\n";
}

Json json_of(FeeStatement const& one, Network const& network) {
    auto const text = [&](Amount amount) {
        return token_decimal(network, one.chain_id, one.token, amount);
    };
    return {
        {"chain_id", one.chain_id},       {"token", token_name(network, one.chain_id, one.token)},
        {"opening", text(one.opening)},   {"accrued", text(one.accrued)},
        {"reversed", text(one.reversed)}, {"paid", text(one.paid)},
        {"closing", text(one.closing())}};
}

void print_text(FeeStatement const& one, Network const& network) {
    auto const line = [&](std::string const& name, Amount amount) {
        std::cout << "  " << name << std::string(18 - name.size(), ' ')
                  << token_decimal(network, one.chain_id, one.token, amount) << "\n";
    };
    std::cout << token_name(network, one.chain_id, one.token) << " on chain " << one.chain_id
              << "\n";
    line("opening", one.opening);
    line("accrued", one.accrued);
    line("reversed (less)", one.reversed);
    line("paid (less)", one.paid);
    line("owed", one.closing());
}

}  // namespace

Task<int> fee_recipient(Config config, std::string merchant, bool json) {
    Database database(config.database_url, 1);
    PgFees fees(database);
    if (!merchant.empty()) {
        auto const id = merchant_in(merchant);
        if (!id) co_return refused(id.error());
        auto const set = co_await fees.set_recipient(*id, SystemClock().now());
        if (!set) co_return refused(set.error());
    }
    auto const recipient = co_await fees.recipient();
    if (json) {
        Json named;
        named["recipient"] = recipient ? Json(to_string(*recipient)) : Json(nullptr);
        std::cout << named.dump(2) << "\n";
    } else if (recipient) {
        std::cout << "Fees are paid to " << to_string(*recipient) << ".\n";
    } else {
        std::cout << "Nobody is named: fees can't be invoiced.\n";
    }
    co_return kDone;
}

Task<int> show_fee_statement(Config config, std::string merchant, std::string period, bool json) {
    auto const id = merchant_in(merchant);
    if (!id) co_return refused(id.error());
    Fees fees(config);
    auto const name = co_await fees.store.merchant_name(*id);
    if (!name) co_return refused({"merchant", "there is no merchant " + merchant});
    std::optional<std::pair<Timestamp, Timestamp>> span;
    if (!period.empty()) {
        auto const parsed = parse_statement_period(period, fees.clock.now());
        if (!parsed) co_return refused(parsed.error());
        span = {parsed->begin, parsed->end};
    }
    // Before the accounts, so that what is said to be paid here is paid there.
    std::vector<InvoiceView> invoices;
    if (period.empty()) {
        co_await fees.load_progress();
        invoices = co_await fees.service.list(*id, std::nullopt, kMostListed);
    }
    auto const accounts = co_await fees.store.statement(*id, span);
    Json document{{"merchant", merchant},
                  {"period", period.empty() ? Json(nullptr) : Json(period)},
                  {"accounts", Json::array()}};
    if (!json) std::cout << *name << " (" << merchant << ")\n";
    for (FeeStatement const& one : accounts) {
        document["accounts"].push_back(json_of(one, config.network));
        if (!json) print_text(one, config.network);
    }
    if (!json && accounts.empty()) std::cout << "No fees yet.\n";
    if (period.empty()) {
        document["due"] = Json::array();
        for (auto const& [owed, amount] : co_await fees.service.due(*id)) {
            std::string const text =
                token_amount(config.network, owed.chain_id, owed.token, amount);
            document["due"].push_back(
                {{"chain_id", owed.chain_id},
                 {"token", token_name(config.network, owed.chain_id, owed.token)},
                 {"amount", token_decimal(config.network, owed.chain_id, owed.token, amount)}});
            if (!json) {
                std::cout << "To be invoiced now: " << text << " on chain " << owed.chain_id
                          << "\n";
            }
        }
        document["invoices"] = Json::array();
        for (InvoiceView const& view : invoices) {
            document["invoices"].push_back(fee_invoice_json(view, config.network));
            if (!json) print_text(view, config.network);
        }
    }
    if (json) std::cout << document.dump(2) << "\n";
    co_return kDone;
}

Task<int> invoice_fees(Config config, FeeInvoiceInput input) {
    auto const id = merchant_in(input.merchant);
    if (!id) co_return refused(id.error());
    std::optional<ChainId> chain_id;
    if (input.chain_id != 0) {
        if (config.network.chain(input.chain_id) == nullptr) {
            co_return refused({"chain", std::to_string(input.chain_id) + " is not configured"});
        }
        chain_id = input.chain_id;
    }
    auto const contract = parse_address(input.token);
    std::vector<std::optional<Address>> tokens;
    for (ChainSettings const& chain : config.network.chains) {
        for (TokenSettings const& token : chain.tokens) {
            bool const meant =
                input.token == token.symbol || (contract && *contract == token.contract);
            if (meant && (!chain_id || *chain_id == chain.id)) tokens.emplace_back(token.contract);
        }
    }
    if (input.token.empty()) tokens.emplace_back(std::nullopt);
    if (tokens.empty()) {
        co_return refused({"token", "\"" + input.token + "\" is not configured"});
    }
    Fees fees(config);
    co_await fees.load_progress();
    Json invoices = Json::array();
    for (auto const& token : tokens) {
        auto const made = co_await fees.service.invoice(*id, chain_id, token);
        if (!made) co_return refused(made.error());
        for (InvoiceView const& view : *made) {
            invoices.push_back(fee_invoice_json(view, config.network));
            if (!input.json) print_text(view, config.network);
        }
    }
    if (input.json) {
        std::cout << invoices.dump(2) << "\n";
    } else if (invoices.empty()) {
        std::cout << "Nothing is due that is settled and not invoiced.\n";
    }
    co_return kDone;
}

}  // namespace sycee
