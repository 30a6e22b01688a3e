#include "state_json.hpp"

#include "copy.hpp"

#include <nlohmann/json.hpp>

namespace sycee::checkout {

std::string state_json(CheckoutView const& view) {
    StateText const text = state_text(view);
    nlohmann::ordered_json json;
    json["status"] = to_string(view.status);
    json["phase"] = to_string(view.phase);
    json["title"] = text.title;
    json["message"] = text.message;
    json["due"] = view.payable() ? view.option().due + " " + view.option().token : "";
    json["detected"] = view.detected;
    json["final"] = view.final;
    return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace sycee::checkout
