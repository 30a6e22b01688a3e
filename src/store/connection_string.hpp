#pragma once

#include <sycee/base/result.hpp>

#include <string>
#include <string_view>

namespace sycee {

// `url`, a libpq connection string or URI, as a connection string that sets `session_options`
// ("-c name=value ...") on the server as well, after the options that it has. libpqxx makes a
// connection that broke anew by itself, and what a SET had set is then lost; this is not. The error
// quotes nothing of `url`, which may hold a password.
Result<std::string> connection_string(std::string const& url, std::string const& session_options);

// The value that `url` gives to a keyword of libpq; empty where it gives none.
std::string connection_option(std::string const& url, std::string_view keyword);

}  // namespace sycee
