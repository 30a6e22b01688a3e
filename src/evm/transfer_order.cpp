#include <sycee/evm/transfer_order.hpp>

#include <tuple>

namespace sycee {

bool is_earlier(Transfer const& a, Transfer const& b) {
    return std::tie(a.block_time, a.key.chain_id, a.block_number, a.log_index) <
           std::tie(b.block_time, b.key.chain_id, b.block_number, b.log_index);
}

}  // namespace sycee
