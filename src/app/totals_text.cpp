#include <sycee/app/csv.hpp>
#include <sycee/app/token_text.hpp>
#include <sycee/app/totals_text.hpp>

#include "token_json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace sycee {
namespace {

using Json = nlohmann::ordered_json;

Json total_json(DayTotal const& total, Network const& network) {
    Json json{{"day", total.day.name}};
    add_token(json, total.chain_id, total.token, network);
    json["stage"] = to_string(total.stage);
    json["count"] = total.count;
    add_amount(json, "amount", total.amount);
    add_amount(json, "fees", total.fees);
    return json;
}

std::string padded(std::string text, std::size_t width) {
    text.resize(std::max(width, text.size() + 1), ' ');
    return text;
}

}  // namespace

Json totals_json(Totals const& totals, Network const& network) {
    Json json{{"object", "totals"},
              {"from", totals.query.first.name},
              {"to", totals.query.last.name},
              {"complete", totals.complete()},
              {"read_at", to_rfc3339(totals.read_at)}};
    json["merchant"] = nullptr;
    if (totals.query.merchant_id) json["merchant"] = to_string(*totals.query.merchant_id);
    json["data"] = Json::array();
    for (DayTotal const& total : totals.rows)
        json["data"].push_back(total_json(total, network));
    return json;
}

std::string totals_csv(Totals const& totals, Network const& network) {
    std::string csv = csv_line({"day", "chain_id", "network", "token", "contract", "stage", "count",
                                "amount", "fees", "amount_base_units", "fees_base_units"});
    for (DayTotal const& total : totals.rows) {
        ChainSettings const* const chain = network.chain(total.chain_id);
        TokenSettings const* const token = network.token(total.chain_id, total.token);
        csv += csv_line({total.day.name, std::to_string(total.chain_id),
                         csv_field(chain == nullptr ? "" : chain->name),
                         csv_field(token == nullptr ? "" : token->symbol), to_string(total.token),
                         std::string(to_string(total.stage)), std::to_string(total.count),
                         token_decimal(network, total.chain_id, total.token, total.amount),
                         token_decimal(network, total.chain_id, total.token, total.fees),
                         to_string(total.amount), to_string(total.fees)});
    }
    return csv;
}

std::string totals_text(Totals const& totals, Network const& network) {
    std::string text = totals.query.first.name + " to " + totals.query.last.name +
                       (totals.complete() ? "\n" : ", not over yet\n");
    for (DayTotal const& total : totals.rows) {
        text += padded(total.day.name, 12) + padded("chain " + std::to_string(total.chain_id), 14) +
                padded(std::string(to_string(total.stage)), 21) +
                padded(std::to_string(total.count), 10) +
                token_amount(network, total.chain_id, total.token, total.amount);
        if (!total.fees.is_zero()) {
            text += ", fees " + token_decimal(network, total.chain_id, total.token, total.fees);
        }
        text += "\n";
    }
    if (totals.rows.empty()) text += "Nothing was booked.\n";
    return text;
}

std::string totals_file_name(TotalsQuery const& query) {
    return "sycee-totals-" + query.first.name + "-" + query.last.name + ".csv";
}

}  // namespace sycee
