#include "payment_rows.hpp"

#include <sycee/base/assert.hpp>

#include "payment_keys.hpp"
#include "planned.hpp"
#include "record_rows.hpp"
#include "values.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

namespace sycee {
namespace {

using Json = nlohmann::ordered_json;

std::vector<std::pair<std::string, std::string>> parse_metadata(std::string const& text) {
    if (text == "{}") return {};
    std::vector<std::pair<std::string, std::string>> metadata;
    for (auto const& [key, value] : Json::parse(text).items()) {
        metadata.emplace_back(key, value.get<std::string>());
    }
    return metadata;
}

// By place, since these are read for each payment of each block: what load_rows() selects.
Payment payment_of(pqxx::row const& row) {
    Payment payment;
    payment.merchant_id = id_of<MerchantTag>(row[0]);
    payment.id = id_of<PaymentTag>(row[1]);
    payment.derivation_index = number_of(row[2]);
    payment.deposit_address = address_in(row[3]);
    payment.currency = row[4].c_str();
    payment.price = amount_of(row[5]);
    payment.options = parse_options(row[6].c_str());
    payment.reference = row[7].c_str();
    payment.description = row[8].c_str();
    payment.metadata = parse_metadata(row[9].c_str());
    payment.success_url = row[10].c_str();
    payment.created_at = time_of(row[11]);
    payment.expires_at = time_of(row[12]);
    payment.quote = parse_quote(row[13].c_str());
    payment.open_amount = row[14].as<bool>();
    return payment;
}

std::optional<Canceled> canceled_of(pqxx::row const& row) {
    if (row["canceled_seq"].is_null()) return std::nullopt;
    return Canceled{.chain_id = number_of(row["canceled_chain"]),
                    .sequence = number_of(row["canceled_seq"]),
                    .hash = bytes_of<32>(row["canceled_hash"]),
                    .ends_at = time_of(row["ends_at"]),
                    .booked_at = time_of(row["canceled_at"])};
}

// The payments, each with whether anything is booked of it, whether an issuer has destroyed
// anything of it, and its cancellation (in the last columns). By one look into an index for each
// (OFFSET 0), which a join of so many would not do before the tables are large.
pqxx::result load_rows(pqxx::transaction_base& tx, std::vector<PaymentKey> const& keys) {
    auto const arrays = arrays_of(keys);
    static std::string const query =
        "SELECT p.merchant_id, p.payment_id, derivation_index, deposit_address, currency, price,"
        " options, reference, description, metadata, success_url, " +
        time_column("p.created_at", "created_at") + ", " +
        time_column("p.expires_at", "expires_at") +
        ", p.quote, open_amount"
        ", EXISTS (SELECT FROM all_authorizations a"
        "   WHERE (a.merchant_id, a.payment_id) = (p.merchant_id, p.payment_id)"
        "   AND a.payment_id BETWEEN $3::uuid AND $4::uuid OFFSET 0)"
        " OR EXISTS (SELECT FROM withdrawals w"
        "   WHERE (w.merchant_id, w.payment_id) = (p.merchant_id, p.payment_id) OFFSET 0)"
        " OR EXISTS (SELECT FROM resolutions r"
        "   WHERE (r.merchant_id, r.target_payment_id) = (p.merchant_id, p.payment_id) OFFSET 0)"
        " AS is_booked, EXISTS (SELECT FROM token_losses l"
        "   WHERE (l.merchant_id, l.payment_id) = (p.merchant_id, p.payment_id) OFFSET 0)"
        " AS has_losses, n.chain_id AS canceled_chain, n.seq AS canceled_seq,"
        " n.hash AS canceled_hash, " +
        time_column("n.ends_at", "ends_at") + ", " + time_column("n.booked_at", "canceled_at") +
        " FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS k(merchant_id, payment_id, place)"
        " CROSS JOIN LATERAL (SELECT * FROM payments f"
        "  WHERE (f.merchant_id, f.payment_id) = (k.merchant_id, k.payment_id) OFFSET 0) p"
        " LEFT JOIN LATERAL (SELECT * FROM cancellations c"
        "  WHERE (c.merchant_id, c.payment_id) = (k.merchant_id, k.payment_id) OFFSET 0) n ON true"
        " ORDER BY place";
    auto const [first, last] = range_of(keys);
    return exec_planned(tx, query, arrays.merchants, arrays.payments, first, last);
}

UnappliedReason reason_of(pqxx::field const& field) {
    auto const reason = parse_unapplied_reason(field.c_str());
    ensure(reason.has_value(), "store: an unknown reason in unapplied_receipts");
    return *reason;
}

Credit credit_of(pqxx::row const& row) {
    Credit credit;
    credit.transfer = incoming_transfer_of(row);
    credit.authorization_sequence = number_of(row["seq"]);
    credit.authorization_hash = bytes_of<32>(row["hash"]);
    credit.first_seen_time = credit.transfer.block_time;
    if (!row["clearing_seq"].is_null()) {
        bool const settled = !row["settlement_seq"].is_null();
        credit.stage = settled ? CreditStage::settled : CreditStage::cleared;
        credit.stage_sequence = number_of(row["clearing_seq"]);
        credit.stage_hash = bytes_of<32>(row["clearing_hash"]);
        credit.gross = amount_of(row["gross"]);
        credit.fee = amount_of(row["fee"]);
        credit.excess = amount_of(row["excess"]);
        credit.shortfall = amount_of(row["shortfall"]);
        if (settled) {
            credit.settlement_sequence = number_of(row["settlement_seq"]);
            credit.settlement_hash = bytes_of<32>(row["settlement_hash"]);
        }
    } else if (!row["unapplied_seq"].is_null()) {
        credit.stage = CreditStage::unapplied;
        credit.stage_sequence = number_of(row["unapplied_seq"]);
        credit.stage_hash = bytes_of<32>(row["unapplied_hash"]);
        credit.excess = credit.transfer.amount;
        credit.unapplied_reason = reason_of(row["unapplied_reason"]);
    }
    return credit;
}

std::string credits_query() {
    return "SELECT a.*, " + time_column("a.block_time", "block_millis") +
           ", r.seq AS reversal_seq, c.seq AS clearing_seq, c.hash AS clearing_hash, c.gross,"
           " c.fee, c.excess, c.shortfall, s.seq AS settlement_seq, s.hash AS settlement_hash,"
           " u.seq AS unapplied_seq, u.hash AS unapplied_hash, u.reason AS unapplied_reason"
           " FROM unnest($1::uuid[], $2::uuid[]) AS k(merchant_id, payment_id)"
           " JOIN all_authorizations a USING (merchant_id, payment_id)"
           " LEFT JOIN reversals r ON (r.merchant_id, r.chain_id, r.reversed_seq)"
           "   = (a.merchant_id, a.chain_id, a.seq)"
           " LEFT JOIN all_clearings c ON (c.merchant_id, c.chain_id, c.authorization_seq)"
           "   = (a.merchant_id, a.chain_id, a.seq) AND c.payment_id = a.payment_id"
           "   AND c.payment_id BETWEEN $3::uuid AND $4::uuid"
           " LEFT JOIN all_settlements s ON (s.merchant_id, s.chain_id, s.authorization_seq)"
           "   = (a.merchant_id, a.chain_id, a.seq) AND s.payment_id = a.payment_id"
           "   AND s.payment_id BETWEEN $3::uuid AND $4::uuid"
           " LEFT JOIN all_unapplied_receipts u"
           "   ON (u.merchant_id, u.chain_id, u.authorization_seq)"
           "   = (a.merchant_id, a.chain_id, a.seq) AND u.payment_id = a.payment_id"
           "   AND u.payment_id BETWEEN $3::uuid AND $4::uuid"
           " WHERE a.payment_id BETWEEN $3::uuid AND $4::uuid"
           " ORDER BY a.booked_at, a.chain_id, a.seq";
}

std::string outflows_query() {
    return "SELECT w.*, " + time_column("w.block_time", "block_millis") +
           ", r.seq AS reversal_seq FROM unnest($1::uuid[], $2::uuid[]) AS k(merchant_id, "
           "payment_id)"
           " JOIN withdrawals w USING (merchant_id, payment_id)"
           " LEFT JOIN reversals r ON (r.merchant_id, r.chain_id, r.reversed_seq)"
           "   = (w.merchant_id, w.chain_id, w.seq)"
           " ORDER BY w.booked_at, w.chain_id, w.seq";
}

PaymentKey key_of(pqxx::row const& row) {
    return {id_of<MerchantTag>(row["merchant_id"]), id_of<PaymentTag>(row["payment_id"])};
}

// Resolutions of the payments' own exceptions, and those that pay one of the payments.
std::string resolutions_query() {
    return "SELECT k.merchant_id, k.payment_id, r.chain_id, r.seq, r.exception_seq, r.kind,"
           " r.token, r.amount, r.fee, r.hash, r.payment_id = k.payment_id AS is_own,"
           " r.target_payment_id = k.payment_id AS is_target"
           " FROM unnest($1::uuid[], $2::uuid[]) AS k(merchant_id, payment_id)"
           " CROSS JOIN LATERAL ("
           "  SELECT * FROM resolutions o"
           "   WHERE o.merchant_id = k.merchant_id AND o.payment_id = k.payment_id"
           "  UNION SELECT * FROM resolutions t"
           "   WHERE t.merchant_id = k.merchant_id AND t.target_payment_id = k.payment_id"
           " ) r ORDER BY r.booked_at, r.chain_id, r.seq";
}

// How many records a row of credits_query() stands for. What is reversed is so by a reversal for
// each of its records.
std::uint64_t records_in(pqxx::row const& row) {
    std::uint64_t records = 1;
    for (char const* upon : {"clearing_seq", "settlement_seq", "unapplied_seq"})
        records += row[upon].is_null() ? 0 : 1;
    return row["reversal_seq"].is_null() ? records : 2 * records;
}

void take_outflow(PaymentState& state, pqxx::row const& row) {
    bool const is_reversed = !row["reversal_seq"].is_null();
    state.version += is_reversed ? 2 : 1;
    if (is_reversed) return;
    state.outflows.push_back({.transfer = outgoing_transfer_of(row),
                              .sequence = number_of(row["seq"]),
                              .hash = bytes_of<32>(row["hash"]),
                              .unexplained = amount_of(row["unexplained"])});
}

void take_resolution(PaymentState& state, pqxx::row const& row) {
    ++state.version;
    ChainId const chain_id = number_of(row["chain_id"]);
    Amount const amount = amount_of(row["amount"]);
    if (row["is_own"].as<bool>())
        note_resolved(state, chain_id, number_of(row["exception_seq"]), amount);
    ResolutionKind const kind = resolution_kind_of(row["kind"]);
    if (kind == ResolutionKind::refund) {
        state.promises.push_back({.chain_id = chain_id,
                                  .token = address_in(row["token"]),
                                  .amount = amount,
                                  .kind = RecordKind::resolution,
                                  .sequence = number_of(row["seq"]),
                                  .hash = bytes_of<32>(row["hash"]),
                                  .exception_sequence = number_of(row["exception_seq"])});
    }
    if (!pays(kind) || !row["is_target"].as<bool>()) return;
    state.desk_credits.push_back({.chain_id = chain_id,
                                  .token = address_in(row["token"]),
                                  .amount = amount,
                                  .fee = amount_of(row["fee"]),
                                  .sequence = number_of(row["seq"]),
                                  .accepts = kind == ResolutionKind::accept,
                                  .exception_sequence = number_of(row["exception_seq"])});
}

// Only what is settled, or lies on the desk, can be promised to a payer.
bool may_have_promises(PaymentState const& state) {
    return !state.desk_credits.empty() || !state.promises.empty() ||
           std::any_of(state.credits.begin(), state.credits.end(),
                       [](Credit const& credit) { return credit.stage == CreditStage::settled; });
}

// Refunds, what ended promises, and token losses: one question, for they are rare.
std::string more_query() {
    auto const of = [](char const* table, char const* columns) {
        return std::string("SELECT b.merchant_id, b.payment_id, b.chain_id, b.seq, ") + columns +
               " FROM k JOIN " + table + " b USING (merchant_id, payment_id)";
    };
    return "WITH k AS (SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS k(merchant_id, "
           "payment_id)) " +
           of("refunds",
              "'refund' AS kind, b.hash, b.token, b.amount, b.recipient, NULL::bigint AS promise") +
           " UNION ALL " +
           of("refund_payments",
              "'refund_payment', b.hash, b.token, b.promised, NULL::bytea, b.promise_seq") +
           " UNION ALL " +
           of("refund_cancellations",
              "'refund_cancellation', b.hash, b.token, b.amount, NULL::bytea, b.promise_seq") +
           " UNION ALL " +
           of("token_losses",
              "'token_loss', b.hash, b.token, b.amount, NULL::bytea, NULL::bigint") +
           // Not by the time: clocks may differ, and a promise comes before what ends it.
           " ORDER BY chain_id, seq";
}

void take_more(PaymentState& state, pqxx::row const& row) {
    ++state.version;
    ChainId const chain_id = number_of(row["chain_id"]);
    std::string_view const kind = row["kind"].c_str();
    if (kind == to_string(RecordKind::token_loss)) {
        state.losses.push_back({chain_id, address_in(row["token"]), amount_of(row["amount"])});
    } else if (kind == to_string(RecordKind::refund)) {
        state.promises.push_back({.chain_id = chain_id,
                                  .token = address_in(row["token"]),
                                  .amount = amount_of(row["amount"]),
                                  .sequence = number_of(row["seq"]),
                                  .hash = bytes_of<32>(row["hash"]),
                                  .recipient = address_in(row["recipient"])});
    } else {
        end_promise(state, chain_id, number_of(row["promise"]),
                    kind == to_string(RecordKind::refund_payment) ? PromiseStage::paid
                                                                  : PromiseStage::canceled);
    }
}

void load_more(pqxx::transaction_base& tx, std::vector<PaymentState>& states,
               std::map<PaymentKey, std::size_t> const& place, std::vector<PaymentKey> keys) {
    for (PaymentState const& state : states) {
        PaymentKey const key{state.payment.merchant_id, state.payment.id};
        if (may_have_promises(state) && std::ranges::find(keys, key) == keys.end())
            keys.push_back(key);
    }
    if (keys.empty()) return;
    auto const [merchants, payments] = arrays_of(keys);
    for (auto const& row : exec_planned(tx, more_query(), merchants, payments))
        take_more(states[place.at(key_of(row))], row);
}

}  // namespace

std::vector<Payment> load_payments(pqxx::transaction_base& tx,
                                   std::vector<PaymentKey> const& keys) {
    if (keys.empty()) return {};
    std::vector<Payment> payments;
    for (auto const& row : load_rows(tx, keys))
        payments.push_back(payment_of(row));
    return payments;
}

std::map<PaymentKey, PaymentWords> load_words(pqxx::transaction_base& tx,
                                              std::vector<PaymentKey> const& keys) {
    if (keys.empty()) return {};
    static std::string const query =
        "SELECT p.* FROM unnest($1::uuid[], $2::uuid[]) AS k(merchant_id, payment_id)"
        " CROSS JOIN LATERAL (SELECT merchant_id, payment_id, description, metadata"
        "  FROM payments f"
        "  WHERE (f.merchant_id, f.payment_id) = (k.merchant_id, k.payment_id) OFFSET 0) p";
    auto const arrays = arrays_of(keys);
    std::map<PaymentKey, PaymentWords> words;
    for (auto const& row : exec_planned(tx, query, arrays.merchants, arrays.payments)) {
        words.emplace(PaymentKey{id_of<MerchantTag>(row[0]), id_of<PaymentTag>(row[1])},
                      PaymentWords{row[2].c_str(), parse_metadata(row[3].c_str())});
    }
    return words;
}

void add_payment(PaymentStream& rows, Payment const& payment) {
    rows.row(payment.merchant_id, payment.id, payment.derivation_index, payment.deposit_address,
             payment.currency, payment.price, options_json(payment.options), payment.reference,
             payment.description, metadata_json(payment.metadata), payment.success_url,
             payment.created_at, payment.expires_at, quote_text(payment.quote.get()),
             payment.open_amount);
}

void insert_payments(pqxx::transaction_base& tx, std::vector<Payment> const& payments) {
    PaymentStream rows(tx, "payments");
    for (Payment const& payment : payments)
        add_payment(rows, payment);
    rows.complete();
}

std::vector<PaymentState> load_payment_states(pqxx::transaction_base& tx,
                                              std::vector<PaymentKey> const& keys) {
    if (keys.empty()) return {};
    std::vector<PaymentState> states;
    std::map<PaymentKey, std::size_t> place;
    std::vector<PaymentKey> booked;
    std::vector<PaymentKey> lossy;
    for (auto const& row : load_rows(tx, keys)) {
        PaymentState& state = states.emplace_back();
        state.payment = payment_of(row);
        state.canceled = canceled_of(row);
        if (state.canceled) ++state.version;
        if (!row["is_booked"].as<bool>()) continue;
        booked.emplace_back(state.payment.merchant_id, state.payment.id);
        if (row["has_losses"].as<bool>()) lossy.push_back(booked.back());
        place.emplace(booked.back(), states.size() - 1);
    }
    require_present(tx, keys);
    if (booked.empty()) return states;
    auto const [merchants, payments] = arrays_of(booked);
    auto const [first, last] = range_of(booked);
    for (auto const& row : exec_planned(tx, credits_query(), merchants, payments, first, last)) {
        PaymentState& state = states[place.at(key_of(row))];
        Credit const credit = credit_of(row);
        state.version += records_in(row);
        if (row["reversal_seq"].is_null()) {
            state.credits.push_back(credit);
        } else {
            state.reversed_transfers.emplace_back(credit.transfer.key, credit.transfer.block_time);
            state.was_cleared = state.was_cleared || !row["clearing_seq"].is_null();
        }
    }
    for (auto const& row : exec_planned(tx, outflows_query(), merchants, payments))
        take_outflow(states[place.at(key_of(row))], row);
    for (auto const& row : exec_planned(tx, resolutions_query(), merchants, payments))
        take_resolution(states[place.at(key_of(row))], row);
    load_more(tx, states, place, std::move(lossy));
    for (PaymentState& state : states)
        note_first_seen(state);
    return states;
}

std::vector<PaymentOption> parse_options(std::string const& text) {
    std::vector<PaymentOption> options;
    for (auto const& json : Json::parse(text)) {
        auto const token = parse_address(json.at("token").get<std::string>());
        auto const amount = parse_base_units(json.at("amount").get<std::string>());
        auto const tolerance = parse_base_units(json.at("tolerance").get<std::string>());
        ensure(token && amount && tolerance, "store: a payment's options do not parse");
        options.push_back({json.at("chain_id").get<ChainId>(), *token, *amount, *tolerance});
    }
    return options;
}

std::string options_json(std::vector<PaymentOption> const& options) {
    Json json = Json::array();
    for (auto const& option : options) {
        json.push_back({{"chain_id", option.chain_id},
                        {"token", to_string(option.token)},
                        {"amount", to_string(option.amount)},
                        {"tolerance", to_string(option.tolerance)}});
    }
    return json.dump();
}

std::string metadata_json(std::vector<std::pair<std::string, std::string>> const& metadata) {
    Json json = Json::object();
    for (auto const& [key, value] : metadata)
        json[key] = value;
    return json.dump();
}

}  // namespace sycee
