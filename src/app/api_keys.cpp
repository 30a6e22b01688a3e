#include <sycee/app/api_keys.hpp>

#include <algorithm>

namespace sycee {
namespace {

constexpr std::string_view kEverything = "*";

}  // namespace

std::optional<Scope> parse_scope(std::string_view name) {
    auto const found = std::ranges::find(kScopeNames, name);
    if (found == kScopeNames.end()) return std::nullopt;
    return static_cast<Scope>(found - kScopeNames.begin());
}

std::vector<std::string_view> Scopes::names() const {
    if (everything_) return {kEverything};
    std::vector<std::string_view> names;
    for (std::string_view const name : kScopeNames) {
        if (has(*parse_scope(name))) names.push_back(name);
    }
    return names;
}

std::optional<Scopes> parse_scopes(std::vector<std::string> const& names) {
    if (names.size() == 1 && names.front() == kEverything) return Scopes::everything();
    Scopes scopes;
    for (auto const& name : names) {
        auto const scope = parse_scope(name);
        if (!scope) return std::nullopt;
        scopes.add(*scope);
    }
    if (names.empty()) return std::nullopt;
    return scopes;
}

}  // namespace sycee
