#pragma once

#include "view.hpp"

#include <string>

namespace sycee::checkout {

// The live state for the page's script: only what the page shows, in one line. It changes when the
// page would, and not with the time left, so that its hash can be an entity tag.
std::string state_json(CheckoutView const& view);

}  // namespace sycee::checkout
