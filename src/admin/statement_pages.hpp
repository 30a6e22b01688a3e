#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/app/statement.hpp>
#include <sycee/net/html.hpp>
#include <sycee/net/http_message.hpp>
#include <sycee/runtime/clock.hpp>

#include "layout.hpp"
#include "merchant_names.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sycee::admin {

struct StatementPage {
    std::string merchant;
    Statement statement;
    std::vector<StatementDay> days;  // of a month
    StatementBatchPage batches;      // of a day
    bool first_batches = true;
    Timestamp now{};
};
struct TotalsPage {
    Totals totals;
    MerchantNames merchants;
    std::string problem;  // with what was asked for; then there are no totals
};
Html totals_body(TotalsPage const& page, Network const& network, std::string const& root);
Html statements_body(MerchantNames const& merchants, Timestamp now, std::string const& root);
Html statement_body(StatementPage const& page, Network const& network, std::string const& root);

// Below /admin/statements: whose there are; /{merchant}/{period}; /totals of all or of one
// merchant, by day; both of these with ".csv" as well.
class StatementPages {
  public:
    StatementPages(StatementPort& statements, ReportPort& reports, Network const& network,
                   Clock& clock, std::string root)
        : statements_(statements),
          reports_(reports),
          network_(network),
          clock_(clock),
          root_(std::move(root)) {}

    // `path`: what follows "/statements".
    Task<HttpResponse> show(std::string path, std::string query, Frame frame);

  private:
    Task<HttpResponse> show_list(Frame frame);
    Task<HttpResponse> show_statement(StatementQuery query, std::string merchant,
                                      std::optional<StatementCursor> after, Frame frame);
    Task<HttpResponse> show_totals(std::string query, bool as_csv, Frame frame);
    HttpResponse csv(StatementQuery query);

    StatementPort& statements_;
    ReportPort& reports_;
    Network const& network_;
    Clock& clock_;
    std::string root_;
};

}  // namespace sycee::admin
