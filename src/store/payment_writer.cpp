#include "payment_writer.hpp"

#include <sycee/app/payment_service.hpp>
#include <sycee/base/assert.hpp>
#include <sycee/runtime/errors.hpp>

#include "bulk_copy.hpp"
#include "bulk_insert.hpp"
#include "payment_rows.hpp"
#include "session.hpp"
#include "values.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace sycee {
namespace {

constexpr std::size_t kMostCallers = 5'000;
constexpr std::uint64_t kLastIndex = 0x7fffffff;  // what lies above needs the private key

constexpr auto kKeys = std::to_array<char const*>(
    {"merchant_id", "key", "request_hash", "status", "location", "answer", "created_at"});

Payment payment_of(NewPayment const& input, std::uint64_t index, Address const& address) {
    return {.merchant_id = input.merchant_id,
            .id = input.id,
            .derivation_index = index,
            .deposit_address = address,
            .currency = input.currency,
            .price = input.price,
            .options = input.options,
            .reference = input.reference,
            .description = input.description,
            .metadata = input.metadata,
            .success_url = input.success_url,
            .created_at = input.created_at,
            .expires_at = input.expires_at,
            .quote = input.quote,
            .open_amount = input.open_amount};
}

// Where a merchant's addresses come from.
struct Derivation {
    ExtendedPublicKey key;
    std::uint64_t next_index = 0;

    // One index in 2^127 has no address.
    std::pair<std::uint64_t, Address> next(DeriveAddress const& derive) {
        for (;;) {
            std::uint64_t const index = next_index++;
            ensure(index <= kLastIndex, "store: a merchant has used all its deposit addresses");
            if (auto const address = derive(key, index)) return {index, *address};
        }
    }
};

// Locked to the end of the transaction: an index is never used twice, and a failed transaction
// leaves no gap that a wallet's gap limit would count.
std::map<MerchantId, Derivation> lock_derivations(pqxx::work& tx,
                                                  std::set<MerchantId> const& merchants) {
    PgArray ids;
    for (MerchantId const& merchant_id : merchants)
        ids.add(merchant_id);
    std::map<MerchantId, Derivation> derivations;
    for (auto const& row :
         tx.exec_params("SELECT merchant_id, extended_public_key, next_derivation_index"
                        " FROM merchants WHERE merchant_id = ANY($1::uuid[])"
                        " ORDER BY merchant_id FOR NO KEY UPDATE",
                        ids.str())) {
        auto const key = parse_extended_public_key(row[1].c_str());
        ensure(key.has_value(), "store: a merchant's extended public key does not parse");
        // Derived once for all of them.
        auto const receiving = receiving_key(*key);
        ensure(receiving.has_value(), "store: a merchant's extended public key has no child");
        derivations.emplace(id_of<MerchantTag>(row[0]), Derivation{*receiving, number_of(row[2])});
    }
    return derivations;
}

void store_next_indexes(pqxx::work& tx, std::map<MerchantId, Derivation> const& derivations) {
    std::vector<PgArray> arrays(2);
    for (auto const& [merchant_id, derivation] : derivations) {
        arrays[0].add(merchant_id);
        arrays[1].add(derivation.next_index);
    }
    auto const moved = exec_arrays(tx,
                                   "UPDATE merchants m SET next_derivation_index = n.next"
                                   " FROM unnest($1::uuid[], $2::bigint[]) AS n(merchant_id, next)"
                                   " WHERE m.merchant_id = n.merchant_id",
                                   arrays);
    ensure(moved.affected_rows() == derivations.size(), "store: a merchant is not there");
}

void add_key(BulkCopy<kKeys>& keys, IdempotencyClaim const& claim, Payment const& payment) {
    KeptAnswer const answer = claim.answer(payment);
    keys.row(payment.merchant_id, claim.key, ByteView(claim.request_hash), answer.status,
             answer.location, answer.body, payment.created_at);
}

}  // namespace

PaymentWriter::PaymentWriter(Database& database, std::size_t most_at_once)
    : database_(database),
      group_("a payment to be created", kMostCallers, most_at_once,
             [this](Requests const& requests) { write(requests); }) {}

Task<Payment> PaymentWriter::create(NewPayment payment, DeriveAddress derive) {
    auto const request = std::make_shared<Request>(
        Request{.input = std::move(payment), .derive = std::move(derive)});
    co_await group_.run(request);
    if (request->error) std::rethrow_exception(request->error);
    co_return std::move(*request->payment);
}

void PaymentWriter::write(Requests const& requests) {
    try {
        insert_all(requests);
    } catch (Unavailable const&) {
        // The fault is the database's: trying again is for the callers.
        for (auto const& request : requests)
            request->error = std::current_exception();
    } catch (...) {
        // One that can't be written must not take the others with it.
        if (requests.size() > 1) return write_one_by_one(requests);
        requests.front()->error = std::current_exception();
    }
}

// Gives each request its payment, or KeyWasUsed.
void PaymentWriter::insert_all(Requests const& requests) {
    std::vector<Payment> payments;
    Requests created;
    auto work = [&](pqxx::work& tx) {
        std::set<MerchantId> merchants;
        for (auto const& request : requests)
            merchants.insert(request->input.merchant_id);
        auto derivations = lock_derivations(tx, merchants);
        std::set<KeyName> used = used_keys(tx, requests);
        BulkCopy<kKeys> keys("idempotency_keys");
        // PostgreSQL writes one while the address of the next is derived.
        PaymentStream rows(tx, "payments");
        for (auto const& request : requests) {
            NewPayment const& input = request->input;
            // Two of these may claim the same.
            if (input.claim && !used.emplace(input.merchant_id, input.claim->key).second) continue;
            auto const merchant = derivations.find(input.merchant_id);
            ensure(merchant != derivations.end(), "store: a payment of no merchant");
            auto const [index, address] = merchant->second.next(request->derive);
            payments.push_back(payment_of(input, index, address));
            created.push_back(request);
            add_payment(rows, payments.back());
            if (input.claim) add_key(keys, *input.claim, payments.back());
        }
        rows.complete();
        store_next_indexes(tx, derivations);
        keys.run(tx);
    };
    try {
        transact_here(database_, work);
    } catch (OutcomeUnknown const&) {
        if (!payments.empty() && !is_stored(payments.front())) throw;
    }
    if (!created.empty()) database_.disk().was_there();
    for (std::size_t i = 0; i < created.size(); ++i)
        created[i]->payment = std::move(payments[i]);
    for (auto const& request : requests) {
        if (!request->payment) request->error = std::make_exception_ptr(KeyWasUsed());
    }
}

// All of one transaction are there, or none. It may still be under way, with the merchant locked.
bool PaymentWriter::is_stored(Payment const& payment) {
    auto work = [&payment](pqxx::work& tx) {
        tx.exec_params("SELECT 1 FROM merchants WHERE merchant_id = $1 FOR NO KEY UPDATE",
                       to_sql(payment.merchant_id));
        return !tx.exec_params("SELECT 1 FROM payments WHERE (merchant_id, payment_id) = ($1, $2)",
                               to_sql(payment.merchant_id), to_sql(payment.id))
                    .empty();
    };
    return transact_here(database_, work);
}

// Those that were claimed before. Whoever else creates payments of these merchants waits: their
// rows are locked.
std::set<PaymentWriter::KeyName> PaymentWriter::used_keys(pqxx::work& tx,
                                                          Requests const& requests) {
    PgArray merchants;
    PgArray keys;
    bool any = false;
    for (auto const& request : requests) {
        NewPayment const& input = request->input;
        if (!input.claim) continue;
        any = true;
        merchants.add(input.merchant_id);
        keys.add(input.claim->key);
    }
    std::set<KeyName> used;
    if (!any) return used;
    for (auto const& row : tx.exec_params("SELECT merchant_id, key FROM idempotency_keys"
                                          " JOIN unnest($1::uuid[], $2::text[])"
                                          "   AS c(merchant_id, key) USING (merchant_id, key)",
                                          merchants.str(), keys.str())) {
        used.emplace(id_of<MerchantTag>(row[0]), row[1].c_str());
    }
    return used;
}

void PaymentWriter::write_one_by_one(Requests const& requests) {
    for (auto const& request : requests)
        write({request});
}

}  // namespace sycee
