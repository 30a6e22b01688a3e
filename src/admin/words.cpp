#include "words.hpp"

#include <sycee/app/exception_json.hpp>

#include <algorithm>

namespace sycee::admin {
namespace {

// An argument is escaped already where it had to be.
Html piece(HtmlArgument const& argument) {
    return Html{argument.text};
}

}  // namespace

std::string chain_name(Network const& network, ChainId chain_id) {
    auto const* chain = network.chain(chain_id);
    std::string const number = std::to_string(chain_id);
    return chain == nullptr ? "chain " + number : chain->name + " (" + number + ")";
}

std::string in_words(std::string_view name) {
    std::string words(name);
    std::ranges::replace(words, '_', ' ');
    return words;
}

std::string sentence(std::string text) {
    if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] -= 'a' - 'A';
    return text;
}

Html moment(Timestamp time) {
    std::string const exact = to_rfc3339(time);
    return html(R"(<time datetime="{}" title="{}">{} <span class="hour">{}</span></time>)",
                {exact, exact, exact.substr(0, 10), exact.substr(11, 8)});
}

Html moment_or_dash(std::optional<Timestamp> time) {
    return time ? moment(*time) : html("–");
}

Html short_hash(Bytes32 const& hash) {
    std::string const text = to_hex0x(hash);
    return html(R"(<code title="{}">{}…</code>)", {text, text.substr(0, 12)});
}

Html code(std::string_view text) {
    return html(R"(<code class="long">{}</code>)", {text});
}

Html address(Address const& value) {
    return code(to_string(value));
}

Html status_badge(PaymentStatus status) {
    std::string_view const name = to_string(status);
    return html(R"(<span class="badge {}">{}</span>)", {name, in_words(name)});
}

Html payment_link(std::string const& root, PaymentId id) {
    return html(R"(<a href="{}/payments/{}">{}</a>)", {root, to_string(id), code(to_string(id))});
}

std::string age_text(std::chrono::milliseconds age) {
    auto const minutes = std::max<std::int64_t>(0, age / std::chrono::minutes{1});
    std::int64_t const hours = minutes / 60;
    if (hours == 0) return std::to_string(minutes) + " min";
    if (hours < 48) return std::to_string(hours) + " h";
    return std::to_string(hours / 24) + " d";
}

std::string exception_page(std::string const& root, DeskKey const& key) {
    return root + "/exceptions/" + to_string(key.merchant_id) + "/" + exception_id(key);
}

Html exception_link(std::string const& root, DeskKey const& key) {
    return html(R"(<a href="{}">{}</a>)", {exception_page(root, key), code(exception_id(key))});
}

Html exception_badge(DeskException const& exception) {
    if (exception.resolved == exception.amount) {
        return html(R"(<span class="badge good">✓ resolved</span>)");
    }
    if (!exception.is_final) {
        return html(R"(<span class="badge caution">! waits for finality</span>)");
    }
    return html(R"(<span class="badge">final</span>)");
}

Html free_text(std::string_view text) {
    return html(R"(<span class="free">{}</span>)", {text});
}

Html cell(std::string_view label, HtmlArgument const& content) {
    return html(R"(<td data-label="{}">{}</td>)", {label, piece(content)});
}

Html number_cell(std::string_view label, HtmlArgument const& content) {
    return html(R"(<td class="number" data-label="{}">{}</td>)", {label, piece(content)});
}

Html fact(std::string_view name, HtmlArgument const& content) {
    return html("<div><dt>{}</dt><dd>{}</dd></div>", {name, piece(content)});
}

}  // namespace sycee::admin
