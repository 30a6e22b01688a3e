#pragma once

#include <sycee/base/result.hpp>
#include <sycee/payment/advance.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sycee {

// Money on the exceptions desk: what of a transfer belongs to no payment, or more than the books
// knew of that left an address. Named by the record that put it there.
struct ExceptionItem {
    std::uint64_t sequence = 0;
    Bytes32 hash{};
    Transfer transfer;
    Amount amount;
    Amount resolved;
};
std::optional<ExceptionItem> find_exception(PaymentState const& state, ChainId chain_id,
                                            std::uint64_t sequence);

struct Decision {
    std::uint64_t exception_sequence = 0;
    PaymentId payment_id;  // at whose address the money came in
    ResolutionKind kind = ResolutionKind::accept;
    std::optional<PaymentId> target;  // of credit
    Amount amount;
    std::string decided_by;
    std::string approved_by;
    Bytes32 reason_hash{};
};

// Decides what one decision does to the merchant's books of one chain. `view` holds the payment,
// and the target where there is one. Pure. Refused, naming what is wrong: nothing on the desk under
// that sequence, an address that is frozen, a transfer that is not final, more than is left of it,
// a payment that is paid already or has no price in that token, more than it still needs.
Result<MerchantStep> resolve_exception(MerchantView view, ChainId chain_id,
                                       Decision const& decision, ChainsProgress const& chains,
                                       Timestamp booked_at);

}  // namespace sycee
