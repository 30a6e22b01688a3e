#pragma once

#include <sycee/base/result.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace sycee {

constexpr std::uintmax_t kMostDocumentBytes = std::uintmax_t{64} << 20U;

enum class ReadableBy : std::uint8_t { owner, all };

// A new file, on the disk when this returns. Refused where there is one.
Result<void> write_new_file(std::filesystem::path const& file, std::string const& text,
                            ReadableBy readable_by);

// Refused, naming the file: what can't be read or is larger than kMostDocumentBytes.
Result<std::string> read_document(std::filesystem::path const& file);

// A document of a file. What is refused names the file.
template <class Value>
Result<Value> parse_file(std::filesystem::path const& file,
                         Result<Value> (*parse)(std::string_view)) {
    auto const text = read_document(file);
    if (!text) return std::unexpected(text.error());
    auto value = parse(*text);
    if (!value) return refuse(file.string(), to_string(value.error()));
    return value;
}

}  // namespace sycee
