#pragma once

#include "values.hpp"

#include <array>
#include <concepts>
#include <string>
#include <string_view>
#include <vector>

namespace sycee {

// One row in COPY's text format.
class CopyLine {
  public:
    CopyLine& add(std::string_view value);  // any text
    CopyLine& add(std::string const& value) { return add(std::string_view(value)); }
    CopyLine& add(ByteView bytes);
    CopyLine& add(Address const& address) { return add(ByteView(address.bytes)); }
    CopyLine& add(Timestamp time) { return add_plain(to_rfc3339(time)); }
    CopyLine& add(Amount amount) { return add_plain(to_string(amount)); }
    CopyLine& add(std::integral auto number) { return add_plain(std::to_string(number)); }
    template <class Tag>
    CopyLine& add(Id<Tag> const& id) {
        return add_plain(to_string(id.uuid));
    }

    std::string const& text() const { return text_; }

  private:
    CopyLine& add_plain(std::string_view value);  // without anything that COPY reads otherwise
    void begin_field();

    std::string text_;
    bool has_field_ = false;  // perhaps an empty one
};

// libpqxx puts a row's fields together by this name, as it finds it: a line of ours is put together
// already. What it does for a tuple takes several times as long as everything else about a row.
inline std::string const& separated_list(char const*, CopyLine const& line,
                                         pqxx::internal::TypedCopyEscaper const&) {
    return line.text();
}

// Many rows into one table, by COPY: all of them, or PostgreSQL throws. `columns`: an array of
// their names.
template <auto const& columns>
class BulkCopy {
  public:
    explicit BulkCopy(char const* table) : table_(table) {}

    // One value for each column, in their order.
    template <class... Values>
    void row(Values const&... values) {
        static_assert(sizeof...(Values) == columns.size());
        CopyLine& line = lines_.emplace_back();
        (line.add(values), ...);
    }

    void run(pqxx::transaction_base& tx) const {
        if (lines_.empty()) return;
        pqxx::stream_to stream(tx, table_, columns);
        for (CopyLine const& line : lines_)
            stream << line;
        stream.complete();
    }

  private:
    std::string table_;
    std::vector<CopyLine> lines_;
};

}  // namespace sycee
