#pragma once

#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/task.hpp>

#include <chrono>
#include <list>
#include <utility>

namespace sycee {

// Lets one task after the other in, in the order they came.
class Turns {
  public:
    explicit Turns(Executor executor) : changed_(std::move(executor)) {}

    // A place in the line, left when it ends.
    class Turn {
      public:
        explicit Turn(Turns& turns)
            : turns_(turns), place_(turns.line_.insert(turns.line_.end(), this)) {}
        Turn(Turn const&) = delete;
        Turn& operator=(Turn const&) = delete;
        ~Turn() {
            turns_.line_.erase(place_);
            turns_.changed_.notify();
        }

        // Waits without a limit of its own: whoever waits here brings one.
        Task<void> begin() {
            while (turns_.line_.front() != this) {
                co_await turns_.changed_.wait_after(turns_.changed_.generation(), kLook);
            }
        }

      private:
        static constexpr std::chrono::minutes kLook{1};
        Turns& turns_;
        std::list<Turn*>::iterator place_;
    };

  private:
    Notifier changed_;
    std::list<Turn*> line_;
};

}  // namespace sycee
