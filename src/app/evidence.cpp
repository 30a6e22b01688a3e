#include <sycee/app/evidence.hpp>
#include <sycee/payment/record_fields.hpp>

#include <nlohmann/json.hpp>

namespace sycee {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kPostings = "postings";

}  // namespace

std::string EvidenceLayouts::line_of(JournalEntry const& entry) {
    Json json;
    Fields fields;
    std::string layout;
    for (RecordField& field : fields_of(entry)) {
        // The postings that are stored stand in a file of their own, so that they are checked too.
        if (field.name == kPostings) break;
        if (field.name == "layout") layout = field.value;
        fields.emplace_back(field.name, to_string(field.kind));
        json[field.name] = std::move(field.value);
    }
    json["hash"] = to_hex(entry.hash);
    layouts_.try_emplace({std::string(to_string(kind_of(entry.record))), layout},
                         std::move(fields));
    return json.dump() + "\n";
}

Json EvidenceLayouts::json() const {
    Json json = Json::array();
    for (auto const& [name, fields] : layouts_) {
        Json list = Json::array();
        for (auto const& [field, kind] : fields)
            list.push_back(Json::array({field, kind}));
        json.push_back({{"kind", name.first}, {"layout", name.second}, {"fields", list}});
    }
    return json;
}

std::string evidence_record_file(RecordKind kind) {
    return "records/" + std::string(to_string(kind)) + ".jsonl";
}

Json evidence_manifest(EvidenceQuery const& query, EvidenceFound const& found,
                       std::vector<EvidenceFile> const& files) {
    Json json;
    json["object"] = "evidence";
    json["version"] = 1;
    json["taken_at"] = found.taken_at;
    json["snapshot"] = found.snapshot;
    json["schema"] = found.schema;
    json["merchant"] = query.merchant_id ? Json(to_string(*query.merchant_id)) : Json(nullptr);
    json["period"] = query.period ? Json(query.period->name) : Json(nullptr);
    json["with_details"] = query.with_details;
    json["verify"] = {{"right", !found.first_wrong},
                      {"first_wrong", found.first_wrong ? Json(*found.first_wrong) : Json(nullptr)},
                      {"journals", found.journals},
                      {"records", found.records},
                      {"postings", found.postings}};
    json["layouts"] = found.layouts.json();
    json["files"] = Json::array();
    for (EvidenceFile const& file : files) {
        json["files"].push_back({{"name", file.name},
                                 {"bytes", file.bytes},
                                 {"rows", file.rows},
                                 {"sha256", to_hex(file.sha256)}});
    }
    return json;
}

}  // namespace sycee
