#pragma once

#include <sycee/app/fee_service.hpp>

#include <nlohmann/json_fwd.hpp>

namespace sycee {

// An invoice over fees as the merchant that owes them sees it (schema FeeInvoice in
// api/openapi.yaml).
nlohmann::ordered_json fee_invoice_json(InvoiceView const& view, Network const& network);

}  // namespace sycee
