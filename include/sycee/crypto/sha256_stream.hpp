#pragma once

#include <sycee/base/bytes.hpp>

#include <memory>

namespace sycee {

// SHA-256 of what comes piece by piece.
class Sha256Stream {
  public:
    Sha256Stream();
    Sha256Stream(Sha256Stream&&) noexcept;
    Sha256Stream& operator=(Sha256Stream&&) noexcept;
    Sha256Stream(Sha256Stream const&) = delete;
    Sha256Stream& operator=(Sha256Stream const&) = delete;
    ~Sha256Stream();

    void add(ByteView data);
    // Of all that was added. Nothing may be added afterwards.
    Bytes32 finish();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace sycee
