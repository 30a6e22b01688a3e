#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace sycee {

// One field of a CSV file (RFC 4180) that holds text: quoted where needed, and never a formula for
// a spreadsheet: what begins like one gets an apostrophe in front.
std::string csv_field(std::string_view text);

// One line of fields that are written already, with CR LF at its end. Numbers go in as they are, so
// that a sum below zero stays a number.
std::string csv_line(std::initializer_list<std::string> fields);

}  // namespace sycee
