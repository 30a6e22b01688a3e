#pragma once

#include <sycee/app/statement.hpp>
#include <sycee/payment/records.hpp>

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What an auditor takes away of the books, as files that a stranger's script can check alone
// (docs/evidence.md).
namespace sycee {

struct EvidenceQuery {
    std::optional<MerchantId> merchant_id;  // nothing: of all
    std::optional<StatementPeriod> period;  // nothing: everything, without statements
    bool with_details = false;              // words that may be about persons as well
};

// Takes the files as they come. A file begins with the first write of its name, which may be "".
class EvidenceSink {
  public:
    virtual ~EvidenceSink() = default;
    // `rows`: how many records, or lines of a table, the text has.
    virtual void write(std::string const& file, std::string_view text, std::uint64_t rows) = 0;
    // Nothing more comes for this file.
    virtual void close(std::string const& file) = 0;
};

// What is hashed of the records of one kind and layout, in its order: names, and how each stands
// among the bytes.
class EvidenceLayouts {
  public:
    // One line of JSON: everything that the record's hash covers but its postings, as texts in the
    // order of the bytes, and `hash` at the end.
    std::string line_of(JournalEntry const& entry);
    // [{"kind", "layout", "fields": [["merchant_id", "bytes"], ...]}, ...]
    nlohmann::ordered_json json() const;

  private:
    using Fields = std::vector<std::pair<std::string, std::string>>;
    std::map<std::pair<std::string, std::string>, Fields> layouts_;
};

// "records/authorization.jsonl"
std::string evidence_record_file(RecordKind kind);

// Of what was written.
struct EvidenceFile {
    std::string name;
    std::uint64_t bytes = 0;
    std::uint64_t rows = 0;
    Bytes32 sha256{};
};

struct EvidenceFound {
    std::string taken_at;  // the moment that all of it is of
    std::string snapshot;  // PostgreSQL's name of it
    std::string schema;    // the newest migration
    std::uint64_t journals = 0;
    std::uint64_t records = 0;  // that were verified
    std::uint64_t postings = 0;
    std::optional<std::string> first_wrong;
    EvidenceLayouts layouts;
};

nlohmann::ordered_json evidence_manifest(EvidenceQuery const& query, EvidenceFound const& found,
                                         std::vector<EvidenceFile> const& files);

}  // namespace sycee
