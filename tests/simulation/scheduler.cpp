#include "scheduler.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace sycee::simulation {
namespace asio = boost::asio;

struct Scheduler::Waiter {
    std::move_only_function<void(boost::system::error_code)> handler;
    asio::cancellation_slot slot;
    Place place{};
    bool ended = false;  // before it began to wait, or while it did
    bool aborted = false;
    bool done = false;
};

void Scheduler::at(Timestamp when, std::move_only_function<void()> what) {
    queue_.emplace(Place{std::max(when, now_), next_sequence_++},
                   Item{kWorld, nullptr, std::move(what)});
}

void Scheduler::spawn(Task<void> task, std::function<void(std::exception_ptr)> on_end) {
    asio::co_spawn(io_, std::move(task), std::move(on_end));
}

void Scheduler::spawn(Task<void> task, asio::cancellation_signal& signal,
                      std::function<void(std::exception_ptr)> on_end) {
    asio::co_spawn(io_, std::move(task),
                   asio::bind_cancellation_slot(signal.slot(), std::move(on_end)));
}

Scheduler::Place Scheduler::enqueue(ProcessId owner, Timestamp when,
                                    std::shared_ptr<Waiter> waiter) {
    Place const place{when, next_sequence_++};
    queue_.emplace(place, Item{owner, std::move(waiter), {}});
    return place;
}

// The handler resumes the task at once, on the stack of whoever calls.
void Scheduler::complete(Waiter& waiter, boost::system::error_code ec) {
    if (waiter.done) return;
    waiter.done = true;
    if (waiter.slot.is_connected()) waiter.slot.clear();
    auto handler = std::move(waiter.handler);
    handler(ec);
}

Task<void> Scheduler::wait_for(std::shared_ptr<Waiter> waiter, ProcessId owner,
                               std::chrono::milliseconds duration) {
    if (waiter->ended) co_return;
    auto initiate = [this, owner, duration](auto handler, std::shared_ptr<Waiter> waits) {
        waits->slot = asio::get_associated_cancellation_slot(handler);
        waits->handler = std::move(handler);
        waits->place =
            enqueue(owner, now_ + std::max(duration, std::chrono::milliseconds{0}), waits);
        if (!waits->slot.is_connected()) return;
        waits->slot.assign([this, weak = std::weak_ptr(waits)](asio::cancellation_type) {
            auto const cancelled = weak.lock();
            if (!cancelled || cancelled->done) return;
            cancelled->aborted = true;
            auto node = queue_.extract(cancelled->place);
            node.key() = cancelled->place = {now_, next_sequence_++};
            queue_.insert(std::move(node));
        });
    };
    co_await asio::async_initiate<asio::use_awaitable_t<> const, void(boost::system::error_code)>(
        initiate, asio::use_awaitable, waiter);
}

Task<void> Scheduler::sleep(ProcessId owner, std::chrono::milliseconds duration) {
    return wait_for(std::make_shared<Waiter>(), owner, duration);
}

class Scheduler::SimWait final : public Wait {
  public:
    SimWait(Scheduler& scheduler, ProcessId owner, std::chrono::milliseconds limit)
        : scheduler_(scheduler),
          owner_(owner),
          limit_(limit),
          waiter_(std::make_shared<Waiter>()) {}

    Task<void> over() override { return scheduler_.wait_for(waiter_, owner_, limit_); }
    // Due now, in its turn.
    void end() override {
        if (waiter_->ended || waiter_->done) return;
        waiter_->ended = true;
        if (waiter_->handler && scheduler_.queue_.erase(waiter_->place) != 0) {
            waiter_->place = scheduler_.enqueue(owner_, scheduler_.now_, waiter_);
        }
    }

  private:
    Scheduler& scheduler_;
    ProcessId owner_;
    std::chrono::milliseconds limit_;
    std::shared_ptr<Waiter> waiter_;
};

std::unique_ptr<Wait> Scheduler::begin_wait(ProcessId owner, std::chrono::milliseconds limit) {
    return std::make_unique<SimWait>(*this, owner, limit);
}

void Scheduler::kill(ProcessId owner) {
    std::vector<std::shared_ptr<Waiter>> dropped;
    for (auto item = queue_.begin(); item != queue_.end();) {
        if (item->second.owner == owner) {
            dropped.push_back(std::move(item->second.waiter));
            item = queue_.erase(item);
        } else {
            ++item;
        }
    }
    frozen_.erase(owner);
    for (auto const& waiter : dropped) {
        waiter->done = true;
        waiter->handler = nullptr;  // the frames are destroyed through the executor
    }
    dropped.clear();
    run_ready();
}

std::size_t Scheduler::waiting(ProcessId owner) const {
    return static_cast<std::size_t>(
        std::count_if(queue_.begin(), queue_.end(),
                      [owner](auto const& item) { return item.second.owner == owner; }));
}

void Scheduler::run_ready() {
    io_.restart();
    io_.poll();
}

bool Scheduler::step() {
    run_ready();
    if (queue_.empty()) return false;
    auto node = queue_.extract(queue_.begin());
    now_ = std::max(now_, node.key().first);
    Item& item = node.mapped();
    ProcessId const owner = item.owner;
    if (auto const frozen = frozen_.find(owner); frozen != frozen_.end()) {
        if (frozen->second > now_) {
            node.key().first = frozen->second;
            if (item.waiter) item.waiter->place = node.key();
            queue_.insert(std::move(node));
            return true;
        }
        frozen_.erase(frozen);
    }
    ++events_;
    if (owner == kWorld) {
        item.what();
        return true;
    }
    if (crashes_now && crashes_now(owner)) {
        item.waiter->done = true;
        item.waiter->handler = nullptr;
        kill(owner);
        on_crash(owner);
        return true;
    }
    complete(*item.waiter, item.waiter->aborted ? make_error_code(asio::error::operation_aborted)
                                                : boost::system::error_code{});
    return true;
}

}  // namespace sycee::simulation
