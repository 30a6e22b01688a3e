#pragma once

#include <sycee/app/detected_transfers.hpp>
#include <sycee/app/payment_feed.hpp>
#include <sycee/app/payment_service.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/app/transfer_finder.hpp>
#include <sycee/checkout/find_throttle.hpp>
#include <sycee/net/http_message.hpp>
#include <sycee/net/stream_slots.hpp>
#include <sycee/net/web_files.hpp>
#include <sycee/runtime/clock.hpp>

#include <memory>
#include <string>
#include <vector>

namespace sycee {

namespace checkout {
struct CheckoutView;
}

// What the payer sees, and nothing beyond it, since whoever has the link may read it:
//   GET /checkout/{id}          the page; ?option=N chooses token and network, &qr=uri the QR code
//   GET /checkout/{id}/events   the live state as server-sent events, until it is final; 503 where
//                               too many are open: the page then asks for the state
//   GET /checkout/{id}/state    the same state once, for browsers that get no events
//   GET /checkout/{id}/find     ?transaction=0x...: what it did to this payment's address, and to
//   no
//                               other one; 429 where it is asked too often
//   GET /checkout/assets/{file}
class CheckoutPages {
  public:
    CheckoutPages(PaymentService& payments, TransferFinder& finder, PaymentFeed& feed,
                  DetectedTransfers const& detected, Network const& network, Clock& clock,
                  StreamLimits stream_limits = {}, FindLimits find_limits = {});

    Task<HttpResponse> handle(HttpRequest const& request);

  private:
    Task<HttpResponse> show_page(PaymentId id, std::string query);
    Task<HttpResponse> show_state(PaymentId id, HttpRequest const& request);
    Task<HttpResponse> find_transfer(PaymentId id, std::string query);
    Task<HttpResponse> open_events(PaymentId id, std::string query);
    Task<void> send_events(PaymentId id, std::string query, HttpStream& stream);
    HttpResponse not_found() const;
    checkout::CheckoutView view_of(PaymentState const& state, std::size_t option) const;

    PaymentService& payments_;
    TransferFinder& finder_;
    PaymentFeed& feed_;
    DetectedTransfers const& detected_;
    Network const& network_;
    Clock& clock_;
    std::string path_;  // where the pages are seen from outside: "/checkout"
    WebFiles files_;
    StreamSlots streams_;
    FindThrottle throttle_;
};

}  // namespace sycee
