#pragma once

#include <sycee/app/ports.hpp>
#include <sycee/base/time.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace sycee {

// What an error of a node means for us. Nodes and providers agree on few codes and no words.
enum class RpcFault : std::uint8_t {
    other,
    unknown_block,   // none of this hash: it has left the node's branch, or not come yet
    no_such_method,  // this node never answers it
    reverted,        // the contract refused
    too_much,        // a smaller question may be answered
    rate_limited,
};

struct RpcError {
    std::int64_t code = 0;
    std::string message;  // for a log line: short, without anything that looks like a URL
    RpcFault fault = RpcFault::other;
};

// Takes the message as it came.
RpcError make_error(std::int64_t code, std::string_view message);
std::string to_string(RpcError const& error);

// A fault that passes, with what it means.
class NodeFault : public Unavailable {
  public:
    NodeFault(std::string const& what, RpcFault fault) : Unavailable(what), fault_(fault) {}
    RpcFault fault() const { return fault_; }

  private:
    RpcFault fault_;
};

// Throws RateLimited or NodeFault, with the method in front.
[[noreturn]] void throw_error(std::string_view method, RpcError const& error);

// How long to wait, by a Retry-After header (seconds, or a date of HTTP): at most a minute; a
// second where it says nothing that can be understood.
std::chrono::milliseconds parse_retry_after(std::string_view value, Timestamp now);

}  // namespace sycee
