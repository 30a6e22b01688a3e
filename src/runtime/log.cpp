#include <sycee/runtime/log.hpp>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace sycee {
namespace {

constexpr std::size_t kLongestValue = 1024;
constexpr std::string_view kHexDigits = "0123456789abcdef";

bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_plain(char c) {
    return is_alphanumeric(c) || std::string_view("._-:/+,@").find(c) != std::string_view::npos;
}

// Bytes beyond ASCII are escaped too: they can hold invalid UTF-8, terminal controls (U+0080 to
// U+009F) and letters that turn the direction of the text.
void append_clean(std::string& line, std::string_view text) {
    for (char const c : text.substr(0, kLongestValue)) {
        auto const byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            line += {'\\', c};
        } else if (c == '\n') {
            line += "\\n";
        } else if (byte < 0x20 || byte > 0x7e) {
            line += {'\\', 'x', kHexDigits[byte >> 4U], kHexDigits[byte & 0xfU]};
        } else {
            line.push_back(c);
        }
    }
    if (text.size() > kLongestValue) line += "...";
}

void append_value(std::string& line, std::string_view value) {
    if (!value.empty() && value.size() <= kLongestValue && std::ranges::all_of(value, is_plain)) {
        line += value;
        return;
    }
    line.push_back('"');
    append_clean(line, value);
    line.push_back('"');
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return spdlog::level::debug;
        case LogLevel::info:
            return spdlog::level::info;
        case LogLevel::warning:
            return spdlog::level::warn;
        case LogLevel::error:
            return spdlog::level::err;
        case LogLevel::critical:
            break;
    }
    return spdlog::level::critical;
}

std::optional<LogLevel> level_of_name(std::string_view name) {
    if (name == "debug") return LogLevel::debug;
    if (name == "info") return LogLevel::info;
    if (name == "warning") return LogLevel::warning;
    if (name == "error") return LogLevel::error;
    return std::nullopt;
}

spdlog::logger& logger() {
    static auto const instance = [] {
        auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
        auto made = std::make_shared<spdlog::logger>("sycee", std::move(sink));
        made->set_formatter(std::make_unique<spdlog::pattern_formatter>(
            "%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc, "\n"));
        made->flush_on(spdlog::level::trace);
        return made;
    }();
    return *instance;
}

}  // namespace

void set_log_level(LogLevel level) {
    logger().set_level(to_spdlog(level));
}

bool set_log_level(std::string_view name) {
    auto const level = level_of_name(name);
    if (level) set_log_level(*level);
    return level.has_value();
}

void log(LogLevel level, std::string_view component, std::string_view message,
         std::initializer_list<LogField> fields) {
    auto const spdlog_level = to_spdlog(level);
    if (!logger().should_log(spdlog_level)) return;
    std::string line;
    append_clean(line, component);
    line.push_back(' ');
    append_clean(line, message);
    for (auto const& field : fields) {
        line.push_back(' ');
        append_clean(line, field.key);
        line.push_back('=');
        append_value(line, field.value);
    }
    logger().log(spdlog_level, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace sycee
