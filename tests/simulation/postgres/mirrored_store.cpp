#include "mirrored_store.hpp"

#include <sycee/base/assert.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/store/verify.hpp>

#include "answers.hpp"
#include "spoiled_commit.hpp"
#include "stored_rows.hpp"

#include <exception>
#include <type_traits>
#include <utility>

namespace sycee::simulation {
namespace {

// Most commits only move the cursor, and most ways to spoil one need more in it.
constexpr unsigned kSpoiledPermille = 350;
constexpr unsigned kSpoiledEmptyPermille = 50;
constexpr std::uint64_t kCommitsBetweenRows = 40;
constexpr std::size_t kPage = 4;

template <class T>
using OrNothing = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

// What a call has answered: a value, or how it was refused.
template <class T>
struct Answer {
    std::optional<T> value;
    std::exception_ptr refused;
    std::string text;
    std::string why;
};

std::pair<std::string, std::string> refusal_of(std::exception_ptr const& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (Unavailable const& unavailable) {
        return {"refused: unavailable", unavailable.what()};
    } catch (InvariantViolation const& violation) {
        return {"refused: a broken invariant", violation.what()};
    } catch (std::exception const& error) {
        return {std::string("failed: ") + error.what(), error.what()};
    }
}

std::string to_text(Refusal refusal) {
    return refusal == Refusal::unavailable ? "refused: unavailable" : "refused: a broken invariant";
}

// What no port puts into an order is compared without one.
template <class T>
std::string comparable(T const& value) {
    return text_of(value);
}
std::string comparable(std::vector<PaymentState> const& values) {
    return text_of(Unordered<PaymentState>{values});
}
std::string comparable(std::vector<MerchantView> const& values) {
    return text_of(Unordered<MerchantView>{values});
}
std::string comparable(std::vector<NewAddress> const& values) {
    return text_of(Unordered<NewAddress>{values});
}
std::string comparable(std::vector<WatchedAddress> const& values) {
    return text_of(Unordered<WatchedAddress>{values});
}

template <class Call>
auto answer_of(Call call) {
    using Value = std::invoke_result_t<Call&>;
    Answer<OrNothing<Value>> answer;
    try {
        if constexpr (std::is_void_v<Value>) {
            call();
            answer.value.emplace();
        } else {
            answer.value.emplace(call());
        }
        answer.text = comparable(*answer.value);
    } catch (...) {
        answer.refused = std::current_exception();
        std::tie(answer.text, answer.why) = refusal_of(answer.refused);
    }
    return answer;
}

std::string of_chain(std::string const& call, ChainId chain_id) {
    return call + " of chain " + std::to_string(chain_id);
}

}  // namespace

MirroredStore::MirroredStore(TestDatabase& database, Comparison comparison)
    : database_(database),
      comparison_(std::move(comparison)),
      model_(comparison_.model),
      rng_(~comparison_.seed),
      access_(database.store()),
      ledger_(database.store(), &just_booked_),
      payments_(database.store()),
      changes_(database.store()),
      outbox_(database.store(), &just_booked_),
      forgetful_outbox_(database.store()) {
    database_.empty();
    create_merchants();
}

void MirroredStore::create_merchants() {
    for (auto const& [id, stored] : model_.merchants()) {
        NewMerchant merchant{.id = id,
                             .name = stored.merchant.name,
                             .extended_public_key = stored.key,
                             .fees = stored.merchant.fees,
                             .created_at = comparison_.now()};
        if (stored.has_webhook) {
            merchant.webhook = {{.merchant_id = id,
                                 .id = stored.endpoint_id,
                                 .url = stored.webhook_url,
                                 .event_types = {std::string(kEveryEvent)},
                                 .created_at = comparison_.now()},
                                {1}};
        }
        auto const created = database_.run(access_.create_merchant(std::move(merchant)));
        if (!created) differ("create_merchant", to_string(created.error()));
    }
}

void MirroredStore::differ(std::string const& call, std::string const& how) {
    comparison_.differs(call + ": " + how);
}

// `model` answers a value, `postgres` the task for the same value.
template <class Model, class Postgres>
auto MirroredStore::both(std::string const& call, Model model, Postgres postgres) {
    using Value = std::invoke_result_t<Model&>;
    database_.set_clock(comparison_.now());
    auto const theirs = answer_of([&] { return database_.run(postgres()); });
    auto ours = answer_of(model);
    auto const difference = difference_of(ours.text, theirs.text);
    if (!difference.empty()) {
        std::string reasons;
        if (!ours.why.empty()) reasons += "\n  the model says: " + ours.why;
        if (!theirs.why.empty()) reasons += "\n  PostgreSQL says: " + theirs.why;
        differ(call, difference + reasons);
    }
    if (ours.refused) std::rethrow_exception(ours.refused);
    if constexpr (!std::is_void_v<Value>) return std::move(*ours.value);
}

std::optional<Lease> MirroredStore::acquire_lease(ChainId chain_id, std::string const& holder,
                                                  std::chrono::milliseconds time) {
    return both(
        of_chain("acquire_lease", chain_id) + " for " + holder,
        [&] { return model_.acquire_lease(chain_id, holder, time); },
        [&] { return ledger_.acquire_lease(chain_id, holder, time); });
}

void MirroredStore::release_lease(ChainId chain_id, Lease lease) {
    both(
        of_chain("release_lease", chain_id), [&] { model_.release_lease(chain_id, lease); },
        [&] { return ledger_.release_lease(chain_id, lease); });
}

FinalityRule MirroredStore::use_rule(ChainId chain_id, FinalityRule rule, Timestamp now) {
    return both(
        of_chain("use_rule", chain_id), [&] { return model_.use_rule(chain_id, rule, now); },
        [&] { return ledger_.use_rule(chain_id, rule, now); });
}

std::optional<FollowedChain> MirroredStore::load_chain(ChainId chain_id) {
    return both(
        of_chain("load_chain", chain_id), [&] { return model_.load_chain(chain_id); },
        [&] { return ledger_.load_chain(chain_id); });
}

std::optional<ChainProgress> MirroredStore::load_progress(ChainId chain_id) {
    return both(
        of_chain("load_progress", chain_id), [&] { return model_.load_progress(chain_id); },
        [&] { return ledger_.load_progress(chain_id); });
}

void MirroredStore::begin_chain(ChainId chain_id, Lease lease, ProcessedBlock const& block,
                                Timestamp now) {
    both(
        of_chain("begin_chain", chain_id), [&] { model_.begin_chain(chain_id, lease, block, now); },
        [&] { return ledger_.begin_chain(chain_id, lease, block, now); });
}

std::vector<PaymentState> MirroredStore::load_open(ChainId chain_id) {
    return both(
        of_chain("load_open", chain_id), [&] { return model_.load_open(chain_id); },
        [&] { return ledger_.load_open(chain_id); });
}

std::vector<MerchantView> MirroredStore::load_views(ChainId chain_id,
                                                    std::vector<PaymentKey> const& payments,
                                                    std::vector<MerchantId> const& merchants) {
    return both(
        of_chain("load_views", chain_id),
        [&] { return model_.load_views(chain_id, payments, merchants); },
        [&] { return ledger_.load_views(chain_id, payments, merchants); });
}

std::vector<NewAddress> MirroredStore::load_new_addresses(
    std::vector<std::pair<MerchantId, std::uint64_t>> const& known) {
    return both(
        "load_new_addresses", [&] { return model_.load_new_addresses(known); },
        [&] { return ledger_.load_new_addresses(known); });
}

std::vector<WatchedAddress> MirroredStore::find_addresses(std::vector<Address> const& addresses) {
    return both(
        "find_addresses", [&] { return model_.find_addresses(addresses); },
        [&] { return ledger_.find_addresses(addresses); });
}

void MirroredStore::commit(ChainCommit const& commit) {
    if (rng_.chance(commit.entries.empty() ? kSpoiledEmptyPermille : kSpoiledPermille))
        try_spoiled(commit);
    both(
        of_chain("commit", commit.chain_id), [&] { model_.commit(commit); },
        [&] { return ledger_.commit(commit); });
    if (++commits_ % kCommitsBetweenRows == 0) compare_rows("a commit");
}

void MirroredStore::try_spoiled(ChainCommit const& right) {
    auto const spoiled = spoil(right, model_, rng_);
    if (!spoiled) return;
    std::string const call = "commit with " + spoiled->how;
    // No process has asked for this one.
    auto const on_fenced = std::exchange(model_.on_fenced, nullptr);
    auto const ours = answer_of([&] { model_.commit(spoiled->commit); });
    auto const theirs = answer_of([&] { database_.run(ledger_.commit(spoiled->commit)); });
    std::string const expected = to_text(spoiled->refusal);
    if (ours.text != expected) differ(call, "model: " + ours.text + ": " + ours.why);
    if (theirs.text != expected) differ(call, "PostgreSQL: " + theirs.text + ": " + theirs.why);
    if (right.lease_token != spoiled->commit.lease_token)
        try_older_lease(right.chain_id, right.lease_token);
    model_.on_fenced = on_fenced;
    compare_rows("a commit with " + spoiled->how);
    comparison_.reached("refused: " + spoiled->how);
}

// What else a lease is shown for.
void MirroredStore::try_older_lease(ChainId chain_id, std::uint64_t newest_token) {
    Lease const older{.token = newest_token - 1};
    std::string const expected = to_text(Refusal::unavailable);
    auto const stop =
        answer_of([&] { database_.run(ledger_.record_stop(chain_id, older, "an older lease's")); });
    if (stop.text != expected) differ("record_stop with an older lease", stop.text);
    release_lease(chain_id, older);
}

void MirroredStore::record_stop(ChainId chain_id, Lease lease, std::string const& reason) {
    both(
        of_chain("record_stop", chain_id), [&] { model_.record_stop(chain_id, lease, reason); },
        [&] { return ledger_.record_stop(chain_id, lease, reason); });
}

Payment MirroredStore::create(NewPayment payment, DeriveAddress const& derive) {
    return both(
        "create", [&] { return model_.create(payment, derive); },
        [&] { return payments_.create(payment, derive); });
}

std::optional<PaymentState> MirroredStore::find(PaymentKey const& key) {
    return both(
        "find", [&] { return model_.find(key); },
        [&] { return payments_.find(key.first, key.second); });
}

void MirroredStore::cancel(CancelCommit const& commit) {
    both(
        of_chain("cancel", commit.chain_id), [&] { model_.cancel(commit); },
        [&] { return changes_.commit(commit); });
    compare_rows("a cancellation");
}

std::size_t MirroredStore::fan_out(Timestamp now, std::size_t limit) {
    return both(
        "fan_out", [&] { return model_.fan_out(now, limit); },
        [&] { return outbox_.fan_out(now, limit); });
}

std::vector<PendingDelivery> MirroredStore::due(std::vector<WebhookEndpointId> const& beside,
                                                Timestamp now, std::size_t limit) {
    // What is told from memory is told in the same words when it is read.
    both(
        "due, from memory", [&] { return model_.due(beside, now, limit); },
        [&] { return outbox_.due(beside, now, limit); });
    return both(
        "due", [&] { return model_.due(beside, now, limit); },
        [&] { return forgetful_outbox_.due(beside, now, limit); });
}

void MirroredStore::record(std::vector<DeliveryAttempt> const& attempts) {
    both("record", [&] { model_.record(attempts); }, [&] { return outbox_.record(attempts); });
}

void MirroredStore::compare_rows(std::string const& after) {
    auto const difference = difference_of(rows_of(model_), rows_of(database_));
    if (!difference.empty()) differ("the rows after " + after, difference);
}

void MirroredStore::compare_everything() {
    compare_rows("the last call");
    for (auto const& [id, chain] : model_.chains()) {
        load_chain(id);
        load_progress(id);
        load_open(id);
    }
    for (auto const& [key, payment] : model_.payments())
        find(key);
    compare_pages();
    verify();
    rebuild();
}

// Every payment of every merchant, newest first, page by page.
void MirroredStore::compare_pages() {
    std::map<PaymentId, PaymentKey> newest_last;
    for (auto const& [key, payment] : model_.payments())
        newest_last.emplace(key.second, key);
    auto next = newest_last.rbegin();
    std::optional<PaymentId> after;
    for (bool more = true; more;) {
        PaymentPage const page = database_.run(payments_.list(std::nullopt, after, kPage));
        for (PaymentState const& state : page.payments) {
            std::string const expected =
                next == newest_last.rend() ? "nothing" : text_of(model_.state_of((next++)->second));
            auto const difference = difference_of(expected, text_of(state));
            if (!difference.empty()) return differ("list", difference);
            after = state.payment.id;
            auto const same = database_.run(payments_.find_public(*after));
            auto const other = difference_of(text_of(state), text_of(same));
            if (!other.empty()) return differ("find_public", other);
        }
        more = page.has_more && !page.payments.empty();
    }
    if (next != newest_last.rend()) differ("list", "leaves out " + to_string(next->first));
}

void MirroredStore::verify() {
    auto const result = database_.run(verify_books(database_.store()));
    if (result.first_wrong) return differ("verify", *result.first_wrong);
    if (result.records != model_.entries().size()) {
        differ("verify", std::to_string(result.records) + " records, not " +
                             std::to_string(model_.entries().size()));
    }
}

// The books once more, from the chains as they really are.
void MirroredStore::rebuild() {
    auto const report = database_.rebuild(comparison_.network, comparison_.chains);
    if (report.ordered > 0) comparison_.reached("rebuilt: in the order of the books");
    if (report.pending > 0) comparison_.reached("rebuilt: something was pending");
    if (report.reversed > 0) comparison_.reached("rebuilt: something rests on a reorg");
    if (report.payments > 0) comparison_.reached("rebuilt: agrees");
    std::string lines;
    for (std::string const& line : report.differences)
        lines += "\n  " + line;
    if (!report.agrees()) differ("rebuild", lines);
}

}  // namespace sycee::simulation
