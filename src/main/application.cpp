#include "application.hpp"

#include <sycee/admin/admin_pages.hpp>
#include <sycee/api/docs_pages.hpp>
#include <sycee/api/merchant_api.hpp>
#include <sycee/api/signing_keys.hpp>
#include <sycee/app/api_key_uses.hpp>
#include <sycee/app/chain_follower.hpp>
#include <sycee/app/chain_registry.hpp>
#include <sycee/app/checkpoint_service.hpp>
#include <sycee/app/desk_service.hpp>
#include <sycee/app/detected_transfers.hpp>
#include <sycee/app/expiry_teller.hpp>
#include <sycee/app/fee_service.hpp>
#include <sycee/app/feed_source.hpp>
#include <sycee/app/loss_service.hpp>
#include <sycee/app/mempool_watcher.hpp>
#include <sycee/app/month_keeper.hpp>
#include <sycee/app/payment_feed.hpp>
#include <sycee/app/payment_service.hpp>
#include <sycee/app/rate_service.hpp>
#include <sycee/app/reconciler.hpp>
#include <sycee/app/refund_service.hpp>
#include <sycee/app/test_payments.hpp>
#include <sycee/app/transfer_finder.hpp>
#include <sycee/app/webhook_dispatcher.hpp>
#include <sycee/app/webhook_service.hpp>
#include <sycee/checkout/checkout_pages.hpp>
#include <sycee/checkout/claim_page.hpp>
#include <sycee/checkout/receipt_page.hpp>
#include <sycee/crypto/hash.hpp>
#include <sycee/net/http_server.hpp>
#include <sycee/node/node_mempool.hpp>
#include <sycee/rates/http_rate_source.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/log.hpp>
#include <sycee/runtime/random.hpp>
#include <sycee/runtime/secret_box.hpp>
#include <sycee/runtime/task_group.hpp>
#include <sycee/store/pg_access.hpp>
#include <sycee/store/pg_api_keys.hpp>
#include <sycee/store/pg_checkpoints.hpp>
#include <sycee/store/pg_desk.hpp>
#include <sycee/store/pg_event_feed.hpp>
#include <sycee/store/pg_expiries.hpp>
#include <sycee/store/pg_fees.hpp>
#include <sycee/store/pg_idempotency.hpp>
#include <sycee/store/pg_ledger.hpp>
#include <sycee/store/pg_losses.hpp>
#include <sycee/store/pg_months.hpp>
#include <sycee/store/pg_outbox.hpp>
#include <sycee/store/pg_payment_changes.hpp>
#include <sycee/store/pg_payment_search.hpp>
#include <sycee/store/pg_payments.hpp>
#include <sycee/store/pg_reconciliation.hpp>
#include <sycee/store/pg_refunds.hpp>
#include <sycee/store/pg_reports.hpp>
#include <sycee/store/pg_statements.hpp>
#include <sycee/store/pg_test_chain.hpp>
#include <sycee/store/pg_webhooks.hpp>
#include <sycee/webhook/http_webhook_sender.hpp>

#include "certificate_keeper.hpp"
#include "chain_access.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <sys/resource.h>
#include <vector>

namespace sycee {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

constexpr auto kDrainTime = 10s;
// What the keys of the payers' links and of quotes are derived from the sealing key by.
constexpr std::string_view kClaims = "sycee.refund_claims.1";
constexpr std::string_view kQuotes = "sycee.quotes.1";
constexpr std::size_t kPasswordThreads = 1;
constexpr std::size_t kMostPasswordsWaiting = 20;
constexpr std::size_t kMostTasks = 512;
// Apart from those of the requests, so that no flood of them delays a booking or a webhook.
constexpr std::size_t kBookConnections = 2;
// A checkpoint reads for a long time.
constexpr std::size_t kCheckpointConnections = 1;
// Open checkout pages must leave connections for the API and the dashboard.
constexpr StreamLimits kStreams{.all = HttpServerLimits{}.connections / 2, .per_holder = 20};

// Everything of the running service, built in the order in which it is used and destroyed in
// reverse.
class Application {
  public:
    Application(Executor executor, Config config, Bytes32 const& sealing_key)
        : executor_(executor),
          config_(std::move(config)),
          database_(config_.database_url, config_.database_connections, &disk_),
          books_(config_.database_url, kBookConnections, &disk_),
          checkpoint_connection_(config_.database_url, kCheckpointConnections),
          ledger_(books_, &just_booked_),
          requests_ledger_(database_),
          payments_(database_, config_.payments_per_transaction),
          outbox_(books_, &just_booked_),
          webhooks_(database_),
          desk_(books_),
          fees_(books_),
          losses_(database_),
          refunds_(database_),
          access_(database_),
          api_keys_(database_),
          key_uses_(api_keys_, clock_),
          idempotency_(database_),
          reports_(database_),
          reconciliation_(database_),
          checkpoints_(checkpoint_connection_),
          months_(checkpoint_connection_),
          receipts_(database_),
          statements_(database_),
          event_feed_(database_),
          payment_search_(database_),
          payment_changes_(database_),
          test_chain_(books_),
          expiries_(books_),
          password_workers_(kPasswordThreads, kMostPasswordsWaiting),
          secrets_(sealing_key),
          feed_(executor),
          detected_(feed_),
          outbox_wake_(executor),
          stop_(executor),
          sender_(executor, secrets_,
                  {.allow_private_addresses = config_.allow_private_webhook_addresses}),
          registry_(config_.network),
          chains_(make_chains(*this)),
          finder_(executor, config_.network, ports_of(chains_), requests_ledger_, payments_,
                  registry_),
          rates_(config_.rates),
          rate_service_(
              rates_,
              [this](RateSourceSettings const& settings) { return make_rate_source(settings); },
              clock_, metrics_),
          service_(payments_, config_.network, registry_, clock_, rates_),
          search_service_(payment_search_, registry_),
          change_service_(payment_changes_, requests_ledger_, config_.network, registry_,
                          outbox_wake_, feed_, clock_),
          simulations_(database_),
          test_payments_(simulations_, service_),
          quotes_(service_, hmac_sha256(sealing_key, as_bytes(kQuotes))),
          desk_service_(desk_, ledger_, config_.network, registry_, outbox_wake_, clock_,
                        config_.desk),
          loss_service_(losses_, ledger_, config_.network, nodes_of<LossService::Nodes>(chains_),
                        clock_, config_.desk),
          fee_service_(fees_, service_, ledger_, config_.network, registry_, clock_),
          refund_service_(refunds_, desk_service_, ledger_, config_.network, registry_,
                          nodes_of<RefundService::Nodes>(chains_), outbox_wake_, clock_,
                          {.second_operator_above = config_.desk.second_operator_above,
                           .claim_key = hmac_sha256(sealing_key, as_bytes(kClaims))}),
          checkpoint_service_(checkpoints_, receipts_, signing_key_loader(), clock_, metrics_),
          webhook_service_(
              webhooks_, secrets_,
              [allowed = config_.allow_private_webhook_addresses](
                  std::string const& url) -> Result<void> {
                  auto const parsed = webhook_destination(url, allowed);
                  if (!parsed) return std::unexpected(parsed.error());
                  return {};
              },
              outbox_wake_, clock_),
          month_keeper_(months_, clock_, metrics_),
          expiry_teller_(expiries_, registry_, outbox_wake_, feed_, clock_, metrics_),
          dispatcher_(outbox_, sender_, config_.network, outbox_wake_, clock_, metrics_),
          api_({service_,
                desk_service_,
                fee_service_,
                refund_service_,
                statements_,
                checkpoint_service_,
                webhook_service_,
                api_keys_,
                key_uses_,
                idempotency_,
                secrets_,
                config_.network,
                clock_,
                {event_feed_, outbox_wake_},
                search_service_,
                change_service_,
                test_payments_,
                quotes_},
               metrics_, config_.api),
          checkout_(service_, finder_, feed_, detected_, config_.network, clock_, kStreams),
          receipt_page_(checkpoint_service_, config_.network),
          claim_page_(refund_service_, config_.network),
          admin_(service_, desk_service_, refund_service_, loss_service_, finder_, registry_,
                 reports_, statements_, access_, password_workers_, config_.network, clock_,
                 metrics_, rates_),
          certificate_(executor, config_.server, clock_, metrics_),
          tasks_(executor, kMostTasks) {}

    Task<int> run() {
        HttpServer server(
            executor_, config_.server.address, config_.server.port, {},
            [this](HttpRequest const& request) { return route(request); },
            config_.server.trusted_proxies, certificate_.tls());
        std::unique_ptr<HttpServer> metrics_server = make_metrics_server();
        log_info("main", "listening",
                 {{"address", config_.server.address}, {"port", server.port()}});
        if (config_.server.trusted_proxies.empty() && !certificate_.tls() &&
            config_.network.public_url.starts_with("https://")) {
            log_warning("main",
                        "no server.trusted_proxies: logins are limited by the proxy's "
                        "address, for everybody at once");
        }
        spawn_essential("http server", server.run());
        if (metrics_server) spawn_essential("metrics server", metrics_server->run());
        if (certificate_.tls()) spawn_essential("certificate", certificate_.run());
        spawn_essential("signals", wait_for_signals());
        tasks_.spawn("start", start());

        while (!stopping_)
            co_await stop_.wait_after(stop_.generation(), 1h);

        log_info("main", "draining");
        draining_ = true;
        tasks_.cancel();
        co_await server.drain(kDrainTime);
        if (metrics_server) co_await metrics_server->drain(1s);
        co_await tasks_.join(1s);
        for (auto const& chain : chains_)
            co_await chain->follower.hand_over();
        log_info("main", "stopped");
        co_return exit_code_;
    }

  private:
    // A mempool, and who looks at it.
    struct Mempool {
        Mempool(ChainSettings const& settings, Application& application)
            : node(application.executor_, settings, *settings.mempool_endpoint(),
                   application.clock_),
              watcher(settings, {node, application.requests_ledger_, application.addresses_,
                                 application.registry_, application.detected_, application.clock_,
                                 application.metrics_}) {}

        NodeMempool node;
        MempoolWatcher watcher;
    };

    // One chain, and who follows it.
    struct Chain {
        Chain(ChainSettings const& chain, Application& application, std::string const& holder)
            : settings(chain),
              access(application.executor_, settings, application.clock_, application.metrics_,
                     application.test_chain_),
              follower(settings, application.config_.network, holder,
                       {access.endpoints, application.ledger_, application.addresses_,
                        application.registry_, application.feed_, application.outbox_wake_,
                        application.clock_, application.metrics_}) {
            if (settings.watch_mempool) mempool.emplace(settings, application);
            std::vector<BalancePort*> asked;
            for (auto const& node : access.nodes)
                asked.push_back(node.get());
            reconciler.emplace(settings, std::move(asked), application.reconciliation_,
                               application.clock_, application.metrics_,
                               application.config_.reconciliation);
        }

        ChainSettings const& settings;
        ChainAccess access;
        ChainFollower follower;
        std::optional<Mempool> mempool;
        std::optional<Reconciler> reconciler;
    };

    using Chains = std::vector<std::unique_ptr<Chain>>;

    static Chains make_chains(Application& application) {
        Chains chains;
        std::string const holder = to_string(new_id<OperatorTag>(application.clock_.now()).uuid);
        for (ChainSettings const& chain : application.config_.network.chains)
            chains.push_back(std::make_unique<Chain>(chain, application, holder));
        return chains;
    }

    static std::map<ChainId, ChainPort*> ports_of(Chains const& chains) {
        std::map<ChainId, ChainPort*> ports;
        for (auto const& chain : chains)
            ports[chain->settings.id] = &chain->access.endpoints;
        return ports;
    }

    template <class Nodes>
    static Nodes nodes_of(Chains const& chains) {
        Nodes nodes;
        for (auto const& chain : chains) {
            for (auto const& node : chain->access.nodes)
                nodes[chain->settings.id].push_back(node.get());
        }
        return nodes;
    }

    std::unique_ptr<RateSourcePort> make_rate_source(RateSourceSettings const& settings) {
        if (settings.kind == RateSourceKind::http)
            return std::make_unique<HttpRateSource>(executor_, settings, clock_);
        auto feeds = nodes_of<std::map<ChainId, std::vector<FeedPort*>>>(chains_);
        return std::make_unique<FeedSource>(settings, std::move(feeds[settings.chain_id]),
                                            config_.network.chain(settings.chain_id)->quorum);
    }

    LoadSigningKey signing_key_loader() const {
        if (config_.signing_key_file.empty()) return {};
        return [file = config_.signing_key_file] { return load_signing_key(file); };
    }

    // The first reason to stop counts.
    void stop(int exit_code) {
        if (stopping_) return;
        exit_code_ = exit_code;
        stopping_ = true;
        stop_.notify();
    }

    // For what the service is half-dead without, however healthy it looks: when such a task ends
    // that was not asked to, the program ends too, and whoever supervises it starts it anew.
    void spawn_essential(std::string name, Task<void> task) {
        auto const on_end = [this, name] {
            if (stopping_) return;
            log_critical("main", "stops: a task has ended that it can't do without",
                         {{"task", name}});
            stop(1);
        };
        if (!tasks_.spawn(name, std::move(task), on_end)) on_end();
    }

    // The first signal drains; the second ends the program as it stands, which is as safe as kill
    // -9.
    Task<void> wait_for_signals() {
        asio::signal_set signals(executor_, SIGINT, SIGTERM);
        int const signal = co_await signals.async_wait(asio::use_awaitable);
        log_info("main", "signal", {{"number", signal}});
        std::signal(SIGINT, SIG_DFL);
        std::signal(SIGTERM, SIG_DFL);
        stop(0);
    }

    // Waits for what passes, gives up at what does not.
    Task<void> start() {
        std::string fault;
        try {
            co_await when_available("the database", [this] { return database_.check(); });
            co_await when_available("the database",
                                    [this] { return addresses_.refresh(ledger_, clock_.now()); });
            log_info("main", "addresses loaded",
                     {{"in_memory", addresses_.in_memory()}, {"archived", addresses_.archived()}});
            spawn_essential("webhooks", dispatcher_.run());
            spawn_essential("idempotency keys", forget_old_keys(idempotency_, clock_));
            spawn_essential("uses of API keys", key_uses_.run());
            spawn_essential("months", month_keeper_.run());
            spawn_essential("expiries", expiry_teller_.run());
            spawn_essential("fee payments", fee_service_.run());
            spawn_essential("refunds", refund_service_.run());
            spawn_essential("rates", rate_service_.run());
            for (std::size_t i = 0; i < rate_service_.sources(); ++i)
                spawn_essential("rate", watch_rate(i));
            if (checkpoint_service_.makes_checkpoints()) {
                spawn_essential("checkpoints", checkpoint_service_.run());
            }
            for (auto const& chain : chains_) {
                for (std::size_t i = 0; i < chain->access.nodes.size(); ++i) {
                    // Without it, heads are polled for.
                    tasks_.spawn("subscription", chain->access.nodes[i]->run_subscription());
                    spawn_essential("node", watch(*chain, i));
                }
                spawn_essential("chain", chain->follower.run());
                spawn_essential("reconciliation", chain->reconciler->run());
                if (!chain->mempool) continue;
                tasks_.spawn("pending transactions", chain->mempool->node.run_subscription());
                tasks_.spawn("mempool", chain->mempool->watcher.run());
            }
            started_ = true;
        } catch (boost::system::system_error const&) {
            throw;  // cancelled
        } catch (std::exception const& error) {
            fault = error.what();
        }
        if (!fault.empty()) refuse_to_run(fault);
    }

    void refuse_to_run(std::string const& why) {
        log_critical("main", "refuses to run: " + why);
        stop(1);
    }

    template <class Attempt>
    Task<void> when_available(std::string what, Attempt attempt) {
        Backoff backoff(250ms, 10s);
        for (;;) {
            std::string fault;
            try {
                co_await attempt();
                co_return;
            } catch (Unavailable const& unavailable) {
                fault = unavailable.what();
            }
            log_warning("main", "waits for " + what, {{"why", fault}});
            co_await clock_.sleep_for(backoff.next());
        }
    }

    // A node must be of the chain that the configuration means, token by token.
    Task<void> watch(Chain& chain, std::size_t index) {
        std::string fault;
        try {
            co_await chain.access.endpoints.watch(index);
        } catch (boost::system::system_error const&) {
            throw;  // cancelled
        } catch (std::runtime_error const& error) {
            fault = error.what();
        }
        refuse_to_run(fault);
    }

    // A source must be of what the configuration means.
    Task<void> watch_rate(std::size_t source) {
        std::string fault;
        try {
            co_await rate_service_.watch(source);
        } catch (RateMisconfigured const& misconfigured) {
            fault = misconfigured.what();
        }
        refuse_to_run(fault);
    }

    std::unique_ptr<HttpServer> make_metrics_server() {
        if (config_.server.metrics_port == 0) return nullptr;
        auto const handler = [this](HttpRequest const& request) { return show_metrics(request); };
        return std::make_unique<HttpServer>(executor_, "127.0.0.1", config_.server.metrics_port,
                                            HttpServerLimits{}, handler);
    }

    Task<HttpResponse> show_metrics(HttpRequest const& request) {
        if (request.path != "/metrics") co_return text_response(404, "text/plain", "not found\n");
        metrics_.set("sycee_database_disk_full", disk_.is_there() ? 0 : 1);
        co_return text_response(200, "text/plain; version=0.0.4", metrics_.text());
    }

    Task<HttpResponse> route(HttpRequest const& request) {
        std::string_view const path = request.path;
        auto const below = [path](std::string_view prefix) {
            return path == prefix || path.starts_with(std::string(prefix) + "/");
        };
        if (path == "/livez") co_return text_response(200, "text/plain", "ok\n");
        if (path == "/readyz") co_return co_await readiness();
        if (DocsPages::has(path)) co_return docs_.answer(request);
        if (!started_) throw Unavailable("starting");
        if (below("/v1")) co_return co_await api_.handle(request);
        if (path == kSigningKeysPath) {
            co_return co_await show_signing_keys(request, checkpoint_service_);
        }
        if (below("/receipt")) co_return co_await receipt_page_.handle(request);
        if (below("/refund")) co_return co_await claim_page_.handle(request);
        if (below("/checkout")) co_return co_await checkout_.handle(request);
        if (below("/admin")) co_return co_await admin_.handle(request);
        co_return text_response(404, "text/plain", "Not found\n");
    }

    // Ready with one chain of several: payments can be taken, and a chain that lags must not hide
    // the checkout pages of what is under way. The test chain never lags, and brings no money.
    Task<HttpResponse> readiness() {
        bool const followed =
            std::any_of(config_.network.chains.begin(), config_.network.chains.end(),
                        [this](ChainSettings const& settings) {
                            return !is_test_chain(settings.id) && registry_.followed(settings.id);
                        });
        if (!disk_.is_there()) {
            co_return text_response(503, "text/plain", "not ready: the database's disk is full\n");
        }
        bool const ready = started_ && !draining_ && followed && co_await reports_.ready();
        co_return text_response(ready ? 200 : 503, "text/plain", ready ? "ready\n" : "not ready\n");
    }

    Executor executor_;
    Config config_;
    SystemClock clock_;
    Metrics metrics_;
    DiskRoom disk_;
    Database database_;  // of the requests
    Database books_;     // of the chain followers and the outbox
    Database checkpoint_connection_;
    JustBooked just_booked_;
    PgLedger ledger_;
    PgLedger requests_ledger_;  // for whoever asks, and mempools: neither must delay a booking
    PgPayments payments_;
    PgOutbox outbox_;
    PgWebhooks webhooks_;
    PgDesk desk_;
    PgFees fees_;
    PgLosses losses_;
    PgRefunds refunds_;
    PgAccess access_;
    PgApiKeys api_keys_;
    ApiKeyUses key_uses_;
    PgIdempotency idempotency_;
    PgReports reports_;
    PgReconciliation reconciliation_;
    PgCheckpoints checkpoints_;
    PgMonths months_;
    PgReceipts receipts_;
    PgStatements statements_;
    PgEventFeed event_feed_;
    PgPaymentSearch payment_search_;
    PgPaymentChanges payment_changes_;
    PgTestChain test_chain_;
    PgExpiries expiries_;
    WorkerPool password_workers_;
    SecretBox secrets_;
    AddressIndex addresses_;
    PaymentFeed feed_;
    DetectedTransfers detected_;
    Notifier outbox_wake_;
    Notifier stop_;
    HttpWebhookSender sender_;
    ChainRegistry registry_;
    Chains chains_;
    TransferFinder finder_;
    RateBook rates_;
    RateService rate_service_;
    PaymentService service_;
    PaymentSearch search_service_;
    PaymentChanges change_service_;
    PgTestChain simulations_;  // by the workers of the requests
    TestPayments test_payments_;
    QuoteService quotes_;
    DeskService desk_service_;
    LossService loss_service_;
    FeeService fee_service_;
    RefundService refund_service_;
    CheckpointService checkpoint_service_;
    WebhookService webhook_service_;
    MonthKeeper month_keeper_;
    ExpiryTeller expiry_teller_;
    WebhookDispatcher dispatcher_;
    MerchantApi api_;
    CheckoutPages checkout_;
    DocsPages docs_;
    ReceiptPage receipt_page_;
    ClaimPage claim_page_;
    AdminPages admin_;
    CertificateKeeper certificate_;
    TaskGroup tasks_;
    bool started_ = false;
    bool stopping_ = false;
    bool draining_ = false;
    int exit_code_ = 0;
};

}  // namespace

int run_task(std::function<Task<int>(Executor)> task) {
    asio::io_context io(1);
    int exit_code = 1;
    auto finish = [&exit_code](std::exception_ptr error, int code) {
        if (!error) {
            exit_code = code;
            return;
        }
        try {
            std::rethrow_exception(error);
        } catch (std::exception const& failure) {
            std::cerr << "sycee: " << failure.what() << "\n";
        }
    };
    asio::co_spawn(io, task(io.get_executor()), finish);
    io.run();
    return exit_code;
}

namespace {

// Each connection is an open file, and systems let a program have 1024 unless it asks for more.
void allow_open_files() {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    constexpr rlim_t kOthers = 256;  // nodes, databases, webhooks
    rlim_t const wanted = HttpServerLimits{}.connections + kOthers;
    if (files.rlim_cur == RLIM_INFINITY || files.rlim_cur >= wanted) return;
    files.rlim_cur = files.rlim_max == RLIM_INFINITY ? wanted : std::min(wanted, files.rlim_max);
    if (::setrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur >= wanted) return;
    log_warning("main", "may open too few files for so many connections",
                {{"files", files.rlim_cur}, {"connections", HttpServerLimits{}.connections}});
}

}  // namespace

Task<int> serve(Executor executor, Config config, Bytes32 sealing_key) {
    allow_open_files();
    Application application(executor, std::move(config), sealing_key);
    co_return co_await application.run();
}

}  // namespace sycee
