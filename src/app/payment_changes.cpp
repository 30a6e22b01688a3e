#include <sycee/app/payment_changes.hpp>
#include <sycee/app/payment_events.hpp>
#include <sycee/crypto/hash.hpp>
#include <sycee/payment/cancel.hpp>
#include <sycee/runtime/errors.hpp>

#include "payment_input.hpp"
#include "reason.hpp"

#include <algorithm>

namespace sycee {
namespace {

// A follower that commits at the same moment is done in milliseconds.
constexpr int kMostAttempts = 5;

PaymentState const* find_in(MerchantView const& view, PaymentId id) {
    auto const found = std::ranges::find(view.payments, id,
                                         [](PaymentState const& one) { return one.payment.id; });
    return found == view.payments.end() ? nullptr : &*found;
}

}  // namespace

Result<PaymentWords> updated_words(Payment const& payment, UpdatePayment const& update) {
    PaymentWords words{update.description.value_or(payment.description), payment.metadata};
    for (auto const& [key, value] : update.metadata) {
        auto const found =
            std::ranges::find(words.metadata, key, [](auto const& entry) { return entry.first; });
        bool const is_there = found != words.metadata.end();
        if (!value) {
            if (is_there) words.metadata.erase(found);
        } else if (is_there) {
            found->second = *value;
        } else {
            words.metadata.emplace_back(key, *value);
        }
    }
    if (auto const checked = check_description(words.description); !checked)
        return std::unexpected(checked.error());
    if (auto const checked = check_metadata(words.metadata); !checked)
        return std::unexpected(checked.error());
    return words;
}

// The first chain that it offers and that is followed: any of its chains would do.
std::optional<ChainId> PaymentChanges::journal_for(Payment const& payment) const {
    for (PaymentOption const& option : payment.options) {
        if (chains_.followed(option.chain_id)) return option.chain_id;
    }
    return std::nullopt;
}

Task<std::optional<MerchantView>> PaymentChanges::view_of(PaymentKey key, ChainId chain_id) {
    std::vector<PaymentKey> keys{key};
    auto views = co_await ledger_.load_views(chain_id, std::move(keys), {});
    if (views.empty() || find_in(views.front(), key.second) == nullptr) co_return std::nullopt;
    co_return std::move(views.front());
}

void PaymentChanges::announce(PaymentId id) {
    outbox_.notify();
    feed_.publish(id);
}

Task<Result<PaymentState>> PaymentChanges::cancel(PaymentKey key, std::string reason,
                                                  std::string decided_by) {
    if (!reason.empty()) {
        if (auto const checked = check_reason(reason); !checked)
            co_return std::unexpected(checked.error());
    }
    for (int attempt = 1;; ++attempt) {
        // How far the chains are comes before what is known of the payment: what they have
        // processed up to there, the payment then shows.
        ChainsProgress const chains = chains_.all();
        Timestamp const now = clock_.now();
        auto any = co_await view_of(key, network_.chains.front().id);
        if (!any) co_return refuse("payment", "is not there");
        PaymentState const& found = *find_in(*any, key.second);
        if (found.canceled) {
            // By the attempt before, whose outcome was not known; or by somebody else.
            if (attempt > 1) announce(key.second);
            co_return found;
        }
        auto const chain_id = journal_for(found.payment);
        if (!chain_id) throw Unavailable("no chain of the payment is being followed");
        auto view = *chain_id == network_.chains.front().id ? std::move(any)
                                                            : co_await view_of(key, *chain_id);
        if (!view) co_return refuse("payment", "is not there");
        // No chain has the id zero: whatever any chain has done to it counts.
        CancelCommit commit{.head = {},
                            .chain_id = *chain_id,
                            .entries = {},
                            .events = {},
                            .reason = reason,
                            .foreign = {{key, foreign_fingerprint(*find_in(*view, key.second), 0)}},
                            .now = now};
        CancelPayment const wanted{.payment_id = key.second,
                                   .ends_at = std::nullopt,
                                   .decided_by = decided_by,
                                   .approved_by = "",
                                   .reason_hash = sha256(as_bytes(std::string_view(reason)))};
        auto step = cancel_payment(std::move(*view), *chain_id, wanted, chains, now);
        if (!step && step.error().field == "chains")
            throw Unavailable("the payment can't be canceled: " + step.error().message);
        if (!step) co_return std::unexpected(step.error());
        commit.head = {key.first, step->first_head, step->head};
        commit.entries = std::move(step->entries);
        add_events(commit.events, key.first, step->events, *chain_id, now);
        give_ids(commit.events, now);
        bool is_committed = false;
        try {
            co_await changes_.commit(std::move(commit));
            is_committed = true;
        } catch (Unavailable const&) {
            // A follower, the desk or another cancellation was faster: what is there now decides.
            if (attempt == kMostAttempts) throw;
        }
        if (!is_committed) continue;
        announce(key.second);
        co_return std::move(step->payments.front());
    }
}

Task<Result<PaymentChanges::Updated>> PaymentChanges::update(
    PaymentKey key, UpdatePayment update, std::function<bool(PaymentState const&)> fits,
    std::optional<IdempotencyClaim> claim) {
    if (claim) claim->subject = to_string(key.second);
    std::optional<Error> refused;
    bool fitted = true;
    auto state = co_await changes_.update(
        key,
        [&](PaymentState const& found) -> std::optional<PaymentWords> {
            refused.reset();
            fitted = fits(found);
            if (!fitted) return std::nullopt;
            auto words = updated_words(found.payment, update);
            if (words) return std::move(*words);
            refused = words.error();
            return std::nullopt;
        },
        clock_.now(), std::move(claim));
    if (refused) co_return std::unexpected(std::move(*refused));
    if (state && fitted) feed_.publish(key.second);
    co_return Updated{std::move(state), fitted};
}

}  // namespace sycee
