// Pins: prices by the newest word of the sources, and none where there is no such word; tokens that
// are not known to be worth a dollar are not offered.
#include <sycee/app/feed_source.hpp>
#include <sycee/app/payment_service.hpp>
#include <sycee/app/rate_service.hpp>

#include "run_task.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sycee {
namespace {

using namespace std::chrono_literals;

Timestamp const kStart = timestamp_from_seconds(1'800'000'000);
constexpr ChainId kChain = 31'337;
Address const kDollarToken{Bytes20{1}};
Address const kOtherToken{Bytes20{2}};

Rate rate(std::string_view text) {
    return parse_rate(text).value();
}

RateSourceSettings fixed(std::string_view value) {
    return {.kind = RateSourceKind::fixed, .name = "fixed", .rate = rate(value)};
}

RateSourceSettings feed(std::string name, std::string base = "EUR") {
    return {.kind = RateSourceKind::chainlink,
            .name = std::move(name),
            .pair = {std::move(base), "USD"},
            .inverse = true,
            .chain_id = kChain,
            .feed = Address{Bytes20{9}},
            .decimals = 8,
            .longest_age = 60s};
}

Network two_tokens() {
    ChainSettings chain;
    chain.id = kChain;
    chain.name = "Test chain";
    chain.tokens = {{"USDT", kDollarToken, 6, {.basis_points = 100}},
                    {"USDC", kOtherToken, 18, {}}};
    return {{chain}, "https://pay.example"};
}

CreatePayment of(std::string amount, std::string currency) {
    CreatePayment input;
    input.amount = std::move(amount);
    input.currency = std::move(currency);
    return input;
}

TEST(PricedPayment, is_one_to_one_in_dollars) {
    auto const payment = check_new_payment(of("50.00", "USD"), two_tokens(), kStart).value();
    EXPECT_EQ(payment.quote, nullptr);
    EXPECT_EQ(payment.options[0].amount, Amount(50'000'000));
    EXPECT_EQ(payment.options[1].amount,
              multiply_divide_up(Amount(50), power_of_ten(18), Amount(1)));
}

TEST(PricedPayment, locks_the_rate_in_every_token) {
    RateBook const book(
        {.rates = {{.subject = "EUR", .spread_basis_points = 50, .sources = {fixed("0.92")}}}});
    auto const payment = check_new_payment(of("50.00", "EUR"), two_tokens(), kStart, book).value();
    ASSERT_NE(payment.quote, nullptr);
    EXPECT_EQ(*payment.quote, (PriceQuote{.rate = rate("0.92"),
                                          .spread_basis_points = 50,
                                          .sources = {{"fixed", rate("0.92"), kStart}}}));
    EXPECT_EQ(to_decimal(payment.options[0].amount, 6), "54.619566");
    EXPECT_EQ(to_decimal(payment.options[1].amount, 18), "54.619565217391304348");
    // A hundredth of the amount may be missing.
    EXPECT_EQ(to_decimal(payment.options[0].tolerance, 6), "0.546195");
}

TEST(PricedPayment, takes_the_digits_of_its_currency) {
    RateBook const book({.rates = {{.subject = "JPY", .sources = {fixed("156.25")}},
                                   {.subject = "KWD", .sources = {fixed("0.307")}}}});
    auto const amount = [&](std::string price, std::string currency) {
        auto const payment = check_new_payment(of(std::move(price), std::move(currency)),
                                               two_tokens(), kStart, book);
        return payment ? to_decimal(payment->options[0].amount, 6) : to_string(payment.error());
    };
    EXPECT_EQ(amount("7500", "JPY"), "48.000000");
    EXPECT_EQ(amount("19.500", "KWD"), "63.517916");
    EXPECT_TRUE(amount("7500.0", "JPY").starts_with("amount: must have at most 0 digits"));
    EXPECT_TRUE(amount("19.5001", "KWD").starts_with("amount: must have at most 3 digits"));
    EXPECT_TRUE(amount("0", "JPY").starts_with("amount: must be above zero"));
    EXPECT_EQ(amount("1000000000000001", "JPY"), "amount: is too large");
}

TEST(PricedPayment, an_open_amount_has_no_tolerance_and_a_least_that_its_worth_can_be_told_by) {
    RateBook const book({.rates = {{.subject = "EUR", .sources = {fixed("0.92")}},
                                   {.subject = "IDR", .sources = {fixed("16300")}}}});
    auto network = two_tokens();
    auto const open = [&](std::string least, std::string currency) {
        auto input = of(std::move(least), std::move(currency));
        input.open_amount = true;
        return check_new_payment(input, network, kStart, book);
    };
    auto const payment = open("5.00", "EUR");
    ASSERT_TRUE(payment);
    EXPECT_TRUE(payment->open_amount);
    EXPECT_EQ(to_decimal(payment->options[0].amount, 6), "5.434783");
    EXPECT_TRUE(payment->options[0].tolerance.is_zero());
    EXPECT_EQ(to_string(open("1.00", "IDR").error()),
              "minimum_amount: is too little to tell by it what USDT is worth: 161.30 is enough");
    EXPECT_TRUE(open("163.00", "IDR"));
    EXPECT_FALSE(open("0.99", "USD"));
    // Cents and hundredths of a token are the same: nothing is rounded.
    network.chains[0].tokens[0].decimals = 2;
    EXPECT_TRUE(open("1.00", "USD"));
    EXPECT_FALSE(open("1.00", "EUR"));
    network.chains[0].tokens[0].decimals = 1;
    EXPECT_FALSE(open("1.00", "USD"));
}

TEST(PricedPayment, names_the_currencies_that_there_are) {
    RateBook const book({.rates = {{.subject = "EUR", .sources = {fixed("0.92")}},
                                   {.subject = "USDT", .is_peg = true, .sources = {fixed("1")}},
                                   {.subject = "JPY", .sources = {fixed("156.25")}}}});
    auto const refused = [&](std::string currency, RateBook const& rates) {
        return to_string(
            check_new_payment(of("1", std::move(currency)), two_tokens(), kStart, rates).error());
    };
    EXPECT_EQ(refused("GBP", book),
              "currency: must be USD, EUR or JPY, not \"GBP\", for which there is no rate");
    EXPECT_EQ(refused("USDT", book),
              "currency: must be USD, EUR or JPY, not \"USDT\", which is no currency of ISO 4217");
    EXPECT_EQ(refused("EUR", no_rates()),
              "currency: must be USD, not \"EUR\", for which there is no rate");
}

TEST(PricedPayment, is_none_without_a_rate_that_may_be_used) {
    auto until = fixed("0.92");
    until.valid_until = kStart;
    RateBook const book({.rates = {{.subject = "EUR", .sources = {until}}}});
    EXPECT_TRUE(check_new_payment(of("1", "EUR"), two_tokens(), kStart, book));
    try {
        check_new_payment(of("1", "EUR"), two_tokens(), kStart + 1ms, book);
        FAIL() << "was priced";
    } catch (RateUnavailable const& unavailable) {
        EXPECT_STREQ(unavailable.what(), "no rate for EUR: 0 of 1 sources fresh, and 1 needed");
    }
}

class StillClock final : public Clock {
  public:
    Timestamp time = kStart;
    unsigned sleeps_left = 0;
    std::vector<std::chrono::milliseconds> slept;

    Timestamp now() const override { return time; }
    Task<void> sleep_for(std::chrono::milliseconds duration) override {
        slept.push_back(duration);
        if (sleeps_left-- == 0)
            throw boost::system::system_error(boost::asio::error::operation_aborted);
        time += duration;
        co_return;
    }
};

class NoPayments final : public PaymentPort {
  public:
    Task<Payment> create(NewPayment input, DeriveAddress) override {
        Payment payment;
        payment.options = std::move(input.options);
        payment.quote = std::move(input.quote);
        co_return payment;
    }
    Task<std::optional<PaymentState>> find(MerchantId, PaymentId) override {
        co_return std::nullopt;
    }
    Task<std::optional<PaymentState>> find_public(PaymentId) override { co_return std::nullopt; }
    Task<PaymentPage> list(std::optional<MerchantId>, std::optional<PaymentId>,
                           std::size_t) override {
        co_return PaymentPage{};
    }
};

class GuardedTokens : public ::testing::Test {
  protected:
    GuardedTokens() {
        registry.set(kChain, {.head_time = kStart, .agreed = 1, .finalized = 1, .rule = {}});
    }
    std::vector<std::string> offered(std::string currency) {
        auto const offer = service.offer(currency, "10.00").value();
        std::vector<std::string> symbols;
        for (PaymentOption const& option : offer.options)
            symbols.push_back(network.token(option.chain_id, option.token)->symbol);
        return symbols;
    }

    Network network = two_tokens();
    ChainRegistry registry{network};
    StillClock clock;
    NoPayments payments;
    RateRule const band{.lowest = rate("0.98"), .highest = rate("1.02")};
    RateBook book{
        {.rates = {{.subject = "EUR", .sources = {fixed("0.92")}},
                   {.subject = "USDT", .is_peg = true, .rule = band, .sources = {[] {
                                                                         auto source =
                                                                             feed("peg", "USDT");
                                                                         source.inverse = false;
                                                                         return source;
                                                                     }()}}}}};
    PaymentService service{payments, network, registry, clock, book};
};

using Symbols = std::vector<std::string>;

TEST_F(GuardedTokens, are_offered_while_they_are_known_to_be_worth_a_dollar) {
    EXPECT_EQ(offered("USD"), Symbols{"USDC"});  // nothing has been read yet
    book.put(1, 0, rate("0.999"), kStart);
    EXPECT_EQ(offered("USD"), (Symbols{"USDT", "USDC"}));
    EXPECT_EQ(offered("EUR"), (Symbols{"USDT", "USDC"}));
    book.put(1, 0, rate("0.97"), kStart);
    EXPECT_EQ(offered("USD"), Symbols{"USDC"});
    EXPECT_EQ(offered("EUR"), Symbols{"USDC"});
    book.put(1, 0, rate("1"), kStart);
    EXPECT_EQ(offered("USD"), (Symbols{"USDT", "USDC"}));
    clock.time += 60s;
    EXPECT_EQ(offered("USD"), (Symbols{"USDT", "USDC"}));
    clock.time += 1ms;
    EXPECT_EQ(offered("USD"), Symbols{"USDC"});
}

TEST_F(GuardedTokens, leave_no_payment_where_none_is_left) {
    network.chains[0].tokens.pop_back();
    book.put(1, 0, rate("0.9"), kStart);
    try {
        run_task(service.create({}, of("1.00", "USD")));
        FAIL() << "was created";
    } catch (RateUnavailable const& unavailable) {
        EXPECT_STREQ(unavailable.what(),
                     "no token is known to be worth one USD at the moment: USDT: 0.9 is not "
                     "between 0.98 and 1.02");
    }
    book.put(1, 0, rate("1"), kStart);
    EXPECT_EQ(run_task(service.create({}, of("1.00", "USD")))->payment.options.size(), 1U);
}

TEST_F(GuardedTokens, are_offered_at_one_dollar_whatever_they_are_worth_within_the_band) {
    book.put(1, 0, rate("0.985"), kStart);
    EXPECT_EQ(service.offer("USD", "10.00")->options[0].amount, Amount(10'000'000));
    EXPECT_EQ(service.offer("EUR", "9.20")->options[0].amount, Amount(10'000'000));
}

TEST_F(GuardedTokens, have_a_price_of_one_unit_where_no_amount_is_asked_for) {
    EXPECT_EQ(service.offer("EUR", std::nullopt)->price, Amount(100));
    EXPECT_EQ(to_decimal(service.offer("EUR", std::nullopt)->options[0].amount, 18),
              "1.086956521739130435");
}

FeedAnswer said(std::uint64_t answer, std::int64_t age = 0, std::uint64_t round = 7) {
    return {.decimals = 8,
            .description = "EUR / USD",
            .round = {Amount(round), Amount(answer), kStart - std::chrono::seconds(age)}};
}

class ScriptedFeed final : public FeedPort {
  public:
    std::optional<FeedAnswer> answer;
    bool is_no_feed = false;
    unsigned asked = 0;

    Task<FeedAnswer> read_feed(Address) override {
        ++asked;
        if (is_no_feed) throw RateMisconfigured("no feed");
        if (!answer) throw Unavailable("the node is away");
        co_return *answer;
    }
};

class FeedOfThree : public ::testing::Test {
  protected:
    std::string read(std::size_t quorum) {
        FeedSource source(feed("eur"), {&nodes[0], &nodes[1], &nodes[2]}, quorum);
        try {
            auto const value = run_task(source.read());
            return to_decimal(value.value, value.decimals) + " at " + to_rfc3339(value.at);
        } catch (RateMisconfigured const& wrong) {
            return std::string("misconfigured: ") + wrong.what();
        } catch (Unavailable const& unavailable) {
            return unavailable.what();
        }
    }
    std::array<ScriptedFeed, 3> nodes;
    std::string const right = "1.08700000 at " + to_rfc3339(kStart);
};

TEST_F(FeedOfThree, is_read_through_the_first_node_that_answers) {
    nodes[1].answer = said(108'700'000);
    EXPECT_EQ(read(1), right);
    EXPECT_EQ(nodes[2].asked, 0U);
    nodes[1].answer.reset();
    EXPECT_EQ(read(1), "the node is away");
}

TEST_F(FeedOfThree, is_believed_where_a_quorum_says_the_same) {
    nodes[0].answer = said(200'000'000);  // a lie
    nodes[1].answer = said(108'700'000);
    nodes[2].answer = said(108'700'000);
    EXPECT_EQ(read(2), right);
    nodes[2].answer = said(108'700'000, 10);
    EXPECT_TRUE(read(2).ends_with("fewer than 2 nodes say the same")) << read(2);
    nodes[2].answer.reset();
    nodes[0].answer = said(108'700'000);
    EXPECT_EQ(read(2), right);
}

TEST_F(FeedOfThree, must_be_what_the_configuration_says) {
    nodes[0].answer = said(108'700'000);
    nodes[0].answer->decimals = 18;
    EXPECT_TRUE(read(1).ends_with("has 18 decimals; the configuration says 8")) << read(1);
    nodes[0].answer = said(108'700'000);
    nodes[0].answer->description = "USD / EUR";
    EXPECT_TRUE(read(1).ends_with("is of \"USD / EUR\"; the configuration says \"EUR / USD\""))
        << read(1);
    nodes[0].answer.reset();
    nodes[0].is_no_feed = true;
    EXPECT_EQ(read(1), "misconfigured: no feed");
    nodes[1].answer = said(108'700'000);
    EXPECT_EQ(read(1), right);
}

using Step = std::function<SourceValue()>;

class ScriptedSource final : public RateSourcePort {
  public:
    explicit ScriptedSource(std::vector<Step>& steps) : steps_(steps) {}
    Task<SourceValue> read() override {
        auto const step = steps_.front();
        if (steps_.size() > 1) steps_.erase(steps_.begin());
        co_return step();
    }

  private:
    std::vector<Step>& steps_;
};

class WatchedSource : public ::testing::Test {
  protected:
    // Reads so many times.
    void watch(unsigned times) {
        RateService service(
            book, [this](auto const&) { return std::make_unique<ScriptedSource>(steps); }, clock,
            metrics);
        EXPECT_EQ(service.sources(), 1U);
        clock.sleeps_left = times - 1;
        clock.slept.clear();
        EXPECT_THROW(run_task(service.watch(0)), boost::system::system_error);
    }
    std::string now() const {
        auto const agreed = book.agreed(0, clock.time);
        return agreed ? to_string(agreed->rate) : to_string(agreed.error());
    }
    Step value(std::uint64_t units) {
        return [this, units] { return SourceValue{Amount(units), 8, clock.time}; };
    }
    static SourceValue away() { throw Unavailable("away"); }
    static SourceValue wrong() { throw RateMisconfigured("of another pair"); }

    RateBook book{{.rates = {{.subject = "EUR", .sources = {feed("eur")}}}, .refresh = 20s}};
    StillClock clock;
    Metrics metrics;
    std::vector<Step> steps;
};

TEST_F(WatchedSource, is_read_again_and_again_and_the_other_way_round_where_it_is_inverse) {
    steps = {value(108'700'000), value(200'000'000)};
    watch(1);
    EXPECT_EQ(now(), "0.919963201471");
    watch(2);
    EXPECT_EQ(now(), "0.5");
    EXPECT_EQ(clock.slept, (std::vector<std::chrono::milliseconds>{20s, 20s}));
    EXPECT_TRUE(metrics.text().contains("sycee_rate_usable{currency=\"EUR\"} 1"));
}

TEST_F(WatchedSource, is_used_until_it_is_too_old_and_never_longer) {
    steps = {value(200'000'000), away};
    watch(1);
    auto const read_at = clock.time;
    watch(3);
    clock.time = read_at + 60s;
    EXPECT_EQ(now(), "0.5");
    clock.time += 1ms;
    EXPECT_EQ(now(), "0 of 1 sources fresh, and 1 needed");
    RateService(
        book, [this](auto const&) { return std::make_unique<ScriptedSource>(steps); }, clock,
        metrics)
        .report();
    EXPECT_TRUE(metrics.text().contains("sycee_rate_usable{currency=\"EUR\"} 0"));
}

TEST_F(WatchedSource, is_asked_again_sooner_and_then_more_and_more_rarely_after_a_fault) {
    steps = {away};
    watch(8);
    ASSERT_EQ(clock.slept.size(), 8U);
    EXPECT_LE(clock.slept[0], 1s);
    EXPECT_GE(clock.slept[7], 10s);
    EXPECT_LE(clock.slept[7], 20s);
    EXPECT_TRUE(metrics.text().contains("sycee_rate_source_failing"));
}

TEST_F(WatchedSource, says_nothing_that_is_no_rate) {
    steps = {value(0), value(1)};
    watch(1);
    EXPECT_EQ(now(), "0 of 1 sources fresh, and 1 needed");
    watch(1);
    EXPECT_EQ(now(), "100000000");
}

TEST_F(WatchedSource, that_was_never_right_ends_the_program_and_later_is_a_fault) {
    RateService service(
        book, [this](auto const&) { return std::make_unique<ScriptedSource>(steps); }, clock,
        metrics);
    steps = {wrong};
    EXPECT_THROW(run_task(service.watch(0)), RateMisconfigured);
    steps = {value(200'000'000), wrong};
    watch(3);
    EXPECT_EQ(now(), "0.5");
}

}  // namespace
}  // namespace sycee
