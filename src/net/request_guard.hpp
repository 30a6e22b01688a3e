#pragma once

#include <sycee/base/result.hpp>
#include <sycee/net/http_message.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace sycee {

enum class HeaderScan { incomplete, complete, malformed };

// Looks at the bytes of a request's header before Beast does, and refuses what proxies and servers
// read differently: a bare CR or LF, a folded line, a zero byte, an empty line in front.
class HeaderScanner {
  public:
    // `text` is all that came since the request began; each byte is looked at once.
    HeaderScan scan(std::string_view text);
    // Of the header with its empty line, once it is complete.
    std::size_t size() const { return position_; }

  private:
    std::size_t position_ = 0;
    std::size_t line_start_ = 0;
};

// Refuses a request whose end is not beyond doubt, or whose host is not.
Result<void> check_framing(HttpHeaders const& headers, bool http_1_1);

struct RequestTarget {
    std::string path;
    std::string query;
};
// Takes the origin form only ("/path?query").
Result<RequestTarget> parse_target(std::string_view target);

}  // namespace sycee
