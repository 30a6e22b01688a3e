#pragma once

#include <sycee/app/expiry_teller.hpp>
#include <sycee/store/database.hpp>

namespace sycee {

// By the rows of expiry_places, all of which a round holds.
class PgExpiries final : public ExpiryPort {
  public:
    explicit PgExpiries(Database& database) : database_(database) {}

    Task<Round> pass(ChainId chain_id, Timestamp reach, std::set<ChainId> chains, std::size_t limit,
                     Decide decide) override;

  private:
    Database& database_;
};

}  // namespace sycee
