#include <sycee/app/statement.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

namespace sycee {
namespace {

using std::chrono::year_month_day;

constexpr std::size_t kMonthLength = 7;
constexpr std::size_t kDayLength = 10;
constexpr std::size_t kMostQuoted = 40;

std::optional<unsigned> digits(std::string_view text) {
    unsigned value = 0;
    auto const* const end = text.data() + text.size();
    auto const parsed = std::from_chars(text.data(), end, value);
    if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
    return value;
}

Timestamp start_of(year_month_day const& day) {
    return Timestamp(std::chrono::sys_days(day));
}

StatementPeriod day_period(std::chrono::sys_days day) {
    Timestamp const begin(day);
    return {to_rfc3339(begin).substr(0, kDayLength), begin, begin + std::chrono::days(1)};
}

StatementPeriod month_period(std::chrono::year_month month) {
    Timestamp const begin = start_of(month / 1);
    return {to_rfc3339(begin).substr(0, kMonthLength), begin,
            start_of((month + std::chrono::months(1)) / 1)};
}

std::chrono::year_month month_with(Timestamp moment) {
    year_month_day const date{std::chrono::floor<std::chrono::days>(moment)};
    return date.year() / date.month();
}

// Nothing for what is no day and no month.
std::optional<StatementPeriod> read_period(std::string_view text) {
    if (text.size() != kMonthLength && text.size() != kDayLength) return std::nullopt;
    auto const year = digits(text.substr(0, 4));
    auto const month = digits(text.substr(5, 2));
    if (text[4] != '-' || !year || !month || *year < 1970) return std::nullopt;
    auto const whole = std::chrono::year(static_cast<int>(*year)) / std::chrono::month(*month);
    if (!whole.ok()) return std::nullopt;
    if (text.size() == kMonthLength) return month_period(whole);
    auto const number = digits(text.substr(8, 2));
    if (text[7] != '-' || !number) return std::nullopt;
    auto const day = whole / std::chrono::day(*number);
    if (!day.ok()) return std::nullopt;
    return day_period(std::chrono::sys_days(day));
}

Result<void> check_sum(std::string_view name, StatementSum const& sum) {
    if (sum.net + sum.fees == sum.gross) return {};
    return refuse(std::string(name), to_string(sum.gross) + " gross is not " + to_string(sum.fees) +
                                         " fees and " + to_string(sum.net) + " net");
}

constexpr std::chrono::days kMostDays{366};
constexpr std::chrono::days kDefaultDays{29};  // before the last one

Result<StatementPeriod> parse_day(std::string const& field, std::string_view text, Timestamp now) {
    auto const day = text.size() == kDayLength ? read_period(text) : std::nullopt;
    if (!day) {
        return refuse(field, "must be a day of UTC, such as 2026-11-25, not \"" +
                                 std::string(text.substr(0, kMostQuoted)) + "\"");
    }
    if (day->begin > now) {
        return refuse(field, day->name + " has not begun: it is " + to_rfc3339(now));
    }
    return *day;
}

}  // namespace

Result<StatementPeriod> parse_statement_period(std::string_view text, Timestamp now) {
    auto const period = read_period(text);
    if (!period) {
        return refuse("period", "must be a day (2026-11-25) or a month (2026-11) of UTC, not \"" +
                                    std::string(text.substr(0, kMostQuoted)) + "\"");
    }
    if (period->begin > now) {
        return refuse("period", period->name + " has not begun: it is " + to_rfc3339(now));
    }
    return *period;
}

Result<TotalsQuery> parse_totals_days(std::string_view from, std::string_view to, Timestamp now) {
    auto last = to.empty() ? Result<StatementPeriod>(day_of(now)) : parse_day("to", to, now);
    if (!last) return std::unexpected(last.error());
    auto first =
        from.empty()
            ? Result<StatementPeriod>(day_of(std::max(Timestamp{}, last->begin - kDefaultDays)))
            : parse_day("from", from, now);
    if (!first) return std::unexpected(first.error());
    if (first->begin > last->begin) {
        return refuse("from", first->name + " is after " + last->name);
    }
    if (last->end - first->begin > kMostDays) {
        return refuse("from", "must be at most " + std::to_string(kMostDays.count()) +
                                  " days before the end of " + last->name);
    }
    return TotalsQuery{.merchant_id = {}, .first = std::move(*first), .last = std::move(*last)};
}

std::string_view to_string(TotalStage stage) {
    switch (stage) {
        case TotalStage::authorized:
            return "authorized";
        case TotalStage::cleared:
            return "cleared";
        case TotalStage::settled:
            return "settled";
        case TotalStage::unapplied:
            return "unapplied";
        case TotalStage::reversed:
            return "reversed";
        case TotalStage::withdrawn:
            return "withdrawn";
        case TotalStage::withdrawal_reversed:
            return "withdrawal_reversed";
    }
    return "";
}

StatementPeriod day_of(Timestamp moment) {
    return day_period(std::chrono::floor<std::chrono::days>(moment));
}

StatementPeriod month_of(Timestamp moment) {
    return month_period(month_with(moment));
}

StatementPeriod period_before(StatementPeriod const& period) {
    Timestamp const inside = period.begin - std::chrono::milliseconds(1);
    return period.is_day() ? day_of(inside) : month_of(inside);
}

StatementPeriod period_after(StatementPeriod const& period) {
    return period.is_day() ? day_of(period.end) : month_of(period.end);
}

std::string_view to_string(StatementLineKind kind) {
    switch (kind) {
        case StatementLineKind::settlement:
            return "settlement";
        case StatementLineKind::accepted:
            return "accepted";
        case StatementLineKind::credited:
            return "credited";
        case StatementLineKind::written_off:
            return "written_off";
        case StatementLineKind::reversal:
            return "reversal";
        case StatementLineKind::refund:
            return "refund";
        case StatementLineKind::refund_canceled:
            return "refund_canceled";
    }
    return "";
}

Result<void> check_account(StatementAccount const& account) {
    std::array const sums{std::pair("settlements", &account.settlements),
                          std::pair("accepted", &account.accepted),
                          std::pair("credited", &account.credited),
                          std::pair("written_off", &account.written_off),
                          std::pair("reversed", &account.reversed),
                          std::pair("refunded", &account.refunded),
                          std::pair("refunds_canceled", &account.refunds_canceled)};
    for (auto const& [name, sum] : sums) {
        if (auto const checked = check_sum(name, *sum); !checked) return checked;
    }
    Amount const came = account.settlements.net + account.accepted.net + account.credited.net +
                        account.written_off.net + account.refunds_canceled.net;
    Amount const gone = account.reversed.net + account.refunded.net;
    if (account.opening + came != account.closing + gone) {
        return refuse("merchant_settled", "opening " + to_string(account.opening) + " and " +
                                              to_string(came) + " that came, less " +
                                              to_string(gone) +
                                              " that was reversed or refunded, are not closing " +
                                              to_string(account.closing));
    }
    Amount const went =
        account.unapplied_applied + account.refunds_promised + account.unapplied_reversed;
    Amount const received = account.unapplied_received + account.promises_canceled;
    if (account.unapplied_opening + received != account.unapplied_closing + went) {
        return refuse("payer_unapplied", "opening " + to_string(account.unapplied_opening) +
                                             " and " + to_string(received) + " that came, less " +
                                             to_string(went) + " that went, are not closing " +
                                             to_string(account.unapplied_closing));
    }
    return {};
}

void add_closings(std::vector<StatementDay>& days,
                  std::map<std::pair<ChainId, Address>, Amount> opening) {
    for (StatementDay& day : days) {
        Amount& balance = opening[{day.chain_id, day.token}];
        balance += day.net + day.decided + day.canceled;
        balance -= day.reversed + day.refunded;
        day.closing = balance;
    }
}

Result<std::vector<Address>> parse_statement_token(std::string_view text, Network const& network) {
    if (text.starts_with("0x")) {
        auto const contract = parse_address(text);
        if (!contract) return refuse("token", contract.error().message);
        return std::vector{*contract};
    }
    std::vector<Address> tokens;
    for (ChainSettings const& chain : network.chains) {
        for (TokenSettings const& token : chain.tokens) {
            if (token.symbol == text) tokens.push_back(token.contract);
        }
    }
    if (tokens.empty()) {
        return refuse("token", "must be the symbol of a configured token, or a contract (0x…)");
    }
    return tokens;
}

}  // namespace sycee
