#include <sycee/base/assert.hpp>
#include <sycee/store/pg_payments.hpp>

#include "payment_rows.hpp"
#include "session.hpp"
#include "values.hpp"

namespace sycee {
namespace {

// Takes the merchant's next index with an address. The row is locked until the commit, so an index
// is never used twice, and a failed create leaves no gap that a wallet's gap limit would count.
std::pair<std::uint64_t, Address> next_address(pqxx::work& tx, MerchantId merchant_id,
                                               DeriveAddress const& derive) {
    for (;;) {
        auto const row = tx.exec_params1(
            "UPDATE merchants SET next_derivation_index = next_derivation_index + 1"
            " WHERE merchant_id = $1 RETURNING next_derivation_index - 1, extended_public_key",
            to_sql(merchant_id));
        auto const key = parse_extended_public_key(row[1].c_str());
        ensure(key.has_value(), "store: a merchant's extended public key does not parse");
        std::uint64_t const index = number_of(row[0]);
        if (auto const address = derive(*key, index)) return {index, *address};
    }
}

Payment payment_of(NewPayment&& input, std::uint64_t index, Address const& address) {
    Payment payment;
    payment.merchant_id = input.merchant_id;
    payment.id = input.id;
    payment.derivation_index = index;
    payment.deposit_address = address;
    payment.currency = std::move(input.currency);
    payment.price = input.price;
    payment.options = std::move(input.options);
    payment.reference = std::move(input.reference);
    payment.description = std::move(input.description);
    payment.metadata = std::move(input.metadata);
    payment.success_url = std::move(input.success_url);
    payment.created_at = input.created_at;
    payment.expires_at = input.expires_at;
    return payment;
}

void insert(pqxx::work& tx, Payment const& payment) {
    tx.exec_params(
        "INSERT INTO payments (merchant_id, payment_id, derivation_index, deposit_address, "
        "currency,"
        " price, options, reference, description, metadata, success_url, created_at, expires_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,"
        " to_timestamp($12::bigint / 1000.0), to_timestamp($13::bigint / 1000.0))",
        to_sql(payment.merchant_id), to_sql(payment.id), payment.derivation_index,
        to_sql(payment.deposit_address), payment.currency, to_sql(payment.price),
        options_json(payment.options), payment.reference, payment.description,
        metadata_json(payment.metadata), payment.success_url, to_sql(payment.created_at),
        to_sql(payment.expires_at));
}

std::vector<PaymentKey> keys_of(pqxx::result const& rows) {
    std::vector<PaymentKey> keys;
    for (auto const& row : rows) {
        keys.emplace_back(id_of<MerchantTag>(row[0]), id_of<PaymentTag>(row[1]));
    }
    return keys;
}

std::optional<PaymentState> first(std::vector<PaymentState> states) {
    if (states.empty()) return std::nullopt;
    return std::move(states.front());
}

}  // namespace

Task<Payment> PgPayments::create(NewPayment input, DeriveAddress derive) {
    auto work = [&](pqxx::work& tx) {
        auto const [index, address] = next_address(tx, input.merchant_id, derive);
        Payment payment = payment_of(std::move(input), index, address);
        insert(tx, payment);
        return payment;
    };
    co_return co_await transact(database_, work);
}

Task<std::optional<PaymentState>> PgPayments::find(MerchantId merchant_id, PaymentId id) {
    auto work = [&](pqxx::work& tx) {
        std::vector<PaymentKey> const keys{{merchant_id, id}};
        return first(load_payment_states(tx, keys));
    };
    co_return co_await transact(database_, work);
}

Task<std::optional<PaymentState>> PgPayments::find_public(PaymentId id) {
    auto work = [&](pqxx::work& tx) {
        auto const rows = tx.exec_params(
            "SELECT merchant_id, payment_id FROM payments WHERE payment_id = $1 LIMIT 1",
            to_sql(id));
        return first(load_payment_states(tx, keys_of(rows)));
    };
    co_return co_await transact(database_, work);
}

Task<PaymentPage> PgPayments::list(std::optional<MerchantId> merchant_id,
                                   std::optional<PaymentId> after, std::size_t limit) {
    auto work = [&](pqxx::work& tx) {
        // Ids rise with the time of creation. Without a cursor, everything is older than the
        // largest id.
        std::string const before = after ? to_sql(*after) : "ffffffff-ffff-ffff-ffff-ffffffffffff";
        auto const rows =
            merchant_id ? tx.exec_params(
                              "SELECT merchant_id, payment_id FROM payments"
                              " WHERE merchant_id = $1 AND payment_id < $2"
                              " ORDER BY payment_id DESC LIMIT $3",
                              to_sql(*merchant_id), before, limit + 1)
                        : tx.exec_params(
                              "SELECT merchant_id, payment_id FROM payments WHERE payment_id < $1"
                              " ORDER BY payment_id DESC LIMIT $2",
                              before, limit + 1);
        auto keys = keys_of(rows);
        PaymentPage page;
        page.has_more = keys.size() > limit;
        if (page.has_more) keys.resize(limit);
        page.payments = load_payment_states(tx, keys);
        return page;
    };
    co_return co_await transact(database_, work);
}

}  // namespace sycee
