#pragma once

#include <sycee/app/statement.hpp>
#include <sycee/base/amount.hpp>
#include <sycee/net/html.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace sycee::admin {

// One bar for each of the days, the highest as high as the chart; nothing where all are zero. The
// bars say their day and amount when they are pointed at; what reads pages aloud gets `caption` and
// finds the amounts in the table of days.
Html day_chart(std::string_view caption, std::vector<StatementPeriod> const& days,
               std::vector<Amount> const& amounts, std::function<std::string(Amount)> const& write);

}  // namespace sycee::admin
