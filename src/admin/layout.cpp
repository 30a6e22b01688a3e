#include "layout.hpp"

namespace sycee::admin {
namespace {

void add_headers(HttpResponse& response) {
    response
        .with("content-security-policy",
              "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
              "base-uri 'none'; frame-ancestors 'none'")
        .with("x-content-type-options", "nosniff")
        // Not no-referrer: under that, browsers send "Origin: null" with our own forms too.
        .with("referrer-policy", "same-origin")
        .with("cache-control", "no-store");
}

Html document(Frame const& frame, std::string_view title, Html const& header, Html const& body) {
    auto const& files = frame.files;
    return html(R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>{} – Sycee</title>
<link rel="icon" href="{}" type="image/svg+xml">
<link rel="stylesheet" href="{}">
<link rel="stylesheet" href="{}">
</head>
<body>
{}
<main>
{}
</main>
</body>
</html>
)",
                {title, files.url("icon.svg"), files.url("palette.css"), files.url("admin.css"),
                 header, body});
}

Html header(Frame const& frame, Section section) {
    auto const link = [&](std::string_view path, std::string_view name, Section target,
                          Html const& more = {}) {
        return html(R"(<a href="{}"{}>{}{}</a>)",
                    {frame.root + std::string(path),
                     section == target ? html(R"( aria-current="page")") : Html{}, name, more});
    };
    Html const count =
        frame.open_exceptions.empty()
            ? Html{}
            : html(R"( <span class="count">{}<span class="visually-hidden"> open</span></span>)",
                   {frame.open_exceptions});
    return html(
        R"(<header class="top"><a class="home" href="{}" aria-label="Sycee">{}</a>)"
        R"(<nav aria-label="Dashboard">{}{}{}{}{}{}</nav>)"
        R"(<form class="who" method="post" action="{}/logout"><span>{}</span>)"
        R"(<input type="hidden" name="token" value="{}"><button>Log out</button></form></header>)",
        {frame.root, frame.files.inline_svg("wordmark.svg"),
         link("", "Payments", Section::payments),
         link("/exceptions", "Exceptions", Section::exceptions, count),
         link("/find", "Find", Section::find),
         link("/statements", "Statements", Section::statements),
         link("/trial-balance", "Trial balance", Section::trial_balance),
         link("/chains", "Chains", Section::chains), frame.root, frame.operator_name,
         frame.form_token});
}

HttpResponse html_response(unsigned status, Html page) {
    auto response = text_response(status, "text/html; charset=utf-8", std::move(page.text));
    add_headers(response);
    return response;
}

}  // namespace

HttpResponse page_response(unsigned status, Frame const& frame, std::string_view title,
                           Section section, Html const& body) {
    return html_response(status, document(frame, title, header(frame, section), body));
}

HttpResponse login_response(unsigned status, Frame const& frame, std::string_view name,
                            std::string_view problem) {
    Html const note =
        problem.empty() ? Html{} : html(R"(<p class="problem" role="alert">{}</p>)", {problem});
    Html const body = html(
        R"(<form class="login" method="post" action="{}/login">{}<h1>Dashboard</h1>{}
<label>Name<input name="name" value="{}" autocomplete="username"
autocapitalize="none" spellcheck="false" required autofocus></label>
<label>Password<input name="password" type="password" autocomplete="current-password"
required></label>
<button>Log in</button></form>)",
        {frame.root, frame.files.inline_svg("wordmark.svg"), note, name});
    return html_response(status, document(frame, "Log in", {}, body));
}

HttpResponse message_response(unsigned status, Frame const& frame, std::string_view title,
                              std::string_view message) {
    Html const body = html(R"(<section class="card message"><h1>{}</h1><p>{}</p>)"
                           R"(<p><a href="{}">To the dashboard</a></p></section>)",
                           {title, message, frame.root});
    Html const top = frame.operator_name.empty() ? Html{} : header(frame, Section::none);
    return html_response(status, document(frame, title, top, body));
}

}  // namespace sycee::admin
