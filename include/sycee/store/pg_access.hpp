#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/base/result.hpp>
#include <sycee/store/database.hpp>

namespace sycee {

struct NewMerchant {
    MerchantId id;
    std::optional<MerchantId> test_twin_of;  // nothing: a live merchant
    std::string name;
    ExtendedPublicKey extended_public_key;
    FeeSchedule fees;  // its version is given by the store
    std::optional<NewWebhookEndpoint> webhook = {};
    Timestamp created_at{};
};

// Merchants, operators and sessions. What the command line creates is refused, not thrown, where it
// clashes with what exists.
class PgAccess final : public AccessPort {
  public:
    explicit PgAccess(Database& database) : database_(database) {}

    Task<std::optional<Operator>> find_operator(std::string name) override;
    Task<void> create_session(Bytes32 token_hash, OperatorId operator_id,
                              Timestamp expires_at) override;
    Task<std::optional<SessionOperator>> find_session(Bytes32 token_hash, Timestamp now) override;
    Task<void> delete_session(Bytes32 token_hash) override;

    // Refused where a test twin is there already, and where the extended key, its parent or a child
    // of it is another merchant's.
    Task<Result<void>> create_merchant(NewMerchant merchant);
    // A new version, in force from the next clearing on. Refused where there is no such merchant.
    Task<Result<FeeSchedule>> set_fees(MerchantId merchant_id, FeeSchedule schedule, Timestamp now);
    // All versions with the time they were made at, oldest first.
    Task<std::vector<std::pair<FeeSchedule, Timestamp>>> fee_schedules(MerchantId merchant_id);
    Task<Result<void>> create_operator(Operator account, Timestamp now);

  private:
    Database& database_;
};

}  // namespace sycee
