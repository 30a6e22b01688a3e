#include "merchant_names.hpp"

namespace sycee::admin {

Task<MerchantNames> merchant_names(ReportPort& reports) {
    MerchantNames names;
    for (auto& merchant : co_await reports.merchants()) {
        names.emplace(merchant.id, std::move(merchant.name));
    }
    co_return names;
}

std::string merchant_name(MerchantNames const& names, MerchantId id) {
    auto const found = names.find(id);
    return found == names.end() ? to_string(id) : found->second;
}

}  // namespace sycee::admin
