#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace sycee {

// A coroutine on the io thread. Reference parameters are for tasks that are awaited at once by
// whoever owns what is referred to; a spawned task takes values.
template <class T>
using Task = boost::asio::awaitable<T>;

using Executor = boost::asio::any_io_executor;

}  // namespace sycee
