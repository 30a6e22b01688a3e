#include "event_rows.hpp"

#include <sycee/app/payment_events.hpp>
#include <sycee/base/assert.hpp>

#include "payment_rows.hpp"
#include "record_rows.hpp"
#include "values.hpp"

#include <map>
#include <set>

namespace sycee {
namespace {

JournalPositions journals_of(pqxx::field const& field) {
    auto const numbers = numbers_of(field);
    ensure(numbers.size() % 2 == 0, "store: outbox_events.journals does not hold pairs");
    JournalPositions positions;
    for (std::size_t i = 0; i < numbers.size(); i += 2) {
        positions.emplace(static_cast<ChainId>(numbers[i]),
                          static_cast<std::uint64_t>(numbers[i + 1]));
    }
    return positions;
}

PaymentStatus status_in(pqxx::field const& field) {
    auto const status = parse_payment_status(field.c_str());
    ensure(status.has_value(), "store: an unknown status in outbox_events");
    return *status;
}

}  // namespace

std::string journals_to_sql(JournalPositions const& positions) {
    std::string text;
    for (auto const& [chain_id, sequence] : positions) {
        text += text.empty() ? "" : ",";
        text += std::to_string(chain_id) + "," + std::to_string(sequence);
    }
    return "{" + text + "}";
}

std::string event_columns(std::string const& table) {
    std::string columns;
    for (char const* name : {"merchant_id", "event_id", "payment_id", "type", "status", "chain_id",
                             "record_seq", "journals", "goods_may_be_released", "sequence"}) {
        columns += table + "." + name + ", ";
    }
    return columns + time_column(table + ".created_at", "created_at");
}

OutboxEvent event_of(pqxx::row const& row) {
    return {.id = id_of<EventTag>(row["event_id"]),
            .merchant_id = id_of<MerchantTag>(row["merchant_id"]),
            .payment_id = id_of<PaymentTag>(row["payment_id"]),
            .type = row["type"].c_str(),
            .status = status_in(row["status"]),
            .chain_id = number_of(row["chain_id"]),
            .record_sequence = number_of(row["record_seq"]),
            .positions = journals_of(row["journals"]),
            .goods_may_be_released = row["goods_may_be_released"].as<bool>(),
            .created_at = time_of(row["created_at"]),
            .sequence = row["sequence"].is_null() ? 0 : number_of(row["sequence"])};
}

std::vector<std::expected<ToldEvent, std::string>> tell_all(pqxx::transaction_base& tx,
                                                            std::vector<OutboxEvent> events) {
    std::set<PaymentKey> distinct;
    for (OutboxEvent const& event : events)
        distinct.insert({event.merchant_id, event.payment_id});
    std::vector<PaymentKey> const keys(distinct.begin(), distinct.end());
    std::map<PaymentKey, Payment> payments;
    for (Payment& payment : load_payments(tx, keys)) {
        PaymentKey const key{payment.merchant_id, payment.id};
        payments.emplace(key, std::move(payment));
    }
    auto const records = load_payment_entries(tx, keys);
    std::vector<std::expected<ToldEvent, std::string>> told;
    for (OutboxEvent& event : events) {
        PaymentKey const key{event.merchant_id, event.payment_id};
        try {
            auto const payment = payments.find(key);
            ensure(payment != payments.end(), "outbox: the payment of an event is not there");
            told.emplace_back(tell(std::move(event), payment->second, records.at(key)));
        } catch (InvariantViolation const& violation) {
            told.emplace_back(std::unexpected(std::string(violation.what())));
        }
    }
    return told;
}

}  // namespace sycee
