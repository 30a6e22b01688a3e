// Decimal amounts: what is taken is written as it was meant.
#include <sycee/base/amount.hpp>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace sycee;
    if (size == 0) return 0;
    constexpr unsigned kMostDecimals = 24;
    unsigned const decimals = data[0] % (kMostDecimals + 1);
    std::string_view const text = text_of(data + 1, size - 1);
    auto const amount = parse_decimal(text, decimals);
    if (!amount) {
        require(!amount.error().message.empty(), "a refusal that says nothing");
        return 0;
    }
    auto const again = parse_decimal(to_decimal(*amount, decimals), decimals);
    require(again && *again == *amount, "an amount that is not read as it is written");
    // A digit in front is worth something, wherever there is room for it.
    require(text.find_first_not_of("0123456789.") == std::string_view::npos, "a strange character");
    return 0;
}
