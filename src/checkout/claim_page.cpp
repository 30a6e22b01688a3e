#include <sycee/checkout/claim_page.hpp>

#include "embedded.hpp"
#include "page.hpp"
#include "view.hpp"

namespace sycee {
namespace {

constexpr std::string_view kRoot = "/refund/";

HttpResponse page_response(unsigned status, std::string body) {
    auto response = text_response(status, "text/html; charset=utf-8", std::move(body));
    response
        .with("content-security-policy",
              "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
              "form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
        .with("x-content-type-options", "nosniff")
        // The link is all that it takes: it must not travel on.
        .with("referrer-policy", "no-referrer")
        .with("cache-control", "no-store");
    return response;
}

// What the payer pasted, with a space or a line's end around it.
std::string trimmed(std::string text) {
    constexpr std::string_view kBlank = " \t\r\n";
    auto const first = text.find_first_not_of(kBlank);
    if (first == std::string::npos) return "";
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

class Words {
  public:
    Words(RefundDetail const& refund, Network const& network) : refund_(refund) {
        auto const* chain = network.chain(refund.key.chain_id);
        network_name_ =
            chain == nullptr ? "chain " + std::to_string(refund.key.chain_id) : chain->name;
        amount_ =
            checkout::people_amount(network, refund.key.chain_id, refund.token, refund.amount);
    }

    Html form(std::string const& path, std::string const& entered,
              std::string const& problem) const {
        Html const said =
            problem.empty()
                ? Html{}
                : html(R"(<div class="finding bad" role="alert"><p>{}</p></div>)", {problem});
        return html(R"(<p>The shop sends you {} on {}. To which address?</p>{}<form class="find" )"
                    R"(method="post" action="{}"><label>Your address on {}<input name="address" )"
                    R"(value="{}" placeholder="0x…" maxlength="100" autocomplete="off" )"
                    R"(autocapitalize="none" spellcheck="false" required></label>)"
                    R"(<button>Go on</button></form><p>{}</p>)",
                    {amount_, network_name_, said, path, network_name_, entered, warning()});
    }

    Html confirmation(std::string const& path, Address const& address) const {
        std::string const text = to_string(address);
        return html(
            R"(<p>{} on {} will be sent to</p><p><code class="id">{}</code></p><p>Compare each )"
            R"(letter with your wallet. This can't be changed afterwards.</p><form class="find" )"
            R"(method="post" action="{}"><input type="hidden" name="address" value="{}">)"
            R"(<input type="hidden" name="confirm" value="yes"><button>Send it there</button>)"
            R"(</form><p class="back"><a class="button" href="{}">Enter another address</a></p>)",
            {amount_, network_name_, text, path, text, path});
    }

    Html state() const {
        if (refund_.cancellation) {
            return html("<p>The shop has taken this refund back. Please ask the shop.</p>", {});
        }
        std::string const to = to_string(refund_.recipient);
        if (refund_.payment) {
            return html(
                R"(<p>{} were sent to</p><p><code class="id">{}</code></p><p>on {}, by the )"
                R"(transaction</p><p><code class="id">{}</code></p>)",
                {amount_, to, network_name_,
                 to_hex0x(refund_.payment->transfer.key.transaction_hash)});
        }
        return html(
            R"(<p>The shop will send {} on {} to</p><p><code class="id">{}</code></p><p>This page )"
            R"(says so when it is there.</p>)",
            {amount_, network_name_, to});
    }

  private:
    std::string warning() const {
        return "Give an address that can receive this token on " + network_name_ +
               ": of your own wallet, or the deposit address that an exchange shows you for "
               "exactly this token and network. Not the address that your payment came from, "
               "where you paid from an exchange: it is not yours alone.";
    }

    RefundDetail const& refund_;
    std::string network_name_;
    std::string amount_;
};

std::string page(WebFiles const& files, Html const& content) {
    Html const body =
        html(R"(<main id="checkout" class="missing"><section class="panel"><div class="help">)"
             R"(<h1>Your refund</h1>{}</div></section></main>)",
             {content});
    return checkout::document(files, "Your refund", {}, body).text;
}

}  // namespace

ClaimPage::ClaimPage(RefundService& refunds, Network const& network)
    : refunds_(refunds),
      network_(network),
      root_(public_path(network.public_url) + std::string(kRoot)),
      files_(public_path(network.public_url) + "/checkout/assets/", checkout::embedded_files()) {}

Task<HttpResponse> ClaimPage::handle(HttpRequest const& request) {
    bool const posts = request.method == "POST";
    if (!posts && request.method != "GET") {
        auto refused = text_response(405, "text/plain; charset=utf-8", "Only GET and POST\n");
        refused.with("allow", "GET, POST");
        co_return refused;
    }
    std::string_view path = request.path;
    std::optional<RefundDetail> refund;
    if (path.starts_with(kRoot)) {
        path.remove_prefix(kRoot.size());
        refund = co_await refunds_.find_claimed(std::string(path));
    }
    // The same for a link that was made up and for what is not there.
    if (!refund) co_return page_response(404, checkout::not_found_page(files_));
    std::string own_path = root_ + std::string(path);
    if (posts)
        co_return co_await take_address(std::move(*refund), std::move(own_path), request.body);
    co_return show(*refund, own_path, "", "");
}

HttpResponse ClaimPage::show(RefundDetail const& refund, std::string const& path,
                             std::string const& entered, std::string const& problem) const {
    Words const words(refund, network_);
    bool const asks = refund.recipient == Address{} && !refund.cancellation;
    auto const content = asks ? words.form(path, entered, problem) : words.state();
    return page_response(asks && !problem.empty() ? 400 : 200, page(files_, content));
}

Task<HttpResponse> ClaimPage::take_address(RefundDetail refund, std::string path,
                                           std::string body) {
    // Answered meanwhile, by this link or by the shop.
    if (refund.recipient != Address{} || refund.cancellation) co_return show(refund, path, "", "");
    auto const form = parse_form(body);
    std::string const entered = trimmed(form_value(form, "address")).substr(0, 100);
    auto const address = parse_address(entered);
    if (!address) {
        co_return show(refund, path, entered,
                       "That is not an address: " + address.error().message + ".");
    }
    if (form_value(form, "confirm") != "yes") {
        Words const words(refund, network_);
        co_return page_response(200, page(files_, words.confirmation(path, *address)));
    }
    auto const given = co_await refunds_.give_recipient(refund.key, *address, "payer");
    if (!given) {
        // The refund may have ended, or got its address, meanwhile.
        if (auto now = co_await refunds_.find(refund.key)) refund = std::move(*now);
        co_return show(refund, path, entered, "This address " + given.error().message + ".");
    }
    HttpResponse seen;
    seen.status = 303;
    seen.with("location", path)
        .with("cache-control", "no-store")
        .with("referrer-policy", "no-referrer");
    co_return seen;
}

}  // namespace sycee
