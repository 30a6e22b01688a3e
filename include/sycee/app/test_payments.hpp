#pragma once

#include <sycee/app/payment_service.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/app/test_chain.hpp>
#include <sycee/base/result.hpp>
#include <sycee/payment/state.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sycee {

// The test chain as the configuration would have it: two tokens, and three confirmations to clear.
ChainSettings test_chain_settings();

// Payments of test merchants offer the test chain and nothing else; those of live ones never do.
bool is_live(Payment const& payment);

// What becomes of a test payment.
enum class TestOutcome : std::uint8_t {
    paid,
    underpaid,
    overpaid,
    late,              // paid in the first block after it has expired
    reversed,          // paid, and a reorg takes it away before it is cleared
    cleared_reversed,  // and after it was cleared
};
std::string_view to_string(TestOutcome outcome);
std::optional<TestOutcome> parse_test_outcome(std::string_view name);

struct SimulatePayment {
    TestOutcome outcome = TestOutcome::paid;
    std::optional<std::string> token;   // its symbol; nothing: the first that the payment offers
    std::optional<std::string> amount;  // decimal; nothing: as the outcome needs it
};

struct PlannedTransfer {
    TestTransfer transfer;
    TestMoment moment;
};

// Below the live merchant's: nobody pays there, and what is sent to a test payment's address by
// mistake is its wallet's all the same. Nothing for the one key in 2^127 that has no such child.
std::optional<ExtendedPublicKey> test_key_of(ExtendedPublicKey const& live);
// Which child of it that is, in every twin.
constexpr std::uint32_t kTestChild = 0x7fffffff;

// Pure: the transfer that brings that outcome. Refused: an amount that would bring another one, a
// token that the payment does not offer. `transaction_hash`: a random one.
Result<PlannedTransfer> plan_simulation(PaymentState const& state, SimulatePayment const& input,
                                        TransactionHash const& transaction_hash);

// Where a simulated transfer will be found.
struct SimulatedTransfer {
    TestTransfer transfer;
    Timestamp mined_at{};
};

// The wallet of test mode.
class TestPayments {
  public:
    TestPayments(TestChainPort& chain, PaymentService& payments)
        : chain_(chain), payments_(payments) {}

    // Nothing where the merchant has no such test payment.
    Task<std::optional<Result<SimulatedTransfer>>> simulate(MerchantId merchant_id, PaymentId id,
                                                            SimulatePayment input,
                                                            std::optional<IdempotencyClaim> claim);
    // One that was simulated before; nothing where it is no transfer of the merchant's.
    Task<std::optional<SimulatedTransfer>> find(MerchantId merchant_id, TransactionHash hash);

  private:
    TestChainPort& chain_;
    PaymentService& payments_;
};

}  // namespace sycee
