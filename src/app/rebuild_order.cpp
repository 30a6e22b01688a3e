#include <sycee/app/rebuild_order.hpp>

#include <algorithm>
#include <set>

namespace sycee {
namespace {

bool is_applied(Credit const& credit) {
    return credit.stage == CreditStage::cleared || credit.stage == CreditStage::settled;
}

// The time of the first block that had the transfer, by what the books know of reorgs.
Timestamp first_seen(PaymentState const& booked, Transfer const& transfer) {
    return first_seen_time_of(booked, transfer);
}

bool may_pay(PaymentState const& booked, Transfer const& transfer) {
    auto const& key = transfer.key;
    return booked.payment.option_for(key.chain_id, key.token) != nullptr &&
           first_seen(booked, transfer) <= ends_at(booked);
}

// What came in time, on the chains or in the books, each transfer once.
std::map<TransferKey, Transfer> that_may_pay(PaymentHistory const& history) {
    std::map<TransferKey, Transfer> transfers;
    for (MatchedTransfer const& matched : history.on_chain) {
        if (matched.incoming && may_pay(history.booked, matched.transfer))
            transfers.emplace(matched.transfer.key, matched.transfer);
    }
    for (Credit const& credit : history.booked.credits) {
        if (may_pay(history.booked, credit.transfer))
            transfers.emplace(credit.transfer.key, credit.transfer);
    }
    return transfers;
}

// A transfer in time was booked after another one had gone to the desk since the time was over:
// its block replaced a later one.
bool came_after_expiry_was_booked(PaymentState const& booked) {
    std::map<ChainId, std::uint64_t> first_underpaid;
    for (Credit const& credit : booked.credits) {
        if (credit.unapplied_reason != UnappliedReason::underpaid) continue;
        auto const [found, is_new] =
            first_underpaid.emplace(credit.transfer.key.chain_id, credit.stage_sequence);
        if (!is_new) found->second = std::min(found->second, credit.stage_sequence);
    }
    return std::any_of(booked.credits.begin(), booked.credits.end(), [&](Credit const& credit) {
        auto const underpaid = first_underpaid.find(credit.transfer.key.chain_id);
        return underpaid != first_underpaid.end() && may_pay(booked, credit.transfer) &&
               credit.authorization_sequence > underpaid->second;
    });
}

}  // namespace

BookedPositions positions_of(std::vector<JournalEntry> const& entries) {
    BookedPositions positions;
    for (JournalEntry const& entry : entries) {
        positions.emplace(std::pair(entry.chain_id, entry.sequence),
                          BookedPosition{entry.booked_at, entry.chain_id, entry.sequence});
    }
    // A clock that was put back does not put a record before the one that it follows.
    BookedPosition before;
    for (auto& [place, position] : positions) {
        if (before.chain_id == position.chain_id) position.at = std::max(position.at, before.at);
        before = position;
    }
    return positions;
}

std::vector<FeeVersion> fee_versions_of(PaymentHistory const& history) {
    std::map<std::pair<ChainId, std::uint64_t>, Timestamp> standing;
    for (Credit const& credit : history.booked.credits) {
        if (!is_applied(credit)) continue;
        standing.emplace(std::pair(credit.transfer.key.chain_id, credit.stage_sequence),
                         credit.transfer.block_time);
    }
    std::vector<FeeVersion> versions;
    for (JournalEntry const& entry : history.entries) {
        auto const* clearing = std::get_if<Clearing>(&entry.record);
        auto const credit = standing.find({entry.chain_id, entry.sequence});
        if (clearing == nullptr || credit == standing.end()) continue;
        FeeVersion const fees{clearing->fee_version, clearing->fee_basis_points, credit->second};
        if (std::find(versions.begin(), versions.end(), fees) == versions.end())
            versions.push_back(fees);
    }
    return versions;
}

bool needs_order(PaymentHistory const& history, bool is_paid_by_desk) {
    if (is_paid_by_desk || fee_versions_of(history).size() > 1) return true;
    if (!history.booked.losses.empty()) return true;
    auto const transfers = that_may_pay(history);
    std::set<ChainId> chains;
    bool came_back = false;
    for (auto const& [key, transfer] : transfers) {
        chains.insert(key.chain_id);
        came_back = came_back || transfer.block_time > ends_at(history.booked);
    }
    return chains.size() > 1 || (came_back && transfers.size() > 1) ||
           came_after_expiry_was_booked(history.booked);
}

bool rests_on_a_reorg(PaymentHistory const& history) {
    PaymentState const& booked = history.booked;
    std::map<std::pair<ChainId, std::uint64_t>, std::uint64_t> reversed_by;
    for (JournalEntry const& entry : history.entries) {
        auto const* reversal = std::get_if<Reversal>(&entry.record);
        if (reversal != nullptr && reversal->reversed_kind == RecordKind::authorization)
            reversed_by.emplace(std::pair(entry.chain_id, reversal->reversed_sequence),
                                entry.sequence);
    }
    auto const is_there = [&booked](TransferKey const& key) {
        return std::any_of(booked.credits.begin(), booked.credits.end(),
                           [&key](Credit const& credit) { return credit.transfer.key == key; });
    };
    return std::any_of(
        history.entries.begin(), history.entries.end(), [&](JournalEntry const& entry) {
            auto const* gone = std::get_if<Authorization>(&entry.record);
            auto const reversal = reversed_by.find({entry.chain_id, entry.sequence});
            if (gone == nullptr || reversal == reversed_by.end()) return false;
            TransferKey const& key = gone->transfer.key;
            if (booked.payment.option_for(key.chain_id, key.token) == nullptr) return false;
            return std::any_of(
                booked.credits.begin(), booked.credits.end(), [&](Credit const& credit) {
                    if (!is_applied(credit)) return false;
                    if (credit.transfer.key.chain_id != entry.chain_id) return true;
                    // In one journal it is known which was first. One that came back counts again.
                    return !is_there(key) && entry.sequence < credit.stage_sequence &&
                           credit.stage_sequence < reversal->second;
                });
        });
}

std::vector<OrderedStep> steps_of(PaymentHistory const& history) {
    auto const positions = positions_of(history.entries);
    std::map<std::pair<ChainId, std::uint64_t>, FeeVersion> fees;
    for (JournalEntry const& entry : history.entries) {
        if (auto const* clearing = std::get_if<Clearing>(&entry.record)) {
            fees.emplace(std::pair(entry.chain_id, entry.sequence),
                         FeeVersion{clearing->fee_version, clearing->fee_basis_points, {}});
        }
    }
    std::vector<OrderedStep> steps;
    for (Credit const& credit : history.booked.credits) {
        TransferKey const& key = credit.transfer.key;
        auto const at = [&](std::uint64_t sequence) {
            return positions.at({key.chain_id, sequence});
        };
        if (is_applied(credit)) {
            steps.push_back({.position = at(credit.authorization_sequence),
                             .kind = OrderedStep::Kind::arrive,
                             .chain_id = key.chain_id,
                             .transfer = key,
                             .fees = {}});
            steps.push_back({.position = at(credit.stage_sequence),
                             .kind = OrderedStep::Kind::clear,
                             .chain_id = key.chain_id,
                             .transfer = {},
                             .fees = fees.at({key.chain_id, credit.stage_sequence})});
            steps.back().fees->transferred_at = credit.transfer.block_time;
        } else if (credit.stage == CreditStage::unapplied) {
            steps.push_back({.position = at(credit.stage_sequence),
                             .kind = OrderedStep::Kind::desk,
                             .chain_id = key.chain_id,
                             .transfer = key,
                             .expired = credit.unapplied_reason == UnappliedReason::underpaid,
                             .fees = {}});
        }
    }
    std::sort(steps.begin(), steps.end(),
              [](OrderedStep const& a, OrderedStep const& b) { return a.position < b.position; });
    return steps;
}

}  // namespace sycee
