#pragma once

#include <sycee/base/assert.hpp>
#include <sycee/runtime/errors.hpp>
#include <sycee/runtime/worker_pool.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace sycee {

// Serves requests together, on a thread of its own: what is asked for while one transaction is
// under way is in the next one, all of it, so that many at once cost few transactions. A single one
// does not wait for others.
//
// A Request says by is_done() that it was served.
template <class Request>
class RequestGroup {
  public:
    using Requests = std::vector<std::shared_ptr<Request>>;
    // Serves all of them: afterwards, each is done.
    using Serve = std::function<void(Requests const&)>;

    RequestGroup(std::string what, std::size_t most_callers, std::size_t most_at_once, Serve serve)
        : what_(std::move(what)),
          most_callers_(most_callers),
          most_at_once_(most_at_once),
          serve_(std::move(serve)),
          thread_(1, most_callers) {}

    // Called on the io thread. Throws Overloaded where too many wait already.
    Task<void> run(std::shared_ptr<Request> request) {
        if (callers_ >= most_callers_) throw Overloaded("too many wait for " + what_);
        {
            std::scoped_lock const lock(mutex_);
            waiting_.push_back(request);
        }
        struct Caller {
            std::size_t& count;
            explicit Caller(std::size_t& callers) : count(callers) { ++count; }
            Caller(Caller const&) = delete;
            Caller& operator=(Caller const&) = delete;
            ~Caller() { --count; }
        } const caller(callers_);
        co_await thread_.run([this, &request] { serve_until_done(*request); });
    }

  private:
    // It may have been served with an earlier caller's.
    void serve_until_done(Request const& request) {
        while (!request.is_done()) {
            auto const taken = take_waiting();
            ensure(!taken.empty(), "store: a request that is waited for is nowhere");
            serve_(taken);
        }
    }

    Requests take_waiting() {
        std::scoped_lock const lock(mutex_);
        auto const end = waiting_.begin() +
                         static_cast<std::ptrdiff_t>(std::min(waiting_.size(), most_at_once_));
        Requests taken(waiting_.begin(), end);
        waiting_.erase(waiting_.begin(), end);
        return taken;
    }

    std::string what_;
    std::size_t most_callers_;
    std::size_t most_at_once_;
    Serve serve_;
    std::size_t callers_ = 0;
    std::mutex mutex_;
    Requests waiting_;
    WorkerPool thread_;  // ended first
};

}  // namespace sycee
