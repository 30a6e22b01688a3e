#pragma once

#include <sycee/runtime/task.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace sycee::bench {

constexpr std::uint64_t kChainId = 1;

// An EVM node on loopback, on a thread of its own, whose chain has the blocks of busy_blocks.hpp:
// JSON-RPC over HTTP, new heads over a WebSocket. It has the texts of its answers ready, so that
// its own work takes little of what is measured.
class SyntheticNode {
  public:
    // Begins with one empty block, which is final. A block is final with `finality` blocks above.
    SyntheticNode(std::uint64_t first, std::uint64_t finality);
    ~SyntheticNode();
    SyntheticNode(SyntheticNode const&) = delete;
    SyntheticNode& operator=(SyntheticNode const&) = delete;

    std::string http_url() const;
    std::string ws_url() const;

    // Writes the texts of the block after the head; not part of the chain before announce().
    void prepare(std::uint32_t transfers);
    // Makes that block the head and tells the subscribers. Any thread.
    void announce();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace sycee::bench
