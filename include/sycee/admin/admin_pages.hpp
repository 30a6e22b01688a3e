#pragma once

#include <sycee/app/chain_registry.hpp>
#include <sycee/app/desk_service.hpp>
#include <sycee/app/loss_service.hpp>
#include <sycee/app/payment_service.hpp>
#include <sycee/app/ports.hpp>
#include <sycee/app/rate_book.hpp>
#include <sycee/app/refund_service.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/app/statement.hpp>
#include <sycee/app/transfer_finder.hpp>
#include <sycee/net/http_message.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/metrics.hpp>
#include <sycee/runtime/worker_pool.hpp>

#include <memory>

namespace sycee {

// The operator's dashboard. All of it but the login needs a session; every POST must come from our
// own origin.
//   GET|POST /admin/login, POST /admin/logout, GET /admin/assets/{file}
//   GET /admin                  payments, newest first; ?after=pay_... for older ones
//   GET /admin/payments/{id}    one payment: records, postings, transfers, events, deliveries;
//   below
//                               it POST refunds/create, report, recipient, cancel, approve, reject
//   GET /admin/exceptions       the exceptions desk: open ones, or ?status=all
//   GET /admin/exceptions/{merchant}/{exception}, and below it POST resolve, approve, reject
//   GET /admin/find             ?transaction=0x...: what it did to any deposit address
//   GET /admin/statements, and below it /{merchant}/{period}: a day or a month; with .csv its lines
//   GET /admin/trial-balance, GET /admin/chains
//   GET /admin/differences      between the books and the chain, and below it /{difference}/ POST
//                               book-loss, accept, approve, reject
class AdminPages {
  public:
    // Makes one password hash, for comparing with when the name is unknown: about 80 ms.
    AdminPages(PaymentService& payments, DeskService& desk, RefundService& refunds,
               LossService& losses, TransferFinder& finder, ChainRegistry const& chains,
               ReportPort& reports, StatementPort& statements, AccessPort& access,
               WorkerPool& workers, Network const& network, Clock& clock, Metrics& metrics,
               RateBook const& rates = no_rates());
    AdminPages(AdminPages const&) = delete;
    AdminPages& operator=(AdminPages const&) = delete;
    ~AdminPages();

    Task<HttpResponse> handle(HttpRequest const& request);

  private:
    class Routes;
    std::unique_ptr<Routes> routes_;
};

}  // namespace sycee
