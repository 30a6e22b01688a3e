#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace sycee {

enum class LogLevel { debug, info, warning, error, critical };

// One line: time, level, component, message, key=value pairs. Values are quoted and cleaned of
// control characters, so that no input can forge a line. Keys, passwords and bodies never come
// here: Secret has no way to become a value.
struct LogField {
    LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
    LogField(std::string_view k, char const* v) : key(k), value(v) {}
    LogField(std::string_view k, std::string const& v) : key(k), value(v) {}
    LogField(std::string_view k, std::integral auto v) : key(k), value(std::to_string(v)) {}
    std::string key;
    std::string value;
};

void set_log_level(LogLevel level);
// "debug", "info", "warning", "error"; false for another name.
bool set_log_level(std::string_view name);

void log(LogLevel level, std::string_view component, std::string_view message,
         std::initializer_list<LogField> fields = {});

inline void log_debug(std::string_view component, std::string_view message,
                      std::initializer_list<LogField> fields = {}) {
    log(LogLevel::debug, component, message, fields);
}
inline void log_info(std::string_view component, std::string_view message,
                     std::initializer_list<LogField> fields = {}) {
    log(LogLevel::info, component, message, fields);
}
inline void log_warning(std::string_view component, std::string_view message,
                        std::initializer_list<LogField> fields = {}) {
    log(LogLevel::warning, component, message, fields);
}
inline void log_error(std::string_view component, std::string_view message,
                      std::initializer_list<LogField> fields = {}) {
    log(LogLevel::error, component, message, fields);
}
inline void log_critical(std::string_view component, std::string_view message,
                         std::initializer_list<LogField> fields = {}) {
    log(LogLevel::critical, component, message, fields);
}

}  // namespace sycee
