#pragma once

#include <sycee/api/api_key.hpp>
#include <sycee/api/merchant_api.hpp>
#include <sycee/app/checkpoint_service.hpp>
#include <sycee/runtime/errors.hpp>

#include "desk_fakes.hpp"
#include "event_fakes.hpp"
#include "fee_fakes.hpp"
#include "memory_test_chain.hpp"
#include "refund_fakes.hpp"
#include "run_task.hpp"
#include "statement_fakes.hpp"
#include "webhook_fakes.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace sycee {

using Json = nlohmann::json;

inline Timestamp const kNow = timestamp_from_seconds(1'800'000'000);

template <class Id>
Id id_of(std::uint8_t number) {
    return Id{make_uuid_v7(kNow, {number})};
}

class FixedClock final : public Clock {
  public:
    Timestamp time = kNow;
    Timestamp now() const override { return time; }
    Task<void> sleep_for(std::chrono::milliseconds) override { co_return; }
};

class MemoryApiKeys final : public ApiKeyPort {
  public:
    std::map<ApiKeyId, ApiKey> keys;
    unsigned lookups = 0;

    Task<std::optional<ApiKey>> find(ApiKeyId id) override {
        ++lookups;
        auto const found = keys.find(id);
        if (found == keys.end()) co_return std::nullopt;
        co_return found->second;
    }
    Task<void> note_uses(std::vector<ApiKeyUse> uses) override {
        for (auto const& use : uses)
            keys.at(use.id).last_used_at = use.at;
        co_return;
    }
};

// With the keys that their creation was claimed by, in one transaction, so to say.
class MemoryPayments final : public PaymentPort,
                             public PaymentSearchPort,
                             public PaymentChangePort,
                             public IdempotencyPort {
  public:
    std::vector<PaymentState> states;  // oldest first
    std::map<std::pair<MerchantId, std::string>, UsedKey> keys;
    std::optional<std::size_t> asked_limit;
    PaymentFilter asked_filter;
    std::vector<CancelCommit> cancellations;
    std::function<void()> before_commit;  // of the next cancellation
    std::exception_ptr fault;
    std::exception_ptr keep_fault;

    Task<Payment> create(NewPayment payment, DeriveAddress) override {
        if (fault) std::rethrow_exception(fault);
        PaymentState state;
        state.payment = {.merchant_id = payment.merchant_id,
                         .id = payment.id,
                         .deposit_address = Address{{0x11}},
                         .currency = payment.currency,
                         .price = payment.price,
                         .options = payment.options,
                         .reference = payment.reference,
                         .description = payment.description,
                         .metadata = payment.metadata,
                         .success_url = payment.success_url,
                         .created_at = payment.created_at,
                         .expires_at = payment.expires_at,
                         .quote = payment.quote,
                         .open_amount = payment.open_amount};
        if (payment.claim) {
            auto const& claim = *payment.claim;
            take_claim(payment.merchant_id, claim, claim.answer(state.payment));
        }
        states.push_back(state);
        co_return state.payment;
    }
    Task<std::optional<UsedKey>> find(MerchantId merchant_id, std::string key) override {
        auto const found = keys.find({merchant_id, key});
        if (found == keys.end()) co_return std::nullopt;
        co_return found->second;
    }
    Task<void> keep(MerchantId merchant_id, IdempotencyClaim claim, KeptAnswer answer,
                    Timestamp) override {
        if (keep_fault) std::rethrow_exception(keep_fault);
        auto& used = keys[{merchant_id, claim.key}];
        used.request_hash = claim.request_hash;
        if (!used.answer) used.answer = std::move(answer);
        co_return;
    }
    Task<std::size_t> forget(Timestamp, std::size_t) override { co_return 0; }
    void take_claim(MerchantId merchant_id, IdempotencyClaim const& claim,
                    std::optional<KeptAnswer> answer) {
        UsedKey const used{claim.request_hash, claim.subject, std::move(answer)};
        if (!keys.try_emplace({merchant_id, claim.key}, used).second) throw KeyWasUsed();
    }
    std::optional<PaymentState> state_of(PaymentKey const& key) const {
        for (auto const& state : states) {
            if (PaymentKey(state.payment.merchant_id, state.payment.id) == key) return state;
        }
        return std::nullopt;
    }
    Task<std::optional<PaymentState>> find(MerchantId merchant_id, PaymentId id) override {
        co_return state_of({merchant_id, id});
    }
    Task<std::optional<PaymentState>> find_public(PaymentId) override { co_return std::nullopt; }
    Task<PaymentPage> list(std::optional<MerchantId>, std::optional<PaymentId>,
                           std::size_t) override {
        co_return PaymentPage{};
    }
    Task<LookedAt> look(MerchantId merchant_id, PaymentFilter filter,
                        std::optional<PaymentId> after, std::size_t most) override {
        asked_limit = most;
        asked_filter = filter;
        LookedAt looked;
        for (auto state = states.rbegin(); state != states.rend(); ++state) {
            Payment const& payment = state->payment;
            bool const is_meant = payment.merchant_id == merchant_id &&
                                  (!after || payment.id < *after) &&
                                  (!filter.reference || payment.reference == *filter.reference);
            if (!is_meant) continue;
            if (looked.count == most) {
                looked.has_more = true;
                break;
            }
            ++looked.count;
            looked.last = payment.id;
            bool const has_all =
                std::ranges::all_of(filter.metadata, [&payment](auto const& entry) {
                    return std::ranges::find(payment.metadata, entry) != payment.metadata.end();
                });
            if (has_all) looked.fitting.push_back(*state);
        }
        co_return looked;
    }
    Task<void> commit(CancelCommit commit) override {
        if (before_commit) std::exchange(before_commit, nullptr)();
        JournalEntry const& entry = commit.entries.at(0);
        auto const& record = std::get<Cancellation>(entry.record);
        for (auto& state : states) {
            if (state.payment.id != record.payment_id) continue;
            if (foreign_fingerprint(state, 0) != commit.foreign.at(0).second)
                throw Unavailable("the payment was moved meanwhile");
            state.canceled =
                Canceled{entry.chain_id, entry.sequence, entry.hash, record.ends_at, commit.now};
            ++state.version;
        }
        cancellations.push_back(std::move(commit));
        co_return;
    }
    Task<std::optional<PaymentState>> update(
        PaymentKey key, std::function<std::optional<PaymentWords>(PaymentState const&)> decide,
        Timestamp, std::optional<IdempotencyClaim> claim) override {
        for (auto& state : states) {
            if (PaymentKey(state.payment.merchant_id, state.payment.id) != key) continue;
            if (auto words = decide(state)) {
                if (claim) take_claim(key.first, *claim, std::nullopt);
                state.payment.description = words->description;
                state.payment.metadata = words->metadata;
            }
            co_return state;
        }
        co_return std::nullopt;
    }
};

class MemoryCheckpoints final : public CheckpointPort, public ReceiptPort {
  public:
    std::vector<Checkpoint> made;
    std::vector<ReceiptMaterial> materials;  // what is loaded, one after the other; then the last
    std::vector<PublishedKey> keys;
    std::exception_ptr fault;

    Task<Checkpoint> make(SigningKey key, Timestamp now) override {
        if (fault) std::rethrow_exception(fault);
        Checkpoint checkpoint{.number = made.size() + 1, .made_at = now};
        if (!made.empty()) checkpoint.previous_hash = hash_of(made.back());
        sign(checkpoint, key);
        made.push_back(checkpoint);
        co_return checkpoint;
    }
    Task<std::optional<Checkpoint>> newest() override {
        if (made.empty()) co_return std::nullopt;
        co_return made.back();
    }
    Task<ReceiptMaterial> load(PaymentKey, std::size_t) override {
        auto const material = materials.at(0);
        if (materials.size() > 1) materials.erase(materials.begin());
        co_return material;
    }
    Task<std::vector<PublishedKey>> signing_keys() override { co_return keys; }
};

inline Result<SigningKey> test_signing_key() {
    return SigningKey::from_bytes(Bytes32{1});
}

inline Network test_network() {
    ChainSettings chain;
    chain.id = 31'337;
    chain.name = "Test chain";
    chain.tokens = {{"USDT", Address{{0x22}}, 6, {}}};
    return {{chain}, "https://pay.example"};
}

class MerchantApiTest : public testing::Test {
  protected:
    MerchantApiTest() {
        registry_.set(31'337, {.head_time = kNow, .agreed = 110, .finalized = 100, .rule = {}});
        key_ = add_key(1, merchant_);
        auto const claim = [this](MerchantId merchant_id, IdempotencyClaim const& claimed) {
            payments_.take_claim(merchant_id, claimed, std::nullopt);
        };
        desk_.on_claim = claim;
        refunds_.on_claim = claim;
        webhooks_.on_claim = claim;
        test_chain_.on_claim = claim;
    }

    std::string add_key(std::uint8_t number, MerchantId merchant_id,
                        Scopes scopes = Scopes::everything()) {
        auto const id = id_of<ApiKeyId>(number);
        auto const kind = scopes.is_everything() ? ApiKeyKind::full : ApiKeyKind::restricted;
        auto const key = make_api_key(id, Bytes32{number}, kind);
        api_keys_.keys[id] = {.id = id,
                              .merchant_id = merchant_id,
                              .label = "shop",
                              .secret_hash = key.secret_hash,
                              .scopes = scopes,
                              .allowed_addresses = {},
                              .created_at = kNow};
        return key.text.reveal();
    }

    PaymentId add_payment(std::uint8_t number, MerchantId merchant_id) {
        PaymentState state;
        state.payment.merchant_id = merchant_id;
        state.payment.id = id_of<PaymentId>(number);
        state.payment.currency = "USD";
        state.payment.price = Amount(5'000);
        payments_.states.push_back(state);
        return state.payment.id;
    }

    HttpResponse send(HttpRequest const& request) { return run_task(api_.handle(request)); }

    HttpRequest request(std::string method, std::string path, std::string query = "") const {
        HttpRequest made;
        made.method = std::move(method);
        made.path = std::move(path);
        made.query = std::move(query);
        made.headers = {{"authorization", "Bearer " + key_}};
        return made;
    }

    HttpRequest post(std::string body, std::string content_type = "application/json") const {
        auto made = request("POST", "/v1/payments");
        made.headers.emplace_back("content-type", std::move(content_type));
        made.body = std::move(body);
        return made;
    }

    MerchantId merchant_ = id_of<MerchantId>(1);
    MerchantId other_merchant_ = id_of<MerchantId>(2);
    std::string key_;
    Network network_ = test_network();
    ChainRegistry registry_{network_};
    FixedClock clock_;
    Metrics metrics_;
    MemoryApiKeys api_keys_;
    ApiKeyUses key_uses_{api_keys_, clock_};
    MemoryPayments payments_;
    PaymentService service_{payments_, network_, registry_, clock_};
    MemoryDesk desk_;
    DeskBooks books_{desk_, [this](PaymentKey const& key) { return payments_.state_of(key); }};
    boost::asio::io_context io_{1};
    Notifier wake_{io_.get_executor()};
    DeskService desk_service_{desk_,
                              books_,
                              network_,
                              registry_,
                              wake_,
                              clock_,
                              {.second_operator_above = Amount(1'000'000'000)}};
    MemoryRefunds refunds_;
    RefundService refund_service_{
        refunds_, desk_service_, books_,
        network_, registry_,     {},
        wake_,    clock_,        {.second_operator_above = Amount(1'000'000'000)}};
    MemoryStatements statements_;
    MemoryCheckpoints checkpoints_;
    CheckpointService checkpoint_service_{checkpoints_, checkpoints_, &test_signing_key, clock_,
                                          metrics_};
    MemoryEvents events_;
    MemoryFees fees_;
    FeeService fee_service_{fees_, service_, books_, network_, registry_, clock_};
    MemoryTestChain test_chain_;
    TestPayments test_payments_{test_chain_, service_};
    PaymentSearch search_{payments_, registry_};
    PaymentFeed feed_{io_.get_executor()};
    PaymentChanges changes_{payments_, books_, network_, registry_, wake_, feed_, clock_};
    MemoryWebhooks webhooks_;
    SecretBox box_{Bytes32{9}};
    WebhookService webhook_service_{webhooks_, box_, only_https, wake_, clock_};
    std::deque<QuoteService> quote_services_;
    // With these in the place of the fixture's own.
    ApiServices services_with(PaymentService& payments, CheckpointService& checkpoints) {
        return {payments,
                desk_service_,
                fee_service_,
                refund_service_,
                statements_,
                checkpoints,
                webhook_service_,
                api_keys_,
                key_uses_,
                payments_,
                box_,
                network_,
                clock_,
                {events_, wake_},
                search_,
                changes_,
                test_payments_,
                quote_services_.emplace_back(payments, Bytes32{8})};
    }
    ApiServices services_ = services_with(service_, checkpoint_service_);
    MerchantApi api_{services_, metrics_};
};

inline std::string header(HttpResponse const& response, std::string_view name) {
    auto const found = std::ranges::find_if(
        response.headers, [name](auto const& field) { return field.first == name; });
    return found == response.headers.end() ? "" : found->second;
}

// The body of a problem, after checking what every problem has.
inline Json problem(HttpResponse const& response) {
    Json const json = Json::parse(response.body);
    EXPECT_EQ(header(response, "content-type"), "application/problem+json");
    EXPECT_EQ(header(response, "cache-control"), "no-store");
    EXPECT_EQ(json.at("status"), response.status);
    EXPECT_EQ(json.at("type"), "urn:sycee:problem:" + json.at("code").get<std::string>());
    EXPECT_EQ(json.at("request_id"), header(response, "request-id"));
    EXPECT_FALSE(json.at("title").get<std::string>().empty());
    EXPECT_FALSE(json.at("detail").get<std::string>().empty());
    return json;
}

}  // namespace sycee
