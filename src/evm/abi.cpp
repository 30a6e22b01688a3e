#include <sycee/crypto/hash.hpp>
#include <sycee/evm/abi.hpp>

#include <algorithm>
#include <optional>
#include <string_view>

namespace sycee {
namespace {

constexpr std::size_t kWord = 32;
constexpr std::size_t kLongestSymbol = 32;

std::vector<std::uint8_t> call_of(std::string_view signature) {
    Bytes32 const digest = keccak256(as_bytes(signature));
    return {digest.begin(), digest.begin() + 4};
}

struct CodePoint {
    char32_t value = 0;
    std::size_t size = 0;
};

// The first character of the text; nothing where it is not well-formed UTF-8 (RFC 3629).
std::optional<CodePoint> first_of(ByteView text) {
    static constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
    std::uint8_t const lead = text[0];
    if (lead < 0x80) return CodePoint{lead, 1};
    std::size_t const size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc0 || lead > 0xf4 || text.size() < size) return std::nullopt;
    char32_t value = lead & (0x7fU >> size);
    for (std::size_t i = 1; i < size; ++i) {
        if ((text[i] & 0xc0U) != 0x80) return std::nullopt;
        value = (value << 6U) | (text[i] & 0x3fU);
    }
    bool const is_surrogate = value >= 0xd800 && value <= 0xdfff;
    if (value < kLeast[size] || value > 0x10ffff || is_surrogate) return std::nullopt;
    return CodePoint{value, size};
}

// Controls, invisible characters and those that turn the direction of a line.
bool steers(char32_t c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff0 && c <= 0xfffb) ||
           (c >= 0xe0000 && c <= 0xe0fff);
}

Result<std::string> shown_text(ByteView text) {
    std::string shown;
    bool whole = true;
    while (!text.empty()) {
        auto const character = first_of(text);
        if (!character) return refuse("answer", "is not UTF-8");
        if (steers(character->value)) return refuse("answer", "has a control character");
        whole = whole && shown.size() + character->size <= kLongestSymbol;
        if (whole)
            shown.append(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(character->size));
        text = text.subspan(character->size);
    }
    return shown;
}

// The words behind a selector, as many as the function has parameters; nothing where the data is of
// another function or too short.
std::optional<std::vector<Bytes32>> words_of(ByteView data, ByteView selector, std::size_t count) {
    if (data.size() < selector.size() + count * kWord) return std::nullopt;
    if (!std::equal(selector.begin(), selector.end(), data.begin())) return std::nullopt;
    std::vector<Bytes32> words(count);
    for (std::size_t i = 0; i < count; ++i) {
        ByteView const word = data.subspan(selector.size() + i * kWord, kWord);
        std::copy(word.begin(), word.end(), words[i].begin());
    }
    return words;
}

// A word that must be small: an offset or a length.
std::optional<std::size_t> small_word(ByteView word) {
    if (std::any_of(word.begin(), word.begin() + 28, [](auto byte) { return byte != 0; }))
        return std::nullopt;
    std::size_t value = 0;
    for (std::uint8_t const byte : word.subspan(28))
        value = (value << 8U) | byte;
    return value;
}

}  // namespace

std::optional<Address> address_from_word(Bytes32 const& word) {
    if (std::any_of(word.begin(), word.begin() + 12, [](auto byte) { return byte != 0; }))
        return std::nullopt;
    Address address;
    std::copy(word.begin() + 12, word.end(), address.bytes.begin());
    return address;
}

std::vector<std::uint8_t> decimals_call() {
    return call_of("decimals()");
}

std::vector<std::uint8_t> symbol_call() {
    return call_of("symbol()");
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

Result<std::string> decode_symbol(ByteView answer) {
    if (answer.size() == kWord) {
        auto const end = std::find(answer.begin(), answer.end(), 0);
        if (std::any_of(end, answer.end(), [](auto byte) { return byte != 0; }))
            return refuse("answer", "is a word that is not text with zeros behind it");
        return shown_text(answer.first(static_cast<std::size_t>(end - answer.begin())));
    }
    if (answer.size() < 2 * kWord) {
        return refuse("answer",
                      "must be a string, not " + std::to_string(answer.size()) + " bytes");
    }
    auto const offset = small_word(answer.first(kWord));
    auto const length = small_word(answer.subspan(kWord, kWord));
    if (offset != kWord || !length || *length > answer.size() - 2 * kWord)
        return refuse("answer", "is not a string of the ABI");
    return shown_text(answer.subspan(2 * kWord, *length));
}

std::optional<TransferCall> decode_transfer_call(ByteView data) {
    static auto const kTransfer = call_of("transfer(address,uint256)");
    static auto const kTransferFrom = call_of("transferFrom(address,address,uint256)");
    auto words = words_of(data, kTransfer, 2);
    if (!words) words = words_of(data, kTransferFrom, 3);
    if (!words) return std::nullopt;
    // The parties, the recipient last, and the amount.
    auto const amount = amount_from_word(words->back());
    words->pop_back();
    bool const are_addresses = std::all_of(words->begin(), words->end(), [](Bytes32 const& word) {
        return address_from_word(word).has_value();
    });
    if (!are_addresses || !amount || amount->is_zero()) return std::nullopt;
    return TransferCall{*address_from_word(words->back()), *amount};
}

}  // namespace sycee
