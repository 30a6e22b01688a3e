#pragma once

#include "request_group.hpp"
#include "session.hpp"

#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sycee {

// Reads rows by their keys: what several ask for at the same time is one question to the database.
// What a caller gets was read after it asked; nothing is kept.
template <class Key, class Value>
class GroupedRead {
  public:
    // What is there of these keys, each of which is asked for once.
    using Read = std::function<std::map<Key, Value>(pqxx::transaction_base& transaction,
                                                    std::vector<Key> const& keys)>;

    GroupedRead(std::string what, Database& database, Read read)
        : database_(database),
          read_(std::move(read)),
          group_(std::move(what), kMostCallers, kMostAtOnce,
                 [this](auto const& requests) { serve(requests); }) {}

    // Called on the io thread. Throws Overloaded where too many wait already.
    Task<std::optional<Value>> find(Key key) {
        auto const request = std::make_shared<Request>(Request{.key = std::move(key)});
        co_await group_.run(request);
        if (request->error) std::rethrow_exception(request->error);
        co_return std::move(request->value);
    }

  private:
    static constexpr std::size_t kMostCallers = 5'000;
    static constexpr std::size_t kMostAtOnce = 256;

    struct Request {
        Key key;
        std::optional<Value> value;
        std::exception_ptr error;
        bool done = false;
        bool is_done() const { return done; }
    };
    using Requests = typename RequestGroup<Request>::Requests;

    void serve(Requests const& requests) {
        std::exception_ptr error;
        try {
            read(requests);
        } catch (Unavailable const&) {
            error = std::current_exception();
        } catch (...) {
            // One that can't be read must not take the others with it.
            if (requests.size() > 1) {
                for (auto const& request : requests)
                    serve({request});
                return;
            }
            error = std::current_exception();
        }
        for (auto const& request : requests) {
            request->error = error;
            request->done = true;
        }
    }

    void read(Requests const& requests) {
        std::set<Key> keys;
        for (auto const& request : requests)
            keys.insert(request->key);
        std::vector<Key> const once(keys.begin(), keys.end());
        auto work = [&](SnapshotTransaction& tx) { return read_(tx, once); };
        auto const values = transact_here<SnapshotTransaction>(database_, work);
        for (auto const& request : requests) {
            auto const value = values.find(request->key);
            if (value != values.end()) request->value = value->second;
        }
    }

    Database& database_;
    Read read_;
    RequestGroup<Request> group_;
};

}  // namespace sycee
