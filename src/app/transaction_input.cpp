#include <sycee/app/transaction_input.hpp>

#include <optional>

namespace sycee {
namespace {

constexpr std::size_t kLongestInput = 2'000;

bool is_word_character(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Letters and digits without anything else between them, taken off the front of the text.
std::string_view take_word(std::string_view& text) {
    while (!text.empty() && !is_word_character(text.front()))
        text.remove_prefix(1);
    std::size_t length = 0;
    while (length < text.size() && is_word_character(text[length]))
        ++length;
    std::string_view const word = text.substr(0, length);
    text.remove_prefix(length);
    return word;
}

}  // namespace

Result<TransactionHash> read_transaction_hash(std::string_view text) {
    constexpr char const* kField = "transaction";
    if (text.size() > kLongestInput) return refuse(kField, "is too long to be one, or a link");
    std::optional<TransactionHash> found;
    while (!text.empty()) {
        auto const hash = bytes_from_hex<32>(take_word(text));
        if (!hash) continue;
        if (found && *found != *hash) return refuse(kField, "must be one, not several");
        found = hash;
    }
    if (!found) return refuse(kField, "must be 0x and 64 hex digits, or a link that holds them");
    return *found;
}

}  // namespace sycee
