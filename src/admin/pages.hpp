#pragma once

#include <sycee/app/chain_registry.hpp>
#include <sycee/app/ports.hpp>
#include <sycee/app/rate_book.hpp>
#include <sycee/app/refund_ports.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/app/transfer_finder.hpp>
#include <sycee/net/html.hpp>

#include "merchant_names.hpp"
#include "notice.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sycee::admin {

// The bodies of the pages: what was read in, HTML out.

struct PaymentRow {
    PaymentState state;
    PaymentStatus status = PaymentStatus::open;
};

struct PaymentsPage {
    std::vector<PaymentRow> rows;
    bool has_more = false;
    bool first_page = true;
    MerchantNames merchants;
};
Html payments_body(PaymentsPage const& page, std::string const& root);

struct PaymentDetail {
    PaymentState state;
    PaymentStatus status = PaymentStatus::open;
    std::string merchant;
    PaymentTimeline timeline;
    std::vector<RefundDetail> refunds;           // newest first
    std::vector<RefundRequest> refund_requests;  // of this payment
    std::string operator_id;                     // who looks
    std::string form_token;
    std::optional<Notice> notice;
};
Html payment_body(PaymentDetail const& detail, Network const& network, std::string const& root);

// Parts of payment_body.
Html timeline_section(PaymentTimeline const& timeline, Network const& network,
                      std::string const& root);
Html refunds_section(PaymentDetail const& detail, Network const& network, std::string const& root);
Html deliveries_section(PaymentTimeline const& timeline);

Html trial_balance_body(std::vector<BalanceRow> const& rows, Network const& network);
Html chains_body(std::vector<ChainStatus> const& chains, ChainsProgress const& progress,
                 Network const& network, Timestamp now, std::string const& root);
// What prices are made by, below the chains; empty where no rate is configured.
Html rates_section(RateBook const& rates, Timestamp now);

struct ExceptionsPage {
    std::vector<DeskException> exceptions;
    bool has_more = false;
    bool first_page = true;
    bool open_only = true;
    std::vector<ResolutionRequest> requests;  // all that wait
    std::vector<RefundRequest> refund_requests;
    MerchantNames merchants;
    Timestamp now{};
};
Html exceptions_body(ExceptionsPage const& page, Network const& network, std::string const& root);

// What a form held whose decision was refused.
struct EnteredDecision {
    std::string kind;
    std::string amount;
    std::string target;
    std::string reason;
};

struct ExceptionDetail {
    DeskException exception;
    std::optional<PaymentState> payment;  // at whose address the money came in
    PaymentStatus status = PaymentStatus::open;
    std::vector<ResolutionRequest> requests;  // about this exception
    std::string merchant;
    std::string page;         // where this page is, and its forms below it
    std::string operator_id;  // who looks
    std::string form_token;
    std::optional<Notice> notice;
    std::optional<EnteredDecision> entered;  // to be corrected
};
Html exception_body(ExceptionDetail const& detail, Network const& network, std::string const& root);

struct FindPage {
    std::string entered;
    std::string problem;  // with what was entered
    std::string hash;     // of the transaction that was looked for; empty: none was
    std::vector<FoundOnChain> chains;
    MerchantNames merchants;
};
Html find_body(FindPage const& page, Network const& network, std::string const& root);

}  // namespace sycee::admin
