#include <sycee/app/mempool_watcher.hpp>
#include <sycee/evm/abi.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace sycee {
namespace {

using namespace std::chrono_literals;

// Two questions of at most twenty transactions in a fifth of a second: two hundred a second.
constexpr std::size_t kMostAsked = 20;
constexpr std::chrono::milliseconds kPace = 200ms;
constexpr std::chrono::milliseconds kLookAgain = 2s;  // after a detected transfer
constexpr std::chrono::milliseconds kFirstPause = 1s;
constexpr std::chrono::milliseconds kLongestPause = 5min;

TransactionPlace place_of(ChainId chain_id, PendingTransaction const& transaction) {
    return {chain_id, transaction.sender, transaction.nonce};
}

}  // namespace

struct MempoolWatcher::Candidate {
    PendingTransaction transaction;
    TransferCall call;
};

MempoolWatcher::MempoolWatcher(ChainSettings const& settings, MempoolWatcherPorts ports)
    : settings_(settings), ports_(ports), backoff_(kFirstPause, kLongestPause) {}

Task<void> MempoolWatcher::run() {
    for (;;) {
        std::string fault;
        std::chrono::milliseconds pause = 0ms;
        try {
            co_await step();
        } catch (RateLimited const& limited) {
            fault = limited.what();
            pause = limited.retry_after();
        } catch (Unavailable const& unavailable) {
            fault = unavailable.what();
        }
        if (fault.empty()) continue;
        pause = std::max(pause, backoff_.next());
        log_warning("mempool", "not looked at for a while",
                    {{"chain", settings_.id},
                     {"node", ports_.mempool.name()},
                     {"milliseconds", pause.count()},
                     {"why", fault}});
        ports_.metrics.count("sycee_mempool_faults_total",
                             {{"chain", std::to_string(settings_.id)}});
        co_await ports_.clock.sleep_for(pause);
    }
}

Task<void> MempoolWatcher::step() {
    // Before a chain is followed, its node may be another chain's.
    if (ports_.registry.followed(settings_.id)) {
        co_await look_at_announced();
        co_await look_again();
    }
    ports_.detected.forget_expired(ports_.clock.now());
    ports_.metrics.set("sycee_mempool_detected_transfers",
                       static_cast<double>(ports_.detected.count(settings_.id)),
                       {{"chain", std::to_string(settings_.id)}});
    co_await ports_.clock.sleep_for(kPace);
}

Task<void> MempoolWatcher::look_at_announced() {
    auto heard = co_await ports_.mempool.take_announced(kMostAsked, kLookAgain);
    ports_.metrics.count("sycee_mempool_forgotten_total", {{"chain", std::to_string(settings_.id)}},
                         static_cast<double>(heard.forgotten));
    std::vector<PendingTransaction> transactions;
    std::vector<TransactionHash> hashes;
    for (PendingAnnouncement& announcement : heard.announced) {
        if (announcement.transaction) {
            transactions.push_back(std::move(*announcement.transaction));
        } else {
            hashes.push_back(announcement.hash);
        }
    }
    for (auto& answer : co_await ask(std::move(hashes))) {
        if (answer) transactions.push_back(std::move(*answer));
    }
    co_await match(std::move(transactions));
}

// The addresses are brought up to date after the transactions were heard of: who pays an address
// learned it from a payment that had been committed before.
Task<void> MempoolWatcher::match(std::vector<PendingTransaction> transactions) {
    std::vector<Candidate> candidates;
    for (PendingTransaction& transaction : transactions) {
        ports_.detected.take_place(place_of(settings_.id, transaction), transaction.hash);
        bool const calls_token =
            transaction.recipient && settings_.token(*transaction.recipient) != nullptr;
        if (!calls_token || transaction.block_number) continue;
        auto const call = decode_transfer_call(transaction.data);
        if (call) candidates.push_back({std::move(transaction), *call});
    }
    if (candidates.empty()) co_return;
    co_await ports_.addresses.refresh(ports_.books, ports_.clock.now());
    std::set<Address> recipients;
    for (Candidate const& candidate : candidates) {
        if (ports_.addresses.may_contain(candidate.call.recipient))
            recipients.insert(candidate.call.recipient);
    }
    auto const watched = co_await find_watched(ports_.books, std::move(recipients));
    for (auto const& [transaction, call] : candidates) {
        auto const found = watched.find(call.recipient);
        if (found == watched.end()) continue;
        ports_.detected.add({.place = place_of(settings_.id, transaction),
                             .transaction_hash = transaction.hash,
                             .payment_id = found->second.second,
                             .token = *transaction.recipient,
                             .amount = call.amount,
                             .seen_at = ports_.clock.now()});
    }
}

// No node says when a transaction leaves its mempool.
Task<void> MempoolWatcher::look_again() {
    auto const due =
        ports_.detected.seen_before(settings_.id, ports_.clock.now() - kLookAgain, kMostAsked);
    std::vector<TransactionHash> hashes;
    for (DetectedTransfer const& transfer : due)
        hashes.push_back(transfer.transaction_hash);
    auto const answers = co_await ask(std::move(hashes));
    for (std::size_t i = 0; i < answers.size(); ++i) {
        bool const is_over =
            !answers[i] || (answers[i]->block_number && is_processed(*answers[i]->block_number));
        if (is_over) {
            ports_.detected.remove(due[i]);
        } else {
            ports_.detected.see_again(due[i], ports_.clock.now());
        }
    }
}

// As many answers as hashes. Only an answer shows that the node goes along.
Task<std::vector<std::optional<PendingTransaction>>> MempoolWatcher::ask(
    std::vector<TransactionHash> hashes) {
    std::vector<std::optional<PendingTransaction>> answers;
    if (!hashes.empty()) {
        answers = co_await ports_.mempool.transactions(std::move(hashes));
        backoff_.reset();
    }
    co_return answers;
}

// The books have the block: whatever it did to a payment is told by them.
bool MempoolWatcher::is_processed(BlockNumber number) const {
    auto const& progress = ports_.registry.all().at(settings_.id);
    return progress && progress->agreed >= number;
}

}  // namespace sycee
