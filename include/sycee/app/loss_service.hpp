#pragma once

#include <sycee/app/desk_service.hpp>
#include <sycee/app/ports.hpp>
#include <sycee/app/reconciliation.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/base/result.hpp>
#include <sycee/runtime/clock.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sycee {

// A loss above the limit of one operator, which waits for another one.
struct LossRequest {
    RequestId id;
    MerchantId merchant_id;
    DifferenceId difference_id;
    std::string reason;
    std::string requested_by;  // the id of an operator
    Timestamp created_at{};
};

// What a loss writes: one transaction, or nothing.
struct LossCommit {
    HeadMove head;
    ChainId chain_id = 0;
    std::vector<JournalEntry> entries;  // one TokenLoss
    std::string reason;                 // the text behind its reason_hash
    std::optional<RequestId> request;   // answered by it; gone already: refused
    Timestamp now{};
};

// Differences between the books and the chain, for those who decide about them.
class LossPort {
  public:
    virtual ~LossPort() = default;
    // Oldest first.
    virtual Task<std::vector<OpenDifference>> list_open(std::size_t limit) = 0;
    virtual Task<std::optional<OpenDifference>> find_open(DifferenceId id) = 0;
    // What the books say of that one address and token, at the block that was processed last.
    virtual Task<std::optional<BookedBalances>> booked_now(OpenDifference difference) = 0;
    // Accepts it as it is: the address is free again, and what is missing is taken off what the
    // books say of it from then on. False where it is not open.
    virtual Task<bool> close(DifferenceId id, std::string reason, Timestamp now) = 0;
    // That wait, oldest first; at most a thousand.
    virtual Task<std::vector<LossRequest>> requests() = 0;
    virtual Task<void> create_request(LossRequest request) = 0;
    // False where it was answered already.
    virtual Task<bool> withdraw_request(RequestId id, Timestamp now) = 0;
    // Books the loss and closes its difference. Throws Unavailable where the journal or the
    // difference is not as it was, or the outcome is unknown.
    virtual Task<void> commit(LossCommit commit) = 0;
};

// What is missing of the token, where all of it was missing when the difference was found and still
// is: `booked` and `on_chain` are what the books and the chain say now. Pure. Refused: the two
// agree again, more lies there than the books say, or another amount is missing by now.
Result<Amount> missing_amount(OpenDifference const& found, Amount booked, Amount on_chain);

struct BookedLoss {
    OpenDifference difference;
    Amount amount;
    std::uint64_t sequence = 0;  // of its record; 0: waits for a second operator
};

// The use cases of differences between the books and the chain.
class LossService {
  public:
    // Of each chain, the nodes that are asked for their word.
    using Nodes = std::map<ChainId, std::vector<BalancePort*>>;

    LossService(LossPort& losses, LedgerPort& ledger, Network const& network, Nodes nodes,
                Clock& clock, DeskSettings settings)
        : losses_(losses),
          ledger_(ledger),
          network_(network),
          nodes_(std::move(nodes)),
          clock_(clock),
          settings_(settings) {}

    Task<std::vector<OpenDifference>> list(std::size_t limit);
    Task<std::vector<LossRequest>> requests();
    // Accepts the difference: the books stay as they are. `field` of a refusal here and below:
    // "difference", "reason", "operator".
    Task<Result<void>> accept(DifferenceId id, std::string reason);
    // Books what is missing as destroyed by the issuer, once a quorum of the nodes has said again
    // that it is, at the block that was processed last. Above the desk's limit `approved_by` must
    // be another operator; refused where there is none.
    Task<Result<BookedLoss>> book(DifferenceId id, std::string reason, std::string decided_by,
                                  std::string approved_by);
    // As book() by one operator; where it needs a second one, it is kept as a request.
    Task<Result<BookedLoss>> book_or_request(DifferenceId id, std::string reason,
                                             std::string decided_by);
    // By another operator than the one who asked.
    Task<Result<BookedLoss>> approve(RequestId id, std::string approved_by);
    Task<Result<void>> reject(RequestId id, std::string rejected_by);

    // Whether the value of it is above the desk's limit.
    bool needs_second_operator(OpenDifference const& difference) const;

  private:
    Task<Result<BookedLoss>> book(DifferenceId id, std::string reason, std::string decided_by,
                                  std::string approved_by, std::optional<RequestId> request);
    Task<std::optional<LossRequest>> find_request(RequestId id);
    Task<Result<Amount>> confirm(OpenDifference const& difference);
    // What a quorum of the chain's nodes says; nothing where none says the same.
    Task<std::optional<Amount>> word_of_quorum(OpenDifference const& difference, BlockHash at);

    LossPort& losses_;
    LedgerPort& ledger_;
    Network const& network_;
    Nodes nodes_;
    Clock& clock_;
    DeskSettings settings_;
};

}  // namespace sycee
