#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/runtime/worker_pool.hpp>
#include <sycee/store/database.hpp>

#include <pqxx/pqxx>

#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sycee {

// Creates payments, on a thread of its own: what is asked for while one transaction commits is
// written by the next one, all of it together, so that many at once cost few commits.
class PaymentWriter {
  public:
    explicit PaymentWriter(Database& database);

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
    using Requests = std::vector<std::shared_ptr<Request>>;

    void write_until_done(Request const& request);
    Requests take_waiting();
    void write(Requests const& requests);
    void insert_all(Requests const& requests);
    static std::set<KeyName> used_keys(pqxx::work& tx, Requests const& requests);
    bool is_stored(Payment const& payment);
    void write_one_by_one(Requests const& requests);

    Database& database_;
    std::size_t callers_ = 0;
    std::mutex mutex_;
    Requests waiting_;
    WorkerPool thread_;  // ended first
};

}  // namespace sycee
