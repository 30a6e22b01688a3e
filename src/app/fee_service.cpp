#include <sycee/app/fee_service.hpp>
#include <sycee/app/test_chain.hpp>
#include <sycee/app/token_text.hpp>
#include <sycee/base/assert.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>

#include <boost/system/system_error.hpp>

#include <algorithm>
#include <utility>

namespace sycee {
namespace {

using namespace std::chrono_literals;

constexpr auto kEvery = 5s;
constexpr std::size_t kMostInvoices = 1'000;  // that are looked at in one go
constexpr char const* kCurrency = "USD";
constexpr unsigned kCurrencyDecimals = 2;
constexpr std::int64_t kExpiresIn = 86'400;  // as long as a payment may be open

}  // namespace

std::string_view to_string(InvoiceStage stage) {
    switch (stage) {
        case InvoiceStage::open:
            return "open";
        case InvoiceStage::paid:
            return "paid";
        case InvoiceStage::expired:
            return "expired";
    }
    return "";
}

InvoiceStage stage_of(PaymentStatus status, bool is_over) {
    if (status == PaymentStatus::settled) return InvoiceStage::paid;
    bool const lost = status == PaymentStatus::reversed && is_over;
    bool const ended = status == PaymentStatus::expired || status == PaymentStatus::canceled;
    if (ended || lost) return InvoiceStage::expired;
    return InvoiceStage::open;
}

Amount invoiceable(FeesOwed const& owed, Amount in_invoices, unsigned currency_decimals,
                   unsigned token_decimals) {
    Amount const taken = owed.not_settled + in_invoices;
    if (owed.owed <= taken) return {};
    Amount const free = owed.owed - taken;
    Amount const price =
        multiply_divide_down(free, power_of_ten(currency_decimals), power_of_ten(token_decimals));
    Amount const amount = pegged_amount(price, currency_decimals, token_decimals);
    return amount <= free ? amount : Amount{};  // of a token whose unit is more than a minor one
}

Task<Result<std::vector<InvoiceView>>> FeeService::invoice(MerchantId merchant_id,
                                                           std::optional<ChainId> chain_id,
                                                           std::optional<Address> token) {
    auto const name = co_await fees_.merchant_name(merchant_id);
    if (!name) co_return refuse("merchant", "there is no merchant " + to_string(merchant_id));
    auto const recipient = co_await fees_.recipient();
    if (!recipient) {
        co_return refuse("recipient",
                         "is not named: to whom are fees paid? See sycee fee recipient --help");
    }
    if (*recipient == merchant_id) {
        co_return refuse("merchant", "is the one that fees are paid to: it owes nothing to itself");
    }
    std::vector<InvoiceView> made;
    for (FeesOwed const& account : co_await fees_.owed(merchant_id)) {
        if (chain_id && account.chain_id != *chain_id) continue;
        if (token && account.token != *token) continue;
        auto const* settings = network_.token(account.chain_id, account.token);
        if (settings == nullptr) continue;  // has no price any more
        // Charged in the books of test mode, as they would be; nobody owes them.
        if (is_test_chain(account.chain_id)) continue;
        // Counted before they are read: one that is made meanwhile is then not missed.
        std::size_t const known =
            co_await fees_.count(merchant_id, account.chain_id, account.token);
        auto const unbooked = co_await fees_.unpaid(merchant_id, kMostInvoices);
        if (unbooked.size() == kMostInvoices) {
            co_return refuse("merchant", "has " + std::to_string(kMostInvoices) +
                                             " invoices that are not paid: that is enough");
        }
        // What is owed is read last: an invoice that is booked meanwhile is then counted twice, not
        // never.
        FeesOwed const owed = co_await owed_in(merchant_id, account.chain_id, account.token);
        Amount const amount = invoiceable(owed, co_await in_invoices(unbooked, owed),
                                          kCurrencyDecimals, settings->decimals);
        if (amount.is_zero()) continue;
        auto one = co_await make(merchant_id, *name, *recipient, owed, amount, known);
        if (!one) co_return std::unexpected(one.error());
        made.push_back(std::move(*one));
    }
    co_return made;
}

Task<FeesOwed> FeeService::owed_in(MerchantId merchant_id, ChainId chain_id, Address token) {
    auto const accounts = co_await fees_.owed(merchant_id);
    auto const account = std::ranges::find_if(accounts, [&](FeesOwed const& one) {
        return one.chain_id == chain_id && one.token == token;
    });
    if (account == accounts.end())
        co_return FeesOwed{.chain_id = chain_id, .token = token, .owed = {}, .not_settled = {}};
    co_return *account;
}

Task<Result<InvoiceView>> FeeService::make(MerchantId merchant_id, std::string merchant_name,
                                           MerchantId recipient, FeesOwed owed, Amount amount,
                                           std::size_t known) {
    unsigned const decimals = token_decimals(network_, owed.chain_id, owed.token);
    Amount const price =
        multiply_divide_down(amount, power_of_ten(kCurrencyDecimals), power_of_ten(decimals));
    std::string const id = to_string(merchant_id);
    CreatePayment const input{.amount = to_decimal(price, kCurrencyDecimals),
                              .currency = kCurrency,
                              .reference = "fees of " + id,
                              .description = "Fees of " + merchant_name.substr(0, 200) + " in " +
                                             token_name(network_, owed.chain_id, owed.token),
                              .metadata = {{"fee_invoice_of", id},
                                           {"fee_chain_id", std::to_string(owed.chain_id)},
                                           {"fee_token", to_string(owed.token)},
                                           {"fee_base_units", to_string(amount)}},
                              .expires_in = kExpiresIn,
                              .success_url = {}};
    // A payment that no invoice names, since the program ended here, is never shown to anybody.
    auto const created = co_await payments_.create(recipient, input);
    if (!created) co_return refuse("recipient", to_string(created.error()));
    FeeInvoice const invoice{.merchant_id = merchant_id,
                             .payment = {recipient, created->payment.id},
                             .chain_id = owed.chain_id,
                             .token = owed.token,
                             .amount = amount,
                             .created_at = created->payment.created_at};
    bool const is_alone = co_await fees_.add(invoice, known);
    if (!is_alone) co_return refuse("merchant", "was sent an invoice at the same time: look again");
    co_return InvoiceView{invoice, InvoiceStage::open, created->payment};
}

Task<std::optional<InvoiceView>> FeeService::view_of(FeeInvoice invoice) {
    auto const state = co_await payments_.find(invoice.payment.first, invoice.payment.second);
    if (!state) co_return std::nullopt;
    auto const time = chain_time_of(state->payment, chains_.all());
    bool const is_over = time && *time > ends_at(*state);
    auto const stage = invoice.paid_sequence != 0 ? InvoiceStage::paid
                                                  : stage_of(payments_.status(*state), is_over);
    co_return InvoiceView{std::move(invoice), stage, state->payment};
}

Task<Amount> FeeService::in_invoices(std::vector<FeeInvoice> const& unbooked,
                                     FeesOwed const& owed) {
    Amount sum;
    for (FeeInvoice const& invoice : unbooked) {
        if (invoice.chain_id != owed.chain_id || invoice.token != owed.token) continue;
        auto const view = co_await view_of(invoice);
        if (!view || view->stage != InvoiceStage::expired) sum += invoice.amount;
    }
    co_return sum;
}

Task<std::vector<std::pair<FeesOwed, Amount>>> FeeService::due(MerchantId merchant_id) {
    std::vector<std::pair<FeesOwed, Amount>> due;
    auto const unbooked = co_await fees_.unpaid(merchant_id, kMostInvoices);
    for (FeesOwed const& owed : co_await fees_.owed(merchant_id)) {
        auto const* settings = network_.token(owed.chain_id, owed.token);
        Amount const taken = co_await in_invoices(unbooked, owed);
        bool const is_owed = settings != nullptr && !is_test_chain(owed.chain_id);
        due.emplace_back(
            owed,
            !is_owed ? Amount{} : invoiceable(owed, taken, kCurrencyDecimals, settings->decimals));
    }
    co_return due;
}

Task<std::vector<InvoiceView>> FeeService::list(MerchantId merchant_id,
                                                std::optional<PaymentId> after, std::size_t limit) {
    std::vector<InvoiceView> views;
    for (FeeInvoice const& invoice : co_await fees_.invoices(merchant_id, after, limit)) {
        if (auto view = co_await view_of(invoice)) views.push_back(std::move(*view));
    }
    co_return views;
}

Task<std::size_t> FeeService::book_paid() {
    std::size_t booked = 0;
    for (UnbookedInvoice const& unbooked : co_await fees_.unbooked(kMostInvoices)) {
        auto const view = co_await view_of(unbooked.invoice);
        if (!view || view->stage != InvoiceStage::paid) continue;
        // One whose books are wrong must not keep the others waiting.
        std::string wrong;
        try {
            booked += co_await book(unbooked) ? 1 : 0;
        } catch (InvariantViolation const& violation) {
            wrong = violation.what();
        }
        if (wrong.empty()) continue;
        log_critical("fees", "a paid invoice can't be booked",
                     {{"invoice", to_string(unbooked.invoice.payment.second)}, {"why", wrong}});
    }
    co_return booked;
}

// The journal's head is read first: whatever moves the account after it makes the commit refused.
Task<bool> FeeService::book(UnbookedInvoice unbooked) {
    FeeInvoice const& invoice = unbooked.invoice;
    std::vector<MerchantId> const merchants{invoice.merchant_id};
    auto const views = co_await ledger_.load_views(invoice.chain_id, {}, merchants);
    ensure(views.size() == 1, "fees: an invoice of a merchant that does not exist");
    // A reorg can still take away what is not settled, and would then take more than is left.
    FeesOwed const owed = co_await owed_in(invoice.merchant_id, invoice.chain_id, invoice.token);
    if (owed.owed < owed.not_settled + invoice.amount) {
        log_warning("fees", "an invoice was paid, but less than that is owed for good: it waits",
                    {{"merchant", to_string(invoice.merchant_id)},
                     {"invoice", to_string(invoice.payment.second)}});
        co_return false;
    }
    JournalWriter journal(invoice.merchant_id, invoice.chain_id, views.front().head, clock_.now());
    journal.append(FeePayment{.invoice_merchant_id = invoice.payment.first,
                              .invoice_payment_id = invoice.payment.second,
                              .token = invoice.token,
                              .amount = invoice.amount,
                              .settlement_hash = unbooked.evidence});
    FeeCommit commit{.head = {invoice.merchant_id, journal.first_head(), journal.head()},
                     .chain_id = invoice.chain_id,
                     .entries = std::move(journal).take_entries()};
    co_await fees_.commit(std::move(commit));
    log_info("fees", "an invoice is paid",
             {{"merchant", to_string(invoice.merchant_id)},
              {"invoice", to_string(invoice.payment.second)},
              {"amount", to_string(invoice.amount)}});
    co_return true;
}

Task<void> FeeService::run() {
    for (;;) {
        co_await clock_.sleep_for(kEvery);
        try {
            co_await book_paid();
        } catch (boost::system::system_error const&) {
            throw;  // cancelled
        } catch (Unavailable const& unavailable) {
            log_warning("fees", "paid invoices could not be booked", {{"why", unavailable.what()}});
        } catch (std::exception const& error) {
            log_critical("fees", "paid invoices could not be booked", {{"why", error.what()}});
        }
    }
}

}  // namespace sycee
