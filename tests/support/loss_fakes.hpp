#pragma once

#include <sycee/app/loss_service.hpp>

#include "empty_books.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace sycee {

// One difference in memory. The books say `booked` of it by now, in a block whose hash begins
// with 7.
class MemoryLosses final : public LossPort {
  public:
    Task<std::vector<OpenDifference>> list_open(std::size_t) override {
        co_return open ? std::vector<OpenDifference>{difference} : std::vector<OpenDifference>{};
    }
    Task<std::optional<OpenDifference>> find_open(DifferenceId id) override {
        if (!open || id != difference.id) co_return std::nullopt;
        co_return difference;
    }
    Task<std::optional<BookedBalances>> booked_now(OpenDifference) override {
        BookedBalances balances;
        balances.head.number = 120;
        balances.head.hash[0] = 7;
        balances.balances.push_back(difference.difference.booked);
        balances.balances[0].amount = booked;
        co_return balances;
    }
    Task<bool> close(DifferenceId id, std::string, Timestamp) override {
        bool const was_open = open && id == difference.id;
        open = open && !was_open;
        co_return was_open;
    }
    Task<std::vector<LossRequest>> requests() override { co_return waiting; }
    Task<void> create_request(LossRequest request) override {
        waiting.push_back(std::move(request));
        co_return;
    }
    Task<bool> withdraw_request(RequestId id, Timestamp) override {
        co_return std::erase_if(waiting, [id](auto const& one) { return one.id == id; }) > 0;
    }
    Task<void> commit(LossCommit commit) override {
        open = false;
        if (commit.request) {
            std::erase_if(waiting, [&](auto const& one) { return one.id == *commit.request; });
        }
        commits.push_back(std::move(commit));
        co_return;
    }

    OpenDifference difference;
    Amount booked;
    bool open = true;
    std::vector<LossRequest> waiting;
    std::vector<LossCommit> commits;
};

// The books of the payment that differs: all that they say lies there came in block 90; block 110
// is final.
class LossBooks final : public EmptyBooks {
  public:
    explicit LossBooks(MemoryLosses const& losses) : losses_(losses) {}

    Task<std::vector<MerchantView>> load_views(ChainId chain_id, std::vector<PaymentKey> keys,
                                               std::vector<MerchantId>) override {
        BookedBalance const& booked = losses_.difference.difference.booked;
        MerchantView view;
        view.merchant_id = keys.at(0).first;
        view.frozen.insert(keys.at(0).second);
        PaymentState state;
        state.payment.id = keys.at(0).second;
        Credit credit;
        credit.transfer.key = {.chain_id = chain_id, .token = booked.token};
        credit.transfer.amount = booked.amount;
        credit.transfer.block_number = 90;
        state.credits.push_back(credit);
        view.payments.push_back(state);
        co_return std::vector<MerchantView>{view};
    }
    Task<std::optional<ChainProgress>> load_progress(ChainId) override {
        co_return ChainProgress{{}, 120, 110, {}};
    }

  private:
    MemoryLosses const& losses_;
};

}  // namespace sycee
