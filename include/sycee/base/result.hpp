#pragma once

#include <expected>
#include <string>
#include <utility>

namespace sycee {

// A refused input. `field` names what was wrong ("amount", "chains[0].tokens[1].contract"), or is
// empty where there is only one thing it can be; `message` says what was wrong and with which
// value.
struct Error {
    std::string field;
    std::string message;

    bool operator==(Error const&) const = default;
};

// What a function returns that can refuse its input. A fault of a node, the database or the network
// is an exception instead: it is retried where it is caught, never explained to the caller.
template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> refuse(std::string field, std::string message) {
    return std::unexpected(Error{std::move(field), std::move(message)});
}

// "field: message", for a log line or a terminal.
inline std::string to_string(Error const& error) {
    return error.field.empty() ? error.message : error.field + ": " + error.message;
}

}  // namespace sycee
