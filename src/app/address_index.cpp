#include <sycee/app/address_index.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace sycee {
namespace {

constexpr std::size_t kFirstPlaces = 64;
constexpr std::size_t kFirstLayer = 1'024;  // keys
constexpr std::size_t kBitsPerKey = 12;
constexpr unsigned kProbes = 8;
constexpr std::int64_t kDaysInMemory = 2;  // after expiry: late payments come soon or hardly ever

// The last eight bytes: nobody chooses those of an address that we derived.
std::uint64_t key_of(Address const& address) {
    std::uint64_t key = 0;
    std::memcpy(&key, address.bytes.data() + 12, sizeof key);
    return key == 0 ? 1 : key;  // zero means a free place; a wrong "perhaps" does no harm
}

std::uint64_t mixed(std::uint64_t key) {
    key ^= key >> 33;
    key *= 0xff51afd7ed558ccdULL;
    key ^= key >> 33;
    key *= 0xc4ceb9fe1a85ec53ULL;
    return key ^ (key >> 33);
}

std::int64_t day_of(Timestamp time) {
    return std::chrono::floor<std::chrono::days>(time).time_since_epoch().count();
}

// Calls `visit(word, bit)` for each bit that stands for the key.
template <class Visit>
void visit_bits(std::uint64_t key, std::size_t words, Visit visit) {
    std::uint64_t const hash = mixed(key);
    std::uint64_t const step = mixed(hash) | 1;
    std::uint64_t position = hash;
    for (unsigned probe = 0; probe < kProbes; ++probe, position += step) {
        std::uint64_t const bit = position % (words * 64);
        visit(bit / 64, std::uint64_t{1} << (bit % 64));
    }
}

}  // namespace

std::size_t KeySet::place_of(std::uint64_t key) const {
    std::size_t const mask = places_.size() - 1;
    std::size_t place = mixed(key) & mask;
    while (places_[place] != 0 && places_[place] != key)
        place = (place + 1) & mask;
    return place;
}

void KeySet::add(std::uint64_t key) {
    if (places_.empty()) places_.resize(kFirstPlaces);
    if ((size_ + 1) * 4 > places_.size() * 3) {
        auto const before = std::exchange(places_, std::vector<std::uint64_t>(places_.size() * 2));
        for (std::uint64_t const old : before) {
            if (old != 0) places_[place_of(old)] = old;
        }
    }
    std::size_t const place = place_of(key);
    if (places_[place] == 0) ++size_;
    places_[place] = key;
}

bool KeySet::contains(std::uint64_t key) const {
    return !places_.empty() && places_[place_of(key)] == key;
}

std::vector<std::uint64_t> KeySet::keys() const {
    std::vector<std::uint64_t> keys;
    keys.reserve(size_);
    std::copy_if(places_.begin(), places_.end(), std::back_inserter(keys),
                 [](std::uint64_t key) { return key != 0; });
    return keys;
}

void KeyFilter::add(std::uint64_t key) {
    if (layers_.empty() || layers_.back().room == 0) {
        std::size_t const room = layers_.empty() ? kFirstLayer : std::max(kFirstLayer, size_);
        layers_.push_back({std::vector<std::uint64_t>(room * kBitsPerKey / 64 + 1), room});
    }
    Layer& layer = layers_.back();
    visit_bits(key, layer.words.size(),
               [&layer](std::size_t word, std::uint64_t bit) { layer.words[word] |= bit; });
    --layer.room;
    ++size_;
}

bool KeyFilter::may_contain(std::uint64_t key) const {
    return std::any_of(layers_.begin(), layers_.end(), [key](Layer const& layer) {
        bool all = true;
        visit_bits(key, layer.words.size(), [&](std::size_t word, std::uint64_t bit) {
            all = all && (layer.words[word] & bit) != 0;
        });
        return all;
    });
}

Task<void> AddressIndex::refresh(AddressPort& books, Timestamp now) {
    std::vector<std::pair<MerchantId, std::uint64_t>> const known(next_index_.begin(),
                                                                  next_index_.end());
    auto const added = co_await books.load_new_addresses(known);
    for (NewAddress const& entry : added) {
        std::uint64_t& next = next_index_[entry.merchant_id];
        next = std::max(next, entry.derivation_index + 1);
        add(entry.address, entry.expires_at);
    }
    archive(now);
}

void AddressIndex::add(Address const& address, Timestamp expires_at) {
    by_day_[day_of(expires_at)].add(key_of(address));
}

bool AddressIndex::may_contain(Address const& address) const {
    std::uint64_t const key = key_of(address);
    return std::any_of(by_day_.begin(), by_day_.end(),
                       [key](auto const& day) { return day.second.contains(key); }) ||
           archive_.may_contain(key);
}

void AddressIndex::archive(Timestamp now) {
    std::int64_t const oldest = day_of(now) - kDaysInMemory;
    while (!by_day_.empty() && by_day_.begin()->first < oldest) {
        for (std::uint64_t const key : by_day_.begin()->second.keys())
            archive_.add(key);
        by_day_.erase(by_day_.begin());
    }
}

std::size_t AddressIndex::in_memory() const {
    std::size_t count = 0;
    for (auto const& [day, keys] : by_day_)
        count += keys.size();
    return count;
}

Task<std::map<Address, PaymentKey>> find_watched(AddressPort& books, std::set<Address> addresses) {
    std::map<Address, PaymentKey> watched;
    if (addresses.empty()) co_return watched;
    std::vector<Address> const asked(addresses.begin(), addresses.end());
    for (WatchedAddress const& entry : co_await books.find_addresses(asked))
        watched.emplace(entry.address, entry.payment);
    co_return watched;
}

}  // namespace sycee
