#pragma once

#include <sycee/app/payment_service.hpp>
#include <sycee/app/refund_service.hpp>
#include <sycee/net/html.hpp>
#include <sycee/net/http_message.hpp>

#include "layout.hpp"
#include "login.hpp"
#include "notice.hpp"
#include "pages.hpp"
#include "session.hpp"

#include <expected>
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

    // `login`: who names an address says the password again.
    RefundPages(PaymentService& payments, RefundService& refunds, Login& login,
                Network const& network, std::string root)
        : payments_(payments),
          refunds_(refunds),
          login_(login),
          network_(network),
          root_(std::move(root)) {}

    // Adds to a payment's page what its refunds are.
    Task<void> load(PaymentDetail& detail);
    // Answers a form whose token was checked. `path`: "pay_.../refunds/report". It leads back to
    // the payment's page.
    Task<HttpResponse> answer(std::string path, Form form, Session session, std::string peer,
                              Frame frame);

  private:
    struct Sender {
        std::string operator_id;
        std::string name;
        std::string peer;
    };

    Task<Notice> act(PaymentState state, std::string action, Form form, Sender sender);
    Task<Notice> create(PaymentState state, Form form, Sender sender);
    Task<Notice> change(PaymentState state, std::string action, Form form, Sender sender);
    // That the form's password is the sender's: a session that somebody else got hold of must not
    // decide where money goes.
    Task<std::expected<void, Notice>> confirm(Form const& form, Sender const& sender);
    // By which the payer says where a refund goes.
    Task<std::expected<std::string, Notice>> claim_link(PaymentState const& state, Form const& form,
                                                        Sender const& sender);
    // The address that a form names. Refused where the form's password is not the sender's.
    Task<std::expected<Address, Notice>> read_recipient(Form const& form, Sender const& sender);
    Task<Notice> answer_request(PaymentState state, bool approves, Form form, Sender sender);

    PaymentService& payments_;
    RefundService& refunds_;
    Login& login_;
    Network const& network_;
    std::string root_;
};

}  // namespace sycee::admin
