#pragma once

#include <sycee/net/html.hpp>
#include <sycee/net/web_files.hpp>

#include "view.hpp"

#include <string>
#include <string_view>

namespace sycee::checkout {

struct PageContext {
    WebFiles const& files;
    std::string path;       // of this payment's page: "/checkout/pay_..."
    bool uri_code = false;  // the QR code holds the EIP-681 link instead of the plain address
};

// What every page of the checkout has around its body.
Html document(WebFiles const& files, std::string_view title, Html const& head, Html const& body);

std::string checkout_page(CheckoutView const& view, PageContext const& context);
std::string not_found_page(WebFiles const& files);

// The query that keeps the payer's choices: "?option=1&qr=uri".
std::string choice_query(std::size_t option, bool uri_code);

}  // namespace sycee::checkout
