#pragma once

#include <sycee/app/checkpoint_service.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/net/http_message.hpp>
#include <sycee/net/web_files.hpp>

namespace sycee {

// Where anybody checks a receipt. The browser does it: the page may send nothing anywhere, and the
// published keys come with it.
//   GET /receipt                 the page
//   GET /receipt/assets/{file}
class ReceiptPage {
  public:
    ReceiptPage(CheckpointService& checkpoints, Network const& network);

    Task<HttpResponse> handle(HttpRequest const& request);

  private:
    CheckpointService& checkpoints_;
    WebFiles files_;
};

}  // namespace sycee
