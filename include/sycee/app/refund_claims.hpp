#pragma once

#include <sycee/app/refund_ports.hpp>
#include <sycee/base/bytes.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace sycee {

// The links by which a payer says where a refund goes: whoever has one may, once, for that refund.
// The merchant hands it to the payer, in the mail of the order. A link is signed (HMAC-SHA256), so
// that none can be made up, and says nothing but the merchant's and the refund's ids.
class RefundClaims {
  public:
    // `key` must be the same in every process of the service, and known to nobody else.
    explicit RefundClaims(Bytes32 const& key) : key_(key) {}

    // What stands in a link below "/refund/": "mer_.../ref_1_42/" and 43 letters.
    std::string path_of(RefundKey const& refund) const;
    // The refund that a path of that form speaks of; nothing where the signature is not ours.
    std::optional<RefundKey> read(std::string_view path) const;

  private:
    Bytes32 key_;
};

}  // namespace sycee
