#pragma once

#include <sycee/app/api_keys.hpp>

#include "endpoints.hpp"

#include <span>
#include <string>
#include <string_view>

namespace sycee {

// Has no default, so that no endpoint is without one.
struct NeededScope {
    explicit constexpr NeededScope(Scope needed) : scope(needed) {}
    Scope scope;
};

// One method of one path of the API.
struct Endpoint {
    std::string_view name;  // in metrics and the log
    std::string_view method;
    std::string_view path;  // "{id}" stands for one segment, whatever it is
    NeededScope needs;      // of the key that calls it
    Task<Answer> (*handle)(ApiCall const& call, std::string_view id) = nullptr;
    // Of a POST that must not do its work twice: tells of what it made (IdempotencyClaim::subject),
    // as handle() does in the end. Without it, the work is such that doing it again changes
    // nothing.
    Task<Answer> (*tell)(ApiCall const& call, std::string_view id,
                         std::string_view subject) = nullptr;
    bool keeps_its_answer = false;  // in the transaction of its work
    // Its answer: a webhook's secret, or the link by which a refund is redirected. It is kept
    // sealed.
    bool shows_secret = false;
};

struct Route {
    Endpoint const* endpoint = nullptr;  // null: nothing for this method
    std::string_view id;                 // what stands in the place of "{id}"; empty: none does
    std::string allow;                   // the path's methods; empty: nothing under this path
};

std::span<Endpoint const> all_endpoints();

// HEAD goes where GET does.
Route find_route(std::string_view method, std::string_view path);

}  // namespace sycee
