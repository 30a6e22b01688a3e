#pragma once

#include <sycee/admin/admin_pages.hpp>
#include <sycee/crypto/hash.hpp>
#include <sycee/runtime/password.hpp>

#include "../checkout/page_fakes.hpp"
#include "desk_fakes.hpp"
#include "loss_fakes.hpp"
#include "refund_fakes.hpp"
#include "statement_fakes.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

namespace sycee {

class FakeReports final : public ReportPort {
  public:
    Task<std::vector<Merchant>> merchants() override { co_return merchant_rows; }
    Task<PaymentTimeline> timeline(PaymentKey) override { co_return payment_timeline; }
    Task<std::vector<BalanceRow>> balances() override { co_return balance_rows; }
    Task<std::vector<ChainStatus>> chains() override { co_return chain_rows; }
    Task<bool> ready() override { co_return true; }

    std::vector<Merchant> merchant_rows;
    PaymentTimeline payment_timeline;
    std::vector<BalanceRow> balance_rows;
    std::vector<ChainStatus> chain_rows;
};

class FakeAccess final : public AccessPort {
  public:
    Task<std::optional<Operator>> find_operator(std::string name) override {
        ++lookups;
        if (name != operator_row.name) co_return std::nullopt;
        co_return operator_row;
    }
    Task<void> create_session(Bytes32 token_hash, OperatorId, Timestamp expires_at) override {
        sessions[token_hash] = expires_at;
        co_return;
    }
    Task<std::optional<SessionOperator>> find_session(Bytes32 token_hash, Timestamp now) override {
        auto const found = sessions.find(token_hash);
        if (found == sessions.end() || found->second <= now) co_return std::nullopt;
        co_return SessionOperator{operator_row.id, operator_row.name};
    }
    Task<void> delete_session(Bytes32 token_hash) override {
        sessions.erase(token_hash);
        co_return;
    }

    Operator operator_row;
    std::map<Bytes32, Timestamp> sessions;
    int lookups = 0;
};

// What the chain says of every address.
class FakeBalances final : public BalancePort {
  public:
    std::string name() const override { return "http://node"; }
    Task<std::vector<Amount>> token_balances(std::vector<TokenHolder> holders, BlockHash) override {
        co_return std::vector<Amount>(holders.size(), balance);
    }
    Amount balance;
};

constexpr char const* kOrigin = "https://pay.example";
constexpr char const* kCookieName = "__Host-sycee_session";

class AdminPagesTest : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        password_hash() = hash_password(Secret("correct horse battery"));
    }
    static std::string& password_hash() {
        static std::string hash;
        return hash;
    }

    AdminPagesTest() {
        access_.operator_row.id = {make_uuid_v7(world_.clock.time, {7})};
        access_.operator_row.name = "ops";
        access_.operator_row.password_hash = password_hash();
        Merchant merchant;
        merchant.id = world_.state.payment.merchant_id;
        merchant.name = "Tea House";
        reports_.merchant_rows.push_back(merchant);
    }

    static std::string header(HttpResponse const& response, std::string_view name) {
        for (auto const& [field, value] : response.headers) {
            if (field == name) return value;
        }
        return "";
    }

    HttpResponse get(std::string const& path, std::string const& query = "") {
        HttpRequest request;
        request.method = "GET";
        request.path = path;
        request.query = query;
        if (!cookie_.empty()) request.headers = {{"cookie", cookie_}};
        return run_task(world_.io, pages_.handle(request));
    }

    HttpResponse post(std::string const& path, std::string const& body,
                      HttpHeaders headers = {{"origin", kOrigin}}) {
        HttpRequest request;
        request.method = "POST";
        request.path = path;
        request.body = body;
        request.peer = peer_;
        request.headers = std::move(headers);
        if (!cookie_.empty()) request.headers.emplace_back("cookie", cookie_);
        return run_task(world_.io, pages_.handle(request));
    }

    HttpResponse log_in() {
        auto response = post("/admin/login", "name=ops&password=correct+horse+battery");
        std::string const set = header(response, "set-cookie");
        cookie_ = set.substr(0, set.find(';'));
        return response;
    }

    PageWorld world_;
    FakeReports reports_;
    FakeAccess access_;
    WorkerPool workers_{1, 8};
    Metrics metrics_;
    MemoryDesk desk_;
    DeskBooks books_{desk_, [this](PaymentKey const& key) -> std::optional<PaymentState> {
                         auto const found = world_.payments.states.find(key.second);
                         if (found == world_.payments.states.end()) return std::nullopt;
                         if (found->second.payment.merchant_id != key.first) return std::nullopt;
                         return found->second;
                     }};
    Notifier wake_{world_.io.get_executor()};
    DeskService desk_service_{desk_,
                              books_,
                              world_.network,
                              world_.chains,
                              wake_,
                              world_.clock,
                              {.second_operator_above = Amount(1'000 * kWholeToken)}};
    MemoryRefunds refunds_;
    RefundService refund_service_{refunds_,       desk_service_, books_,
                                  world_.network, world_.chains, {},
                                  wake_,          world_.clock,  {}};
    MemoryStatements statements_;
    MemoryLosses losses_;
    FakeBalances balances_;
    LossService::Nodes loss_nodes_{{kTestChain, {&balances_}}};
    LossBooks loss_books_{losses_};
    LossService loss_service_{
        losses_,     loss_books_,  world_.network,
        loss_nodes_, world_.clock, {.second_operator_above = Amount(1'000 * kWholeToken)}};
    AdminPages pages_{world_.service, desk_service_, refund_service_, loss_service_, world_.finder,
                      world_.chains,  reports_,      statements_,     access_,       workers_,
                      world_.network, world_.clock,  metrics_};
    std::string cookie_;
    std::string peer_ = "192.0.2.1";
};

}  // namespace sycee
