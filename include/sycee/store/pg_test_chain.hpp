#pragma once

#include <sycee/app/test_chain.hpp>
#include <sycee/store/database.hpp>

#include <optional>
#include <vector>

namespace sycee {

// The test chain's one row and its transfers. The chain begins when it is asked for first. Its time
// is the database's, which all processes have in common.
class PgTestChain final : public TestChainPort {
  public:
    explicit PgTestChain(Database& database) : database_(database) {}

    Task<TestChainState> advance() override;
    Task<std::vector<TestTransfer>> in_blocks(BlockNumber first, BlockNumber last) override;
    Task<std::optional<TestTransfer>> find(TransactionHash hash) override;
    Task<std::vector<TestTransfer>> of(std::vector<Address> addresses) override;
    Task<std::optional<TestTransfer>> add(TestTransfer transfer, TestMoment moment,
                                          std::size_t most_of_recipient,
                                          std::optional<IdempotencyClaim> claim) override;

  private:
    Database& database_;
};

}  // namespace sycee
