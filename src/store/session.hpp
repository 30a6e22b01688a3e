#pragma once

#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/worker_pool.hpp>
#include <sycee/store/database.hpp>

#include <pqxx/pqxx>

#include <memory>
#include <mutex>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace sycee {

// The worker threads and the connections that are free. A job borrows one for one transaction.
struct Database::State {
    State(std::string const& url, std::size_t connections);

    std::unique_ptr<pqxx::connection> borrow();
    void give_back(std::unique_ptr<pqxx::connection> connection);

    std::string connect_to;
    std::mutex mutex;
    std::vector<std::unique_ptr<pqxx::connection>> idle;
    WorkerPool workers;
};

// Turns what libpqxx threw into our terms: Unavailable for what passes (the server is away, a lock
// or statement timeout), OutcomeUnknown for a commit that got no answer, StorageFull, and
// InvariantViolation for a constraint that refused a row; Unavailable with the server's words for
// the rest. Called inside a catch block; keeps in mind that the disk is full.
[[noreturn]] void rethrow_database_error(DiskRoom& disk);

// Runs `work(transaction)` on this thread and commits. The connection goes back only if all went
// well.
template <class Transaction = pqxx::work, class Work>
std::invoke_result_t<Work&, Transaction&> transact_here(Database& database, Work& work) {
    using Value = std::invoke_result_t<Work&, Transaction&>;
    Database::State& state = database.state();
    try {
        auto connection = state.borrow();
        if constexpr (std::is_void_v<Value>) {
            {
                Transaction transaction(*connection);
                work(transaction);
                transaction.commit();
            }
            state.give_back(std::move(connection));
        } else {
            Value value = [&] {
                Transaction transaction(*connection);
                Value result = work(transaction);
                transaction.commit();
                return result;
            }();
            state.give_back(std::move(connection));
            return value;
        }
    } catch (pqxx::pqxx_exception const&) {
        rethrow_database_error(database.disk());
    }
}

// The same on a worker.
template <class Transaction = pqxx::work, class Work>
Task<std::invoke_result_t<Work&, Transaction&>> transact(Database& database, Work work) {
    auto job = [&database, &work] { return transact_here<Transaction>(database, work); };
    co_return co_await database.state().workers.call(std::move(job));
}

// One consistent moment, for reports and verification.
using SnapshotTransaction =
    pqxx::transaction<pqxx::repeatable_read, pqxx::readwrite_policy::read_only>;

}  // namespace sycee
