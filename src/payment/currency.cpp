#include <sycee/payment/payment.hpp>

#include <algorithm>
#include <array>

namespace sycee {
namespace {

// ISO 4217, the currencies that people pay with: no funds, metals, codes for tests or units of
// account. Each table is sorted.
constexpr std::array<std::string_view, 16> kWithoutDecimals{
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW",
    "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"};

constexpr std::array<std::string_view, 7> kWithThree{"BHD", "IQD", "JOD", "KWD",
                                                     "LYD", "OMR", "TND"};

constexpr auto kWithTwo = std::to_array<std::string_view>(
    {"AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT",
     "BMD", "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF",
     "CNY", "COP", "CRC", "CUP", "CVE", "CZK", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB",
     "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP", "GMD", "GTQ", "GYD", "HKD", "HNL",
     "HTG", "HUF", "IDR", "ILS", "INR", "IRR", "JMD", "KES", "KGS", "KHR", "KPW", "KYD",
     "KZT", "LAK", "LBP", "LKR", "LRD", "LSL", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT",
     "MOP", "MRU", "MUR", "MVR", "MWK", "MXN", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK",
     "NPR", "NZD", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "QAR", "RON", "RSD", "RUB",
     "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN",
     "SVC", "SYP", "SZL", "THB", "TJS", "TMT", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH",
     "USD", "UYU", "UZS", "VES", "WST", "XCD", "XCG", "YER", "ZAR", "ZMW", "ZWG"});

static_assert(std::ranges::is_sorted(kWithoutDecimals) && std::ranges::is_sorted(kWithThree) &&
              std::ranges::is_sorted(kWithTwo));

}  // namespace

std::optional<unsigned> currency_decimals(std::string_view currency) {
    if (std::ranges::binary_search(kWithTwo, currency)) return 2;
    if (std::ranges::binary_search(kWithoutDecimals, currency)) return 0;
    if (std::ranges::binary_search(kWithThree, currency)) return 3;
    return std::nullopt;
}

}  // namespace sycee
