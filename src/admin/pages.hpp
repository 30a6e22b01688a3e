#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/net/html.hpp>

#include <map>
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
    std::map<MerchantId, std::string> merchants;
};
Html payments_body(PaymentsPage const& page, std::string const& root);

struct PaymentDetail {
    PaymentState state;
    PaymentStatus status = PaymentStatus::open;
    std::string merchant;
    PaymentTimeline timeline;
};
Html payment_body(PaymentDetail const& detail, Network const& network);

// Parts of payment_body.
Html timeline_section(PaymentTimeline const& timeline, Network const& network);
Html deliveries_section(PaymentTimeline const& timeline);

Html trial_balance_body(std::vector<BalanceRow> const& rows, Network const& network);
Html chains_body(std::vector<ChainStatus> const& chains, Network const& network, Timestamp now);

}  // namespace sycee::admin
