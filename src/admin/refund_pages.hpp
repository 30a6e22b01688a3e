#pragma once

#include <sycee/app/payment_service.hpp>
#include <sycee/app/refund_service.hpp>
#include <sycee/net/html.hpp>
#include <sycee/net/http_message.hpp>

#include "notice.hpp"
#include "pages.hpp"
#include "session.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sycee::admin {

// The forms of a payment's page by which an operator promises money back, says that it was paid,
// takes it back, or answers what waits for a second operator.
class RefundPages {
  public:
    using Form = std::vector<std::pair<std::string, std::string>>;

    RefundPages(PaymentService& payments, RefundService& refunds, Network const& network,
                std::string root)
        : payments_(payments), refunds_(refunds), network_(network), root_(std::move(root)) {}

    // Adds to a payment's page what its refunds are.
    Task<void> load(PaymentDetail& detail);
    // Answers a form whose token was checked. `path`: "pay_.../refunds/report". It leads back to
    // the payment's page.
    Task<HttpResponse> answer(std::string path, Form form, Session session);

  private:
    Task<Notice> act(PaymentState state, std::string action, Form form, std::string operator_id);
    Task<Notice> create(PaymentState state, Form form, std::string operator_id);
    Task<Notice> change(PaymentState state, std::string action, Form form, std::string operator_id);
    Task<Notice> answer_request(PaymentState state, bool approves, Form form,
                                std::string operator_id);

    PaymentService& payments_;
    RefundService& refunds_;
    Network const& network_;
    std::string root_;
};

}  // namespace sycee::admin
