#pragma once

#include <sycee/base/time.hpp>
#include <sycee/evm/transfer.hpp>
#include <sycee/runtime/clock.hpp>
#include <sycee/runtime/task.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace sycee {

struct LogRange {
    BlockNumber last = 0;  // up to here the node has answered
    std::vector<Log> logs;
};

// A node that can be asked for what happened long ago.
class HistoryPort {
  public:
    virtual ~HistoryPort() = default;
    // As EndpointPort's.
    virtual std::string name() const = 0;
    // Nothing where the node does not have that block.
    virtual Task<std::optional<BlockHeader>> header(BlockNumber number) = 0;
    // The Transfer logs of these contracts in the blocks first .. last of the node's branch, in
    // their order; of fewer blocks where it takes no more at a time. Throws Unavailable.
    virtual Task<LogRange> transfer_logs(std::vector<Address> contracts, BlockNumber first,
                                         BlockNumber last) = 0;
};

// The past of one chain, as a quorum of its nodes tells it. Each call throws Unavailable where
// fewer than the quorum say the same.
class ChainHistory {
  public:
    // `nodes` outlive this.
    ChainHistory(ChainId id, std::vector<HistoryPort*> nodes, std::size_t quorum, Clock& clock)
        : id_(id), nodes_(std::move(nodes)), quorum_(quorum), clock_(clock) {}

    ChainId id() const { return id_; }
    Task<BlockHeader> header(BlockNumber number);
    // The first block up to `last` that is not older than that; `last` where none is.
    Task<BlockNumber> first_block_since(Timestamp time, BlockNumber last);
    // All Transfer logs of these contracts in the blocks first .. last, in their order.
    Task<std::vector<Log>> transfer_logs(std::vector<Address> contracts, BlockNumber first,
                                         BlockNumber last);

  private:
    Task<std::vector<Log>> ask(HistoryPort& node, std::vector<Address> contracts, BlockNumber first,
                               BlockNumber last);

    ChainId id_;
    std::vector<HistoryPort*> nodes_;
    std::size_t quorum_;
    Clock& clock_;
};

}  // namespace sycee
