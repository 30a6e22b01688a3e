#include "values.hpp"

#include <sycee/base/assert.hpp>

#include <algorithm>
#include <charconv>
#include <system_error>

namespace sycee {

std::string to_sql(ByteView bytes) {
    return "\\x" + to_hex(bytes);
}

std::string to_sql(Timestamp time) {
    return std::to_string(to_unix_milliseconds(time));
}

PgArray& PgArray::add_null() {
    text_ += text_.empty() ? "NULL" : ",NULL";
    return *this;
}

void PgArray::append(std::string_view element) {
    if (!text_.empty()) text_.push_back(',');
    text_.push_back('"');
    for (char const c : element) {
        if (c == '"' || c == '\\') text_.push_back('\\');
        text_.push_back(c);
    }
    text_.push_back('"');
}

std::vector<std::uint8_t> byte_vector_of(pqxx::field const& field) {
    std::string_view const text = field.c_str();
    ensure(text.starts_with("\\x"), "store: a bytea column is not in hex format");
    auto bytes = from_hex(text.substr(2));
    ensure(bytes.has_value(), "store: a bytea column holds no hex");
    return std::move(*bytes);
}

template <std::size_t N>
Bytes<N> bytes_of(pqxx::field const& field) {
    std::string_view const text = field.c_str();
    Bytes<N> result{};
    bool const right = text.starts_with("\\x") && read_hex(text.substr(2), result);
    if (!right) ensure(false, std::string("store: wrong bytes in column ") + field.name());
    return result;
}
template Bytes<20> bytes_of(pqxx::field const&);
template Bytes<32> bytes_of(pqxx::field const&);

// The message is made only where it is needed: these run for each value of each row.
Uuid uuid_of(pqxx::field const& field) {
    auto const uuid = parse_uuid(field.c_str());
    if (!uuid) ensure(false, std::string("store: no uuid in column ") + field.name());
    return *uuid;
}

Amount amount_of(pqxx::field const& field) {
    auto const amount = parse_base_units(field.c_str());
    if (!amount) ensure(false, std::string("store: no amount in column ") + field.name());
    return *amount;
}

Timestamp time_of(pqxx::field const& field) {
    return Timestamp{std::chrono::milliseconds{field.as<std::int64_t>()}};
}

std::uint64_t number_of(pqxx::field const& field) {
    return field.as<std::uint64_t>();
}

std::vector<std::int64_t> numbers_of(pqxx::field const& field) {
    std::string_view text = field.c_str();
    bool right = text.starts_with('{') && text.ends_with('}');
    std::vector<std::int64_t> numbers;
    while (right && text != "{}" && text != "}") {
        std::int64_t number = 0;
        char const* const begin = text.data() + 1;
        auto const parsed = std::from_chars(begin, text.data() + text.size(), number);
        right = parsed.ec == std::errc{} && (*parsed.ptr == ',' || *parsed.ptr == '}');
        numbers.push_back(number);
        text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
    }
    ensure(right, std::string("store: no array of numbers in column ") + field.name());
    return numbers;
}

std::string text_of(pqxx::field const& field) {
    return field.is_null() ? "" : field.c_str();
}

std::string time_column(std::string const& column) {
    return time_column(column, column);
}

std::string time_column(std::string const& column, std::string const& name) {
    return "(extract(epoch from " + column + ") * 1000)::bigint AS " + name;
}

}  // namespace sycee
