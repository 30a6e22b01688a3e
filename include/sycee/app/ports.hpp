#pragma once

#include <sycee/base/id.hpp>
#include <sycee/base/secret.hpp>
#include <sycee/base/time.hpp>
#include <sycee/crypto/bip32.hpp>
#include <sycee/evm/block.hpp>
#include <sycee/evm/transfer.hpp>
#include <sycee/payment/advance.hpp>
#include <sycee/payment/records.hpp>
#include <sycee/payment/state.hpp>
#include <sycee/runtime/task.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
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

struct BlockWithLogs {
    BlockHeader header;
    std::vector<Log> logs;  // Transfer logs of the configured tokens, of exactly this block
};

// One EVM chain, read through a node.
class ChainPort {
  public:
    virtual ~ChainPort() = default;
    virtual Task<ChainTips> tips() = 0;
    // Nothing where the node does not have that block.
    virtual Task<std::optional<BlockHeader>> header(BlockNumber number) = 0;
    // The blocks first .. last with their logs, read by block hash. May answer fewer where the
    // node's branch changes meanwhile.
    virtual Task<std::vector<BlockWithLogs>> blocks(BlockNumber first, BlockNumber last) = 0;
    // Returns when a new head is announced, at the latest after `limit`.
    virtual Task<void> wait_for_head(std::chrono::milliseconds limit) = 0;
    virtual Task<ChainId> chain_id() = 0;
    // Throws std::runtime_error where the contract does not answer as a token does.
    virtual Task<unsigned> token_decimals(Address token) = 0;
    virtual Task<Amount> token_balance(Address token, Address holder) = 0;
};

using PaymentKey = std::pair<MerchantId, PaymentId>;

struct WatchedAddress {
    Address address;
    PaymentKey payment;
};

struct FollowedChain {
    std::vector<BlockHeader> headers;  // as HeaderChain wants them
    BlockNumber finalized = 0;
};

struct OutboxEvent {
    EventId id;
    MerchantId merchant_id;
    PaymentId payment_id;
    std::string type;
    std::string payload;  // the JSON body, sent byte for byte on every attempt
    Timestamp created_at{};
};

struct HeadMove {
    MerchantId merchant_id;
    JournalHead from;
    JournalHead to;
};

// Everything that one step of a chain writes: one transaction, or nothing.
struct ChainCommit {
    ChainId chain_id = 0;
    BlockHeader
        expected_head;  // where our cursor stands; another place means another writer: refused
    std::optional<BlockNumber> rolled_back_to;
    std::uint64_t reorg_depth = 0;
    std::vector<BlockHeader> added;
    BlockNumber finalized = 0;
    std::vector<JournalEntry> entries;
    std::vector<HeadMove> heads;
    std::vector<OutboxEvent> events;
    Timestamp now{};
};

// The books.
class LedgerPort {
  public:
    virtual ~LedgerPort() = default;
    // Nothing where this chain has never been followed.
    virtual Task<std::optional<FollowedChain>> load_chain(ChainId chain_id) = 0;
    virtual Task<void> begin_chain(ChainId chain_id, BlockHeader header, Timestamp now) = 0;
    // Payments that a step of this chain may still move.
    virtual Task<std::vector<PaymentState>> load_open(ChainId chain_id) = 0;
    // The merchants of these payments, each with the payments named.
    virtual Task<std::vector<MerchantView>> load_views(ChainId chain_id,
                                                       std::vector<PaymentKey> payments) = 0;
    // Throws InvariantViolation where the books refuse a row or a balance; Unavailable where the
    // cursor or a journal head is not where it was, or the outcome is unknown: load the chain again
    // to find out.
    virtual Task<void> commit(ChainCommit commit) = 0;
    virtual Task<void> record_stop(ChainId chain_id, std::string reason) = 0;
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
};

// Gives the deposit address at an index below the merchant's extended public key; nothing for the
// one index in 2^127 that has none.
using DeriveAddress =
    std::function<std::optional<Address>(ExtendedPublicKey const&, std::uint64_t index)>;

struct PaymentPage {
    std::vector<PaymentState> payments;
    bool has_more = false;
};

class PaymentPort {
  public:
    virtual ~PaymentPort() = default;
    // Takes the merchant's next index and stores the payment, in one transaction. `announce` is
    // called with the payment on the caller's thread, also where the outcome of the commit is
    // unknown.
    virtual Task<Payment> create(NewPayment payment, DeriveAddress derive,
                                 std::function<void(Payment const&)> announce) = 0;
    virtual Task<std::optional<PaymentState>> find(MerchantId merchant_id, PaymentId id) = 0;
    // For the checkout page, where the id is all there is.
    virtual Task<std::optional<PaymentState>> find_public(PaymentId id) = 0;
    // Newest first, after (older than) `after`. Without a merchant: of all of them, for the
    // dashboard.
    virtual Task<PaymentPage> list(std::optional<MerchantId> merchant_id,
                                   std::optional<PaymentId> after, std::size_t limit) = 0;
    virtual Task<std::vector<WatchedAddress>> load_addresses() = 0;
};

struct Merchant {
    MerchantId id;
    std::string name;
    std::string extended_public_key;
    std::uint32_t fee_basis_points = 0;
    std::string webhook_url;  // empty: none
    Timestamp created_at{};
};

struct ApiKeyRow {
    ApiKeyId id;
    MerchantId merchant_id;
    std::string label;
    Bytes32 secret_hash{};
    Timestamp created_at{};
    std::optional<Timestamp> revoked_at;
};

struct Operator {
    OperatorId id;
    std::string name;
    std::string password_hash;
};

// Who may do what.
class AccessPort {
  public:
    virtual ~AccessPort() = default;
    virtual Task<std::optional<ApiKeyRow>> find_api_key(ApiKeyId id) = 0;
    virtual Task<std::optional<Operator>> find_operator(std::string name) = 0;
    virtual Task<void> create_session(Bytes32 token_hash, OperatorId operator_id,
                                      Timestamp expires_at) = 0;
    // The operator's name, while the session lasts.
    virtual Task<std::optional<std::string>> find_session(Bytes32 token_hash, Timestamp now) = 0;
    virtual Task<void> delete_session(Bytes32 token_hash) = 0;
};

struct PendingDelivery {
    OutboxEvent event;
    std::string url;
    std::vector<std::uint8_t> sealed_secret;
    unsigned attempts = 0;  // made before
};

struct DeliveryAttempt {
    EventId event_id;
    MerchantId merchant_id;
    unsigned attempt = 0;  // from 1
    Timestamp at{};
    unsigned status = 0;  // of the answer; 0: none came
    std::string error;
    std::optional<Timestamp> next_attempt_at;  // nothing: delivered, or given up
    bool delivered = false;
};

class OutboxPort {
  public:
    virtual ~OutboxPort() = default;
    virtual Task<std::vector<PendingDelivery>> due(Timestamp now, std::size_t limit) = 0;
    virtual Task<void> record(DeliveryAttempt attempt) = 0;
};

struct DeliveryRow {
    std::string event_type;
    DeliveryAttempt attempt;
};

struct EventRow {
    OutboxEvent event;
    unsigned attempts = 0;
    std::optional<Timestamp> next_attempt_at;
    bool delivered = false;
};

struct PaymentTimeline {
    std::vector<JournalEntry> records;  // of this payment, in booking order
    std::vector<JournalEntry> batches;  // the journals of its settlements
    std::vector<EventRow> events;
    std::vector<DeliveryRow> deliveries;
};

struct BalanceRow {
    MerchantId merchant_id;
    std::string merchant_name;
    ChainId chain_id = 0;
    Address token;
    Account account = Account::coins;
    BalanceSheet::Balance balance;
};

struct ChainStatus {
    ChainId chain_id = 0;
    BlockHeader head;
    BlockNumber finalized = 0;
    Timestamp processed_at{};
    std::optional<Timestamp> last_reorg_at;
    std::uint64_t last_reorg_depth = 0;
    std::string stopped_reason;  // empty: running
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
