#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/store/database.hpp>

#include "request_group.hpp"

#include <pqxx/pqxx>

#include <exception>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sycee {

// Creates payments, those of one transaction together.
class PaymentWriter {
  public:
    // At most `most_at_once` in one transaction.
    PaymentWriter(Database& database, std::size_t most_at_once);

    // Called on the io thread. Throws Overloaded where too many wait already.
    Task<Payment> create(NewPayment payment, DeriveAddress derive);

  private:
    struct Request {
        NewPayment input;
        DeriveAddress derive;
        std::optional<Payment> payment;
        std::exception_ptr error;
        bool is_done() const { return payment || error; }
    };
    using KeyName = std::pair<MerchantId, std::string>;  // of an idempotency key
    using Requests = RequestGroup<Request>::Requests;

    void write(Requests const& requests);
    void insert_all(Requests const& requests);
    static std::set<KeyName> used_keys(pqxx::work& tx, Requests const& requests);
    bool is_stored(Payment const& payment);
    void write_one_by_one(Requests const& requests);

    Database& database_;
    RequestGroup<Request> group_;
};

}  // namespace sycee
