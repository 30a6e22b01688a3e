#pragma once

#include <sycee/app/api_keys.hpp>
#include <sycee/base/result.hpp>
#include <sycee/store/database.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

namespace sycee {

class GroupedKeyRead;

// What a rotation makes the new key of; the rest is the old one's.
struct RotatedKey {
    ApiKeyId id;
    Bytes32 secret_hash{};
    std::optional<Timestamp> expires_at;  // nothing: when the old key was to expire, if ever
};

// API keys, for the service and for the command line.
class PgApiKeys final : public ApiKeyPort {
  public:
    explicit PgApiKeys(Database& database);
    PgApiKeys(PgApiKeys const&) = delete;
    PgApiKeys& operator=(PgApiKeys const&) = delete;
    ~PgApiKeys() override;

    Task<std::optional<ApiKey>> find(ApiKeyId id) override;
    // Of keys that were used later than is written there.
    Task<void> note_uses(std::vector<ApiKeyUse> uses) override;

    // Nothing where there is no such merchant.
    Task<std::optional<bool>> livemode_of(MerchantId merchant_id);
    // Refused where there is no such merchant.
    Task<Result<void>> create(ApiKey key);
    // Of one merchant or of all, oldest first, those that are of no use any more as well.
    Task<std::vector<ApiKey>> list(std::optional<MerchantId> merchant_id);
    // A new key that may do what the old one may, which is valid for `overlap` from now at the
    // most. Refused for a key that is not there, is not valid any more, or was rotated before.
    Task<Result<ApiKey>> rotate(ApiKeyId old, RotatedKey fresh, Timestamp now,
                                std::chrono::milliseconds overlap);
    // False where there is no such key.
    Task<bool> revoke(ApiKeyId id, Timestamp now);

  private:
    Database& database_;
    std::unique_ptr<GroupedKeyRead> reader_;
};

}  // namespace sycee
