#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/app/settings.hpp>
#include <sycee/chain/agreement.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/metrics.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sycee {

// One chain read through several nodes. One of them is read from; where it fails, lags or can't
// prove a block, another one is. The others are witnesses: each reads the same blocks for itself,
// and nothing is agreed that fewer than the quorum say. Losing the quorum stops clearing and
// settlement, never lowers what is asked for; it comes back by itself.
class EndpointSet final : public ChainPort {
  public:
    // Throws std::runtime_error where there are fewer endpoints than the quorum.
    EndpointSet(ChainSettings const& settings, std::vector<EndpointPort*> endpoints, Clock& clock,
                Metrics& metrics);

    std::size_t size() const { return endpoints_.size(); }
    // Checks one node against the configuration; before that it is asked for nothing else. Throws
    // std::runtime_error where it is of another chain or a token is not what the configuration
    // says, Unavailable where it does not answer.
    Task<void> check(std::size_t index);
    // Checks one node, then watches its health and lets it bear witness. Ends by cancellation, or
    // as check() does.
    Task<void> watch(std::size_t index);

    Task<ChainTips> tips() override;
    Task<BlockHeader> first_block() override;
    BlockNumber final_to(HeaderChain const& ours, ChainTips const& tips) override;
    Task<std::optional<BlockHeader>> header(BlockNumber number) override;
    Task<std::vector<CompleteBlock>> blocks(BlockNumber first, BlockNumber last) override;
    Task<std::vector<Bytes32>> digests_again(std::vector<ProcessedBlock> blocks) override;
    BlockNumber agreed_to(HeaderChain const& ours) override;
    Task<std::optional<ReceiptLogs>> receipt(TransactionHash hash) override;
    Task<std::optional<NativeTransfer>> native_transfer(TransactionHash hash) override;
    std::optional<BlockNumber> misread(HeaderChain const& ours) override;
    Task<bool> is_contradicted(BlockHeader final_block) override;
    Task<void> wait_for_head(std::chrono::milliseconds limit) override;

  private:
    struct Endpoint {
        EndpointPort* port = nullptr;
        bool checked = false;
        unsigned failures = 0;  // in a row
        Timestamp paused_until{};
        std::optional<ChainTips> tips;
    };

    // Whom a question without an answer speaks against. Strangers choose which transactions are
    // asked for: that must not decide which node is read from.
    enum class Blame { node, nobody };

    Task<void> bear_witness(std::size_t index);
    Task<void> check_votes(std::size_t index, BlockHeader head);
    std::vector<BlockHeader> named_final() const;
    Task<ChainTips> ask_for_tips(std::size_t index);
    std::vector<std::size_t> by_preference() const;
    bool is_usable(Endpoint const& endpoint) const;
    void note_success(Endpoint& endpoint);
    void note_failure(Endpoint& endpoint, std::string const& why,
                      std::optional<std::chrono::milliseconds> pause = {});
    void report_quorum();
    // Asks one node after the other until one answers. Throws Unavailable with the last one's
    // words.
    template <class Answer>
    Task<Answer> ask(std::vector<std::size_t> order,
                     std::function<Task<Answer>(std::size_t)> question, Blame blame = Blame::node);

    ChainSettings const& settings_;
    Clock& clock_;
    Metrics& metrics_;
    std::vector<Endpoint> endpoints_;
    std::size_t reader_ = 0;
    Agreement agreement_;
    std::vector<ProcessedBlock> window_;  // ours, not final
    bool all_agreed_ = false;             // of the window
    bool agreement_changed_ = false;
    bool quorum_lost_ = false;
};

}  // namespace sycee
