#pragma once

#include <sycee/app/idempotency.hpp>
#include <sycee/store/database.hpp>

namespace sycee {

class PgIdempotency final : public IdempotencyPort {
  public:
    explicit PgIdempotency(Database& database) : database_(database) {}

    Task<std::optional<UsedKey>> find(MerchantId merchant_id, std::string key) override;
    Task<void> keep(MerchantId merchant_id, IdempotencyClaim claim, KeptAnswer answer,
                    Timestamp now) override;
    Task<std::size_t> forget(Timestamp time, std::size_t limit) override;

  private:
    Database& database_;
};

}  // namespace sycee
