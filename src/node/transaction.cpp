#include "transaction.hpp"

#include <sycee/evm/abi.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace sycee {
namespace {

// A quantity of up to 256 bits, as wei are written.
Amount read_wei(std::string const& text) {
    constexpr std::size_t kDigits = 64;
    bool const fits = text.starts_with("0x") && text.size() > 2 && text.size() <= 2 + kDigits;
    auto const word =
        fits ? bytes_from_hex<32>(std::string(kDigits + 2 - text.size(), '0') + text.substr(2))
             : std::nullopt;
    auto const amount = word ? amount_from_word(*word) : Result<Amount>{refuse("value", "")};
    if (!amount) throw BadAnswer("value is not a quantity below 2^128");
    return *amount;
}

std::string const& text_at(Json const& object, char const* name) {
    return text_of(member(object, name), name);
}

std::optional<Address> read_recipient(Json const& transaction) {
    auto const& recipient = member(transaction, "to");
    if (recipient.is_null()) return std::nullopt;
    return Address{read_bytes<20>(text_of(recipient, "to"), "to")};
}

// Call data may be a hundred kilobytes: only what can be a transfer's is read.
std::vector<std::uint8_t> read_call(std::string_view input) {
    constexpr std::size_t kDigits = 2 + 2 * kLongestTransferCall;
    return read_data(input.substr(0, kDigits), "input");
}

PendingTransaction read_pending(Json const& value) {
    PendingTransaction transaction;
    transaction.hash = read_bytes<32>(text_at(value, "hash"), "hash");
    transaction.sender = Address{read_bytes<20>(text_at(value, "from"), "from")};
    transaction.nonce = read_quantity(text_at(value, "nonce"), "nonce");
    transaction.recipient = read_recipient(value);
    transaction.data = read_call(text_at(value, "input"));
    auto const block = value.find("blockNumber");
    if (block != value.end() && !block->is_null())
        transaction.block_number = read_quantity(text_of(*block, "blockNumber"), "blockNumber");
    return transaction;
}

}  // namespace

RpcCall transaction_call(TransactionHash const& hash) {
    Json params = Json::array();
    params.push_back(to_hex0x(hash));
    return {kTransactionByHash, std::move(params)};
}

std::optional<NativeTransfer> decode_native_transfer(Json const& value) {
    if (value.is_null()) return std::nullopt;
    return NativeTransfer{.recipient = read_recipient(value),
                          .value = read_wei(text_at(value, "value"))};
}

std::optional<PendingTransaction> decode_pending(Json const& value) {
    try {
        return read_pending(value);
    } catch (BadAnswer const&) {
        return std::nullopt;
    }
}

std::optional<PendingAnnouncement> decode_announcement(Json const& told) {
    if (told.is_string()) {
        auto const& text = told.get_ref<std::string const&>();
        auto const hash = text.starts_with("0x") ? bytes_from_hex<32>(text) : std::nullopt;
        if (!hash) return std::nullopt;
        return PendingAnnouncement{.hash = *hash, .transaction = {}};
    }
    auto transaction = decode_pending(told);
    if (!transaction) return std::nullopt;
    TransactionHash const hash = transaction->hash;
    return PendingAnnouncement{.hash = hash, .transaction = std::move(transaction)};
}

}  // namespace sycee
