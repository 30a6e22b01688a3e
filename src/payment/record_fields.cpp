#include <sycee/payment/record_fields.hpp>

#include "record_layout.hpp"

#include <charconv>
#include <limits>
#include <optional>

namespace sycee {
namespace {

// Shows each field.
struct ShowFields {
    std::vector<RecordField>& out;

    void number(std::string_view name, std::uint64_t value) const {
        out.push_back({std::string(name), FieldKind::number, std::to_string(value)});
    }
    void bytes(std::string_view name, ByteView value) const {
        out.push_back({std::string(name), FieldKind::bytes, to_hex(value)});
    }
    void text(std::string_view name, std::string_view value) const {
        out.push_back({std::string(name), FieldKind::text, std::string(value)});
    }

    template <class Tag>
    void operator()(std::string_view name, Id<Tag> const& value) const {
        bytes(name, value.uuid.bytes);
    }
    void operator()(std::string_view name, Address const& value) const { bytes(name, value.bytes); }
    void operator()(std::string_view name, Bytes32 const& value) const { bytes(name, value); }
    void operator()(std::string_view name, Amount value) const {
        out.push_back({std::string(name), FieldKind::amount, to_string(value)});
    }
    void operator()(std::string_view name, std::integral auto value) const { number(name, value); }
    void operator()(std::string_view name, std::string const& value) const { text(name, value); }
    template <class Enumeration>
        requires std::is_enum_v<Enumeration>
    void operator()(std::string_view name, Enumeration value) const {
        text(name, to_string(value));
    }
    void seconds(std::string_view name, Timestamp value) const {
        number(name, static_cast<std::uint64_t>(to_unix_seconds(value)));
    }
    void milliseconds(std::string_view name, Timestamp value) const {
        number(name, static_cast<std::uint64_t>(to_unix_milliseconds(value)));
    }
};

void show_postings(ShowFields const& show, Postings const& postings) {
    show.number("postings", postings.size());
    for (std::size_t i = 0; i < postings.size(); ++i) {
        std::string const line = "postings[" + std::to_string(i) + "].";
        show.text(line + "debit", to_string(postings[i].debit));
        show.text(line + "credit", to_string(postings[i].credit));
        show.bytes(line + "token", postings[i].token);
        show(line + "amount", postings[i].amount);
    }
}

// Reads one field after the other. Nothing is read after the first that is wrong.
class ReadFields {
  public:
    explicit ReadFields(std::span<RecordField const> fields) : left_(fields) {}

    template <class Tag>
    void operator()(std::string_view name, Id<Tag>& value) {
        bytes(name, value.uuid.bytes);
    }
    void operator()(std::string_view name, Address& value) { bytes(name, value.bytes); }
    void operator()(std::string_view name, Bytes32& value) { bytes(name, value); }
    void operator()(std::string_view name, Amount& value) {
        auto const* field = take(name, FieldKind::amount);
        if (field == nullptr) return;
        auto const amount = parse_base_units(field->value);
        if (!amount) return fail(name, amount.error().message);
        value = *amount;
    }
    template <std::unsigned_integral Number>
    void operator()(std::string_view name, Number& value) {
        number(name, value, std::numeric_limits<Number>::max());
    }
    void seconds(std::string_view name, Timestamp& value) {
        std::uint64_t read = 0;
        number(name, read, kMostMilliseconds / 1'000);
        value = timestamp_from_seconds(static_cast<std::int64_t>(read));
    }
    void milliseconds(std::string_view name, Timestamp& value) {
        std::uint64_t read = 0;
        number(name, read, kMostMilliseconds);
        value = Timestamp{std::chrono::milliseconds(static_cast<std::int64_t>(read))};
    }
    std::string text(std::string_view name) {
        auto const* field = take(name, FieldKind::text);
        return field == nullptr ? "" : field->value;
    }
    void fail(std::string_view name, std::string message) {
        if (!error_) error_ = Error{std::string(name), std::move(message)};
    }

    std::optional<Error> const& error() const { return error_; }

  private:
    static constexpr std::uint64_t kMostMilliseconds = std::uint64_t{1} << 53U;

    RecordField const* take(std::string_view name, FieldKind kind) {
        if (error_) return nullptr;
        if (left_.empty()) {
            fail(name, "is missing");
            return nullptr;
        }
        RecordField const& field = left_.front();
        left_ = left_.subspan(1);
        if (field.name != name) {
            fail(field.name, "stands where " + std::string(name) + " is expected");
            return nullptr;
        }
        if (field.kind != kind) {
            fail(name, "must be of kind " + std::string(to_string(kind)) + ", not " +
                           std::string(to_string(field.kind)));
            return nullptr;
        }
        return &field;
    }
    template <std::size_t N>
    void bytes(std::string_view name, Bytes<N>& value) {
        auto const* field = take(name, FieldKind::bytes);
        if (field != nullptr && !read_hex(field->value, value)) {
            fail(name, "must hold " + std::to_string(2 * N) + " hex digits");
        }
    }
    template <std::unsigned_integral Number>
    void number(std::string_view name, Number& value, std::uint64_t most) {
        auto const* field = take(name, FieldKind::number);
        if (field == nullptr) return;
        std::uint64_t read = 0;
        char const* end = field->value.data() + field->value.size();
        auto const parsed = std::from_chars(field->value.data(), end, read);
        if (parsed.ec != std::errc{} || parsed.ptr != end || read > most) {
            return fail(name, "must be a whole number up to " + std::to_string(most));
        }
        value = static_cast<Number>(read);
    }

    std::span<RecordField const> left_;
    std::optional<Error> error_;
};

// An empty record of the kind that is named, where a receipt has such.
std::optional<Record> empty_record(std::string_view kind) {
    for (Record const& record : {Record(Authorization{}), Record(Clearing{}), Record(Settlement{})})
        if (to_string(kind_of(record)) == kind) return record;
    return std::nullopt;
}

void read_record(ReadFields& read, Record& record) {
    if (auto* authorization = std::get_if<Authorization>(&record)) {
        visit_fields(read, *authorization);
    } else if (auto* clearing = std::get_if<Clearing>(&record)) {
        visit_fields(read, *clearing);
    } else if (auto* settlement = std::get_if<Settlement>(&record)) {
        visit_fields(read, *settlement);
    }
}

}  // namespace

std::string_view to_string(FieldKind kind) {
    switch (kind) {
        case FieldKind::number:
            return "number";
        case FieldKind::amount:
            return "amount";
        case FieldKind::bytes:
            return "bytes";
        case FieldKind::text:
            return "text";
    }
    return "";
}

std::vector<RecordField> fields_of(JournalEntry const& entry) {
    std::vector<RecordField> fields;
    ShowFields show{fields};
    show.text("layout", layout_of(entry.record));
    visit_place(show, entry);
    show.text("kind", to_string(kind_of(entry.record)));
    std::visit([&show](auto const& record) { visit_fields(show, record); }, entry.record);
    show_postings(show, postings_of(entry.record));
    return fields;
}

Result<JournalEntry> entry_of(std::span<RecordField const> fields) {
    ReadFields read(fields);
    JournalEntry entry;
    std::string const layout = read.text("layout");
    visit_place(read, entry);
    std::string const kind = read.text("kind");
    auto record = empty_record(kind);
    if (!record) {
        read.fail("kind", "must be authorization, clearing or settlement, not \"" +
                              kind.substr(0, 40) + "\"");
    } else {
        // Anything but none, so that it is read.
        auto* clearing = std::get_if<Clearing>(&*record);
        if (clearing != nullptr && layout == kSecondLayout) clearing->fee_version = 1;
        read_record(read, *record);
        if (auto* authorization = std::get_if<Authorization>(&*record)) {
            authorization->transfer.key.chain_id = entry.chain_id;
        }
        entry.record = std::move(*record);
    }
    if (read.error()) return std::unexpected(*read.error());
    // Each value can be written in one way, and what follows the record's own fields is known.
    auto expected = fields_of(entry);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        if (i == fields.size()) return refuse(expected[i].name, "is missing");
        if (fields[i] == expected[i]) continue;
        return refuse(fields[i].name,
                      "is not what the record says: " + expected[i].name + " " + expected[i].value);
    }
    if (fields.size() > expected.size()) {
        return refuse(fields[expected.size()].name, "is one field too many");
    }
    return entry;
}

}  // namespace sycee
