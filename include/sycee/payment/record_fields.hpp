#pragma once

#include <sycee/base/result.hpp>
#include <sycee/payment/records.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sycee {

// How a field stands among the bytes that are hashed (CanonicalBytes).
enum class FieldKind : std::uint8_t {
    number,  // 8 bytes, big-endian; shown in decimal digits
    amount,  // 16 bytes, big-endian; shown in decimal digits
    bytes,   // as they are; shown in lower-case hex
    text,    // its length as a number, then the letters
};
std::string_view to_string(FieldKind kind);

// One field of what a record's hash covers, so that a stranger can show and hash it.
struct RecordField {
    std::string name;  // "authorization_hash", "postings[0].debit"
    FieldKind kind = FieldKind::number;
    std::string value;

    bool operator==(RecordField const&) const = default;
};

// Everything that hash_of() covers, in its order; postings_of() the record last.
std::vector<RecordField> fields_of(JournalEntry const& entry);

// Reads what fields_of() gives, without the hash. Refused, with the field's name: anything else
// than exactly the fields of an authorization, clearing or settlement in their order and written in
// one way, and postings that are not the record's. Whether the hash is right is for the caller.
Result<JournalEntry> entry_of(std::span<RecordField const> fields);

}  // namespace sycee
