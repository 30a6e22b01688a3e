#include <sycee/app/payment_json.hpp>
#include <sycee/base/moment.hpp>
#include <sycee/base/utf8.hpp>

#include "endpoints.hpp"
#include "page_query.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace sycee {
namespace {

constexpr std::size_t kMostMetadata = 5;
constexpr std::size_t kMostValueBytes = 500;  // as long as any text that is looked for may be

struct Query {
    std::size_t limit = kDefaultLimit;
    std::optional<PaymentId> after;
    PaymentFilter filter;
};

std::string take_moment(std::optional<Timestamp>& into, std::string_view value) {
    into = parse_rfc3339(value);
    return into ? "" : "must be a moment in UTC such as 2026-11-26T10:00:00Z";
}

std::string take_text(std::string& into, std::string_view value) {
    if (value.empty() || value.size() > kMostValueBytes) {
        return "must have from 1 to " + std::to_string(kMostValueBytes) + " bytes";
    }
    bool const clean = std::ranges::none_of(
        value, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    if (!clean || !is_utf8(value)) return "must be text in UTF-8, without control characters";
    into = value;
    return "";
}

// "metadata[size]": the key between the brackets; nothing where it is another name.
std::optional<std::string_view> metadata_key(std::string_view name) {
    constexpr std::string_view kOpen = "metadata[";
    if (!name.starts_with(kOpen) || !name.ends_with(']')) return std::nullopt;
    return name.substr(kOpen.size(), name.size() - kOpen.size() - 1);
}

std::expected<Query, Problem> decode(std::string_view text) {
    Query query;
    PaymentFilter& filter = query.filter;
    auto const take = [&](std::string_view name,
                          std::string_view value) -> std::optional<std::string> {
        if (name == "limit") return take_limit(query.limit, value);
        if (name == "after") {
            query.after = parse_id<PaymentTag>(value);
            return query.after ? "" : "must be the next_cursor of the page before";
        }
        if (name == "status") {
            filter.status = parse_payment_status(value);
            return filter.status ? "" : "must be a status of payments, such as open or settled";
        }
        if (name == "reference") return take_text(filter.reference.emplace(), value);
        if (name == "created_after") return take_moment(filter.created_after, value);
        if (name == "created_before") return take_moment(filter.created_before, value);
        auto const key = metadata_key(name);
        if (!key) return std::nullopt;
        if (filter.metadata.size() == kMostMetadata) {
            return "is one too many: at most " + std::to_string(kMostMetadata) + " keys";
        }
        auto& entry = filter.metadata.emplace_back();
        auto wrong = take_text(entry.first, *key);
        return wrong.empty() ? take_text(entry.second, value) : "has a key that " + wrong;
    };
    if (auto const read = read_query(text, take); !read) return std::unexpected(read.error());
    return query;
}

}  // namespace

Task<Answer> list_payments(ApiCall const& call) {
    auto query = decode(call.request.query);
    if (!query) co_return std::unexpected(query.error());
    auto const page = co_await call.search.find(call.caller.merchant_id, std::move(query->filter),
                                                query->after, query->limit);
    nlohmann::ordered_json json;
    json["object"] = "list";
    json["data"] = nlohmann::ordered_json::array();
    for (auto const& state : page.payments) {
        json["data"].push_back(payment_json(state, call.payments.status(state), call.network));
    }
    json["has_more"] = page.next.has_value();
    json["next_cursor"] = nullptr;
    if (page.next) json["next_cursor"] = to_string(*page.next);
    co_return text_response(200, "application/json", json.dump());
}

}  // namespace sycee
