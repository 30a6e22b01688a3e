#pragma once

#include <sycee/app/settings.hpp>
#include <sycee/app/statement.hpp>

#include <nlohmann/json_fwd.hpp>

#include <string>

// Daily totals as the API, the dashboard and the command line give them (api/openapi.yaml).
namespace sycee {

nlohmann::ordered_json totals_json(Totals const& totals, Network const& network);

// One row for each day, token and stage. The columns of amounts are numbers that may be summed for
// each token and stage.
std::string totals_csv(Totals const& totals, Network const& network);

// For a terminal.
std::string totals_text(Totals const& totals, Network const& network);

// "sycee-totals-2026-11-01-2026-11-25.csv"
std::string totals_file_name(TotalsQuery const& query);

}  // namespace sycee
