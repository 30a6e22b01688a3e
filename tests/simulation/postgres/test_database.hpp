#pragma once

#include <sycee/app/rebuild.hpp>
#include <sycee/base/time.hpp>
#include <sycee/store/database.hpp>

#include <boost/asio/io_context.hpp>
#include <pqxx/pqxx>

#include <memory>
#include <run_task.hpp>
#include <string>
#include <vector>

namespace sycee::simulation {

class SimChain;

// A PostgreSQL database of its own for one process of a campaign, with this program's schema. The
// store reads a clock there that the simulator sets: functions of the same names as PostgreSQL's
// own stand before them in the search path of the store's connections.
class TestDatabase {
  public:
    // `server`: a connection string of a role that may create databases and set
    // session_replication_role.
    explicit TestDatabase(std::string server);
    TestDatabase(TestDatabase const&) = delete;
    TestDatabase& operator=(TestDatabase const&) = delete;
    ~TestDatabase();  // drops it

    // Takes every row out of every table.
    void empty();
    void set_clock(Timestamp now);
    // Runs a task of the store to its end on this thread; no virtual time passes meanwhile.
    template <class T>
    T run(Task<T> task) {
        return run_task(io_, std::move(task));
    }
    Database& store() { return *store_; }
    // Derives the books of this database again into another one, which is gone afterwards.
    RebuildReport rebuild(Network const& network,
                          std::vector<std::unique_ptr<SimChain>> const& chains);
    // The only column of a query of our own, past the store.
    std::vector<std::string> lines(std::string const& sql);

  private:
    std::string server_;
    std::string name_;
    // Outlives the store, whose thread holds on to it.
    boost::asio::io_context io_{1};
    std::unique_ptr<Database> store_;
    std::unique_ptr<pqxx::connection> direct_;
    std::string empty_;  // for few rows cheaper than TRUNCATE, which makes every file anew
};

}  // namespace sycee::simulation
