#pragma once

#include <sycee/app/desk_service.hpp>

#include "empty_books.hpp"

#include <algorithm>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sycee {

// The exceptions desk in memory. What is committed is taken off the exceptions.
class MemoryDesk final : public DeskPort {
  public:
    Task<DeskPage> list(DeskFilter filter, std::optional<DeskKey> after,
                        std::size_t limit) override {
        filters.push_back(filter);
        DeskPage page;
        bool reached = !after;
        for (auto one = exceptions.rbegin(); one != exceptions.rend(); ++one) {
            bool const shown = reached;
            reached = reached || one->key == *after;
            if (!shown) continue;
            if (filter.merchant_id && one->key.merchant_id != *filter.merchant_id) continue;
            if (filter.payment_id && one->payment_id != *filter.payment_id) continue;
            if (filter.open_only && one->resolved == one->amount) continue;
            page.has_more = page.exceptions.size() == limit;
            if (page.has_more) break;
            page.exceptions.push_back(*one);
        }
        co_return page;
    }
    Task<std::optional<DeskException>> find(DeskKey key) override {
        auto const found = std::ranges::find(exceptions, key, &DeskException::key);
        if (found == exceptions.end()) co_return std::nullopt;
        co_return *found;
    }
    Task<std::vector<ResolutionRequest>> requests() override { co_return waiting; }
    Task<std::optional<ResolutionRequest>> find_request(RequestId id) override {
        auto const found = std::ranges::find(waiting, id, &ResolutionRequest::id);
        if (found == waiting.end()) co_return std::nullopt;
        co_return *found;
    }
    Task<void> create_request(ResolutionRequest request,
                              std::optional<IdempotencyClaim> claim) override {
        if (claim && on_claim) on_claim(request.exception.merchant_id, *claim);
        waiting.push_back(std::move(request));
        co_return;
    }
    Task<bool> withdraw_request(RequestId id) override { co_return take_request(id); }
    Task<void> commit(DeskCommit commit) override {
        if (fault) std::rethrow_exception(fault);
        if (commit.claim && on_claim) on_claim(commit.head.merchant_id, *commit.claim);
        for (JournalEntry const& entry : commit.entries) {
            auto const& resolution = std::get<Resolution>(entry.record);
            for (DeskException& exception : exceptions) {
                bool const meant = exception.key == DeskKey{entry.merchant_id, entry.chain_id,
                                                            resolution.exception_sequence};
                if (!meant) continue;
                exception.resolved += resolution.amount;
                exception.decisions.push_back({.sequence = entry.sequence,
                                               .kind = resolution.kind,
                                               .target_payment_id = resolution.target_payment_id,
                                               .amount = resolution.amount,
                                               .reason = commit.reason,
                                               .decided_by = resolution.decided_by,
                                               .approved_by = resolution.approved_by,
                                               .decided_at = entry.booked_at});
            }
            resolutions.push_back(resolution);
        }
        if (commit.request) take_request(*commit.request);
        commits.push_back(std::move(commit));
        if (after_commit) after_commit();
        co_return;
    }

    std::function<void(MerchantId, IdempotencyClaim const&)> on_claim;
    std::vector<DeskException> exceptions;  // oldest first
    std::vector<ResolutionRequest> waiting;
    std::vector<DeskFilter> filters;  // that were asked for
    std::vector<DeskCommit> commits;
    std::vector<Resolution> resolutions;
    std::exception_ptr fault;  // of a commit
    std::function<void()> after_commit;

  private:
    bool take_request(RequestId id) {
        return std::erase_if(waiting, [id](auto const& one) { return one.id == id; }) > 0;
    }
};

// The books, as far as the desk reads them.
class DeskBooks final : public EmptyBooks {
  public:
    using FindPayment = std::function<std::optional<PaymentState>(PaymentKey const&)>;
    DeskBooks(MemoryDesk const& desk, FindPayment find) : desk_(desk), find_(std::move(find)) {}

    Task<std::vector<MerchantView>> load_views(ChainId, std::vector<PaymentKey> keys,
                                               std::vector<MerchantId>) override {
        MerchantView view;
        view.merchant_id = keys.front().first;
        view.head.sequence = 100;
        view.fees.basis_points = 100;
        for (PaymentKey const& key : keys) {
            auto state = find_(key);
            if (!state) continue;
            note_resolved(*state);
            view.payments.push_back(std::move(*state));
        }
        co_return std::vector<MerchantView>{view};
    }

  private:
    void note_resolved(PaymentState& state) const {
        for (Credit& credit : state.credits) {
            DeskKey const key{state.payment.merchant_id, credit.transfer.key.chain_id,
                              credit.stage_sequence};
            auto const found = std::ranges::find(desk_.exceptions, key, &DeskException::key);
            if (found != desk_.exceptions.end()) credit.resolved = found->resolved;
        }
    }

    MemoryDesk const& desk_;
    FindPayment find_;
};

// Puts a transfer to the payment on the desk: in its state, and as the desk shows it.
inline DeskException put_on_desk(PaymentState& state, std::uint64_t sequence, ChainId chain_id,
                                 Address const& token, Amount amount, BlockNumber block,
                                 Timestamp now) {
    Credit credit;
    credit.transfer.key = {chain_id, {}, token, 0};
    credit.transfer.key.transaction_hash.fill(0xcd);
    credit.transfer.key.ordinal = static_cast<std::uint32_t>(state.credits.size());
    credit.transfer.amount = amount;
    credit.transfer.recipient = state.payment.deposit_address;
    credit.transfer.block_number = block;
    credit.transfer.block_time = credit.first_seen_time = now;
    credit.stage = CreditStage::unapplied;
    credit.stage_sequence = sequence;
    credit.stage_hash.fill(static_cast<std::uint8_t>(sequence));
    credit.excess = amount;
    credit.unapplied_reason = UnappliedReason::late;
    state.credits.push_back(credit);
    return {.key = {state.payment.merchant_id, chain_id, credit.stage_sequence},
            .hash = credit.stage_hash,
            .payment_id = state.payment.id,
            .transfer = credit.transfer,
            .reason = "late",
            .amount = amount,
            .resolved = {},
            .is_final = true,
            .booked_at = now};
}

}  // namespace sycee
