#pragma once

#include <sycee/app/ports.hpp>

#include <map>
#include <string>

namespace sycee::admin {

using MerchantNames = std::map<MerchantId, std::string>;
Task<MerchantNames> merchant_names(ReportPort& reports);

// The id where there is no name.
std::string merchant_name(MerchantNames const& names, MerchantId id);

}  // namespace sycee::admin
