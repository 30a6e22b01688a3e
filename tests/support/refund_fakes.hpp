#pragma once

#include <sycee/app/refund_service.hpp>
#include <sycee/runtime/errors.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sycee {

// Promises to payers in memory, as the commits that reach it leave them.
class MemoryRefunds final : public RefundPort {
  public:
    Task<RefundPage> list(RefundFilter filter, std::optional<RefundKey> after,
                          std::size_t limit) override {
        RefundPage page;
        bool reached = !after;
        for (auto one = refunds.rbegin(); one != refunds.rend(); ++one) {
            bool const shown = reached;
            reached = reached || one->key == *after;
            if (!shown) continue;
            if (filter.merchant_id && one->key.merchant_id != *filter.merchant_id) continue;
            if (filter.payment_id && one->payment_id != *filter.payment_id) continue;
            if (filter.open_only && (one->payment || one->cancellation)) continue;
            page.has_more = page.refunds.size() == limit;
            if (page.has_more) break;
            page.refunds.push_back(*one);
        }
        co_return page;
    }
    Task<std::optional<RefundDetail>> find(RefundKey key) override {
        auto const found = std::ranges::find(refunds, key, &RefundDetail::key);
        if (found == refunds.end()) co_return std::nullopt;
        co_return *found;
    }
    Task<std::vector<RefundRequest>> requests() override { co_return waiting; }
    Task<std::optional<RefundRequest>> find_request(RequestId id) override {
        auto const found = std::ranges::find(waiting, id, &RefundRequest::id);
        if (found == waiting.end()) co_return std::nullopt;
        co_return *found;
    }
    std::function<void(MerchantId, IdempotencyClaim const&)> on_claim;

    Task<void> create_request(RefundRequest request,
                              std::optional<IdempotencyClaim> claim) override {
        if (claim && on_claim) on_claim(request.merchant_id, *claim);
        waiting.push_back(std::move(request));
        co_return;
    }
    Task<bool> withdraw_request(RequestId id) override {
        co_return std::erase_if(waiting, [id](auto const& one) { return one.id == id; }) > 0;
    }
    Task<void> commit(RefundCommit commit) override {
        bool const is_moved = !commits.empty() && !(commits.back().head.to == commit.head.from);
        if (refuses_moved_heads && is_moved) throw Unavailable("the head has moved");
        if (commit.claim && on_claim) on_claim(commit.head.merchant_id, *commit.claim);
        for (JournalEntry const& entry : commit.entries) {
            entry_ = &entry;
            reason_ = commit.reason;
            if (auto const* refund = std::get_if<Refund>(&entry.record)) take(*refund);
            if (auto const* paid = std::get_if<RefundPayment>(&entry.record)) take(*paid);
            if (auto const* canceled = std::get_if<RefundCancellation>(&entry.record))
                take(*canceled);
        }
        if (commit.request)
            std::erase_if(waiting, [&](auto const& one) { return one.id == *commit.request; });
        commits.push_back(std::move(commit));
        co_return;
    }
    Task<bool> give_recipient(RefundKey key, Address recipient, std::string given_by,
                              Timestamp) override {
        RefundDetail& refund = at(key);
        if (refund.recipient == Address{}) {
            refund.recipient = recipient;
            refund.given_by = std::move(given_by);
        }
        co_return refund.recipient == recipient;
    }
    Task<void> report(RefundKey key, RefundReport report) override {
        auto& reports = reports_[key];
        std::erase_if(reports, [&](RefundReport const& one) {
            return one.transaction == report.transaction;
        });
        reports.push_back(std::move(report));
        show_report(key);
        co_return;
    }
    Task<std::vector<TransactionHash>> open_reports(RefundKey key) override {
        std::vector<TransactionHash> open;
        for (RefundReport const& report : reports_[key]) {
            if (!report.answered) open.push_back(report.transaction);
        }
        co_return open;
    }
    Task<std::vector<DueReport>> take_due(ChainId chain_id, std::size_t limit, Timestamp) override {
        std::vector<DueReport> due;
        for (RefundDetail const& one : refunds) {
            if (one.key.chain_id != chain_id) continue;
            for (RefundReport const& report : reports_[one.key]) {
                if (!report.answered && due.size() < limit)
                    due.push_back({one.key, report.transaction});
            }
        }
        co_return due;
    }
    Task<void> answer_report(DueReport report, std::string problem, Timestamp) override {
        auto& reports = reports_[report.refund];
        auto const found =
            std::ranges::find(reports, report.transaction, &RefundReport::transaction);
        found->answered = true;
        found->problem = std::move(problem);
        show_report(report.refund);
        co_return;
    }
    Task<std::vector<TransferKey>> used_transfers(ChainId, TransactionHash hash) override {
        std::vector<TransferKey> used;
        for (RefundDetail const& one : refunds) {
            if (one.payment && one.payment->transfer.key.transaction_hash == hash)
                used.push_back(one.payment->transfer.key);
        }
        co_return used;
    }

    std::vector<RefundDetail> refunds;  // oldest first
    std::vector<RefundRequest> waiting;
    std::vector<RefundCommit> commits;
    bool refuses_moved_heads = false;  // for books that follow the commits

  private:
    RefundDetail& at(RefundKey key) { return *std::ranges::find(refunds, key, &RefundDetail::key); }
    RefundKey key(std::uint64_t sequence) const {
        return {entry_->merchant_id, entry_->chain_id, sequence};
    }
    // The newest that is looked for; else the newest.
    void show_report(RefundKey key) {
        auto const& reports = reports_[key];
        auto& shown = at(key).report;
        shown.reset();
        for (RefundReport const& report : reports) {
            if (!shown || shown->answered || !report.answered) shown = report;
        }
    }
    void take(Refund const& record) {
        refunds.push_back({.key = key(entry_->sequence),
                           .kind = RecordKind::refund,
                           .payment_id = record.payment_id,
                           .token = record.token,
                           .amount = record.amount,
                           .recipient = record.recipient,
                           .given_by = "",
                           .reason = reason_,
                           .decided_by = record.decided_by,
                           .approved_by = record.approved_by,
                           .created_at = entry_->booked_at,
                           .report = std::nullopt,
                           .payment = std::nullopt,
                           .cancellation = std::nullopt});
    }
    void take(RefundPayment const& record) {
        RefundDetail& refund = at(key(record.promise_sequence));
        refund.payment = RefundDetail::Payment{.transfer = record.transfer,
                                               .finalized_block = record.finalized_block,
                                               .sequence = entry_->sequence,
                                               .booked_at = entry_->booked_at};
        for (RefundReport& report : reports_[refund.key])
            report.answered = true;
        show_report(refund.key);
    }
    void take(RefundCancellation const& record) {
        at(key(record.promise_sequence)).cancellation =
            RefundDetail::Cancellation{.reason = reason_,
                                       .decided_by = record.decided_by,
                                       .sequence = entry_->sequence,
                                       .booked_at = entry_->booked_at};
    }

    std::map<RefundKey, std::vector<RefundReport>> reports_;  // oldest first
    JournalEntry const* entry_ = nullptr;
    std::string reason_;
};

}  // namespace sycee
