#include <sycee/crypto/hash.hpp>
#include <sycee/evm/abi.hpp>

#include <string_view>

namespace sycee {
namespace {

std::vector<std::uint8_t> call_of(std::string_view signature) {
    Bytes32 const digest = keccak256(as_bytes(signature));
    return {digest.begin(), digest.begin() + 4};
}

}  // namespace

std::vector<std::uint8_t> decimals_call() {
    return call_of("decimals()");
}

std::vector<std::uint8_t> balance_of_call(Address const& holder) {
    auto call = call_of("balanceOf(address)");
    call.insert(call.end(), 12, 0);
    call.insert(call.end(), holder.bytes.begin(), holder.bytes.end());
    return call;
}

Result<Amount> decode_amount(ByteView answer) {
    if (answer.size() != 32) {
        return refuse("answer", "must be one word of 32 bytes, not " +
                                    std::to_string(answer.size()) + " bytes");
    }
    return amount_from_word(answer.first<32>());
}

}  // namespace sycee
