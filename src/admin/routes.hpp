#pragma once

#include <sycee/admin/admin_pages.hpp>
#include <sycee/net/web_files.hpp>

#include "desk_pages.hpp"
#include "difference_pages.hpp"
#include "layout.hpp"
#include "login.hpp"
#include "refund_pages.hpp"
#include "session.hpp"
#include "statement_pages.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sycee {

class AdminPages::Routes {
  public:
    Routes(PaymentService& payments, DeskService& desk, RefundService& refunds, LossService& losses,
           TransferFinder& finder, ChainRegistry const& chains, ReportPort& reports,
           StatementPort& statements, AccessPort& access, WorkerPool& workers,
           Network const& network, Clock& clock, Metrics& metrics, RateBook const& rates);

    Task<HttpResponse> handle(HttpRequest const& request);

  private:
    using Session = admin::Session;

    Task<std::optional<Session>> find_session(HttpRequest const& request);
    Task<HttpResponse> handle_post(HttpRequest const& request, std::string_view path);
    Task<HttpResponse> log_in(HttpRequest const& request);
    Task<HttpResponse> log_out(HttpRequest const& request);
    // Of an exception, a difference, or a payment's refunds.
    Task<HttpResponse> answer_form(HttpRequest const& request, std::string_view path);
    Task<HttpResponse> show(std::string_view path, std::string_view query, Session session);
    Task<HttpResponse> show_payments(std::string_view query, admin::Frame frame);
    Task<HttpResponse> find_transaction(std::string_view query, admin::Frame frame);
    Task<HttpResponse> show_payment(PaymentId id, std::string_view query, admin::Frame frame,
                                    Session session);
    // Empty: nobody is logged in.
    admin::Frame frame_for(std::optional<Session> const& session) const;

    PaymentService& payments_;
    TransferFinder& finder_;
    ChainRegistry const& chains_;
    ReportPort& reports_;
    AccessPort& access_;
    Network const& network_;
    Clock& clock_;
    RateBook const& rates_;
    std::string origin_;
    std::string root_;
    WebFiles files_;
    admin::SessionCookie cookie_;
    admin::Login login_;
    admin::DeskPages desk_;
    admin::RefundPages refunds_;
    admin::DifferencePages differences_;
    admin::StatementPages statements_;
};

}  // namespace sycee
