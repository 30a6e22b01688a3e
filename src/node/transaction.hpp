#pragma once

#include <sycee/app/ports.hpp>

#include "json_rpc.hpp"

#include <optional>

namespace sycee {

constexpr char const* kTransactionByHash = "eth_getTransactionByHash";

RpcCall transaction_call(TransactionHash const& hash);

// What an answer to transaction_call() says; nothing for null. Throws BadAnswer.
std::optional<NativeTransfer> decode_native_transfer(Json const& value);

// As above. Nothing also for a transaction that has not what those of a wallet have: chains have
// kinds of their own, and of a mempool nothing is needed that can't be read.
std::optional<PendingTransaction> decode_pending(Json const& value);

// What a subscription to pending transactions tells: a hash, or a transaction.
std::optional<PendingAnnouncement> decode_announcement(Json const& told);

}  // namespace sycee
