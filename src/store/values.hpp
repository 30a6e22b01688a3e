#pragma once

#include <sycee/base/amount.hpp>
#include <sycee/base/bytes.hpp>
#include <sycee/base/id.hpp>
#include <sycee/base/time.hpp>
#include <sycee/evm/address.hpp>
#include <sycee/ledger/journal.hpp>

#include <pqxx/pqxx>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// How our values stand in PostgreSQL's text format, both ways. What is read was written by us, so a
// value that does not parse is a broken invariant.
namespace sycee {

std::string to_sql(ByteView bytes);  // bytea, hex format
inline std::string to_sql(Address const& address) {
    return to_sql(ByteView(address.bytes));
}
inline std::string to_sql(Uuid const& uuid) {
    return to_string(uuid);
}
template <class Tag>
std::string to_sql(Id<Tag> const& id) {
    return to_string(id.uuid);
}
inline std::string to_sql(Amount amount) {
    return to_string(amount);
}
std::string to_sql(Timestamp time);  // milliseconds, for millis_to_time() below
inline std::string to_sql(std::string_view text) {
    return std::string(text);
}
inline std::string to_sql(std::string const& text) {
    return text;
}
inline std::string to_sql(std::integral auto number) {
    return std::to_string(number);
}

// An array for unnest(): every element quoted, so that any text may stand in it.
class PgArray {
  public:
    template <class Value>
    PgArray& add(Value const& value) {
        append(to_sql(value));
        return *this;
    }
    template <class Value>
    PgArray& add(std::optional<Value> const& value) {
        return value ? add(*value) : add_null();
    }
    PgArray& add_null();
    std::string str() const { return "{" + text_ + "}"; }

  private:
    void append(std::string_view element);

    std::string text_;
};

template <std::size_t N>
Bytes<N> bytes_of(pqxx::field const& field);
extern template Bytes<20> bytes_of(pqxx::field const&);
extern template Bytes<32> bytes_of(pqxx::field const&);
std::vector<std::uint8_t> byte_vector_of(pqxx::field const& field);
inline Address address_in(pqxx::field const& field) {
    return {bytes_of<20>(field)};
}
Uuid uuid_of(pqxx::field const& field);
template <class Tag>
Id<Tag> id_of(pqxx::field const& field) {
    return {uuid_of(field)};
}
// A nil id stands as NULL where there may be none.
template <class Tag>
Id<Tag> id_or_nil(pqxx::field const& field) {
    return field.is_null() ? Id<Tag>{} : id_of<Tag>(field);
}
template <class Tag>
std::optional<Id<Tag>> unless_nil(Id<Tag> const& id) {
    if (id.uuid.is_nil()) return std::nullopt;
    return id;
}
Amount amount_of(pqxx::field const& field);
// A field selected through time_to_millis.
Timestamp time_of(pqxx::field const& field);
std::uint64_t number_of(pqxx::field const& field);
// An array of numbers without NULL.
std::vector<std::int64_t> numbers_of(pqxx::field const& field);
std::string text_of(pqxx::field const& field);

// "(extract(epoch from c) * 1000)::bigint AS c", for one column.
std::string time_column(std::string const& column);
std::string time_column(std::string const& column, std::string const& name);

}  // namespace sycee
