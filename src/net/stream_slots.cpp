#include <sycee/net/stream_slots.hpp>

#include <map>

namespace sycee {

struct StreamSlots::State {
    StreamLimits limits;
    std::size_t taken = 0;
    std::map<Uuid, std::size_t> taken_by;
};

class StreamSlots::Slot {
  public:
    Slot(std::shared_ptr<State> state, Uuid const& id) : state_(std::move(state)), id_(id) {
        ++state_->taken;
        ++state_->taken_by[id_];
    }
    Slot(Slot const&) = delete;
    Slot& operator=(Slot const&) = delete;
    ~Slot() {
        --state_->taken;
        auto const own = state_->taken_by.find(id_);
        if (--own->second == 0) state_->taken_by.erase(own);
    }

  private:
    std::shared_ptr<State> state_;
    Uuid id_;
};

StreamSlots::StreamSlots(StreamLimits limits) : state_(std::make_shared<State>(limits)) {}

std::shared_ptr<void const> StreamSlots::take(Uuid const& id) {
    if (state_->taken >= state_->limits.all) return nullptr;
    auto const own = state_->taken_by.find(id);
    if (own != state_->taken_by.end() && own->second >= state_->limits.per_holder) return nullptr;
    return std::make_shared<Slot const>(state_, id);
}

}  // namespace sycee
