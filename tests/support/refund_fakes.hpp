#pragma once

#include <sycee/app/refund_service.hpp>

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
    Task<void> create_request(RefundRequest request) override {
        waiting.push_back(std::move(request));
        co_return;
    }
    Task<bool> withdraw_request(RequestId id) override {
        co_return std::erase_if(waiting, [id](auto const& one) { return one.id == id; }) > 0;
    }
    Task<void> commit(RefundCommit commit) override {
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
    Task<bool> give_recipient(RefundKey key, Address recipient, std::string, Timestamp) override {
        RefundDetail& refund = at(key);
        if (refund.recipient == Address{}) refund.recipient = recipient;
        co_return refund.recipient == recipient;
    }
    Task<void> report(RefundKey key, RefundReport report) override {
        at(key).report = std::move(report);
        co_return;
    }
    Task<std::vector<DueReport>> take_due(ChainId chain_id, std::size_t limit, Timestamp) override {
        std::vector<DueReport> due;
        for (RefundDetail const& one : refunds) {
            bool const open = one.report && !one.report->answered;
            if (open && one.key.chain_id == chain_id && due.size() < limit)
                due.push_back({one.key, one.report->transaction});
        }
        co_return due;
    }
    Task<void> answer_report(DueReport report, std::string problem, Timestamp) override {
        RefundReport& answered = at(report.refund).report.value();
        answered.answered = true;
        answered.problem = std::move(problem);
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

  private:
    RefundDetail& at(RefundKey key) { return *std::ranges::find(refunds, key, &RefundDetail::key); }
    RefundKey key(std::uint64_t sequence) const {
        return {entry_->merchant_id, entry_->chain_id, sequence};
    }
    void take(Refund const& record) {
        refunds.push_back({.key = key(entry_->sequence),
                           .kind = RecordKind::refund,
                           .payment_id = record.payment_id,
                           .token = record.token,
                           .amount = record.amount,
                           .recipient = record.recipient,
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
        if (refund.report) refund.report->answered = true;
    }
    void take(RefundCancellation const& record) {
        at(key(record.promise_sequence)).cancellation =
            RefundDetail::Cancellation{.reason = reason_,
                                       .decided_by = record.decided_by,
                                       .sequence = entry_->sequence,
                                       .booked_at = entry_->booked_at};
    }

    JournalEntry const* entry_ = nullptr;
    std::string reason_;
};

}  // namespace sycee
