#pragma once

#include <sycee/app/loss_service.hpp>
#include <sycee/runtime/clock.hpp>

#include "layout.hpp"
#include "merchant_names.hpp"
#include "notice.hpp"
#include "session.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sycee::admin {

struct DifferencesPage {
    std::vector<OpenDifference> differences;
    std::vector<LossRequest> requests;
    MerchantNames merchants;
    std::string page;         // where it is, and its forms below it
    std::string operator_id;  // who looks
    std::string form_token;
    std::optional<Notice> notice;
    Timestamp now{};
};
Html differences_body(DifferencesPage const& page, Network const& network, std::string const& root);

// Addresses that hold another balance on the chain than the books say, and what an operator makes
// of them: a loss, or a difference that is accepted.
class DifferencePages {
  public:
    using Form = std::vector<std::pair<std::string, std::string>>;

    DifferencePages(LossService& losses, ReportPort& reports, Network const& network, Clock& clock,
                    std::string root)
        : losses_(losses),
          reports_(reports),
          network_(network),
          clock_(clock),
          root_(std::move(root)) {}

    Task<HttpResponse> show(std::string_view query, Frame frame, Session session);
    // Answers a form whose token was checked; it leads back to the list. `path`: below
    // /differences/, "dif_.../book-loss", ".../accept", ".../approve" or ".../reject".
    Task<HttpResponse> answer(std::string_view path, Form form, Session session);

  private:
    Task<Notice> act(DifferenceId id, std::string action, Form form, std::string operator_id);
    Task<Notice> book(DifferenceId id, std::string reason, std::string operator_id);
    Task<Notice> answer_request(DifferenceId id, bool approves, Form form, std::string operator_id);
    std::string page() const { return root_ + "/differences"; }
    std::string booked_text(BookedLoss const& booked) const;

    LossService& losses_;
    ReportPort& reports_;
    Network const& network_;
    Clock& clock_;
    std::string root_;
};

}  // namespace sycee::admin
