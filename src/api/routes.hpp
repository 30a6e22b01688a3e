#pragma once

#include "endpoints.hpp"

#include <string>
#include <string_view>

namespace sycee {

// One method of one path of the API.
struct Endpoint {
    std::string_view name;  // in metrics and the log
    std::string_view method;
    std::string_view path;  // "{id}" stands for one segment, whatever it is
    Task<Answer> (*handle)(ApiCall const& call, std::string_view id) = nullptr;
    // Does its work once for an Idempotency-Key.
    bool takes_key = false;
};

struct Route {
    Endpoint const* endpoint = nullptr;  // null: nothing for this method
    std::string_view id;                 // what stands in the place of "{id}"; empty: none does
    std::string allow;                   // the path's methods; empty: nothing under this path
};

// HEAD goes where GET does.
Route find_route(std::string_view method, std::string_view path);

}  // namespace sycee
