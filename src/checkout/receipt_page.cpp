#include <sycee/checkout/receipt_page.hpp>

#include "embedded.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace sycee {
namespace {

constexpr std::string_view kRoot = "/receipt";
constexpr std::string_view kAssets = "/receipt/assets/";

std::string page(WebFiles const& files, std::vector<PublishedKey> const& keys) {
    auto published = nlohmann::json::array();
    for (PublishedKey const& key : keys)
        published.push_back(to_hex(key.public_key));
    return html(R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>Check a receipt</title>
<link rel="icon" href="{}" type="image/svg+xml">
<link rel="stylesheet" href="{}">
<link rel="stylesheet" href="{}">
<script src="{}" type="module"></script>
</head>
<body>
<header class="top">{}</header>
<main id="receipt" data-keys="{}">
<h1>Check a receipt</h1>
<p>Your browser does it by itself: what you paste or drop here is sent nowhere.</p>
<noscript><p>Without JavaScript, <code>sycee receipt verify</code> checks it.</p></noscript>
<form id="form">
<label for="text">The receipt, as the shop gave it</label>
<textarea id="text" spellcheck="false" autocomplete="off"></textarea>
<div class="actions"><button>Check</button>
<label for="file">or choose its file</label><input id="file" type="file" accept=".json,application/json"></div>
</form>
<section id="said" role="status" aria-live="polite" hidden></section>
</main>
</body>
</html>
)",
                {files.url("icon.svg"), files.url("palette.css"), files.url("receipt.css"),
                 files.url("receipt.js"), files.inline_svg("wordmark.svg"), published.dump()})
        .text;
}

}  // namespace

ReceiptPage::ReceiptPage(CheckpointService& checkpoints, Network const& network)
    : checkpoints_(checkpoints),
      files_(public_path(network.public_url) + std::string(kAssets), checkout::embedded_files()) {}

Task<HttpResponse> ReceiptPage::handle(HttpRequest const& request) {
    if (request.method != "GET") {
        auto refused = text_response(405, "text/plain; charset=utf-8", "Only GET\n");
        refused.with("allow", "GET");
        co_return refused;
    }
    std::string_view const path = request.path;
    if (path.starts_with(kAssets)) co_return files_.serve(request, path.substr(kAssets.size()));
    if (path != kRoot) co_return text_response(404, "text/plain; charset=utf-8", "Not found\n");
    auto response = text_response(200, "text/html; charset=utf-8",
                                  page(files_, co_await checkpoints_.signing_keys()));
    response
        .with("content-security-policy",
              "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
              "form-action 'none'; base-uri 'none'; frame-ancestors 'none'")
        .with("x-content-type-options", "nosniff")
        .with("referrer-policy", "no-referrer")
        .with("cache-control", "no-store");
    co_return response;
}

}  // namespace sycee
