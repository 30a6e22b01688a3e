#pragma once

#include <sycee/app/desk_service.hpp>
#include <sycee/app/payment_service.hpp>
#include <sycee/app/refund_service.hpp>
#include <sycee/runtime/clock.hpp>

#include "layout.hpp"
#include "notice.hpp"
#include "pages.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sycee::admin {

using Form = std::vector<std::pair<std::string, std::string>>;

// The exceptions desk: what is on it, and the decisions that an operator makes.
class DeskPages {
  public:
    DeskPages(PaymentService& payments, DeskService& desk, RefundService& refunds,
              ReportPort& reports, Network const& network, Clock& clock, std::string root)
        : payments_(payments),
          desk_(desk),
          refunds_(refunds),
          reports_(reports),
          network_(network),
          clock_(clock),
          root_(std::move(root)) {}

    // How many are open, as the navigation shows it.
    Task<std::string> open_count();
    Task<HttpResponse> show_list(std::string_view query, Frame frame);
    // Nothing under this path below /exceptions/: a page that says so.
    Task<HttpResponse> show(std::string_view path, std::string_view query, Frame frame,
                            Session session);
    // Answers a form whose token was checked. It leads back to the exception's page; a decision
    // that was refused is that page, with the form as it was filled in.
    Task<HttpResponse> answer(std::string_view path, Form form, Frame frame, Session session);

  private:
    Task<HttpResponse> show_exception(unsigned status, DeskKey key, Frame frame, Session session,
                                      std::optional<Notice> notice,
                                      std::optional<EnteredDecision> entered);
    Task<Notice> act(DeskKey key, std::string action, Form form, std::string operator_id);
    Task<Notice> resolve(DeskKey key, Form form, std::string operator_id);
    Task<Notice> answer_request(DeskKey key, bool approves, Form form, std::string operator_id);
    Task<std::vector<ResolutionRequest>> requests_of(DeskKey key);

    PaymentService& payments_;
    DeskService& desk_;
    RefundService& refunds_;
    ReportPort& reports_;
    Network const& network_;
    Clock& clock_;
    std::string root_;
};

}  // namespace sycee::admin
