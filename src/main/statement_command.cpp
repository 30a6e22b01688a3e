#include <sycee/app/statement_text.hpp>
#include <sycee/app/token_text.hpp>
#include <sycee/app/totals_text.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/store/pg_reports.hpp>
#include <sycee/store/pg_statements.hpp>
#include <sycee/store/waiting.hpp>

#include "commands.hpp"

#include <algorithm>
#include <iostream>

namespace sycee {
namespace {

constexpr int kDone = 0;
constexpr int kRefused = 2;
constexpr std::chrono::seconds kLongestQuery{600};

int refused(Error const& error) {
    std::cerr << "sycee: " << to_string(error) << "\n";
    return kRefused;
}

// One account's lines of text: name, amount, and for sums what they are made of.
class AccountText {
  public:
    AccountText(StatementAccount const& account, Network const& network)
        : account_(account), network_(network) {}

    void print() const {
        auto const& one = account_;
        std::cout << token_name(network_, one.chain_id, one.token) << " on chain " << one.chain_id
                  << "\n  merchant_settled\n";
        line("opening", one.opening);
        sum("settlements", one.settlements);
        sum("accepted", one.accepted);
        sum("credited", one.credited);
        sum("written off", one.written_off);
        sum("reversed (less)", one.reversed);
        sum("refunded (less)", one.refunded);
        sum("refunds canceled", one.refunds_canceled);
        line("closing", one.closing);
        std::cout << "  payer_unapplied: not the merchant's\n";
        line("opening", one.unapplied_opening);
        line("received", one.unapplied_received);
        line("applied (less)", one.unapplied_applied);
        line("refunds promised (less)", one.refunds_promised);
        line("reversed (less)", one.unapplied_reversed);
        line("refunds canceled", one.promises_canceled);
        line("closing", one.unapplied_closing);
        if (one.batch_count > 0) {
            std::cout << "  " << one.batch_count << " batch(es), numbers " << one.first_batch
                      << " to " << one.last_batch << "\n";
        }
    }

  private:
    std::string text(Amount amount) const {
        return token_decimal(network_, account_.chain_id, account_.token, amount);
    }
    void begin(std::string const& name, Amount amount) const {
        std::cout << "    " << name << std::string(26 - std::min<std::size_t>(25, name.size()), ' ')
                  << text(amount);
    }
    void line(std::string const& name, Amount amount) const {
        begin(name, amount);
        std::cout << "\n";
    }
    void sum(std::string const& name, StatementSum const& of) const {
        begin(name, of.net);
        std::cout << "  net of " << of.count << ": gross " << text(of.gross) << ", fees "
                  << text(of.fees) << "\n";
    }

    StatementAccount const& account_;
    Network const& network_;
};

Task<void> print_text(std::string text) {
    std::cout << text;
    co_return;
}

}  // namespace

Task<int> show_statement(Config config, std::string merchant, std::string period, bool csv) {
    Timestamp const now = SystemClock().now();
    auto const id = parse_id<MerchantTag>(merchant);
    if (!id) co_return refused({"merchant", "\"" + merchant + "\" is not a merchant's id (mer_…)"});
    auto const parsed = parse_statement_period(period, now);
    if (!parsed) co_return refused(parsed.error());
    Database database(config.database_url, 1);
    auto const merchants = co_await PgReports(database).merchants();
    auto const known = std::ranges::find(merchants, *id, &Merchant::id);
    if (known == merchants.end()) {
        co_return refused({"merchant", "there is no merchant " + merchant});
    }
    PgStatements statements(database, kLongestQuery);
    StatementQuery const query{.merchant_id = *id, .period = *parsed, .chain_id = {}, .tokens = {}};
    if (csv) {
        co_await send_statement_csv(statements, query, config.network, print_text);
        co_return kDone;
    }
    auto const statement = co_await statements.statement(query, now);
    std::cout << known->name << " (" << merchant << "), " << parsed->name
              << (statement.complete() ? "\n" : ", not over yet\n");
    for (auto const& account : statement.accounts)
        AccountText(account, config.network).print();
    if (statement.accounts.empty()) std::cout << "Nothing stood and nothing moved.\n";
    co_return kDone;
}

Task<int> show_totals(Config config, TotalsInput input) {
    Timestamp const now = SystemClock().now();
    auto query = parse_totals_days(input.from, input.to, now);
    if (!query) co_return refused(query.error());
    Database database(config.database_url, 1);
    if (!input.merchant.empty()) {
        query->merchant_id = parse_id<MerchantTag>(input.merchant);
        auto const merchants = co_await PgReports(database).merchants();
        auto const is_asked = [&](Merchant const& one) { return one.id == query->merchant_id; };
        bool const known = std::ranges::any_of(merchants, is_asked);
        if (!known) co_return refused({"merchant", "there is no merchant " + input.merchant});
    }
    PgStatements statements(database, kLongestQuery);
    auto const totals = co_await statements.totals(std::move(*query), now);
    std::cout << (input.csv ? totals_csv(totals, config.network)
                            : totals_text(totals, config.network));
    co_return kDone;
}

Task<int> show_waiting(Config config) {
    Database database(config.database_url, 1);
    auto const waiting = co_await load_waiting(database, SystemClock().now());
    std::cout << waiting_text(waiting, config.network);
    co_return kDone;
}

}  // namespace sycee
