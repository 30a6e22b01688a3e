#pragma once

#include <sycee/app/chain_registry.hpp>
#include <sycee/app/ports.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/base/result.hpp>
#include <sycee/payment/desk.hpp>
#include <sycee/runtime/clock.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sycee {

struct DeskSettings {
    // A decision that brings what was decided about one exception above this value (kValueDecimals)
    // needs a second operator: no splitting of it into small ones avoids that.
    std::optional<Amount> second_operator_above;
};

// A decision as a person gives it.
struct ResolveInput {
    DeskKey exception;
    ResolutionKind kind = ResolutionKind::accept;
    std::optional<PaymentId> target;
    std::optional<Amount> amount;  // base units; all that is left if not said
    std::string reason;            // 1 to 500 bytes
    // A refund that is given its recipient at once: refused where it needs a second operator, for a
    // request keeps none.
    bool names_recipient = false;
};

// A decision was booked, or waits for a second operator.
struct Resolved {
    std::uint64_t sequence = 0;        // of its record; 0: nothing is booked
    std::optional<RequestId> request;  // where it waits
};

// The use cases of the exceptions desk. Who decides is the id of an operator or of an API key; both
// stand in the books, with the hash of the reason.
class DeskService {
  public:
    DeskService(DeskPort& desk, LedgerPort& ledger, Network const& network,
                ChainRegistry const& chains, Notifier& outbox, Clock& clock, DeskSettings settings)
        : desk_(desk),
          ledger_(ledger),
          network_(network),
          chains_(chains),
          outbox_(outbox),
          clock_(clock),
          settings_(settings) {}

    Task<DeskPage> list(DeskFilter filter, std::optional<DeskKey> after, std::size_t limit);
    Task<std::optional<DeskException>> find(DeskKey key);
    Task<std::vector<ResolutionRequest>> requests();

    // Books the decision; or, where it needs a second operator, keeps it as a request. What could
    // not be booked now is refused either way. `field` of a refusal: "exception", "amount",
    // "target", "reason", "recipient".
    Task<Result<Resolved>> resolve(ResolveInput input, std::string decided_by,
                                   std::optional<IdempotencyClaim> claim = std::nullopt);
    // By another person than the one who asked.
    Task<Result<void>> approve(RequestId id, std::string approved_by);
    Task<Result<void>> reject(RequestId id, std::string rejected_by);

  private:
    // What would be written, and whether one operator alone may not write it.
    struct Plan {
        DeskCommit commit;
        bool needs_second_operator = false;
    };

    Task<Result<Plan>> plan(ResolveInput input, std::string decided_by, std::string approved_by,
                            std::optional<RequestId> request);
    Task<std::uint64_t> write(DeskCommit commit);
    bool needs_second_operator(ExceptionItem const& exception, Amount amount) const;

    DeskPort& desk_;
    LedgerPort& ledger_;
    Network const& network_;
    ChainRegistry const& chains_;
    Notifier& outbox_;
    Clock& clock_;
    DeskSettings settings_;
};

}  // namespace sycee
