#pragma once

#include <sycee/net/http_message.hpp>
#include <sycee/net/web_files.hpp>

namespace sycee {

// What a merchant's developer reads: the documentation of the API at /docs, and the contract that
// it is made of at /openapi.yaml. Both are compiled in, tell nothing of this gateway, and need no
// key.
class DocsPages {
  public:
    DocsPages();

    // Whether the path is one of these.
    static bool has(std::string_view path);
    HttpResponse answer(HttpRequest const& request) const;

  private:
    WebFiles files_;
};

}  // namespace sycee
