#pragma once

#include <sycee/base/result.hpp>
#include <sycee/runtime/task.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sycee {

// Refuses what is neither a libpq connection string nor a URI. The error quotes nothing of it, and
// what passes lets no message of libpq quote a password later.
Result<void> check_database_url(std::string const& url);

// The role that a checked connection string or URI names; empty where it names none.
std::string database_role(std::string const& url);

// Whether the database has room on its disk, by what was written last. Shared by the connections of
// a process, and read and set by any thread.
class DiskRoom {
  public:
    // For how long a write that found none counts, where nothing was written since: a process that
    // nobody asks for anything would not find out.
    static constexpr std::chrono::seconds kRemembered{60};

    bool is_there() const;
    void was_missing();
    // By a write of new rows: a row that is changed in its place needs none.
    void was_there() { missing_since_ = 0; }

  private:
    std::atomic<std::int64_t> missing_since_{0};  // of the steady clock, in milliseconds; 0: is not
};

// PostgreSQL, by a few worker threads with one connection each. A connection that breaks is made
// anew at the next call; a call whose commit has an unknown outcome throws Unavailable, and whoever
// made it reads what happened.
class Database {
  public:
    // Nothing connects before the first call. Throws std::runtime_error for a `url` that
    // check_database_url() refuses.
    // With `disk`, which must live longer, it says what it learns of the room there.
    Database(std::string const& url, std::size_t connections, DiskRoom* disk = nullptr);
    Database(Database const&) = delete;
    Database& operator=(Database const&) = delete;
    ~Database();

    // Applies what is missing of the migrations in this program, each in its own transaction, and
    // returns their names. Throws std::runtime_error where a migration that was applied has been
    // edited since, or the database is newer than this program.
    Task<std::vector<std::string>> migrate();

    // Lets these roles do what a service and an auditor need, and takes back what they could do
    // besides. By the owner of the tables, after migrate(). Throws std::runtime_error where a role
    // does not exist, or could do anything all the same.
    Task<void> grant(std::optional<std::string> service, std::optional<std::string> auditor);

    // Throws std::runtime_error that says what to do: the schema is not this program's, or the
    // server runs with fsync, full_page_writes or synchronous_commit off, where an answer could be
    // lost.
    Task<void> check();

    struct State;
    State& state() { return *state_; }
    DiskRoom& disk() { return disk_; }

  private:
    DiskRoom own_disk_;
    DiskRoom& disk_;
    std::unique_ptr<State> state_;
};

}  // namespace sycee
