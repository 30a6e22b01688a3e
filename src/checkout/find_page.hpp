#pragma once

#include "finding.hpp"
#include "page.hpp"
#include "view.hpp"

#include <string>
#include <vector>

namespace sycee::checkout {

// The way from a payment's page to the question where a transfer is; nothing where none is missed.
Html find_section(CheckoutView const& view, std::string const& path);

struct FindPage {
    std::string path;  // of the payment's page
    std::string payment_id;
    std::string reference;
    std::string transaction;  // that was looked for; empty: none was
    std::string problem;      // why none was, though one was asked for
    std::vector<Finding> findings;
};
std::string find_page(FindPage const& page, WebFiles const& files);

}  // namespace sycee::checkout
