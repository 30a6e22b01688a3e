#include <sycee/app/address_index.hpp>
#include <sycee/app/transfer_finder.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/task_group.hpp>

#include <algorithm>
#include <chrono>
#include <set>

namespace sycee {
namespace {

constexpr std::chrono::milliseconds kPatience{8'000};  // for all chains together
constexpr std::size_t kMostTransfers = 100;

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

// What the log alone says. One of a listed token is to be looked for in the books.
FoundTransfer read_log(ChainSettings const& settings, BlockHeader const& block, Log const& log) {
    FoundTransfer transfer{
        .contract = log.contract, .log_index = log.log_index, .first_seen_time = block.time};
    std::vector<Address> const contract{log.contract};
    std::vector<Log> const one{log};
    auto const decoded = decode_transfers(settings.id, block, contract, one);
    if (decoded.transfers.empty()) {
        transfer.kind = FoundAs::malformed;
        return transfer;
    }
    transfer.amount = decoded.transfers[0].amount;
    transfer.sender = decoded.transfers[0].sender;
    bool const listed = settings.token(log.contract) != nullptr;
    transfer.kind = listed ? FoundAs::not_booked : FoundAs::unlisted_token;
    return transfer;
}

void note_credit(FoundTransfer& found, Credit const& credit) {
    found.kind = FoundAs::booked;
    found.stage = credit.stage;
    found.reason = credit.unapplied_reason;
    found.first_seen_time = credit.first_seen_time;
    if (credit.stage == CreditStage::authorized || credit.excess.is_zero()) return;
    found.exception =
        DeskKey{found.payment.first, credit.transfer.key.chain_id, credit.stage_sequence};
    found.excess = credit.excess;
    found.resolved = credit.resolved;
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
    return look_up(hash, std::nullopt);
}

Task<std::vector<FoundOnChain>> TransferFinder::find_at(WatchedAddress address,
                                                        TransactionHash hash) {
    return look_up(hash, address);
}

Task<std::vector<FoundOnChain>> TransferFinder::look_up(TransactionHash hash,
                                                        std::optional<WatchedAddress> only) {
    auto const answers = co_await ask_all(hash);
    std::vector<FoundOnChain> found;
    for (std::size_t i = 0; i < network_.chains.size(); ++i)
        found.push_back(co_await describe(network_.chains[i], answers->at(i), only));
    co_return found;
}

// All chains at once: one that hangs must not keep the others' answers back.
Task<std::shared_ptr<TransferFinder::Answers>> TransferFinder::ask_all(TransactionHash hash) {
    auto const answers = std::make_shared<Answers>(network_.chains.size(),
                                                   Answer{.fault = "it does not answer in time"});
    TaskGroup questions(executor_, network_.chains.size());
    for (std::size_t i = 0; i < network_.chains.size(); ++i) {
        ChainPort& chain = *chains_.at(network_.chains[i].id);
        questions.spawn("find", ask(chain, hash, answers, i));
    }
    co_await questions.join(kPatience);
    co_return answers;
}

Task<void> TransferFinder::ask(ChainPort& chain, TransactionHash hash,
                               std::shared_ptr<Answers> answers, std::size_t index) {
    Answer answer;
    try {
        answer.receipt = co_await chain.receipt(hash);
        if (answer.receipt) answer.native = co_await chain.native_transfer(hash);
    } catch (Unavailable const& unavailable) {
        answer = {.fault = unavailable.what()};
    }
    answers->at(index) = std::move(answer);
}

Task<TransferFinder::Owners> TransferFinder::owners_of(Answer const& answer,
                                                       std::optional<WatchedAddress> only) {
    std::set<Address> recipients;
    for (Log const& log : answer.receipt->logs) {
        if (auto const recipient = recipient_of(log)) recipients.insert(*recipient);
    }
    if (answer.native && answer.native->recipient) recipients.insert(*answer.native->recipient);
    if (!only) co_return co_await find_watched(ledger_, std::move(recipients));
    Owners owners;
    if (recipients.contains(only->address)) owners.emplace(only->address, only->payment);
    co_return owners;
}

Task<FoundOnChain> TransferFinder::describe(ChainSettings const& settings, Answer const& answer,
                                            std::optional<WatchedAddress> only) {
    FoundOnChain found{.chain_id = settings.id, .fault = answer.fault};
    if (!answer.receipt) co_return found;
    ReceiptLogs const& receipt = *answer.receipt;
    found.block = receipt.header;
    found.succeeded = receipt.succeeded;
    Owners const owners = co_await owners_of(answer, only);
    std::vector<TransferKey> keys;
    auto const add = [&found, &keys](FoundTransfer transfer, Owners::value_type const& owner,
                                     TransferKey const& key) {
        found.has_more = found.transfers.size() == kMostTransfers;
        if (found.has_more) return;
        transfer.deposit_address = owner.first;
        transfer.payment = owner.second;
        found.transfers.push_back(std::move(transfer));
        keys.push_back(key);
    };
    for (Log const& log : receipt.logs) {
        auto const recipient = recipient_of(log);
        auto const owner = recipient ? owners.find(*recipient) : owners.end();
        if (owner == owners.end()) continue;
        add(read_log(settings, receipt.header, log), *owner,
            {settings.id, log.transaction_hash, log.contract, ordinal_of(receipt.logs, log)});
    }
    bool const moves_coins = receipt.succeeded && answer.native && answer.native->recipient &&
                             !answer.native->value.is_zero();
    auto const owner = moves_coins ? owners.find(*answer.native->recipient) : owners.end();
    if (owner != owners.end()) {
        add({.kind = FoundAs::native_coin,
             .amount = answer.native->value,
             .first_seen_time = receipt.header.time},
            *owner, {});
    }
    co_await note_books(found, keys);
    co_return found;
}

// `keys[i]` names found.transfers[i].
Task<void> TransferFinder::note_books(FoundOnChain& found, std::vector<TransferKey> const& keys) {
    std::map<PaymentKey, std::optional<PaymentState>> states;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        FoundTransfer& transfer = found.transfers[i];
        if (transfer.kind != FoundAs::not_booked) continue;
        auto const [place, is_new] = states.try_emplace(transfer.payment);
        auto const& [merchant_id, payment_id] = transfer.payment;
        if (is_new) place->second = co_await payments_.find(merchant_id, payment_id);
        if (!place->second) continue;
        for (Credit const& credit : place->second->credits) {
            if (credit.transfer.key == keys[i]) note_credit(transfer, credit);
        }
    }
    auto const missing = [](FoundTransfer const& one) { return one.kind == FoundAs::not_booked; };
    if (std::none_of(found.transfers.begin(), found.transfers.end(), missing)) co_return;
    if (co_await is_processed(found.chain_id, *found.block)) co_return;
    for (FoundTransfer& transfer : found.transfers) {
        if (missing(transfer)) transfer.kind = FoundAs::not_read_yet;
    }
}

// By us, and this very block: its number may have been another one's before a reorg.
Task<bool> TransferFinder::is_processed(ChainId chain_id, BlockHeader block) {
    if (!registry_.followed(chain_id)) co_return false;
    auto const chain = co_await ledger_.load_chain(chain_id);
    if (!chain || block.number > chain->blocks.back().header.number) co_return false;
    auto const same = [&block](ProcessedBlock const& ours) {
        return ours.header.number == block.number && ours.header.hash == block.hash;
    };
    bool const is_older = block.number < chain->blocks.front().header.number;
    co_return is_older || std::any_of(chain->blocks.begin(), chain->blocks.end(), same);
}

}  // namespace sycee
