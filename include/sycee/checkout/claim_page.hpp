#pragma once

#include <sycee/app/refund_service.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/net/http_message.hpp>
#include <sycee/net/web_files.hpp>

#include <string>

namespace sycee {

// Where a payer says to which address a refund goes, by the link that the merchant handed out
// (RefundClaims). It is asked twice, since nobody can take it back, and tells what became of the
// refund afterwards.
//   GET  /refund/{merchant}/{refund}/{signature}
//   POST the same: address=0x...; with confirm=yes it is taken
class ClaimPage {
  public:
    ClaimPage(RefundService& refunds, Network const& network);

    Task<HttpResponse> handle(HttpRequest const& request);

  private:
    Task<HttpResponse> take_address(RefundDetail refund, std::string path, std::string body);
    HttpResponse show(RefundDetail const& refund, std::string const& path,
                      std::string const& entered, std::string const& problem) const;

    RefundService& refunds_;
    Network const& network_;
    std::string root_;  // as seen from outside: "/refund/"
    WebFiles files_;
};

}  // namespace sycee
