#include <sycee/store/pg_payments.hpp>

#include "grouped_read.hpp"
#include "payment_rows.hpp"
#include "payment_writer.hpp"
#include "session.hpp"
#include "values.hpp"

#include <map>

namespace sycee {
namespace {

std::vector<PaymentKey> keys_of(pqxx::result const& rows) {
    std::vector<PaymentKey> keys;
    for (auto const& row : rows) {
        keys.emplace_back(id_of<MerchantTag>(row[0]), id_of<PaymentTag>(row[1]));
    }
    return keys;
}

std::map<PaymentKey, PaymentState> read_states(pqxx::transaction_base& tx,
                                               std::vector<PaymentKey> const& keys) {
    std::map<PaymentKey, PaymentState> found;
    for (PaymentState& state : load_payment_states(tx, keys)) {
        PaymentKey const key{state.payment.merchant_id, state.payment.id};
        found.emplace(key, std::move(state));
    }
    return found;
}

std::optional<PaymentState> first(std::vector<PaymentState> states) {
    if (states.empty()) return std::nullopt;
    return std::move(states.front());
}

}  // namespace

class PaymentReader final : public GroupedRead<PaymentKey, PaymentState> {
  public:
    explicit PaymentReader(Database& database)
        : GroupedRead("a payment to be read", database, read_states) {}
};

PgPayments::PgPayments(Database& database, std::size_t most_at_once)
    : database_(database),
      writer_(std::make_unique<PaymentWriter>(database, most_at_once)),
      reader_(std::make_unique<PaymentReader>(database)) {}

PgPayments::~PgPayments() = default;

Task<Payment> PgPayments::create(NewPayment payment, DeriveAddress derive) {
    co_return co_await writer_->create(std::move(payment), std::move(derive));
}

Task<std::optional<PaymentState>> PgPayments::find(MerchantId merchant_id, PaymentId id) {
    co_return co_await reader_->find({merchant_id, id});
}

Task<std::optional<PaymentState>> PgPayments::find_public(PaymentId id) {
    auto work = [&](SnapshotTransaction& tx) {
        auto const rows = tx.exec_params(
            "SELECT merchant_id, payment_id FROM payments WHERE payment_id = $1 LIMIT 1",
            to_sql(id));
        return first(load_payment_states(tx, keys_of(rows)));
    };
    co_return co_await transact<SnapshotTransaction>(database_, work);
}

Task<PaymentPage> PgPayments::list(std::optional<MerchantId> merchant_id,
                                   std::optional<PaymentId> after, std::size_t limit) {
    auto work = [&](SnapshotTransaction& tx) {
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
    co_return co_await transact<SnapshotTransaction>(database_, work);
}

}  // namespace sycee
