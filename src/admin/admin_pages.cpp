#include <sycee/admin/admin_pages.hpp>

#include "routes.hpp"

namespace sycee {

AdminPages::AdminPages(PaymentService& payments, DeskService& desk, RefundService& refunds,
                       LossService& losses, TransferFinder& finder, ChainRegistry const& chains,
                       ReportPort& reports, StatementPort& statements, AccessPort& access,
                       WorkerPool& workers, Network const& network, Clock& clock, Metrics& metrics,
                       RateBook const& rates)
    : routes_(std::make_unique<Routes>(payments, desk, refunds, losses, finder, chains, reports,
                                       statements, access, workers, network, clock, metrics,
                                       rates)) {}

AdminPages::~AdminPages() = default;

Task<HttpResponse> AdminPages::handle(HttpRequest const& request) {
    return routes_->handle(request);
}

}  // namespace sycee
