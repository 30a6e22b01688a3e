#include <sycee/app/refund_claims.hpp>
#include <sycee/app/refund_json.hpp>
#include <sycee/crypto/base64.hpp>
#include <sycee/crypto/equal_texts.hpp>
#include <sycee/crypto/hash.hpp>

namespace sycee {
namespace {

std::string signature_of(Bytes32 const& key, std::string_view what) {
    std::string const text = "sycee.refund_claim.1\n" + std::string(what);
    return to_base64url(hmac_sha256(key, as_bytes(text)));
}

}  // namespace

std::string RefundClaims::path_of(RefundKey const& refund) const {
    std::string const what = to_string(refund.merchant_id) + "/" + refund_id(refund);
    return what + "/" + signature_of(key_, what);
}

std::optional<RefundKey> RefundClaims::read(std::string_view path) const {
    auto const last = path.rfind('/');
    if (last == std::string_view::npos) return std::nullopt;
    auto const what = path.substr(0, last);
    if (!equal_texts(path.substr(last + 1), signature_of(key_, what))) return std::nullopt;
    auto const between = what.find('/');
    if (between == std::string_view::npos) return std::nullopt;
    auto const merchant = parse_id<MerchantTag>(what.substr(0, between));
    if (!merchant) return std::nullopt;
    return parse_refund_id(*merchant, what.substr(between + 1));
}

}  // namespace sycee
