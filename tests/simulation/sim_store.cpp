#include "sim_store.hpp"

#include <sycee/app/payment_events.hpp>
#include <sycee/base/assert.hpp>

#include <algorithm>

namespace sycee::simulation {
namespace {

PaymentId payment_of(Record const& record) {
    return std::visit(
        [](auto const& each) -> PaymentId {
            if constexpr (requires { each.payment_id; }) {
                return each.payment_id;
            } else {
                return {};
            }
        },
        record);
}

// numeric, signed: what account_balances holds.
void move(BalanceSheet::Balance& balance, Amount amount, bool up) {
    if (up != balance.negative) {
        balance.magnitude += amount;
    } else if (amount <= balance.magnitude) {
        balance.magnitude -= amount;
    } else {
        balance.magnitude = amount - balance.magnitude;
        balance.negative = !balance.negative;
    }
    if (balance.magnitude.is_zero()) balance.negative = false;
}

}  // namespace

void SimStore::add_merchant(StoredMerchant merchant) {
    merchants_.emplace(merchant.merchant.id, std::move(merchant));
}

std::optional<Lease> SimStore::acquire_lease(ChainId chain_id, std::string const& holder,
                                             std::chrono::milliseconds time) {
    StoredLease& lease = leases_[chain_id];
    bool const expired = lease.ends <= now_();
    if (!expired && lease.holder != holder) return std::nullopt;
    if (expired) ++lease.token;
    lease.holder = holder;
    lease.ends = now_() + time;
    return Lease{lease.token, time};
}

void SimStore::release_lease(ChainId chain_id, Lease lease) {
    auto const stored = leases_.find(chain_id);
    if (stored != leases_.end() && stored->second.token == lease.token)
        stored->second.ends = now_();
}

void SimStore::check_lease(ChainId chain_id, std::uint64_t token) const {
    auto const lease = leases_.find(chain_id);
    if (lease != leases_.end() && lease->second.token == token) return;
    if (on_fenced) on_fenced();
    throw Unavailable("the lease of chain " + std::to_string(chain_id) + " is another one's");
}

FinalityRule SimStore::use_rule(ChainId chain_id, FinalityRule rule, Timestamp) {
    auto& versions = rules_[chain_id];
    rule.version = versions.empty() ? 0 : versions.back().version;
    if (versions.empty() || versions.back() != rule) {
        ++rule.version;
        versions.push_back(rule);
    }
    return versions.back();
}

std::optional<FollowedChain> SimStore::load_chain(ChainId chain_id) {
    auto const chain = chains_.find(chain_id);
    if (chain == chains_.end()) return std::nullopt;
    FollowedChain followed{.blocks = {}, .finalized = chain->second.finalized};
    for (auto const& [number, block] : chain->second.blocks)
        followed.blocks.push_back(block);
    return followed;
}

std::optional<ChainProgress> SimStore::load_progress(ChainId chain_id) {
    auto const chain = chains_.find(chain_id);
    if (chain == chains_.end()) return std::nullopt;
    return ChainProgress{chain->second.head.time, chain->second.agreed, chain->second.finalized,
                         rules_.at(chain_id).back()};
}

void SimStore::begin_chain(ChainId chain_id, Lease lease, ProcessedBlock const& block, Timestamp) {
    check_lease(chain_id, lease.token);
    if (chains_.contains(chain_id)) throw Unavailable("the chain is followed already");
    StoredChain& chain = chains_[chain_id];
    chain.head = block.header;
    chain.agreed = chain.finalized = block.header.number;
    chain.oldest_open = chain.finalized + 1;
    chain.blocks.emplace(block.header.number, block);
    if (on_begin) on_begin(chain_id, block);
}

std::vector<std::size_t> const& SimStore::records_of(PaymentKey const& key) const {
    static std::vector<std::size_t> const none;
    auto const found = by_payment_.find(key);
    return found == by_payment_.end() ? none : found->second;
}

std::vector<JournalEntry> SimStore::entries_of(PaymentKey const& key) const {
    std::vector<JournalEntry> entries;
    for (std::size_t const place : records_of(key))
        entries.push_back(entries_[place]);
    return entries;
}

std::optional<JournalEntry> SimStore::upon(std::map<RecordKey, std::size_t> const& index,
                                           RecordKey const& key) const {
    auto const found = index.find(key);
    if (found == index.end()) return std::nullopt;
    return entries_[found->second];
}

// From the rows alone, in the order of the store's query: by booking time, chain and sequence.
PaymentState SimStore::state_of(PaymentKey const& key) const {
    if (auto const cached = states_.find(key); cached != states_.end()) return cached->second;
    PaymentState state;
    state.payment = payments_.at(key);
    state.version = records_of(key).size();
    std::vector<JournalEntry const*> rows;
    for (std::size_t const place : records_of(key))
        rows.push_back(&entries_[place]);
    std::sort(rows.begin(), rows.end(), [](JournalEntry const* a, JournalEntry const* b) {
        return std::tuple(a->booked_at, a->chain_id, a->sequence) <
               std::tuple(b->booked_at, b->chain_id, b->sequence);
    });
    std::map<TransferKey, Timestamp> first_seen;
    for (JournalEntry const* row : rows) {
        auto const* authorization = std::get_if<Authorization>(&row->record);
        if (authorization == nullptr) continue;
        auto const [seen, added] =
            first_seen.try_emplace(authorization->transfer.key, authorization->transfer.block_time);
        if (!added) seen->second = std::min(seen->second, authorization->transfer.block_time);
    }
    for (JournalEntry const* row : rows) {
        RecordKey const at{key.first, row->chain_id, row->sequence};
        if (auto const* authorization = std::get_if<Authorization>(&row->record)) {
            if (reversals_.contains(at)) {
                state.reversed_transfers.emplace_back(authorization->transfer.key,
                                                      authorization->transfer.block_time);
                if (clearings_.contains(at)) state.was_cleared = true;
                continue;
            }
            Credit credit{.transfer = authorization->transfer,
                          .authorization_sequence = row->sequence,
                          .authorization_hash = row->hash,
                          .first_seen_time = first_seen.at(authorization->transfer.key)};
            if (auto const cleared = upon(clearings_, at)) {
                auto const& clearing = std::get<Clearing>(cleared->record);
                credit.stage = CreditStage::cleared;
                credit.stage_sequence = cleared->sequence;
                credit.stage_hash = cleared->hash;
                credit.gross = clearing.gross;
                credit.fee = clearing.fee;
                credit.excess = clearing.excess;
                credit.shortfall = clearing.shortfall;
                if (auto const settled = upon(settlements_, at)) {
                    credit.stage = CreditStage::settled;
                    credit.settlement_sequence = settled->sequence;
                    credit.settlement_hash = settled->hash;
                }
            } else if (auto const put_away = upon(unapplied_, at)) {
                auto const& unapplied = std::get<Unapplied>(put_away->record);
                credit.stage = CreditStage::unapplied;
                credit.stage_sequence = put_away->sequence;
                credit.stage_hash = put_away->hash;
                credit.excess = unapplied.amount;
                credit.unapplied_reason = unapplied.reason;
            }
            state.credits.push_back(credit);
        } else if (auto const* canceled = std::get_if<Cancellation>(&row->record)) {
            state.canceled = Canceled{.chain_id = row->chain_id,
                                      .sequence = row->sequence,
                                      .hash = row->hash,
                                      .ends_at = canceled->ends_at,
                                      .booked_at = row->booked_at};
        } else if (auto const* withdrawal = std::get_if<Withdrawal>(&row->record)) {
            if (reversals_.contains(at)) continue;
            state.outflows.push_back({.transfer = withdrawal->transfer,
                                      .sequence = row->sequence,
                                      .hash = row->hash,
                                      .unexplained = withdrawal->unexplained});
        }
    }
    states_.insert_or_assign(key, state);
    return state;
}

bool SimStore::has_open_work(ChainId chain_id, PaymentState const& state, BlockNumber from) const {
    BlockNumber const finalized = chains_.at(chain_id).finalized;
    return std::any_of(state.credits.begin(), state.credits.end(),
                       [&](Credit const& credit) {
                           bool const done = credit.stage == CreditStage::settled ||
                                             credit.stage == CreditStage::unapplied;
                           return credit.transfer.key.chain_id == chain_id &&
                                  credit.transfer.block_number >= from &&
                                  (!done || credit.transfer.block_number > finalized);
                       }) ||
           std::any_of(state.outflows.begin(), state.outflows.end(), [&](Outflow const& outflow) {
               return outflow.transfer.key.chain_id == chain_id &&
                      outflow.transfer.block_number >= from &&
                      outflow.transfer.block_number > finalized;
           });
}

std::vector<PaymentState> SimStore::load_open(ChainId chain_id) {
    std::vector<PaymentState> open;
    for (auto const& [key, records] : by_payment_) {
        auto state = state_of(key);
        if (has_open_work(chain_id, state, chains_.at(chain_id).oldest_open)) {
            open.push_back(std::move(state));
        }
    }
    return open;
}

std::vector<MerchantView> SimStore::load_views(ChainId chain_id,
                                               std::vector<PaymentKey> const& payments,
                                               std::vector<MerchantId> const& merchants) {
    std::map<MerchantId, MerchantView> views;
    for (MerchantId const& merchant_id : merchants)
        views.emplace(merchant_id, MerchantView{});
    for (PaymentKey const& key : payments)
        views[key.first].payments.push_back(state_of(key));
    std::vector<MerchantView> result;
    for (auto& [merchant_id, view] : views) {
        view.merchant_id = merchant_id;
        view.fees = merchants_.at(merchant_id).merchant.fees;
        if (auto const head = heads_.find({merchant_id, chain_id}); head != heads_.end()) {
            view.head = head->second;
        }
        if (auto const batch = last_batches_.find({merchant_id, chain_id});
            batch != last_batches_.end()) {
            view.last_batch_number = batch->second;
        }
        for (auto const& [key, head] : heads_) {
            if (key.first == merchant_id && key.second != chain_id)
                view.other_journals.emplace(key.second, head.sequence);
        }
        for (auto const& [key, balance] : balances_) {
            auto const& [owner, chain, token, account] = key;
            if (owner == merchant_id && chain == chain_id && account == Account::merchant_cleared &&
                !balance.magnitude.is_zero()) {
                view.cleared_not_final.emplace_back(Address{token}, balance.magnitude);
            }
        }
        result.push_back(std::move(view));
    }
    return result;
}

std::vector<NewAddress> SimStore::load_new_addresses(
    std::vector<std::pair<MerchantId, std::uint64_t>> const& known) {
    std::map<MerchantId, std::uint64_t> const from(known.begin(), known.end());
    std::vector<NewAddress> added;
    for (auto const& [place, payment_id] : by_index_) {
        auto const& [merchant_id, index] = place;
        if (auto const next = from.find(merchant_id); next != from.end() && index < next->second) {
            continue;
        }
        Payment const& payment = payments_.at({merchant_id, payment_id});
        added.push_back({merchant_id, index, payment.deposit_address, payment.expires_at});
    }
    return added;
}

std::vector<WatchedAddress> SimStore::find_addresses(std::vector<Address> const& addresses) {
    std::vector<WatchedAddress> found;
    for (Address const& address : addresses) {
        if (auto const known = addresses_.find(address); known != addresses_.end()) {
            found.push_back({address, known->second});
        }
    }
    return found;
}

// One transaction: everything is checked on copies of the small tables, then all of it is applied.
void SimStore::commit(ChainCommit const& commit) {
    check_lease(commit.chain_id, commit.lease_token);
    auto chain = chains_.at(commit.chain_id);
    if (chain.head.number != commit.expected_head.number ||
        chain.head.hash != commit.expected_head.hash) {
        throw Unavailable("the cursor is not where it was");
    }
    if (commit.rolled_back_to) {
        chain.blocks.erase(chain.blocks.upper_bound(*commit.rolled_back_to), chain.blocks.end());
    }
    for (ProcessedBlock const& block : commit.added) {
        ensure(chain.blocks.emplace(block.header.number, block).second,
               "store: a block is there already");
    }
    ensure(!chain.blocks.empty(), "store: no block is left");
    chain.head = chain.blocks.rbegin()->second.header;
    ensure(commit.finalized <= commit.agreed && commit.agreed <= chain.head.number &&
               commit.oldest_open <= commit.finalized + 1,
           "store: the final block, the agreed one and the head are out of order");
    chain.finalized = commit.finalized;
    chain.agreed = commit.agreed;
    chain.oldest_open = commit.oldest_open;
    chain.stopped_reason.clear();
    chain.blocks.erase(chain.blocks.begin(), chain.blocks.lower_bound(commit.finalized));

    for (auto const& [key, fingerprint] : commit.foreign) {
        if (foreign_fingerprint(state_of(key), commit.chain_id) != fingerprint) {
            throw Unavailable("a payment has changed on another chain meanwhile");
        }
    }
    auto heads = heads_;
    for (HeadMove const& move : commit.heads) {
        JournalHead& head = heads[{move.merchant_id, commit.chain_id}];
        if (head != move.from) throw Unavailable("a journal has moved meanwhile");
        head = move.to;
    }

    auto last_batches = last_batches_;
    auto credits = live_credits_;
    auto withdrawals = live_withdrawals_;
    auto balances = balances_;
    std::map<RecordKey, std::size_t> places;
    std::map<RecordKey, std::size_t> clearings;
    std::map<RecordKey, std::size_t> settlements;
    std::map<RecordKey, std::size_t> unapplied;
    std::map<RecordKey, std::size_t> reversals;
    std::map<RecordKey, std::size_t> batches;
    auto const once = [](auto& fresh, auto const& stored, RecordKey const& key, std::size_t place) {
        ensure(!stored.contains(key) && fresh.emplace(key, place).second,
               "store: duplicate key value violates a primary key");
    };
    std::set<std::tuple<MerchantId, Bytes20, Account>> touched;
    for (std::size_t i = 0; i < commit.entries.size(); ++i) {
        JournalEntry const& entry = commit.entries[i];
        std::size_t const place = entries_.size() + i;
        MerchantId const merchant = entry.merchant_id;
        ensure(entry.chain_id == commit.chain_id, "store: an entry of another chain in a commit");
        ensure(entry.hash == hash_of(entry), "store: an entry's hash is not its own");
        once(places, places_, {merchant, entry.chain_id, entry.sequence}, place);
        PaymentId const payment = payment_of(entry.record);
        ensure(payment == PaymentId{} || payments_.contains({merchant, payment}),
               "store: a record of no payment");
        if (auto const* authorization = std::get_if<Authorization>(&entry.record)) {
            ensure(credits.emplace(std::pair(merchant, authorization->transfer.key), entry.sequence)
                       .second,
                   "store: live_credits holds the transfer already");
        } else if (auto const* withdrawal = std::get_if<Withdrawal>(&entry.record)) {
            ensure(
                withdrawals.emplace(std::pair(merchant, withdrawal->transfer.key), entry.sequence)
                    .second,
                "store: live_withdrawals holds the transfer already");
        } else if (auto const* clearing = std::get_if<Clearing>(&entry.record)) {
            once(clearings, clearings_,
                 {merchant, entry.chain_id, clearing->authorization_sequence}, place);
            ensure(clearing->gross == clearing->fee + clearing->net && !clearing->gross.is_zero(),
                   "store: a clearing does not add up");
        } else if (auto const* settlement = std::get_if<Settlement>(&entry.record)) {
            once(settlements, settlements_,
                 {merchant, entry.chain_id, settlement->authorization_sequence}, place);
        } else if (auto const* put_away = std::get_if<Unapplied>(&entry.record)) {
            once(unapplied, unapplied_,
                 {merchant, entry.chain_id, put_away->authorization_sequence}, place);
        } else if (auto const* batch = std::get_if<SettlementBatch>(&entry.record)) {
            once(batches, batches_, {merchant, entry.chain_id, batch->batch_number}, place);
            ensure(batch->last_sequence - batch->first_sequence + 1 == batch->settlement_count &&
                       entry.sequence == batch->last_sequence + 1,
                   "store: a settlement batch does not add up");
            last_batches[{merchant, entry.chain_id}] = batch->batch_number;
        } else if (auto const* reversal = std::get_if<Reversal>(&entry.record)) {
            once(reversals, reversals_, {merchant, entry.chain_id, reversal->reversed_sequence},
                 place);
            bool const in = reversal->reversed_kind == RecordKind::authorization;
            if (in || reversal->reversed_kind == RecordKind::withdrawal) {
                auto const removed =
                    std::erase_if(in ? credits : withdrawals, [&](auto const& live) {
                        return live.first.first == merchant &&
                               live.first.second.chain_id == entry.chain_id &&
                               live.second == reversal->reversed_sequence;
                    });
                ensure(removed == 1, "store: a reversal found no live row");
            }
        }
        for (Posting const& posting : postings_of(entry.record)) {
            ensure(posting.debit != posting.credit && !posting.amount.is_zero(),
                   "store: a posting violates a check");
            move(balances[{merchant, entry.chain_id, posting.token, posting.debit}], posting.amount,
                 is_debit_account(posting.debit));
            move(balances[{merchant, entry.chain_id, posting.token, posting.credit}],
                 posting.amount, !is_debit_account(posting.credit));
            touched.insert({merchant, posting.token, posting.debit});
            touched.insert({merchant, posting.token, posting.credit});
        }
    }
    for (auto const& [merchant, token, account] : touched) {
        ensure(account == Account::drawn ||
                   !balances.at({merchant, commit.chain_id, token, account}).negative,
               "store: balance_not_below_zero: " + std::string(to_string(account)));
    }
    for (OutboxEvent const& event : commit.events)
        ensure(!events_.contains(event.id), "store: an event id is taken");

    // All of it is right.
    chains_[commit.chain_id] = std::move(chain);
    heads_ = std::move(heads);
    last_batches_ = std::move(last_batches);
    live_credits_ = std::move(credits);
    live_withdrawals_ = std::move(withdrawals);
    balances_ = std::move(balances);
    places_.merge(places);
    clearings_.merge(clearings);
    settlements_.merge(settlements);
    unapplied_.merge(unapplied);
    reversals_.merge(reversals);
    batches_.merge(batches);
    for (JournalEntry const& entry : commit.entries) {
        PaymentKey const key{entry.merchant_id, payment_of(entry.record)};
        if (key.second != PaymentId{}) by_payment_[key].push_back(entries_.size());
        states_.erase(key);
        entries_.push_back(entry);
    }
    keep(commit.events, true);
    if (on_commit) on_commit(commit);
}

void SimStore::keep(std::vector<OutboxEvent> const& events, bool makes_deliveries) {
    for (OutboxEvent const& event : events) {
        bool const told = merchants_.at(event.merchant_id).has_webhook;
        StoredEvent stored{.event = event};
        stored.event.sequence = ++feeds_[event.merchant_id];
        if (told && makes_deliveries) {
            stored.delivery = StoredDelivery{.next_attempt_at = event.created_at};
        } else if (told) {
            stored.next_attempt_at = event.created_at;
        }
        events_.emplace(event.id, std::move(stored));
    }
}

void SimStore::cancel(CancelCommit const& commit) {
    for (auto const& [key, fingerprint] : commit.foreign) {
        if (foreign_fingerprint(state_of(key), 0) != fingerprint)
            throw Unavailable("the payment has changed meanwhile");
    }
    JournalHead& head = heads_[{commit.head.merchant_id, commit.chain_id}];
    if (head != commit.head.from) throw Unavailable("a journal has moved meanwhile");
    ensure(commit.entries.size() == 1, "store: a cancellation is one record");
    JournalEntry const& entry = commit.entries.front();
    ensure(entry.hash == hash_of(entry), "store: an entry's hash is not its own");
    PaymentKey const key{entry.merchant_id, std::get<Cancellation>(entry.record).payment_id};
    ensure(!state_of(key).canceled, "store: duplicate key value violates a primary key");
    head = commit.head.to;
    by_payment_[key].push_back(entries_.size());
    places_.emplace(RecordKey{entry.merchant_id, entry.chain_id, entry.sequence}, entries_.size());
    entries_.push_back(entry);
    states_.erase(key);
    keep(commit.events, false);
    if (on_cancel) on_cancel(commit);
}

void SimStore::record_stop(ChainId chain_id, Lease lease, std::string const& reason) {
    check_lease(chain_id, lease.token);
    if (auto const chain = chains_.find(chain_id); chain != chains_.end()) {
        chain->second.stopped_reason = reason;
    }
}

Payment SimStore::create(NewPayment input, DeriveAddress const& derive) {
    StoredMerchant& merchant = merchants_.at(input.merchant_id);
    std::optional<Address> address;
    std::uint64_t index = 0;
    while (!address) {
        index = merchant.next_index++;
        address = derive(merchant.key, index);
    }
    Payment payment{.merchant_id = input.merchant_id,
                    .id = input.id,
                    .derivation_index = index,
                    .deposit_address = *address,
                    .currency = input.currency,
                    .price = input.price,
                    .options = input.options,
                    .reference = input.reference,
                    .description = input.description,
                    .metadata = input.metadata,
                    .success_url = input.success_url,
                    .created_at = input.created_at,
                    .expires_at = input.expires_at,
                    .open_amount = input.open_amount};
    PaymentKey const key{payment.merchant_id, payment.id};
    ensure(payments_.emplace(key, payment).second, "store: a payment's id is taken");
    ensure(addresses_.emplace(*address, key).second, "store: an address is taken");
    by_index_.emplace(std::pair(payment.merchant_id, index), payment.id);
    return payment;
}

std::optional<PaymentState> SimStore::find(PaymentKey const& key) {
    if (!payments_.contains(key)) return std::nullopt;
    return state_of(key);
}

namespace {

// Those whose time has come, oldest first, at most `limit`.
template <class Row, class TimeOf>
std::vector<Row*> due_rows(std::map<EventId, StoredEvent>& events, TimeOf time_of, Timestamp now,
                           std::size_t limit) {
    std::vector<Row*> rows;
    for (auto& [id, row] : events) {
        auto const at = time_of(row);
        if (at && *at <= now) rows.push_back(&row);
    }
    std::sort(rows.begin(), rows.end(), [&](Row* a, Row* b) {
        return std::pair(*time_of(*a), a->event.id) < std::pair(*time_of(*b), b->event.id);
    });
    if (rows.size() > limit) rows.resize(limit);
    return rows;
}

}  // namespace

std::size_t SimStore::fan_out(Timestamp now, std::size_t limit) {
    auto const time_of = [](StoredEvent const& row) { return row.next_attempt_at; };
    auto const rows = due_rows<StoredEvent>(events_, time_of, now, limit);
    for (StoredEvent* row : rows) {
        row->next_attempt_at.reset();
        row->delivery = StoredDelivery{.next_attempt_at = row->event.created_at};
    }
    return rows.size();
}

std::vector<PendingDelivery> SimStore::due(std::vector<WebhookEndpointId> const& beside,
                                           Timestamp now, std::size_t limit) {
    auto const time_of = [&](StoredEvent const& row) -> std::optional<Timestamp> {
        auto const& merchant = merchants_.at(row.event.merchant_id);
        if (!row.delivery || std::ranges::count(beside, merchant.endpoint_id) != 0)
            return std::nullopt;
        return row.delivery->next_attempt_at;
    };
    std::vector<PendingDelivery> due;
    for (StoredEvent const* row : due_rows<StoredEvent>(events_, time_of, now, limit)) {
        PaymentKey const key{row->event.merchant_id, row->event.payment_id};
        auto const& merchant = merchants_.at(row->event.merchant_id);
        due.push_back({.told = tell(row->event, payments_.at(key), entries_of(key)),
                       .endpoint_id = merchant.endpoint_id,
                       .url = merchant.webhook_url,
                       .sealed_secrets = {},
                       .attempts = row->delivery->attempts,
                       .failures = row->delivery->failures});
    }
    return due;
}

void SimStore::record(std::vector<DeliveryAttempt> const& attempts) {
    for (DeliveryAttempt const& attempt : attempts) {
        StoredDelivery& row = events_.at(attempt.key.event_id).delivery.value();
        if (row.attempts >= attempt.attempt && !attempt.delivered) continue;
        row.attempts = std::max(row.attempts, attempt.attempt);
        row.failures = attempt.delivered ? 0 : row.failures + 1;
        row.next_attempt_at = attempt.next_attempt_at;
        row.delivered_at = attempt.delivered ? std::optional(attempt.at) : std::nullopt;
    }
}

}  // namespace sycee::simulation
