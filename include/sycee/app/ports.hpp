#pragma once

#include <sycee/app/idempotency.hpp>
#include <sycee/app/webhook_endpoint.hpp>
#include <sycee/base/id.hpp>
#include <sycee/base/secret.hpp>
#include <sycee/base/time.hpp>
#include <sycee/chain/block_logs.hpp>
#include <sycee/chain/header_chain.hpp>
#include <sycee/crypto/bip32.hpp>
#include <sycee/evm/block.hpp>
#include <sycee/evm/transfer.hpp>
#include <sycee/payment/advance.hpp>
#include <sycee/payment/history.hpp>
#include <sycee/payment/records.hpp>
#include <sycee/payment/state.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/task.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// What the use cases need of the world. Each port has one real implementation (node, store,
// webhook) and may have one for tests. All of them throw Unavailable for a fault that passes.
namespace sycee {

struct ChainTips {
    BlockHeader head;
    BlockHeader finalized;
};

struct ReceiptLogs {
    BlockHeader header;
    bool succeeded = false;
    std::vector<Log> logs;
};

// The chain's own coin (ether, BNB, …), which pays nothing here but is looked for when a payer
// asks.
struct NativeTransfer {
    std::optional<Address> recipient;  // nothing: the transaction creates a contract
    Amount value;                      // wei
};

// One node of one EVM chain, behind one URL. Its answers are checked for their form, and for being
// what was asked for; whether they are true is for the caller. Each call has a deadline of its own.
class EndpointPort {
  public:
    virtual ~EndpointPort() = default;
    // For logs and metrics: the origin of the URL alone, since providers put keys into paths.
    virtual std::string name() const = 0;
    virtual Task<ChainTips> tips() = 0;
    // Nothing where the node does not have that block.
    virtual Task<std::optional<BlockHeader>> header(BlockNumber number) = 0;
    // The blocks first .. last by number, each with all of its logs, read by block hash. Fewer
    // where the node's branch ends or changes meanwhile, or where it takes no more at a time.
    virtual Task<std::vector<BlockWithLogs>> blocks(BlockNumber first, BlockNumber last) = 0;
    // These blocks once more, by hash and by another method than blocks() where the node has one:
    // from the transactions' receipts. Nothing for a block that the node does not have.
    virtual Task<std::vector<std::optional<BlockWithLogs>>> blocks_again(
        std::vector<BlockHash> hashes) = 0;
    // Nothing where no block has the transaction.
    virtual Task<std::optional<ReceiptLogs>> receipt(TransactionHash hash) = 0;
    // What the transaction itself moves of the chain's own coin; nothing where no block has it.
    virtual Task<std::optional<NativeTransfer>> native_transfer(TransactionHash hash) = 0;
    // Returns when a head was announced after the last call of tips() began, at the latest after
    // `limit`. One caller at a time.
    virtual Task<void> wait_for_head(std::chrono::milliseconds limit) = 0;
    virtual Task<ChainId> chain_id() = 0;
    // Throw std::runtime_error where the contract does not answer as a token does.
    virtual Task<unsigned> token_decimals(Address token) = 0;
    virtual Task<std::string> token_symbol(Address token) = 0;
    virtual Task<Amount> token_balance(Address token, Address holder) = 0;
};

// A node asks for a pause: HTTP 429 or a limit of the provider's.
class RateLimited : public Unavailable {
  public:
    RateLimited(std::string const& what, std::chrono::milliseconds retry_after)
        : Unavailable(what), retry_after_(retry_after) {}
    std::chrono::milliseconds retry_after() const { return retry_after_; }

  private:
    std::chrono::milliseconds retry_after_;
};

// A transaction as a node has it, in a block or not.
struct PendingTransaction {
    TransactionHash hash{};
    Address sender;
    std::uint64_t nonce = 0;
    std::optional<Address> recipient;  // nothing: it creates a contract
    std::vector<std::uint8_t> data;    // the first bytes, as far as decode_transfer_call() looks
    std::optional<BlockNumber> block_number;  // nothing: in the mempool
};

// What a node announced; some nodes tell the whole transaction at once.
struct PendingAnnouncement {
    TransactionHash hash{};
    std::optional<PendingTransaction> transaction;
};

struct PendingAnnouncements {
    std::vector<PendingAnnouncement> announced;  // oldest first
    std::size_t forgotten = 0;  // since the last call: more were announced than were taken
};

// The mempool of one node. Nothing of it is more than a word of somebody unknown.
class MempoolPort {
  public:
    virtual ~MempoolPort() = default;
    // As EndpointPort's.
    virtual std::string name() const = 0;
    // Takes up to `most` announcements; waits for a first one, at the latest until `limit`.
    virtual Task<PendingAnnouncements> take_announced(std::size_t most,
                                                      std::chrono::milliseconds limit) = 0;
    // These transactions, in the order of the hashes; nothing for one that the node does not have,
    // or that is none as we know them.
    virtual Task<std::vector<std::optional<PendingTransaction>>> transactions(
        std::vector<TransactionHash> hashes) = 0;
};

struct CompleteBlock {
    ProcessedBlock block;
    std::vector<Log> logs;
};

// One EVM chain, as its follower reads it: through one node or through several.
class ChainPort {
  public:
    virtual ~ChainPort() = default;
    // One node's word.
    virtual Task<ChainTips> tips() = 0;
    // A final block to begin with, by the word of a quorum of the nodes. Throws Unavailable where
    // there is none yet.
    virtual Task<BlockHeader> first_block() {
        ChainTips const said = co_await tips();
        co_return said.finalized;
    }
    // How far our chain is final, by those tips and, where there are several nodes, by what a
    // quorum of them calls final. At least ours.finalized().
    virtual BlockNumber final_to(HeaderChain const& ours, ChainTips const& tips) {
        // A tag of another branch says nothing about ours, and as long as we have not read the
        // block that it names, we do not know of which branch it is.
        ProcessedBlock const* named = ours.at(tips.finalized.number);
        bool const is_ours = named != nullptr && named->header.hash == tips.finalized.hash;
        return is_ours ? std::max(tips.finalized.number, ours.finalized()) : ours.finalized();
    }
    virtual Task<std::optional<BlockHeader>> header(BlockNumber number) = 0;
    // The blocks first .. last, each proved complete. Fewer where the branch changes meanwhile;
    // throws Unavailable where the first can't be proved.
    virtual Task<std::vector<CompleteBlock>> blocks(BlockNumber first, BlockNumber last) = 0;
    // Reads processed blocks once more, where it can by another node and another method: the
    // digests of their logs.
    virtual Task<std::vector<Bytes32>> digests_again(std::vector<ProcessedBlock> blocks) = 0;
    // How far, from the finalized block up, a quorum of the nodes says the same as we processed.
    // Asks the nodes in the background; wait_for_head() returns when the answer has changed.
    virtual BlockNumber agreed_to(HeaderChain const& ours) = 0;
    // A transaction, for whoever asks where a transfer went.
    virtual Task<std::optional<ReceiptLogs>> receipt(TransactionHash hash) = 0;
    virtual Task<std::optional<NativeTransfer>> native_transfer(TransactionHash hash) = 0;
    // The lowest block of ours in which a quorum of the nodes reads other logs: we have misread it.
    // The nodes are read from by those that know better from then on.
    virtual std::optional<BlockNumber> misread(HeaderChain const&) { return std::nullopt; }
    // Whether as many nodes as the quorum, and more than half of them, call another block final in
    // the place of this final one of ours. Whoever has another block there is not read from for a
    // while.
    virtual Task<bool> is_contradicted(BlockHeader) { co_return true; }
    // Returns when there is a new head or more agreement, at the latest after `limit`.
    virtual Task<void> wait_for_head(std::chrono::milliseconds limit) = 0;
};

using PaymentKey = std::pair<MerchantId, PaymentId>;

struct WatchedAddress {
    Address address;
    PaymentKey payment;
};

struct NewAddress {
    MerchantId merchant_id;
    std::uint64_t derivation_index = 0;
    Address address;
    Timestamp expires_at{};
};

struct FollowedChain {
    std::vector<ProcessedBlock> blocks;  // as HeaderChain wants them
    BlockNumber finalized = 0;
};

// The right to follow a chain, for a time. Among several processes one has it; each holder gets a
// higher token than the one before, and every write is refused that has not the newest one: a
// holder that slept through its end cannot write any more.
struct Lease {
    std::uint64_t token = 0;
    std::chrono::milliseconds time_left{};
};

// What a shop is told, without the words: those are made of the payment's records when it is sent,
// and are the same at every attempt, since records are never changed.
struct OutboxEvent {
    EventId id;
    MerchantId merchant_id;
    PaymentId payment_id;
    std::string type;
    PaymentStatus status = PaymentStatus::open;
    ChainId chain_id = 0;               // of the record that it is about
    std::uint64_t record_sequence = 0;  // 0: of none, nothing was booked
    JournalPositions positions;         // the payment is told as it stood then (state_at)
    bool goods_may_be_released = false;
    Timestamp created_at{};
    // In the merchant's feed: from 1, without a gap, in the order of the commits. Given by the
    // store when it is written; 0: none.
    std::uint64_t sequence = 0;
};

struct HeadMove {
    MerchantId merchant_id;
    JournalHead from;
    JournalHead to;
};

// Why a chain's final blocks were taken back, and on whose word.
struct RepairNote {
    BlockNumber from_head = 0;
    BlockNumber from_finalized = 0;
    std::string ordered_by;  // ids of two operators
    std::string approved_by;
    std::string reason;
};

// Everything that one step of a chain writes: one transaction, or nothing.
struct ChainCommit {
    ChainId chain_id = 0;
    std::uint64_t lease_token = 0;
    BlockHeader
        expected_head;  // where our cursor stands; another place means another writer: refused
    std::optional<BlockNumber> rolled_back_to;
    std::uint64_t reorg_depth = 0;
    std::vector<ProcessedBlock> added;
    BlockNumber agreed = 0;
    BlockNumber finalized = 0;
    BlockNumber oldest_open = 0;  // no payment has anything left to do in a block below
    std::vector<JournalEntry> entries;
    std::vector<HeadMove> heads;
    std::vector<OutboxEvent> events;
    // The payments of which nothing was booked when the step was decided: `entries` has all of
    // their records.
    std::vector<Payment> first_booked;
    // Where there are several chains: what the others and the desk had done to the payments, when
    // the step was decided (foreign_fingerprint). Changed since: refused.
    std::vector<std::pair<PaymentKey, Bytes32>> foreign;
    // And where their merchants' journals of the other chains were: a merchant none of whose has
    // moved need not be compared.
    std::map<MerchantId, JournalPositions> other_journals;
    std::optional<RepairNote> repair;  // finalized blocks are taken back
    Timestamp now{};
};

// The deposit addresses, as the books have them.
class AddressPort {
  public:
    virtual ~AddressPort() = default;
    // The deposit addresses that were given out since: of each merchant from that derivation index
    // on, and all of a merchant that is not named. An index is taken and its payment written in one
    // transaction, one after the other, so that none is ever skipped.
    virtual Task<std::vector<NewAddress>> load_new_addresses(
        std::vector<std::pair<MerchantId, std::uint64_t>> known) = 0;
    // Which of these are deposit addresses, of whatever age.
    virtual Task<std::vector<WatchedAddress>> find_addresses(std::vector<Address> addresses) = 0;
};

// The books.
class LedgerPort : public AddressPort {
  public:
    // Takes or keeps the lease, for that long from now by the database's clock; nothing where
    // another holder has it.
    virtual Task<std::optional<Lease>> acquire_lease(ChainId chain_id, std::string holder,
                                                     std::chrono::milliseconds time) = 0;
    virtual Task<void> release_lease(ChainId chain_id, Lease lease) = 0;
    // The newest version of the chain's rule, after storing this one where it differs from it.
    virtual Task<FinalityRule> use_rule(ChainId chain_id, FinalityRule rule, Timestamp now) = 0;
    // Nothing where this chain has never been followed.
    virtual Task<std::optional<FollowedChain>> load_chain(ChainId chain_id) = 0;
    // As other processes left it; nothing where this chain has never been followed.
    virtual Task<std::optional<ChainProgress>> load_progress(ChainId chain_id) = 0;
    virtual Task<void> begin_chain(ChainId chain_id, Lease lease, ProcessedBlock block,
                                   Timestamp now) = 0;
    // Payments that a step of this chain may still move.
    virtual Task<std::vector<PaymentState>> load_open(ChainId chain_id) = 0;
    // The merchants of these payments, each with the payments named, and `merchants` besides,
    // without any: all as of one moment.
    virtual Task<std::vector<MerchantView>> load_views(ChainId chain_id,
                                                       std::vector<PaymentKey> payments,
                                                       std::vector<MerchantId> merchants) = 0;
    // Throws InvariantViolation where the books refuse a row or a balance; Unavailable where the
    // lease, the cursor, a journal head or a payment is not as it was, or the outcome is unknown:
    // load the chain again to find out.
    virtual Task<void> commit(ChainCommit commit) = 0;
    virtual Task<void> record_stop(ChainId chain_id, Lease lease, std::string reason) = 0;
};

// What a repair of a chain needs to know of the books besides.
class RepairPort {
  public:
    virtual ~RepairPort() = default;
    // The headers that are kept, also those below the finalized block.
    virtual Task<std::vector<ProcessedBlock>> load_kept_blocks(ChainId chain_id) = 0;
    // The payments that have a live transfer in a block above that number.
    virtual Task<std::vector<PaymentKey>> payments_above(ChainId chain_id, BlockNumber number) = 0;
};

// The place of money on the exceptions desk: the record that put it there.
struct DeskKey {
    MerchantId merchant_id;
    ChainId chain_id = 0;
    std::uint64_t sequence = 0;  // of an unapplied record, a clearing with excess or a withdrawal

    auto operator<=>(DeskKey const&) const = default;
};

// What was decided about an exception, by whom, and why.
struct DeskDecision {
    std::uint64_t sequence = 0;  // of the resolution
    ResolutionKind kind = ResolutionKind::accept;
    PaymentId target_payment_id;  // the payment that it pays; that of the exception where none
    Amount amount;
    std::string reason;       // empty: the text was not kept
    std::string decided_by;   // the id of an operator, or of an API key
    std::string approved_by;  // of a second operator; empty: one was enough
    Timestamp decided_at{};
};

struct DeskException {
    DeskKey key;
    Bytes32 hash{};  // of that record
    PaymentId payment_id;
    Transfer transfer;
    std::string reason;  // of UnappliedReason; "overpaid"; "unexplained"
    Amount amount;
    Amount resolved;
    bool is_final = false;  // only then may anything be decided
    Timestamp booked_at{};
    std::vector<DeskDecision> decisions;  // the newest hundred, in the order in which they fell
};

struct DeskFilter {
    std::optional<MerchantId> merchant_id;  // nothing: of all of them
    std::optional<PaymentId> payment_id;    // at whose address the money came in
    bool open_only = true;                  // something is left to decide
};

struct DeskPage {
    std::vector<DeskException> exceptions;
    bool has_more = false;
};

// A decision above the limit of one operator, which waits for another one.
struct ResolutionRequest {
    RequestId id;
    DeskKey exception;
    ResolutionKind kind = ResolutionKind::accept;
    PaymentId target_payment_id;  // nil where the kind has none
    Amount amount;
    std::string reason;
    std::string requested_by;  // the id of an operator, or of an API key
    Timestamp created_at{};
};

// What a decision writes: one transaction, or nothing.
struct DeskCommit {
    HeadMove head;
    ChainId chain_id = 0;
    std::vector<JournalEntry> entries;
    std::vector<OutboxEvent> events;
    std::string reason;                // the text behind the records' reason_hash
    std::optional<RequestId> request;  // answered by it; gone already: refused
    std::optional<IdempotencyClaim> claim;
    // foreign_fingerprint of the payment that is paid, as for a chain that does not exist
    std::vector<std::pair<PaymentKey, Bytes32>> foreign;
    Timestamp now{};
};

// The exceptions desk.
class DeskPort {
  public:
    virtual ~DeskPort() = default;
    // Newest first, older than `after`.
    virtual Task<DeskPage> list(DeskFilter filter, std::optional<DeskKey> after,
                                std::size_t limit) = 0;
    virtual Task<std::optional<DeskException>> find(DeskKey key) = 0;
    // That wait, oldest first; at most a thousand.
    virtual Task<std::vector<ResolutionRequest>> requests() = 0;
    virtual Task<std::optional<ResolutionRequest>> find_request(RequestId id) = 0;
    // Throws KeyWasUsed, as commit() does, where what it claims was claimed before.
    virtual Task<void> create_request(ResolutionRequest request,
                                      std::optional<IdempotencyClaim> claim) = 0;
    // False where it was answered already.
    virtual Task<bool> withdraw_request(RequestId id) = 0;
    // Throws Unavailable where the head, a payment or the request is not as it was, or the outcome
    // is unknown.
    virtual Task<void> commit(DeskCommit commit) = 0;
};

struct NewPayment {
    MerchantId merchant_id;
    PaymentId id;
    std::string currency;
    Amount price;
    std::vector<PaymentOption> options;
    std::string reference;
    std::string description;
    std::vector<std::pair<std::string, std::string>> metadata;
    std::string success_url;
    Timestamp created_at{};
    Timestamp expires_at{};
    std::optional<IdempotencyClaim> claim;
    std::shared_ptr<PriceQuote const> quote = nullptr;  // these two as of Payment
    bool open_amount = false;
};

// Gives the deposit address at an index below the merchant's extended public key, or below its
// receiving key; nothing for the one index in 2^127 that has none.
using DeriveAddress =
    std::function<std::optional<Address>(ExtendedPublicKey const&, std::uint64_t index)>;

struct PaymentPage {
    std::vector<PaymentState> payments;
    bool has_more = false;
};

class PaymentPort {
  public:
    virtual ~PaymentPort() = default;
    // Takes the merchant's next index and stores the payment, in one transaction. Throws KeyWasUsed
    // where what it claims was claimed before.
    virtual Task<Payment> create(NewPayment payment, DeriveAddress derive) = 0;
    virtual Task<std::optional<PaymentState>> find(MerchantId merchant_id, PaymentId id) = 0;
    // For the checkout page, where the id is all there is.
    virtual Task<std::optional<PaymentState>> find_public(PaymentId id) = 0;
    // Newest first, after (older than) `after`. Without a merchant: of all of them, for the
    // dashboard.
    virtual Task<PaymentPage> list(std::optional<MerchantId> merchant_id,
                                   std::optional<PaymentId> after, std::size_t limit) = 0;
};

struct Merchant {
    MerchantId id;
    std::string name;
    std::string extended_public_key;
    FeeSchedule fees;  // in force
    Timestamp created_at{};
};

struct Operator {
    OperatorId id;
    std::string name;
    std::string password_hash;
};

// Who a session belongs to.
struct SessionOperator {
    OperatorId id;
    std::string name;
};

// Who may use the dashboard.
class AccessPort {
  public:
    virtual ~AccessPort() = default;
    virtual Task<std::optional<Operator>> find_operator(std::string name) = 0;
    virtual Task<void> create_session(Bytes32 token_hash, OperatorId operator_id,
                                      Timestamp expires_at) = 0;
    // Nothing once the session has ended.
    virtual Task<std::optional<SessionOperator>> find_session(Bytes32 token_hash,
                                                              Timestamp now) = 0;
    virtual Task<void> delete_session(Bytes32 token_hash) = 0;
};

// An event with what its words are made of.
struct ToldEvent {
    OutboxEvent event;
    PaymentState state;             // as it stood at the event
    Bytes32 record_hash{};          // of the record that it is about, if there is one
    std::optional<Transfer> moved;  // of a withdrawal
};

struct PendingDelivery {
    ToldEvent told;  // of kTestEvent its id, merchant, type and time alone
    WebhookEndpointId endpoint_id;
    std::string url;
    std::vector<std::vector<std::uint8_t>> sealed_secrets;  // each of them signs; the newest first
    unsigned attempts = 0;                                  // made before
    unsigned failures = 0;  // of these, since the delivery was asked for

    DeliveryKey key() const { return {told.event.merchant_id, endpoint_id, told.event.id}; }
};

class OutboxPort {
  public:
    virtual ~OutboxPort() = default;
    // Makes deliveries of the oldest events that have none: one for each of the merchant's
    // endpoints that wants the event, once, whoever else does the same meanwhile. How many events.
    virtual Task<std::size_t> fan_out(Timestamp now, std::size_t limit) = 0;
    // Deliveries that are due, oldest first, to all endpoints but these.
    virtual Task<std::vector<PendingDelivery>> due(std::vector<WebhookEndpointId> beside,
                                                   Timestamp now, std::size_t limit) = 0;
    virtual Task<void> record(std::vector<DeliveryAttempt> attempts) = 0;
};

// A delivery of one of a payment's events.
struct DeliveryRow {
    WebhookDelivery delivery;
    std::string url;  // empty: the endpoint was deleted
    std::vector<DeliveryAttempt> attempts;
};

struct EventRow {
    OutboxEvent event;
    bool is_waiting = false;  // for its deliveries to be made
};

// The texts of resolutions' reasons, by chain and sequence.
using ResolutionReasons = std::map<std::pair<ChainId, std::uint64_t>, std::string>;

struct PaymentTimeline {
    std::vector<JournalEntry> records;  // of this payment, in booking order
    std::vector<JournalEntry> batches;  // the journals of its settlements
    std::vector<EventRow> events;
    std::vector<DeliveryRow> deliveries;
    ResolutionReasons reasons;
};

struct BalanceRow {
    MerchantId merchant_id;
    std::string merchant_name;
    ChainId chain_id = 0;
    Address token;
    Account account = Account::coins;
    BalanceSheet::Balance balance;
};

// How far the books of a chain were compared with the balances on it.
struct ReconciliationStatus {
    BlockNumber block_number = 0;
    Timestamp compared_at{};
    std::uint64_t compared = 0;               // balances, in the last check
    std::optional<Timestamp> round_ended_at;  // of the last round over all addresses
    std::string fault;                        // why some could not be compared; empty: all were
    std::uint64_t open_differences = 0;
};

struct ChainStatus {
    ChainId chain_id = 0;
    BlockHeader head;
    BlockNumber finalized = 0;
    Timestamp processed_at{};
    std::optional<Timestamp> last_reorg_at;
    std::uint64_t last_reorg_depth = 0;
    std::string stopped_reason;  // empty: running
    std::optional<ReconciliationStatus> reconciliation;
};

// What the dashboard and the command line show.
class ReportPort {
  public:
    virtual ~ReportPort() = default;
    virtual Task<std::vector<Merchant>> merchants() = 0;
    virtual Task<PaymentTimeline> timeline(PaymentKey payment) = 0;
    virtual Task<std::vector<BalanceRow>> balances() = 0;
    virtual Task<std::vector<ChainStatus>> chains() = 0;
    virtual Task<bool> ready() = 0;  // reachable, with the schema of this program
};

}  // namespace sycee
