#pragma once

#include <sycee/net/html.hpp>
#include <sycee/net/http_message.hpp>
#include <sycee/net/web_files.hpp>

#include <string>
#include <string_view>

namespace sycee::admin {

enum class Section { payments, exceptions, find, statements, trial_balance, chains, none };

// What every page needs to know of the place that it is shown in.
struct Frame {
    WebFiles const& files;
    std::string root;           // where the dashboard is seen from outside: "/admin"
    std::string operator_name;  // empty: not logged in
    std::string form_token;
    std::string open_exceptions;  // "3", "99+"; empty: none
};

HttpResponse page_response(unsigned status, Frame const& frame, std::string_view title,
                           Section section, Html const& body);
HttpResponse login_response(unsigned status, Frame const& frame, std::string_view name,
                            std::string_view problem);
HttpResponse message_response(unsigned status, Frame const& frame, std::string_view title,
                              std::string_view message);

}  // namespace sycee::admin
