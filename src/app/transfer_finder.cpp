#include <sycee/app/address_index.hpp>
#include <sycee/app/transfer_finder.hpp>
#include <sycee/runtime/errors.hpp>

#include <algorithm>
#include <set>

namespace sycee {
namespace {

// A recipient as far as the log names one: also of a log that is malformed otherwise.
std::optional<Address> recipient_of(Log const& log) {
    if (log.topics.size() < 3 || log.topics[0] != transfer_topic()) return std::nullopt;
    Address address;
    std::copy(log.topics[2].begin() + 12, log.topics[2].end(), address.bytes.begin());
    return address;
}

// The ordinal of a log among the Transfer logs of its token in the transaction.
std::uint32_t ordinal_of(std::vector<Log> const& logs, Log const& log) {
    return static_cast<std::uint32_t>(
        std::count_if(logs.begin(), logs.end(), [&log](Log const& other) {
            return other.log_index < log.log_index && other.contract == log.contract &&
                   !other.topics.empty() && other.topics[0] == transfer_topic();
        }));
}

void note_state(FoundTransfer& found, PaymentState const& state, TransferKey const& key) {
    for (Credit const& credit : state.credits) {
        if (credit.transfer.key != key) continue;
        found.kind = FoundAs::booked;
        found.stage = credit.stage;
        found.reason = credit.unapplied_reason;
    }
}

}  // namespace

std::string_view to_string(FoundAs kind) {
    switch (kind) {
        case FoundAs::booked:
            return "booked";
        case FoundAs::not_read_yet:
            return "not_read_yet";
        case FoundAs::unlisted_token:
            return "unlisted_token";
        case FoundAs::native_coin:
            return "native_coin";
        case FoundAs::malformed:
            return "malformed";
        case FoundAs::not_booked:
            return "not_booked";
    }
    return "";
}

Task<std::vector<FoundOnChain>> TransferFinder::find(TransactionHash hash) {
    std::vector<FoundOnChain> found;
    for (ChainSettings const& settings : network_.chains)
        found.push_back(co_await find_on(settings, hash));
    co_return found;
}

Task<FoundOnChain> TransferFinder::find_on(ChainSettings const& settings, TransactionHash hash) {
    FoundOnChain found{.chain_id = settings.id};
    ChainPort& chain = *chains_.at(settings.id);
    std::optional<ReceiptLogs> receipt;
    std::optional<NativeTransfer> native;
    try {
        receipt = co_await chain.receipt(hash);
        if (receipt) native = co_await chain.native_transfer(hash);
    } catch (Unavailable const& unavailable) {
        found.fault = unavailable.what();
    }
    if (!receipt || !found.fault.empty()) co_return found;
    found.block = receipt->header;
    found.succeeded = receipt->succeeded;
    co_await look_up(settings, *receipt, native, found);
    co_return found;
}

Task<void> TransferFinder::look_up(ChainSettings const& settings, ReceiptLogs const& receipt,
                                   std::optional<NativeTransfer> native, FoundOnChain& found) {
    std::set<Address> recipients;
    for (Log const& log : receipt.logs) {
        if (auto const recipient = recipient_of(log)) recipients.insert(*recipient);
    }
    if (native && native->recipient) recipients.insert(*native->recipient);
    auto const ours = co_await find_watched(ledger_, std::move(recipients));

    auto const& progress = registry_.all().at(settings.id);
    auto const cursor = co_await ledger_.load_chain(settings.id);
    bool const read =
        progress && cursor && receipt.header.number <= cursor->blocks.back().header.number;
    for (Log const& log : receipt.logs) {
        auto const recipient = recipient_of(log);
        auto const owner = recipient ? ours.find(*recipient) : ours.end();
        if (owner == ours.end()) continue;
        FoundTransfer transfer{.contract = log.contract,
                               .deposit_address = owner->first,
                               .payment = owner->second,
                               .log_index = log.log_index};
        std::vector<Address> const contract{log.contract};
        std::vector<Log> const one{log};
        auto const decoded = decode_transfers(settings.id, receipt.header, contract, one);
        if (decoded.transfers.empty()) {
            transfer.kind = FoundAs::malformed;
        } else {
            transfer.amount = decoded.transfers[0].amount;
            transfer.sender = decoded.transfers[0].sender;
            if (settings.token(log.contract) == nullptr) {
                transfer.kind = FoundAs::unlisted_token;
            } else {
                transfer.kind = read ? FoundAs::not_booked : FoundAs::not_read_yet;
                auto const& [merchant_id, payment_id] = owner->second;
                auto const state = co_await payments_.find(merchant_id, payment_id);
                TransferKey const key{settings.id, log.transaction_hash, log.contract,
                                      ordinal_of(receipt.logs, log)};
                if (state) note_state(transfer, *state, key);
            }
        }
        found.transfers.push_back(transfer);
    }
    if (!receipt.succeeded || !native || !native->recipient || native->value.is_zero()) co_return;
    if (auto const owner = ours.find(*native->recipient); owner != ours.end()) {
        found.transfers.push_back({.kind = FoundAs::native_coin,
                                   .deposit_address = owner->first,
                                   .payment = owner->second,
                                   .amount = native->value});
    }
}

}  // namespace sycee
