#pragma once

#include <sycee/app/chain_registry.hpp>
#include <sycee/app/desk_service.hpp>
#include <sycee/app/refund_claims.hpp>
#include <sycee/app/refund_ports.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/base/result.hpp>
#include <sycee/payment/refund.hpp>
#include <sycee/runtime/clock.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sycee {

struct RefundSettings {
    std::optional<Amount> second_operator_above;  // as the desk's (DeskSettings)
    std::chrono::milliseconds every{5'000};       // between two looks for what was reported
    std::size_t reports = 50;                     // that one look asks for
    Bytes32 claim_key{};                          // of RefundClaims
};

// Settled money of a payment, to be promised back.
struct CreateRefund {
    PaymentKey payment;
    ChainId chain_id = 0;
    Address token;
    Amount amount;
    std::optional<Address> recipient;  // may be given later, by the payer
    std::string reason;                // 1 to 500 bytes
};

// Money of the exceptions desk, to be promised back.
struct RefundException {
    DeskKey exception;
    std::optional<Amount> amount;      // all that is left if not said
    std::optional<Address> recipient;  // may be given later
    std::string reason;
};

// A promise was booked, or waits for a second operator.
struct PromisedRefund {
    RefundKey refund;
    std::optional<RequestId> request;  // where it waits; nothing is booked then
};

// The use cases of refunds. Sycee has no key: a refund is promised here, the merchant sends it from
// whatever wallet and reports the transaction, and once a quorum of the nodes says that it is there
// and final, the promise is kept.
class RefundService {
  public:
    using Nodes = std::map<ChainId, std::vector<EndpointPort*>>;

    RefundService(RefundPort& refunds, DeskService& desk, LedgerPort& ledger,
                  Network const& network, ChainRegistry const& chains, Nodes nodes,
                  Notifier& outbox, Clock& clock, RefundSettings settings)
        : refunds_(refunds),
          desk_(desk),
          ledger_(ledger),
          network_(network),
          chains_(chains),
          nodes_(std::move(nodes)),
          outbox_(outbox),
          clock_(clock),
          settings_(settings),
          claims_(settings.claim_key) {}

    Task<RefundPage> list(RefundFilter filter, std::optional<RefundKey> after, std::size_t limit);
    Task<std::optional<RefundDetail>> find(RefundKey key);
    Task<std::vector<RefundRequest>> requests();
    // The link by which the payer says where it goes; empty where the refund needs none, since it
    // names its recipient or has ended.
    std::string claim_url(RefundDetail const& refund) const;
    // The refund of such a link, by what stands in it below "/refund/".
    Task<std::optional<RefundDetail>> find_claimed(std::string path);

    // `field` of a refusal: "payment", "exception", "recipient", "amount", "reason".
    Task<Result<PromisedRefund>> create(CreateRefund input, std::string decided_by,
                                        std::optional<IdempotencyClaim> claim = std::nullopt);
    Task<Result<PromisedRefund>> create(RefundException input, std::string decided_by,
                                        std::optional<IdempotencyClaim> claim = std::nullopt);
    // By another person than the one who asked.
    Task<Result<RefundKey>> approve(RequestId id, std::string approved_by);
    Task<Result<void>> reject(RequestId id, std::string rejected_by);
    // To whom a promise goes that names nobody; once. Refused: "refund", "recipient".
    Task<Result<void>> give_recipient(RefundKey key, Address recipient, std::string given_by);
    // The merchant says that it paid. Booked at once where the chain says so for good, looked for
    // otherwise. Refused: "refund"; "recipient" where none is known; "transaction" where it is
    // there and does not keep the promise.
    Task<Result<void>> report(RefundKey key, TransactionHash transaction, std::string reported_by);
    // Again changes nothing. Refused, with the field "refund": one that is paid, or that a reported
    // transaction may still pay.
    Task<Result<void>> cancel(RefundKey key, std::string reason, std::string decided_by);

    // Looks for what was reported. Ends only by cancellation.
    Task<void> run();
    // One look at one chain: how many promises were found kept.
    Task<std::size_t> check(ChainId chain_id);

  private:
    // What a quorum of the nodes says of a transaction.
    struct Seen {
        BlockHeader header;
        bool succeeded = false;
        std::vector<Transfer> transfers;  // of the token that was asked for

        bool operator==(Seen const& other) const {
            return header.hash == other.header.hash && header.number == other.header.number &&
                   succeeded == other.succeeded && transfers == other.transfers;
        }
    };
    // What would be written, and whether one operator alone may not write it.
    struct Plan {
        RefundCommit commit;
        bool needs_second_operator = false;
    };
    // What comes of comparing the two.
    struct Finding {
        std::string problem;  // it does not keep the promise; empty: it does
        Transfer transfer;
        bool is_final = false;
    };

    Task<std::optional<Seen>> look(ChainId chain_id, Address token, TransactionHash transaction);
    // Nothing where the nodes do not say the same, or do not have it.
    Task<std::optional<Finding>> examine(RefundDetail refund, TransactionHash transaction);
    Task<bool> settle(RefundDetail refund, Transfer transfer);
    // Whether it was found kept.
    Task<bool> check_report(DueReport due);
    Task<Result<void>> check_not_ours(Address recipient);
    // Refused while a transaction that was reported may still pay it.
    Task<Result<void>> check_no_payment(RefundDetail refund);
    Task<Result<Plan>> plan(CreateRefund input, std::string decided_by, std::string approved_by,
                            std::optional<RequestId> request);
    Task<RefundKey> write(RefundCommit commit);
    Task<std::optional<MerchantView>> view_of(MerchantId merchant_id, ChainId chain_id,
                                              PaymentId payment_id);
    RefundCommit commit_of(MerchantId merchant_id, ChainId chain_id,
                           std::vector<std::pair<PaymentKey, Bytes32>> foreign, MerchantStep&& step,
                           Timestamp now) const;
    bool needs_second_operator(PaymentState const& state, CreateRefund const& input) const;

    RefundPort& refunds_;
    DeskService& desk_;
    LedgerPort& ledger_;
    Network const& network_;
    ChainRegistry const& chains_;
    Nodes nodes_;
    Notifier& outbox_;
    Clock& clock_;
    RefundSettings settings_;
    RefundClaims claims_;
};

}  // namespace sycee
