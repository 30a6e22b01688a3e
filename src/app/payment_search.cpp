#include <sycee/app/payment_search.hpp>

#include <algorithm>

namespace sycee {
namespace {

constexpr std::size_t kMostAtOnce = 250;  // whose records are read together

}  // namespace

Task<FoundPayments> PaymentSearch::find(MerchantId merchant_id, PaymentFilter filter,
                                        std::optional<PaymentId> after, std::size_t limit) {
    FoundPayments page;
    // Where everything that is looked at fits, no more is read than is shown.
    bool const fits_all = !filter.status && filter.metadata.empty();
    std::size_t const at_once = fits_all ? limit : kMostAtOnce;
    for (std::size_t looked_at = 0; looked_at < kMostLookedAt;) {
        auto const most = std::min(at_once, kMostLookedAt - looked_at);
        LookedAt looked = co_await port_.look(merchant_id, filter, after, most);
        for (std::size_t i = 0; i < looked.fitting.size(); ++i) {
            PaymentState& state = looked.fitting[i];
            if (filter.status && chains_.status(state) != *filter.status) continue;
            PaymentId const id = state.payment.id;
            page.payments.push_back(std::move(state));
            if (page.payments.size() < limit) continue;
            if (looked.has_more || id != looked.last) page.next = id;
            co_return page;
        }
        if (!looked.has_more) co_return page;
        looked_at += looked.count;
        after = looked.last;
    }
    page.next = after;
    co_return page;
}

}  // namespace sycee
