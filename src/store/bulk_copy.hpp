#pragma once

#include "values.hpp"

#include <array>
#include <concepts>
#include <optional>
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
    void clear() {
        text_.clear();
        has_field_ = false;
    }

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

// The same, but each row is sent as soon as it is put together, so that PostgreSQL works on it
// while the next ones are. One at a time in a transaction, from its first row to complete().
template <auto const& columns>
class CopyStream {
  public:
    CopyStream(pqxx::transaction_base& tx, char const* table) : tx_(tx), table_(table) {}

    template <class... Values>
    void row(Values const&... values) {
        static_assert(sizeof...(Values) == columns.size());
        if (!stream_) stream_.emplace(tx_, table_, columns);
        line_.clear();
        (line_.add(values), ...);
        *stream_ << line_;
    }

    // All of them are written, or PostgreSQL throws. Nothing where there was no row.
    void complete() {
        if (!stream_) return;
        stream_->complete();
        stream_.reset();
    }

  private:
    pqxx::transaction_base& tx_;
    std::string table_;
    std::optional<pqxx::stream_to> stream_;
    CopyLine line_;
};

}  // namespace sycee
