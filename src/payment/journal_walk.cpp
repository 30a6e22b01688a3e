#include <sycee/base/assert.hpp>
#include <sycee/payment/journal_walk.hpp>

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

namespace sycee {
namespace {

std::string text_of(Posting const& posting) {
    return std::string(to_string(posting.debit)) + " → " + std::string(to_string(posting.credit)) +
           " " + to_string(posting.amount) + " of " + to_hex0x(posting.token);
}

std::string name_of(RecordKind kind, std::uint64_t sequence) {
    return std::string(to_string(kind)) + " " + std::to_string(sequence);
}

std::string number(std::uint64_t sequence) {
    return "number " + std::to_string(sequence);
}

TransferKey const* transfer_of(Record const& record, RecordKind kind) {
    if (kind_of(record) != kind) return nullptr;
    if (auto const* authorized = std::get_if<Authorization>(&record))
        return &authorized->transfer.key;
    if (auto const* withdrawn = std::get_if<Withdrawal>(&record)) return &withdrawn->transfer.key;
    return nullptr;
}

// What a record has put on the desk; an amount of zero: nothing.
struct Exception {
    Address token;
    Amount amount;
};

Exception exception_of(JournalEntry const* entry) {
    if (entry == nullptr) return {};
    if (auto const* cleared = std::get_if<Clearing>(&entry->record))
        return {cleared->token, cleared->excess};
    if (auto const* unapplied = std::get_if<Unapplied>(&entry->record))
        return {unapplied->token, unapplied->amount};
    if (auto const* withdrawn = std::get_if<Withdrawal>(&entry->record)) {
        return {withdrawn->transfer.key.token, withdrawn->unexplained};
    }
    return {};
}

}  // namespace

std::size_t JournalWalk::HashOfKey::operator()(TransferKey const& key) const {
    std::uint64_t word = 0;
    std::memcpy(&word, key.transaction_hash.data(), sizeof(word));
    return static_cast<std::size_t>(word + key.ordinal);  // which the map mixes
}

JournalWalk::JournalWalk(MerchantId merchant_id, ChainId chain_id, JournalContext& context)
    : where_(journal_name(merchant_id, chain_id)),
      merchant_id_(merchant_id),
      chain_id_(chain_id),
      context_(context) {}

JournalWalk::JournalWalk(JournalState const& from, JournalContext& context)
    : where_(journal_name(from.merchant_id, from.chain_id)),
      merchant_id_(from.merchant_id),
      chain_id_(from.chain_id),
      context_(context),
      start_(from.head.sequence),
      head_(from.head),
      sheet_(from.balances),
      reversed_(from.reversed.begin(), from.reversed.end()),
      live_credits_(from.live_credits),
      live_withdrawals_(from.live_withdrawals),
      last_batch_(from.last_batch) {
    for (auto const& [authorization, clearing] : from.open)
        older_.emplace(authorization, clearing);
    for (auto const& [exception, amount] : from.decided)
        decided_.emplace(exception, amount);
    kept_by_.insert(from.kept_by.begin(), from.kept_by.end());
    paid_invoices_.insert(from.paid_invoices.begin(), from.paid_invoices.end());
}

JournalState JournalWalk::state() const {
    finish();
    JournalState state{.merchant_id = merchant_id_,
                       .chain_id = chain_id_,
                       .head = head_,
                       .last_batch = last_batch_,
                       .live_credits = live_credits_,
                       .live_withdrawals = live_withdrawals_,
                       .balances = sheet_.balances(),
                       .open = {},
                       .reversed = {reversed_.begin(), reversed_.end()},
                       .decided = {},
                       .kept_by = {kept_by_.begin(), kept_by_.end()},
                       .paid_invoices = {paid_invoices_.begin(), paid_invoices_.end()}};
    for (auto const& [authorization, clearing] : older_)
        state.open.push_back({authorization, clearing});
    for (auto const& [authorization, open] : open_)
        state.open.push_back({authorization, open.clearing});
    for (auto const& [exception, amount] : decided_)
        state.decided.push_back({exception, amount});
    std::ranges::sort(state.open, {}, &JournalState::Open::authorization);
    std::ranges::sort(state.reversed);
    std::ranges::sort(state.decided, {}, &JournalState::Decided::exception);
    std::ranges::sort(state.kept_by);
    return state;
}

void JournalWalk::pass(JournalEntry entry, std::span<PostedLine const> stored) {
    entry_ = &entry;
    try {
        check(entry, stored);
    } catch (InvariantViolation const& violation) {
        refuse(std::string("can't be: ") + violation.what());
    }
    head_ = {entry.sequence, entry.hash};
    entry_ = nullptr;
}

void JournalWalk::finish() const {
    if (falls_ != 0) {
        throw WrongRow(where_ + ": " + number(falls_) +
                       " stands, though what was booked upon it was reversed");
    }
    if (batch_count_ != 0) {
        throw WrongRow(where_ + ": " + number(head_.sequence) +
                       ", a settlement, has no batch after it");
    }
}

void JournalWalk::operator()(Authorization const& record) {
    if (!context_.has_rule(record.rule_version)) {
        refuse("names version " + std::to_string(record.rule_version) +
               " of the finality rule, which is not there");
    }
    keep(entry_->sequence, {.payment_id = record.payment_id,
                            .key = record.transfer.key,
                            .amount = record.transfer.amount,
                            .hash = entry_->hash,
                            .clearing_hash = {},
                            .net = {}});
    ++live_credits_;
}

void JournalWalk::operator()(Clearing const& record) {
    Open& open = require_open(record.authorization_sequence, record.payment_id, record.token);
    require(record.authorization_hash == open.hash, "does not hold the hash of its authorization");
    require_fee(record.fee_version, record.fee_basis_points, record.gross, record.fee);
    require(record.net + record.fee == record.gross && record.gross + record.excess == open.amount,
            "does not claim every base unit of its transfer exactly once");
    if (!record.shortfall.is_zero()) {
        require(record.excess.is_zero(), "forgives what is missing and puts something on the desk");
        auto const tolerance = context_.tolerance_of(record.payment_id, record.token);
        require(tolerance && record.shortfall <= *tolerance,
                "forgives more than the payment's tolerance");
    }
    open.clearing = entry_->sequence;
    open.clearing_hash = entry_->hash;
    open.net = record.net;
}

void JournalWalk::operator()(Settlement const& record) {
    Open const* const found = find_open(record.authorization_sequence);
    require(found != nullptr && found->clearing != 0,
            "settles what is not cleared, or is settled already");
    Open const& open = *found;
    require(record.clearing_hash == open.clearing_hash, "does not hold the hash of its clearing");
    require(record.payment_id == open.payment_id, "is of another payment than its clearing");
    require(record.net == open.net, "settles another net amount");
    require(record.batch_number == last_batch_ + 1, "names another batch than the next one");
    require(batch_count_ == 0 || open.key.token == batch_token_,
            "is of another token than the settlement before it");
    batch_token_ = open.key.token;
    batch_net_ += record.net;
    ++batch_count_;
    drop(record.authorization_sequence);
}

void JournalWalk::operator()(SettlementBatch const& record) {
    require(record.batch_number == last_batch_ + 1, "does not follow the batch before it");
    require(record.settlement_count == batch_count_ && record.net == batch_net_ &&
                record.first_sequence == head_.sequence + 1 - batch_count_ &&
                record.last_sequence == head_.sequence &&
                (batch_count_ == 0 || record.token == batch_token_),
            "does not sum up its settlements");
    last_batch_ = record.batch_number;
    batch_count_ = 0;
    batch_net_ = Amount{};
}

void JournalWalk::operator()(Unapplied const& record) {
    Open const& open = require_open(record.authorization_sequence, record.payment_id, record.token);
    require(record.authorization_hash == open.hash, "does not hold the hash of its authorization");
    require(record.amount == open.amount,
            "does not claim every base unit of its transfer exactly once");
    drop(record.authorization_sequence);
}

void JournalWalk::operator()(Withdrawal const& record) {
    require(record.unexplained <= record.transfer.amount, "has more unexplained than it moved");
    ++live_withdrawals_;
}

void JournalWalk::operator()(Reversal const& record) {
    reversed_.insert(record.reversed_sequence);
    if (record.reversed_kind == RecordKind::authorization) --live_credits_;
    if (record.reversed_kind == RecordKind::withdrawal) --live_withdrawals_;
}

void JournalWalk::operator()(Resolution const& record) {
    JournalEntry const* const entry = passed(record.payment_id, record.exception_sequence);
    Exception const exception = exception_of(entry);
    require(!exception.amount.is_zero() && entry->hash == record.exception_hash &&
                !reversed_.contains(record.exception_sequence),
            "decides about a record that is not on the desk, or not of its payment");
    require(record.token == exception.token, "is of another token than its exception");
    Amount& decided = decided_[record.exception_sequence];
    decided += record.amount;
    require(!record.amount.is_zero() && decided <= exception.amount,
            "decides about more than its exception holds");
    if (pays(record.kind)) {
        require_fee(record.fee_version, record.fee_basis_points, record.amount, record.fee);
    } else {
        require(record.fee.is_zero(), "charges a fee though it pays no payment");
    }
    require(record.kind == ResolutionKind::credit || record.target_payment_id == record.payment_id,
            "pays a payment that its kind can't pay");
    require_deciders(record.decided_by, record.approved_by);
}

void JournalWalk::operator()(Refund const& record) {
    require(!record.amount.is_zero(), "promises nothing");
    auto const [settled, promised] = settled_of(record.payment_id, record.token);
    require_known(promised + record.amount <= settled,
                  "promises more than is settled of its payment and not promised yet");
    require_deciders(record.decided_by, record.approved_by);
}

void JournalWalk::operator()(RefundPayment const& record) {
    NamedPromise const promise = require_promise(record.payment_id, record.promise_kind,
                                                 record.promise_sequence, record.promise_hash);
    Transfer const& transfer = record.transfer;
    require(record.amount == promise.amount && transfer.amount >= promise.amount,
            "does not keep its promise whole");
    require(transfer.key.token == promise.token, "is of another token than its promise");
    require(promise.recipient == Address{} || transfer.recipient == promise.recipient,
            "pays another recipient than its promise");
    require(transfer.block_number <= record.finalized_block, "rests on a block that is not final");
    require(kept_by_.insert(transfer.key).second,
            "rests on a transfer that kept another promise already");
}

void JournalWalk::operator()(RefundCancellation const& record) {
    NamedPromise const promise = require_promise(record.payment_id, record.promise_kind,
                                                 record.promise_sequence, record.promise_hash);
    require(record.amount == promise.amount, "does not take its promise back whole");
    require(record.token == promise.token, "is of another token than its promise");
    require_deciders(record.decided_by, record.approved_by);
    auto const decided = decided_.find(promise.exception);
    if (decided == decided_.end()) return;
    decided->second -= record.amount;
    if (decided->second.is_zero()) decided_.erase(decided);
}

void JournalWalk::operator()(TokenLoss const& record) {
    require(!record.amount.is_zero(), "loses nothing");
    Amount in;
    Amount out;
    for (JournalEntry const* entry : standing(record.payment_id)) {
        if (auto const* came = std::get_if<Authorization>(&entry->record)) {
            if (came->transfer.key.token == record.token) in += came->transfer.amount;
        } else if (auto const* went = std::get_if<Withdrawal>(&entry->record)) {
            if (went->transfer.key.token != record.token) continue;
            in += went->unexplained;
            out += went->transfer.amount;
        } else if (auto const* lost = std::get_if<TokenLoss>(&entry->record)) {
            require(lost->difference_id != record.difference_id, "books a difference twice");
            if (lost->token == record.token) out += lost->amount;
        }
    }
    require_known(out + record.amount <= in, "loses more than lies at its address");
    require_deciders(record.decided_by, record.approved_by);
}

void JournalWalk::operator()(FeePayment const& record) {
    require(!record.amount.is_zero(), "pays nothing");
    require(record.invoice_merchant_id != entry_->merchant_id,
            "rests on an invoice to the merchant itself");
    require(paid_invoices_.emplace(record.invoice_payment_id, record.token).second,
            "pays an invoice a second time");
}

// Of the payment's other chains nothing is known here: each journal says for itself that nothing
// had come on its own.
void JournalWalk::operator()(Cancellation const& record) {
    for (JournalEntry const* entry : standing(record.payment_id)) {
        require(!std::holds_alternative<Cancellation>(entry->record),
                "cancels a payment a second time");
        require(!std::holds_alternative<Authorization>(entry->record),
                "cancels a payment for which something had come");
    }
    require_deciders(record.decided_by, record.approved_by);
}

void JournalWalk::refuse(std::string const& what) const {
    throw WrongRow(where_ + ": " + name_of(kind_of(entry_->record), entry_->sequence) + " " + what);
}

void JournalWalk::check(JournalEntry& entry, std::span<PostedLine const> stored) {
    require_place(entry);
    require_fall();
    falls_ = 0;
    auto* const reversal = std::get_if<Reversal>(&entry.record);
    if (reversal != nullptr) reversal->postings = take_back(*reversal);
    require(entry.hash == hash_of(entry), "has been changed: its hash is not that of its content");
    Postings const meant = postings_of(entry.record);
    require_postings(stored, meant);
    RecordKind const kind = kind_of(entry.record);
    require(
        batch_count_ == 0 || kind == RecordKind::settlement || kind == RecordKind::settlement_batch,
        "stands between settlements and their batch");
    std::visit(*this, entry.record);
    for (Posting const& posting : meant)
        sheet_.post(posting);
}

void JournalWalk::require_place(JournalEntry const& entry) const {
    std::uint64_t const next = head_.sequence + 1;
    if (entry.sequence < next) {
        refuse("follows " + number(head_.sequence) + ": " + number(entry.sequence) +
               " stands twice");
    }
    if (entry.sequence > next) {
        refuse("follows " + number(head_.sequence) + ": " + number(next) + " is missing");
    }
    if (entry.previous_hash != head_.hash && start_ != 0 && head_.sequence == start_) {
        refuse("does not hold the hash that " + number(start_) +
               " had at the checkpoint: the journal was rewritten");
    }
    if (entry.previous_hash != head_.hash) {
        refuse("does not hold the hash of the record before it, " + number(head_.sequence));
    }
}

void JournalWalk::require_postings(std::span<PostedLine const> stored,
                                   Postings const& meant) const {
    for (std::size_t i = 0; i < std::max(stored.size(), meant.size()); ++i) {
        bool const both = i < stored.size() && i < meant.size();
        if (both && stored[i].line == static_cast<std::int64_t>(i) && stored[i].posting == meant[i])
            continue;
        std::string const line = "line " + std::to_string(i) + " of its postings ";
        if (i >= stored.size()) {
            refuse("has a posting too few: " + line + "is missing, " + text_of(meant[i]));
        }
        if (i >= meant.size()) {
            refuse("has a posting too many: line " + std::to_string(stored[i].line) + ", " +
                   text_of(stored[i].posting));
        }
        refuse("has other postings than it says: " + line + "should be " + text_of(meant[i]) +
               ", not line " + std::to_string(stored[i].line) + ", " + text_of(stored[i].posting));
    }
}

// What a reversal has begun goes on to the authorization without a pause.
void JournalWalk::require_fall() const {
    if (falls_ == 0) return;
    auto const* reversal = std::get_if<Reversal>(&entry_->record);
    if (reversal != nullptr && reversal->reversed_sequence == falls_) return;
    refuse("does not reverse " + number(falls_) + ", upon which the record before it left nothing");
}

// What is charged for a whole payment is found by a replay of it (find_wrong_fee).
void JournalWalk::require_fee(std::uint64_t version, std::uint32_t basis_points, Amount gross,
                              Amount fee) const {
    FeeSchedule schedule{.basis_points = basis_points};
    if (version != 0) {
        FeeSchedule const* found = context_.fees(version);
        if (found == nullptr || found->basis_points != basis_points) {
            refuse("names version " + std::to_string(version) +
                   " of the fees, which is not there or has other basis points");
        }
        schedule = *found;
    }
    if (!schedule.is_proportional()) return;
    require(fee == proportional_fee(schedule, gross),
            "charges another fee than its basis points give");
}

// What is worked out of all records of a payment can't be where some of them are gone.
void JournalWalk::require_known(bool holds, std::string const& what) const {
    if (holds) return;
    refuse(what + (start_ == 0 ? "" : ", or older records of its payment are missing"));
}

// A record from before the walk began: nobody has looked at it in this walk.
void JournalWalk::require_unchanged(JournalEntry const& older) const {
    if (older.hash == hash_of(older)) return;
    throw WrongRow(where_ + ": " + name_of(kind_of(older.record), older.sequence) +
                   " has been changed: its hash is not that of its content");
}

void JournalWalk::refuse_missing(std::string const& what) const {
    refuse("rests on " + what + ", which is missing: it is older than the checkpoint");
}

JournalWalk::Open* JournalWalk::find_open(std::uint64_t authorization) {
    if (auto const found = open_.find(authorization); found != open_.end()) return &found->second;
    auto const older = older_.find(authorization);
    if (older == older_.end()) return nullptr;
    std::uint64_t const clearing = older->second;
    older_.erase(older);
    keep(authorization, read_again(authorization, clearing));
    return &open_.find(authorization)->second;
}

JournalWalk::Open JournalWalk::read_again(std::uint64_t authorization, std::uint64_t clearing) {
    auto const found = context_.older_records(authorization);
    if (!found.authorization) refuse_missing(name_of(RecordKind::authorization, authorization));
    auto const& authorized = std::get<Authorization>(found.authorization->record);
    require_unchanged(*found.authorization);
    Open open{.payment_id = authorized.payment_id,
              .key = authorized.transfer.key,
              .amount = authorized.transfer.amount,
              .hash = found.authorization->hash,
              .clearing_hash = {},
              .net = {}};
    if (clearing == 0) return open;
    if (!found.clearing || found.clearing->sequence != clearing)
        refuse_missing(name_of(RecordKind::clearing, clearing));
    auto const& cleared = std::get<Clearing>(found.clearing->record);
    require_unchanged(*found.clearing);
    if (cleared.authorization_hash != open.hash) {
        throw WrongRow(where_ + ": " + name_of(RecordKind::clearing, clearing) +
                       " does not hold the hash of its authorization, " + number(authorization));
    }
    open.clearing = clearing;
    open.clearing_hash = found.clearing->hash;
    open.net = cleared.net;
    return open;
}

JournalWalk::Open& JournalWalk::require_open(std::uint64_t authorization, PaymentId payment_id,
                                             Address const& token) {
    Open* const found = find_open(authorization);
    require(found != nullptr,
            "is booked upon an authorization that is not live, is settled or on the desk already");
    require(found->clearing == 0, "is booked upon an authorization that is cleared already");
    require(found->payment_id == payment_id && found->key.token == token,
            "is of another payment or token than its authorization");
    return *found;
}

void JournalWalk::keep(std::uint64_t authorization, Open const& open) {
    if (auto const other = open_keys_.emplace(open.key, authorization); !other.second) {
        refuse("makes a second live authorization of the transfer of " +
               number(other.first->second));
    }
    open_.insert_or_assign(authorization, open);
}

void JournalWalk::drop(std::uint64_t authorization) {
    auto const found = open_.find(authorization);
    open_keys_.erase(found->second.key);
    open_.erase(found);
}

JournalEntry const* JournalWalk::passed(PaymentId payment_id, std::uint64_t sequence) {
    if (sequence >= entry_->sequence) return nullptr;  // not walked over yet
    for (JournalEntry const& entry : context_.records_of(payment_id)) {
        if (entry.sequence != sequence) continue;
        if (sequence <= start_) require_unchanged(entry);
        return &entry;
    }
    if (sequence != 0 && sequence <= start_) refuse_missing(number(sequence));
    return nullptr;
}

std::vector<JournalEntry const*> JournalWalk::standing(PaymentId payment_id) {
    std::vector<JournalEntry const*> entries;
    for (JournalEntry const& entry : context_.records_of(payment_id)) {
        if (entry.sequence >= entry_->sequence || reversed_.contains(entry.sequence)) continue;
        bool const is_reversal = std::holds_alternative<Reversal>(entry.record);
        if (entry.sequence <= start_ && !is_reversal) require_unchanged(entry);
        entries.push_back(&entry);
    }
    return entries;
}

// Without the settlement that the record at hand reverses, which is not among the reversed yet.
JournalWalk::Settled JournalWalk::settled_of(PaymentId payment_id, Address const& token) {
    auto const* reversal = std::get_if<Reversal>(&entry_->record);
    Settled sum;
    std::map<std::uint64_t, Address> tokens;  // of authorizations
    auto const entries = standing(payment_id);
    for (JournalEntry const* entry : entries) {
        if (reversal != nullptr && reversal->reversed_sequence == entry->sequence) continue;
        if (auto const* came = std::get_if<Authorization>(&entry->record)) {
            tokens[entry->sequence] = came->transfer.key.token;
        } else if (auto const* settled = std::get_if<Settlement>(&entry->record)) {
            if (tokens[settled->authorization_sequence] == token) sum.settled += settled->net;
        } else if (auto const* given = std::get_if<Resolution>(&entry->record)) {
            bool const to_it = pays(given->kind) && given->target_payment_id == payment_id;
            if (to_it && given->token == token) sum.settled += given->amount - given->fee;
        } else if (auto const* refund = std::get_if<Refund>(&entry->record)) {
            if (refund->token == token) sum.promised += refund->amount;
        } else if (auto const* canceled = std::get_if<RefundCancellation>(&entry->record)) {
            bool const of_refund = canceled->promise_kind == RecordKind::refund;
            if (of_refund && canceled->token == token) sum.promised -= canceled->amount;
        }
    }
    return sum;
}

JournalWalk::NamedPromise JournalWalk::require_promise(PaymentId payment_id, RecordKind kind,
                                                       std::uint64_t sequence,
                                                       Bytes32 const& hash) {
    std::optional<NamedPromise> promise;
    for (JournalEntry const* entry : standing(payment_id)) {
        Record const& record = entry->record;
        if (entry->sequence == sequence && entry->hash == hash && kind_of(record) == kind) {
            auto const* refund = std::get_if<Refund>(&record);
            auto const* resolution = std::get_if<Resolution>(&record);
            if (refund != nullptr) {
                promise = {refund->token, refund->recipient, refund->amount, 0};
            } else if (resolution != nullptr && resolution->kind == ResolutionKind::refund &&
                       resolution->payment_id == payment_id) {
                promise = {
                    resolution->token, {}, resolution->amount, resolution->exception_sequence};
            }
        } else if (auto const* paid = std::get_if<RefundPayment>(&record)) {
            require(paid->promise_sequence != sequence, "ends a promise that was kept already");
        } else if (auto const* canceled = std::get_if<RefundCancellation>(&record)) {
            require(canceled->promise_sequence != sequence,
                    "ends a promise that was taken back already");
        }
    }
    if (!promise && sequence != 0 && sequence <= start_) refuse_missing(name_of(kind, sequence));
    require(promise.has_value(), "ends a promise that is not there, or not of its payment");
    return *promise;
}

void JournalWalk::require_deciders(std::string const& decided_by,
                                   std::string const& approved_by) const {
    require(!decided_by.empty() && approved_by != decided_by,
            "was not decided by one operator, or by two");
}

JournalWalk::Open JournalWalk::opened_again(PaymentId payment_id, std::uint64_t authorization) {
    JournalEntry const* const entry = passed(payment_id, authorization);
    auto const* record = entry == nullptr ? nullptr : std::get_if<Authorization>(&entry->record);
    require(record != nullptr, "reverses what has no authorization");
    return {.payment_id = payment_id,
            .key = record->transfer.key,
            .amount = record->transfer.amount,
            .hash = entry->hash,
            .clearing_hash = {},
            .net = {}};
}

// What is live now is in an index with a unique key. Of what is not any longer, this is the only
// trace: no other record of the transfer was live meanwhile.
void JournalWalk::require_alone(TransferKey const& key, Reversal const& record) {
    auto const entries = context_.records_of(record.payment_id);
    auto const end_of = [&](std::uint64_t sequence) {
        for (JournalEntry const& entry : entries) {
            auto const* reversal = std::get_if<Reversal>(&entry.record);
            if (reversal != nullptr && reversal->reversed_sequence == sequence)
                return entry.sequence;
        }
        return entry_->sequence;
    };
    for (JournalEntry const& other : entries) {
        if (other.sequence == record.reversed_sequence || other.sequence >= entry_->sequence)
            continue;
        TransferKey const* const its = transfer_of(other.record, record.reversed_kind);
        if (its == nullptr || *its != key || end_of(other.sequence) < record.reversed_sequence)
            continue;
        refuse("reverses " + number(record.reversed_sequence) + ", of whose transfer " +
               number(other.sequence) + " was live at the same time");
    }
}

Postings JournalWalk::take_back(Reversal const& record) {
    JournalEntry const* const found = passed(record.payment_id, record.reversed_sequence);
    require(found != nullptr && found->hash == record.reversed_hash &&
                kind_of(found->record) == record.reversed_kind,
            "reverses a record that is not there");
    require(!reversed_.contains(record.reversed_sequence), "reverses a record a second time");
    require(!decided_.contains(record.reversed_sequence),
            "reverses what was decided upon at the desk");
    Record const reversed = found->record;  // `found` lasts until the next question only
    return std::visit(
        [&](auto const& one) -> Postings {
            if constexpr (requires { take_back(one, record); }) return take_back(one, record);
            refuse("reverses a record of a kind that is never reversed");
        },
        reversed);
}

Postings JournalWalk::take_back(Authorization const& authorized, Reversal const& record) {
    Open const* const open = find_open(record.reversed_sequence);
    require(open != nullptr && open->clearing == 0,
            "reverses an authorization whose clearing still stands");
    drop(record.reversed_sequence);
    require_alone(authorized.transfer.key, record);
    return mirror(postings_of(authorized));
}

Postings JournalWalk::take_back(Clearing const& cleared, Reversal const& record) {
    Open* const open = find_open(cleared.authorization_sequence);
    require(open != nullptr && open->clearing == record.reversed_sequence,
            "reverses what is settled");
    open->clearing = 0;
    falls_ = cleared.authorization_sequence;
    return mirror(postings_of(cleared));
}

// A settlement's postings stand with its batch.
Postings JournalWalk::take_back(Settlement const& settled, Reversal const& record) {
    std::uint64_t const authorization = settled.authorization_sequence;
    Open open = opened_again(record.payment_id, authorization);
    for (JournalEntry const& entry : context_.records_of(record.payment_id)) {
        auto const* cleared = std::get_if<Clearing>(&entry.record);
        if (cleared == nullptr || cleared->authorization_sequence != authorization) continue;
        if (entry.sequence <= start_) require_unchanged(entry);
        require(entry.hash == settled.clearing_hash && cleared->authorization_hash == open.hash,
                "reverses a settlement whose clearing or authorization is another one");
        open.clearing = entry.sequence;
        open.clearing_hash = entry.hash;
        open.net = cleared->net;
    }
    if (open.clearing == 0 && authorization <= start_)
        refuse_missing("the clearing of " + number(authorization));
    require(open.clearing != 0, "reverses a settlement of what is not cleared");
    auto const [still_settled, promised] = settled_of(record.payment_id, open.key.token);
    require_known(promised <= still_settled, "reverses what was promised to a payer");
    falls_ = open.clearing;
    keep(authorization, open);
    return mirror(settlement_postings(open.key.token.bytes, settled.net));
}

Postings JournalWalk::take_back(Unapplied const& unapplied, Reversal const& record) {
    falls_ = unapplied.authorization_sequence;
    Open const open = opened_again(record.payment_id, falls_);
    require(unapplied.authorization_hash == open.hash,
            "reverses what does not hold the hash of its authorization");
    keep(falls_, open);
    return mirror(postings_of(unapplied));
}

Postings JournalWalk::take_back(Withdrawal const& withdrawn, Reversal const& record) {
    require_alone(withdrawn.transfer.key, record);
    return mirror(postings_of(withdrawn));
}

LiveIndexWalk::LiveIndexWalk(std::string where, std::string table,
                             std::function<std::optional<Row>()> next)
    : at_(std::move(where) + ": " + std::move(table) + " "),
      next_(std::move(next)),
      row_(next_()) {}

void LiveIndexWalk::booked(std::uint64_t sequence, TransferKey const& key) {
    bool const has_row = row_ && row_->sequence == sequence;
    if (has_row && row_->key == key) {
        row_ = next_();
        return;
    }
    if (has_row) {
        refuse("says another transfer for " + number(sequence) + ": transaction " +
               to_hex0x(row_->key.transaction_hash) + ", ordinal " +
               std::to_string(row_->key.ordinal));
    }
    missing_.emplace(sequence, key);
    if (row_ && row_->sequence < sequence) refuse_stray(*row_);
}

void LiveIndexWalk::reversed(std::uint64_t sequence) {
    if (missing_.erase(sequence) == 0)
        refuse("has a row for " + number(sequence) + ", which is not live");
}

void LiveIndexWalk::finish() {
    if (row_) refuse_stray(*row_);
    if (!missing_.empty()) refuse("has no row for " + number(missing_.begin()->first));
}

void LiveIndexWalk::refuse(std::string const& what) const {
    throw WrongRow(at_ + what);
}

void LiveIndexWalk::refuse_stray(Row const& row) const {
    for (auto const& [sequence, key] : missing_) {
        if (key == row.key) {
            refuse("says " + number(row.sequence) + " where " + number(sequence) + " is live");
        }
    }
    refuse("has a row for " + number(row.sequence) + ", which is not live: transaction " +
           to_hex0x(row.key.transaction_hash));
}

}  // namespace sycee
