#include <sycee/app/detected_transfers.hpp>

#include <algorithm>
#include <tuple>

namespace sycee {
namespace {

bool seen_earlier(DetectedTransfer const& a, DetectedTransfer const& b) {
    return std::tie(a.seen_at, a.place) < std::tie(b.seen_at, b.place);
}

}  // namespace

void DetectedTransfers::add(DetectedTransfer const& transfer) {
    take_place(transfer.place, transfer.transaction_hash);
    by_place_.insert_or_assign(transfer.place, transfer);
    if (by_place_.size() > most_) {
        erase(std::min_element(
            by_place_.begin(), by_place_.end(),
            [](auto const& a, auto const& b) { return seen_earlier(a.second, b.second); }));
    }
    feed_.publish(transfer.payment_id);
}

void DetectedTransfers::take_place(TransactionPlace const& place, TransactionHash const& by) {
    auto const entry = by_place_.find(place);
    if (entry != by_place_.end() && entry->second.transaction_hash != by) erase(entry);
}

void DetectedTransfers::see_again(DetectedTransfer const& transfer, Timestamp now) {
    auto const entry = find(transfer);
    if (entry != by_place_.end()) entry->second.seen_at = now;
}

void DetectedTransfers::remove(DetectedTransfer const& transfer) {
    auto const entry = find(transfer);
    if (entry != by_place_.end()) erase(entry);
}

void DetectedTransfers::forget_expired(Timestamp now) {
    for (auto entry = by_place_.begin(); entry != by_place_.end();)
        entry = entry->second.expires_at() <= now ? erase(entry) : std::next(entry);
}

std::vector<DetectedTransfer> DetectedTransfers::of(PaymentId id, Timestamp now) const {
    std::vector<DetectedTransfer> found;
    for (auto const& [place, transfer] : by_place_) {
        if (transfer.payment_id == id && transfer.expires_at() > now) found.push_back(transfer);
    }
    return found;
}

std::vector<DetectedTransfer> DetectedTransfers::seen_before(ChainId chain_id, Timestamp time,
                                                             std::size_t most) const {
    std::vector<DetectedTransfer> found;
    for (auto const& [place, transfer] : by_place_) {
        if (place.chain_id == chain_id && transfer.seen_at <= time) found.push_back(transfer);
    }
    std::sort(found.begin(), found.end(), seen_earlier);
    if (found.size() > most)
        found.erase(found.begin() + static_cast<std::ptrdiff_t>(most), found.end());
    return found;
}

std::size_t DetectedTransfers::count(ChainId chain_id) const {
    return static_cast<std::size_t>(
        std::count_if(by_place_.begin(), by_place_.end(),
                      [chain_id](auto const& entry) { return entry.first.chain_id == chain_id; }));
}

// The same transaction, if it has its place still.
DetectedTransfers::ByPlace::iterator DetectedTransfers::find(DetectedTransfer const& transfer) {
    auto const entry = by_place_.find(transfer.place);
    bool const is_same =
        entry != by_place_.end() && entry->second.transaction_hash == transfer.transaction_hash;
    return is_same ? entry : by_place_.end();
}

DetectedTransfers::ByPlace::iterator DetectedTransfers::erase(ByPlace::iterator entry) {
    PaymentId const payment_id = entry->second.payment_id;
    auto const next = by_place_.erase(entry);
    feed_.publish(payment_id);
    return next;
}

}  // namespace sycee
