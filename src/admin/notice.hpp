#pragma once

#include <sycee/net/html.hpp>

#include "session.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sycee::admin {

// What came of a form, told by the page that its answer leads to.
struct Notice {
    bool good = false;
    std::string text;
};

// The query that carries it to the page at `path`. Sealed with the session: a link from elsewhere
// can't put words into our mouth.
std::string notice_query(Notice const& notice, std::string_view path, SessionToken const& token);
std::optional<Notice> read_notice(std::string_view query, std::string_view path,
                                  SessionToken const& token);

Html notice_box(std::optional<Notice> const& notice);

}  // namespace sycee::admin
