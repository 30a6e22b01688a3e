#pragma once

#include <sycee/net/html.hpp>

#include <string>
#include <vector>

namespace sycee::checkout {

// The modules of a QR code of these bytes, error correction M: true is dark.
std::vector<std::vector<bool>> qr_modules(std::string const& content);

// As an SVG: dark on a white plate with the four modules of margin that readers need, in dark mode
// too. `title` says what the code holds, for those who can't see it.
Html qr_svg(std::string const& content, std::string_view title);

}  // namespace sycee::checkout
