#include <sycee/app/fee_invoice_json.hpp>
#include <sycee/app/payment_json.hpp>

#include "token_json.hpp"

#include <nlohmann/json.hpp>

namespace sycee {

nlohmann::ordered_json fee_invoice_json(InvoiceView const& view, Network const& network) {
    FeeInvoice const& invoice = view.invoice;
    nlohmann::ordered_json json;
    json["id"] = to_string(invoice.payment.second);
    json["object"] = "fee_invoice";
    json["stage"] = to_string(view.stage);
    add_token(json, invoice.chain_id, invoice.token, network);
    add_amount(json, "amount", invoice.amount);
    json["checkout_url"] = checkout_url(view.payment.id, network);
    json["created_at"] = to_rfc3339(invoice.created_at);
    json["expires_at"] = to_rfc3339(view.payment.expires_at);
    json["paid_record"] = nullptr;
    if (invoice.paid_sequence != 0) json["paid_record"] = invoice.paid_sequence;
    return json;
}

}  // namespace sycee
