#include "spoiled_commit.hpp"

#include <algorithm>
#include <set>

namespace sycee::simulation {
namespace {

// False where the commit has nothing to spoil in this way.
using Spoil = bool (*)(ChainCommit&, SimStore const&, Rng&);

struct Way {
    char const* how;
    Refusal refusal;
    Spoil spoil;
};

// Beyond whatever a simulated payer sends.
Amount too_much() {
    return power_of_ten(30);
}

// Adds a record to the end of the merchant's journal.
void append(ChainCommit& commit, SimStore const& store, MerchantId merchant, Record record) {
    JournalHead last;
    if (auto const head = store.heads().find({merchant, commit.chain_id});
        head != store.heads().end()) {
        last = head->second;
    }
    for (JournalEntry const& entry : commit.entries) {
        if (entry.merchant_id == merchant) last = {entry.sequence, entry.hash};
    }
    JournalWriter writer(merchant, commit.chain_id, last, commit.now);
    writer.append(std::move(record));
    commit.entries.push_back(writer.entries().front());
}

MerchantId some_merchant(SimStore const& store, Rng& rng) {
    auto const place = static_cast<std::ptrdiff_t>(rng.below(store.merchants().size()));
    return std::next(store.merchants().begin(), place)->first;
}

// A live transfer of this chain that the commit leaves alone, with its record.
std::optional<JournalEntry> some_live(
    ChainCommit const& commit, SimStore const& store, Rng& rng,
    std::map<std::pair<MerchantId, TransferKey>, std::uint64_t> const& live) {
    std::set<std::pair<MerchantId, std::uint64_t>> reversed;
    for (JournalEntry const& entry : commit.entries) {
        if (auto const* reversal = std::get_if<Reversal>(&entry.record))
            reversed.emplace(entry.merchant_id, reversal->reversed_sequence);
    }
    std::vector<JournalEntry> found;
    for (auto const& [key, sequence] : live) {
        auto const& [merchant, transfer] = key;
        if (transfer.chain_id != commit.chain_id || reversed.contains({merchant, sequence}))
            continue;
        found.push_back(store.entry({merchant, commit.chain_id, sequence}));
    }
    if (found.empty()) return std::nullopt;
    return rng.pick(found);
}

bool older_lease(ChainCommit& commit, SimStore const&, Rng&) {
    --commit.lease_token;
    return true;
}

bool other_head(ChainCommit& commit, SimStore const&, Rng&) {
    commit.expected_head.hash[0] ^= 1U;
    return true;
}

bool moved_journal(ChainCommit& commit, SimStore const&, Rng& rng) {
    if (commit.heads.empty()) return false;
    HeadMove& move = commit.heads[rng.below(commit.heads.size())];
    if (rng.chance(500)) {
        move.from.hash[0] ^= 1U;
    } else {
        ++move.from.sequence;
    }
    return true;
}

bool changed_elsewhere(ChainCommit& commit, SimStore const&, Rng& rng) {
    if (commit.foreign.empty()) return false;
    auto& [key, fingerprint] = commit.foreign[rng.below(commit.foreign.size())];
    fingerprint[0] ^= 1U;
    // Nobody's payment changes without its merchant's journals.
    commit.other_journals.erase(key.first);
    return true;
}

bool block_twice(ChainCommit& commit, SimStore const&, Rng&) {
    if (commit.added.empty()) return false;
    commit.added.push_back(commit.added.back());
    return true;
}

bool final_above_agreed(ChainCommit& commit, SimStore const&, Rng&) {
    commit.finalized = commit.agreed + 1;
    return true;
}

bool agreed_above_head(ChainCommit& commit, SimStore const&, Rng&) {
    if (commit.added.empty()) return false;
    commit.agreed = commit.added.back().header.number + 1;
    return true;
}

bool hash_not_its_own(ChainCommit& commit, SimStore const&, Rng& rng) {
    if (commit.entries.empty()) return false;
    commit.entries[rng.below(commit.entries.size())].hash[0] ^= 1U;
    return true;
}

bool of_another_chain(ChainCommit& commit, SimStore const&, Rng& rng) {
    if (commit.entries.empty()) return false;
    JournalEntry& entry = commit.entries[rng.below(commit.entries.size())];
    ++entry.chain_id;
    entry.hash = hash_of(entry);
    return true;
}

bool sequence_taken(ChainCommit& commit, SimStore const& store, Rng&) {
    for (JournalEntry const& entry : store.entries()) {
        if (entry.chain_id != commit.chain_id) continue;
        commit.entries.push_back(entry);
        return true;
    }
    return false;
}

bool credited_twice(ChainCommit& commit, SimStore const& store, Rng& rng) {
    auto const live = some_live(commit, store, rng, store.live_credits());
    if (live) append(commit, store, live->merchant_id, live->record);
    return live.has_value();
}

bool withdrawn_twice(ChainCommit& commit, SimStore const& store, Rng& rng) {
    auto const live = some_live(commit, store, rng, store.live_withdrawals());
    if (live) append(commit, store, live->merchant_id, live->record);
    return live.has_value();
}

// No record has the sequence 0.
bool nothing_to_reverse(ChainCommit& commit, SimStore const& store, Rng& rng) {
    append(commit, store, some_merchant(store, rng),
           Reversal{.reversed_kind =
                        rng.chance(500) ? RecordKind::authorization : RecordKind::withdrawal});
    return true;
}

bool of_no_payment(ChainCommit& commit, SimStore const& store, Rng& rng) {
    auto const live = some_live(commit, store, rng, store.live_credits());
    if (!live) return false;
    auto authorization = std::get<Authorization>(live->record);
    authorization.payment_id.uuid.bytes = rng.bytes<16>();
    authorization.transfer.key.transaction_hash = rng.bytes<32>();
    append(commit, store, live->merchant_id, authorization);
    return true;
}

bool below_zero(ChainCommit& commit, SimStore const& store, Rng& rng) {
    append(commit, store, some_merchant(store, rng),
           Reversal{.reversed_kind = RecordKind::clearing,
                    .postings = {{Account::merchant_cleared, Account::payer_pending,
                                  rng.bytes<20>(), too_much()}}});
    return true;
}

bool does_not_add_up(ChainCommit& commit, SimStore const&, Rng&) {
    for (JournalEntry& entry : commit.entries) {
        auto* clearing = std::get_if<Clearing>(&entry.record);
        if (clearing == nullptr) continue;
        clearing->net += Amount(1);
        entry.hash = hash_of(entry);
        return true;
    }
    return false;
}

// The events are written last: by now all the rest of the commit has been.
bool event_twice(ChainCommit& commit, SimStore const& store, Rng&) {
    if (store.events().empty()) return false;
    commit.events.push_back(store.events().begin()->second.event);
    return true;
}

constexpr Way kWays[] = {
    {"an older lease", Refusal::unavailable, older_lease},
    {"another head", Refusal::unavailable, other_head},
    {"a journal that has moved", Refusal::unavailable, moved_journal},
    {"a payment that another chain has changed", Refusal::unavailable, changed_elsewhere},
    {"a block twice", Refusal::invariant_violation, block_twice},
    {"final above agreed", Refusal::invariant_violation, final_above_agreed},
    {"agreed above the head", Refusal::invariant_violation, agreed_above_head},
    {"a hash that is not its own", Refusal::invariant_violation, hash_not_its_own},
    {"a record of another chain", Refusal::invariant_violation, of_another_chain},
    {"a sequence that is taken", Refusal::invariant_violation, sequence_taken},
    {"a transfer credited twice", Refusal::invariant_violation, credited_twice},
    {"a transfer out booked twice", Refusal::invariant_violation, withdrawn_twice},
    {"a reversal of nothing", Refusal::invariant_violation, nothing_to_reverse},
    {"a record of no payment", Refusal::invariant_violation, of_no_payment},
    {"a balance below zero", Refusal::invariant_violation, below_zero},
    {"a clearing that does not add up", Refusal::invariant_violation, does_not_add_up},
    {"an event twice", Refusal::invariant_violation, event_twice},
};

bool would_be_taken(ChainCommit const& commit, SimStore const& store) {
    auto const lease = store.leases().find(commit.chain_id);
    auto const chain = store.chains().find(commit.chain_id);
    if (lease == store.leases().end() || lease->second.token != commit.lease_token) return false;
    if (chain == store.chains().end() || chain->second.head.hash != commit.expected_head.hash)
        return false;
    auto const stands = [&](HeadMove const& move) {
        auto const head = store.heads().find({move.merchant_id, commit.chain_id});
        return head == store.heads().end() ? move.from == JournalHead{} : head->second == move.from;
    };
    auto const unchanged = [&](std::pair<PaymentKey, Bytes32> const& foreign) {
        return foreign_fingerprint(store.state_of(foreign.first), commit.chain_id) ==
               foreign.second;
    };
    return std::all_of(commit.heads.begin(), commit.heads.end(), stands) &&
           std::all_of(commit.foreign.begin(), commit.foreign.end(), unchanged);
}

}  // namespace

std::optional<SpoiledCommit> spoil(ChainCommit const& right, SimStore const& store, Rng& rng) {
    if (!would_be_taken(right, store)) return std::nullopt;
    Way const& way = kWays[rng.below(std::size(kWays))];
    SpoiledCommit spoiled{way.how, right, way.refusal};
    if (!way.spoil(spoiled.commit, store, rng)) return std::nullopt;
    return spoiled;
}

std::vector<std::string> ways_to_spoil() {
    std::vector<std::string> ways;
    for (Way const& way : kWays)
        ways.emplace_back(way.how);
    return ways;
}

}  // namespace sycee::simulation
