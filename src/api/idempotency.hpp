#pragma once

#include <sycee/app/idempotency.hpp>
#include <sycee/net/http_message.hpp>

#include "problem.hpp"

#include <expected>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace sycee {

// What the request claims by its Idempotency-Key, quoted (a structured field) or bare: 1 to 255
// visible characters of ASCII. Nothing where it has none.
std::expected<std::optional<IdempotencyClaim>, Problem> read_claim(HttpRequest const& request);

// The answer that was given to the request before, which `used` may not have; a problem where it
// was another request.
std::expected<HttpResponse, Problem> answer_again(UsedKey const& used,
                                                  IdempotencyClaim const& claim);

// The keys of requests under way. On the io thread.
class RunningKeys {
  public:
    using Name = std::pair<MerchantId, std::string>;

    // Keeps the key to its end; converts to false where another request has it.
    class Hold {
      public:
        Hold(RunningKeys& keys, Name name);
        Hold(Hold const&) = delete;
        Hold& operator=(Hold const&) = delete;
        ~Hold();
        explicit operator bool() const { return held_; }

      private:
        RunningKeys& keys_;
        Name name_;
        bool held_ = false;
    };

  private:
    std::set<Name> running_;
};

}  // namespace sycee
