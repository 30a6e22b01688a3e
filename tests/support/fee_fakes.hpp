#pragma once

#include <sycee/app/fee_service.hpp>
#include <sycee/base/assert.hpp>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sycee {

// The fees that one merchant owes in one token, and its invoices, oldest first.
class MemoryFees final : public FeePort {
  public:
    Task<std::optional<MerchantId>> recipient() override { co_return operator_merchant; }
    Task<Result<void>> set_recipient(MerchantId merchant_id, Timestamp) override {
        operator_merchant = merchant_id;
        co_return Result<void>{};
    }
    Task<std::optional<std::string>> merchant_name(MerchantId merchant_id) override {
        if (merchant_id.uuid.is_nil()) co_return std::nullopt;
        co_return "Shirts";
    }
    Task<std::vector<FeesOwed>> owed(MerchantId) override {
        co_return std::vector<FeesOwed>{account};
    }
    Task<std::vector<FeeInvoice>> invoices(MerchantId merchant_id, std::optional<PaymentId> after,
                                           std::size_t limit) override {
        std::vector<FeeInvoice> found;
        for (auto one = all.rbegin(); one != all.rend() && found.size() < limit; ++one) {
            bool const is_older = !after || one->payment.second < *after;
            if (one->merchant_id == merchant_id && is_older) found.push_back(*one);
        }
        co_return found;
    }
    Task<std::vector<FeeInvoice>> unpaid(MerchantId, std::size_t) override {
        if (before_unpaid) before_unpaid();
        std::vector<FeeInvoice> found;
        for (FeeInvoice const& invoice : all) {
            if (invoice.paid_sequence == 0) found.push_back(invoice);
        }
        if (meanwhile) all.push_back(*meanwhile);
        co_return found;
    }
    Task<bool> add(FeeInvoice invoice, std::size_t known) override {
        if (known != all.size()) co_return false;
        all.push_back(std::move(invoice));
        co_return true;
    }
    Task<std::size_t> count(MerchantId, ChainId, Address) override { co_return all.size(); }
    Task<std::vector<UnbookedInvoice>> unbooked(std::size_t) override {
        std::vector<UnbookedInvoice> found;
        for (FeeInvoice const& invoice : all) {
            if (invoice.paid_sequence == 0) found.push_back({invoice, Bytes32{9}});
        }
        co_return found;
    }
    Task<void> commit(FeeCommit commit) override {
        auto const& record = std::get<FeePayment>(commit.entries.at(0).record);
        ensure(record.invoice_payment_id != broken, "the books are wrong");
        for (FeeInvoice& invoice : all) {
            if (invoice.payment.second == record.invoice_payment_id)
                invoice.paid_sequence = commit.entries[0].sequence;
        }
        account.owed -= record.amount;
        commits.push_back(std::move(commit));
        co_return;
    }
    Task<std::vector<FeeStatement>> statement(
        MerchantId, std::optional<std::pair<Timestamp, Timestamp>>) override {
        co_return std::vector<FeeStatement>{};
    }

    std::optional<MerchantId> operator_merchant;
    FeesOwed account;
    std::vector<FeeInvoice> all;
    std::optional<FeeInvoice> meanwhile;  // that somebody else makes
    std::function<void()> before_unpaid;
    std::optional<PaymentId> broken;  // whose payment can't be booked
    std::vector<FeeCommit> commits;
};

}  // namespace sycee
